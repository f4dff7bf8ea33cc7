"""Convolutional networks: training on images and on tables of pixels, the same bits, resuming, exports, and what is refused."""
import hashlib
import json
import pathlib
import struct

from harness import THOROUGH, Server, equal, near, rows, want
from material import DATA, tiny_images

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests

CONV = {"type": "conv2d", "filters": 4, "padding": "same"}
END = [{"type": "flatten"}, {"type": "dense"}]
THREADS = (1, 2, 3, 4, 7) if THOROUGH else (1, 2)


def _images(server, count=120, side=7, name="stripes"):
    return server.upload_idx(*tiny_images(count, side), name)


def _cnn(dataset, **changes):
    spec = {"dataset": dataset, "model": {"type": "cnn", "filters": [6, 5], "hidden": [16], "batch_norm": True, "dropout": 0.2},
            "optimizer": {"type": "adam", "learning_rate": 0.01}, "training": {"epochs": 4, "batch_size": 25, "seed": 3}}
    return {**spec, **changes}


def _layers(*layers):
    return {"type": "layers", "layers": [*layers, *END]}


EVERY_KIND = _layers(
    {"type": "conv2d", "filters": 5, "kernel": [3, 2], "stride": [1, 2], "padding": [2, 1]}, {"type": "batch_norm"}, {"type": "leaky_relu"},
    {"type": "dropout", "rate": 0.1}, {"type": "max_pool2d", "size": [2, 1]}, {"type": "conv2d", "filters": 3, "kernel": 1}, {"type": "tanh"},
    {"type": "batch_norm", "momentum": 0.3}, {"type": "avg_pool2d", "size": 2, "stride": 1}, {"type": "flatten"}, {"type": "dense", "units": 9},
    {"type": "batch_norm"}, {"type": "sigmoid"})


def a_cnn_learns_what_an_image_shows(server):
    data, test = _images(server), _images(server, 60, name="others")
    job = server.train({**_cnn(data), "test": {"dataset": test}, "split": {"validation": 0.2}})
    results = server.results(job["id"])
    near(results["splits"]["test"]["accuracy"], 1, 0.05, "test accuracy")
    near(results["splits"]["validation"]["accuracy"], 1, 0.05, "validation accuracy")


def digits_are_read_as_images_of_8_by_8(server):
    table = server.upload((DATA / "digits.csv").read_text(), query="?name=digits")["id"]
    spec = {"dataset": table, "split": {"test": 0.2}, "optimizer": {"type": "adam", "learning_rate": 0.003},
            "training": {"epochs": 8 if THOROUGH else 4, "batch_size": 64, "seed": 1},
            "model": {"type": "cnn", "filters": [16, 32], "hidden": [64], "input_shape": [1, 8, 8]}}
    job = server.train(spec)
    want(server.results(job["id"])["splits"]["test"]["accuracy"] > 0.93, server.results(job["id"])["splits"]["test"]["accuracy"])
    equal(server.get(f"/v1/jobs/{job['id']}/spec")["model"]["input_shape"], [1, 8, 8], "the resolved shape")


@rows(
    ("cnn", lambda d: _cnn(d)),
    ("cnn on plain gradients", lambda d: _cnn(d, optimizer={"type": "sgd", "learning_rate": 0.05, "momentum": 0.9})),
    ("layers of every kind", lambda d: _cnn(d, model=EVERY_KIND)),
    ("clipped", lambda d: _cnn(d, training={"epochs": 3, "batch_size": 50, "clip_norm": 0.1})),
    ("full batch", lambda d: _cnn(d, training={"epochs": 6, "batch_size": "full"})),
    ("l2, stop by the gradient", lambda d: _cnn(d, loss={"type": "cross_entropy", "l2": 0.01}, stop={"gradient_norm": 1e-6})),
    ("batch norm of a perceptron", lambda d: _cnn(d, model=_layers({"type": "flatten"}, {"type": "dense", "units": 150}, {"type": "batch_norm"}, {"type": "relu"}))),
)
def threads_change_no_bit(server, spec):
    data = _images(server)
    digests = {t: server.digest({**spec(data), "resources": {"threads": t}}) for t in THREADS}
    equal(len(set(digests.values())), 1, f"different digests of {digests}")


