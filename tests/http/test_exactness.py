"""The same bits: for any number of threads, on any load, from the spec alone. And the negative control: another seed, other bits."""
import hashlib
import json
import struct

from harness import THOROUGH, Server, equal, rows, side_by_side, want
from material import BLOBS, OPTIMIZERS, mlp, softmax

THREADS = (1, 2, 3, 4, 7, 16) if THOROUGH else (1, 3)
# 250 rows in batches of 48 leave a short last one; 100 units cross the widths that kernels like.
DATA = {**BLOBS, "n": 250}
TRAINING = {"epochs": 4, "batch_size": 48, "seed": 11}


def _digests(server, spec):
    return {t: server.digest({**spec, "resources": {"threads": t}}) for t in THREADS}


def _one(digests):
    equal(len(set(digests.values())), 1, f"different digests of {digests}")
    return next(iter(digests.values()))


@rows(*((f"{name}, {'with' if rate else 'without'} dropout", optimizer, rate) for name, optimizer in OPTIMIZERS for rate in (0.0, 0.3)))
def the_digest_is_the_same_for_any_number_of_threads(server, optimizer, rate):
    spec = mlp(DATA, (100, 20), optimizer=optimizer, training=TRAINING)
    spec["model"]["dropout"] = rate
    _one(_digests(server, spec))


@rows(
    ("softmax regression", softmax(DATA, training=TRAINING)),
    ("full batch", mlp(DATA, (100,), training={**TRAINING, "batch_size": "full"})),
    ("batch of 1", mlp({**DATA, "n": 60}, (20,), training={**TRAINING, "batch_size": 1, "epochs": 2})),
    ("one wide layer", mlp(DATA, (1000,), training=TRAINING)),
    ("with replacement", mlp(DATA, (100,), training={**TRAINING, "shuffle": "with_replacement"})),
    ("shuffled once", mlp(DATA, (100,), training={**TRAINING, "shuffle": "once"})),
    ("clipped", mlp(DATA, (100, 20), training={**TRAINING, "clip_norm": 0.5})),
    ("l2, smoothing, class weights", mlp(DATA, (100,), training=TRAINING, loss={"type": "cross_entropy", "l2": 0.01, "label_smoothing": 0.1, "class_weights": [1, 2, 3]})),
    ("cosine with warm-up", mlp(DATA, (100,), training=TRAINING, schedule={"type": "cosine", "final_learning_rate": 0, "warmup_steps": 5})),
    ("layers of every kind", {"dataset": DATA, "training": TRAINING, "model": {"type": "layers", "layers": [
        {"type": "dense", "units": 40}, {"type": "tanh"}, {"type": "dense", "units": 30}, {"type": "sigmoid"}, {"type": "dropout", "rate": 0.2},
        {"type": "dense", "units": 20}, {"type": "leaky_relu"}, {"type": "dense"}]}}),
)
def so_it_is_for_every_way_to_train(server, spec):
    _one(_digests(server, spec))


@rows(*OPTIMIZERS)
def the_resolved_spec_gives_the_same_bits(server, optimizer):
    job = server.train(mlp(DATA, (20,), optimizer=optimizer, training=TRAINING))
    spec = server.get(f"/v1/jobs/{job['id']}/spec")
    want(optimizer.items() <= {**spec["optimizer"], "type": optimizer["type"]}.items(), f"what was asked for: {spec['optimizer']}")
    equal(server.train(spec)["digest"], job["digest"], "digest")


def the_curves_are_the_same_too(server):
    curves = []
    for threads in THREADS[:3]:
        job = server.train(mlp(DATA, (100,), training=TRAINING, resources={"threads": threads}))["id"]
        found = server.get(f"/v1/jobs/{job}/metrics?downsample=none")
        seconds = found["columns"].index("seconds")
        curves.append([[v for i, v in enumerate(row) if i != seconds] for row in found["data"]])
    want(len(curves[0]) > 5, "rows")
    for other in curves[1:]:
        equal(other, curves[0], "curves")


def a_loaded_server_gives_the_same_bits(server):
    spec = mlp(DATA, (100,), training=TRAINING, resources={"threads": 2})
    alone = server.digest(spec)
    equal(set(side_by_side([lambda: server.digest(spec)] * 6)), {alone}, "digests")


def another_seed_gives_other_bits(server):
    digests = {server.digest(mlp(DATA, (100,), training={**TRAINING, "seed": seed})) for seed in (11, 12, "0xdeadbeefcafef00d")}
    equal(len(digests), 3, "digests")


def the_reference_tier_is_exact_as_well():
    with Server(["--kernel-tier", "reference"]) as s:
        want("reference" in s.get("/v1")["kernel_tier"], "kernel tier")
        _one({t: s.digest(mlp(DATA, (100,), training=TRAINING, resources={"threads": t})) for t in THREADS[:3]})


def the_digest_is_the_hash_of_the_safetensors_data(server):
    job = server.train(mlp(DATA, (17,), training=TRAINING))
    raw = server.get(f"/v1/models/{job['model']}/export?format=safetensors")
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + length])
    equal(hashlib.sha256(raw[8 + length:]).hexdigest(), job["digest"]["parameters_sha256"], "digest")
    tensors = {k: v for k, v in header.items() if k != "__metadata__"}
    equal(sorted(tuple(t["shape"]) for t in tensors.values()), sorted([(17, 2), (17,), (3, 17), (3,)]), "shapes")
    equal({t["dtype"] for t in tensors.values()}, {"F32"}, "element type")
    ends = sorted(t["data_offsets"] for t in tensors.values())
    equal((ends[0][0], ends[-1][1]), (0, len(raw) - 8 - length), "the tensors cover the data")
    for (_, end), (start, _) in zip(ends, ends[1:]):
        equal(start, end, "without holes")