def the_resolved_request_gives_the_same_bits(server):
    data = _images(server)
    job = server.train(_cnn(data))
    spec = server.get(f"/v1/jobs/{job['id']}/spec")
    equal((spec["model"]["type"], spec["model"]["filters"], spec["model"]["input_shape"]), ("cnn", [6, 5], [1, 7, 7]), "resolved model")
    equal(server.digest(spec), job["digest"]["parameters_sha256"], "digest")


def a_killed_job_goes_on_to_the_same_bits():
    with Server() as s:
        data = _images(s, 400)
        spec = _cnn(data, training={"epochs": 250 if THOROUGH else 80, "batch_size": 32, "seed": 5}, checkpoint={"every_steps": 7})
        digest = s.digest(spec)
        for _ in range(2):
            job = s.job(spec)
            s.wait_until(job, lambda j: j["step"] > 30)
            s.restart(kill=True)
            view = s.wait(job)
            equal(view["digest"]["parameters_sha256"], digest, "digest after kill -9")
            want(view["restarts"] > 0, "it was interrupted")


def _tensors(export):
    """name -> (shape, values) of a safetensors file; its metadata."""
    size = struct.unpack("<Q", export[:8])[0]
    header = json.loads(export[8:8 + size])
    metadata = header.pop("__metadata__")
    found = {}
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        found[name] = (tensor["shape"], struct.unpack(f"<{(end - begin) // 4}f", export[8 + size + begin:8 + size + end]))
    return found, metadata, export[8 + size:]


def an_export_has_the_tensors_that_other_programs_know(server):
    model = server.train(_cnn(_images(server), model=EVERY_KIND))["model"]
    view = server.get(f"/v1/models/{model}")
    tensors, metadata, data = _tensors(server.call("GET", f"/v1/models/{model}/export?format=safetensors").body)
    equal({n: t[0] for n, t in tensors.items() if n.startswith(("layers.0.", "layers.1.", "layers.5."))},
          {"layers.0.weight": [5, 1, 3, 2], "layers.0.bias": [5], "layers.1.weight": [5], "layers.1.bias": [5], "layers.1.running_mean": [5],
           "layers.1.running_var": [5], "layers.5.weight": [3, 5, 1, 1], "layers.5.bias": [3]}, "shapes")
    want(all(v > 0 for v in tensors["layers.1.running_var"][1]), "running variances")
    want(any(v != 0 for v in tensors["layers.1.running_mean"][1]), "running means that moved")
    equal(hashlib.sha256(data).hexdigest(), view["digest"]["parameters_sha256"], "digest")
    equal(json.loads(metadata["input_shape"]), [1, 7, 7], "input shape")
    layers = json.loads(metadata["layers"])
    equal(layers[0], {"type": "conv2d", "filters": 5, "kernel": [3, 2], "stride": [1, 2], "padding": [2, 1]}, "a layer")


def a_model_shows_the_shapes_between_its_layers(server):
    model = server.train(_cnn(_images(server)))["model"]
    spec = server.get(f"/v1/models/{model}")["spec"]
    equal((spec["shape"], [l.get("output") for l in spec["layers"]]),
          ([1, 7, 7], [[6, 7, 7], [6, 7, 7], [6, 7, 7], [6, 3, 3], [5, 3, 3], [5, 3, 3], [5, 3, 3], [5, 1, 1], None, None, None, None, None]), "shapes")


def predictions_of_flat_rows_do_not_depend_on_their_neighbours(server):
    model = server.train(_cnn(_images(server)))["model"]
    images, _ = tiny_images(30, 7, seed=9)
    instances = [list(images[16 + 49 * i:16 + 49 * (i + 1)]) for i in range(30)]
    together = server.ok("POST", f"/v1/models/{model}/predict", {"instances": instances, "return": ["probabilities"]})["predictions"]
    for i in (0, 7, 29):
        alone = server.ok("POST", f"/v1/models/{model}/predict", {"instances": [instances[i]], "return": ["probabilities"]})["predictions"][0]
        for p, q in zip(alone["probabilities"], together[i]["probabilities"]):
            near(p, q, 1e-6, f"row {i}")
    equal(len({p["probabilities"][0] > 0.5 for p in together}), 2, "both classes are seen")


def training_goes_on_from_a_model_of_images(server):
    data = _images(server)
    first = server.train(_cnn(data))
    second = server.train(_cnn(data, init={"model": first["model"]}, training={"epochs": 1, "batch_size": 25}))
    want(second["digest"] != first["digest"], "it went on")
    other = _cnn(data, init={"model": first["model"]})
    other["model"] = {**other["model"], "kernel": 1}
    server.refuse(422, "conflicting_fields", "POST", "/v1/jobs", other, pointer="/model")


def diverging_names_a_layer(server):
    job = server.job(_cnn(_images(server), optimizer={"type": "sgd", "learning_rate": 1e20}, model=_layers(CONV, {"type": "relu"})))
    view = server.wait(job, "failed")
    equal(view["error"]["code"], "diverged", "error")


@rows(
    ("a table", 0, {"type": "cnn"}, "/model/type", "conflicting_fields"),
    ("no flatten", 1, {"type": "layers", "layers": [CONV, {"type": "dense"}]}, "/model/layers/1/type", "conflicting_fields"),
    ("a kernel larger than the image", 1, _layers({**CONV, "kernel": 9, "padding": 0}), "/model/layers/0/kernel", "out_of_range"),
    ("pooled to nothing", 1, {"type": "cnn", "filters": [2, 2, 2]}, "/model/filters/2", "out_of_range"),
    ("same with an even kernel", 1, _layers({**CONV, "kernel": 2}), "/model/layers/0/padding", "conflicting_fields"),
    ("no filters", 1, _layers({"type": "conv2d"}), "/model/layers/0/filters", "missing_field"),
    ("stride 0", 1, _layers({**CONV, "stride": 0}), "/model/layers/0/stride", "out_of_range"),
    ("three strides", 1, _layers({**CONV, "stride": [1, 1, 1]}), "/model/layers/0/stride", "out_of_range"),
    ("half a filter", 1, _layers({**CONV, "filters": 2.5}), "/model/layers/0/filters", "not_integer"),
    ("a convolution behind flatten", 1, _layers({"type": "flatten"}, CONV), "/model/layers/1/type", "conflicting_fields"),
    ("momentum 0", 1, _layers({"type": "batch_norm", "momentum": 0}), "/model/layers/0/momentum", "out_of_range"),
    ("a shape of other images", 1, {"type": "cnn", "input_shape": [7, 7, 1]}, "/model/input_shape", "conflicting_fields"),
    ("more values than a sample may have", 1, _layers({**CONV, "filters": 65536, "padding": 200}), "/model/layers/0/filters", "out_of_range"),
)
def what_does_not_fit_is_refused_at_its_place(server, is_image, model, pointer, code):
    data = _images(server) if is_image else {"generator": "blobs", "n": 40}
    answer = server.call("POST", "/v1/jobs", _cnn(data, model=model))
    equal((answer.status, [(e["pointer"], e["code"]) for e in answer.json["errors"]]), (422, [(pointer, code)]), "refusal")


def no_thread_comes_and_goes_with_convolutions():
    """The matrix library's own threads would be seen here: a job has as many as it was given, and the server's."""
    with Server(["--threads", "2"]) as s:
        count = lambda: len(list(pathlib.Path(f"/proc/{s.process.pid}/task").iterdir()))
        s.train({"dataset": {"generator": "blobs"}, "model": {"type": "mlp", "hidden": [8]}, "resources": {"threads": 2}, "training": {"epochs": 1}})
        job = s.job({"dataset": {"generator": "blobs", "n": 3000}, "model": {"type": "mlp", "hidden": [64]}, "resources": {"threads": 2},
                     "training": {"epochs": 1000000, "log_every_steps": 1000}})
        s.wait_until(job, lambda j: j["step"] > 5)
        dense = count()
        s.ok("POST", f"/v1/jobs/{job}/cancel")
        s.wait(job, "cancelled")
        job = s.job(_cnn(_images(s, 400), training={"epochs": 100000, "batch_size": 32, "log_every_steps": 1000}, resources={"threads": 2}))
        s.wait_until(job, lambda j: j["step"] > 20)
        want(count() <= dense, f"{count()} threads, with dense layers {dense}")
        s.ok("POST", f"/v1/jobs/{job}/cancel")
