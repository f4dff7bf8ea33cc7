"""Diagnostics: what a job measures of itself at logged points, that it changes no bit, and that the numbers are right."""
import math

from harness import THOROUGH, Server, equal, includes, near, rows, want
from material import BLOBS, DATA, SPIRALS, mlp, softmax

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests

ALL = ["sharpness", "noise_scale", "update_ratio", "full_gradient_norm"]
COLUMNS = ["sharpness", "sharpness_limit", "full_gradient_norm", "noise_scale", "gradient_variance", "gradient_square", "update_ratio_0", "update_ratio_1"]
FROZEN = {"type": "gd", "learning_rate": 1e-30}


def _curve(server, job, *names):
    """Columns by name, as lists."""
    curve = server.get(f"/v1/jobs/{job}/metrics?downsample=none&max_points=10000" + ("&names=" + ",".join(names) if names else ""))
    return {name: [row[i] for row in curve["data"]] for i, name in enumerate(curve["columns"])}


def _rows_without_seconds(server, job):
    curve = server.get(f"/v1/jobs/{job}/metrics?downsample=none&max_points=10000")
    drop = curve["columns"].index("seconds")
    return curve["columns"], [row[:drop] + row[drop + 1:] for row in curve["data"]]


def _table(server, name, divide=1):
    head, *lines = (DATA / name).read_text().split()
    body = [head] + [",".join([str(float(v) / divide) for v in line.split(",")[:-1]] + [line.split(",")[-1]]) for line in lines]
    return server.ok("POST", f"/v1/datasets?name={name}", "\n".join(body), {"Content-Type": "text/csv"})["id"]


@rows(("plain", {"type": "sgd", "learning_rate": 0.1}), ("lookahead", {"type": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": "lookahead"}), ("adam", {"type": "adam"}))
def they_change_no_bit_of_the_weights(server, optimizer):
    spec = mlp(SPIRALS, (24, 12), optimizer=optimizer, split={"validation": 0.1}, training={"epochs": 4, "batch_size": 32, "seed": 3, "log_every_steps": 5})
    spec["model"]["dropout"] = 0.2
    plain, measured = server.train(spec), server.train({**spec, "diagnostics": ALL})
    equal(measured["digest"]["parameters_sha256"], plain["digest"]["parameters_sha256"], "digest")
    columns, without = _rows_without_seconds(server, plain["id"])
    more, with_them = _rows_without_seconds(server, measured["id"])
    includes(more, *COLUMNS, "update_ratio_2")
    want(not set(more) & set(COLUMNS) & set(columns), "columns that nobody asked for")
    names = [c for c in columns if c != "seconds"]
    every = [c for c in more if c != "seconds"]
    equal([[row[every.index(n)] for n in names] for row in with_them], without, "what is measured anyway")


def threads_change_no_bit_of_them(server):
    spec = mlp(SPIRALS, (150,), diagnostics=ALL, training={"epochs": 3, "batch_size": 64, "seed": 3, "log_every_steps": 4 if THOROUGH else 9})
    one, two = (server.train({**spec, "resources": {"threads": n}})["id"] for n in (1, 2))
    equal(_rows_without_seconds(server, two), _rows_without_seconds(server, one), "rows")


@rows(("iris", "iris.csv", 1, 20.7833984836602), ("digits", "digits.csv", 16, 1.144352838917231))
def sharpness_at_zero_is_that_of_softmax_regression(server, name, divide, expected):
    spec = softmax(_table(server, name, divide), preprocessing="none", optimizer={**FROZEN}, diagnostics=["sharpness"],
                   training={"epochs": 1, "batch_size": "full", "seed": 1})
    curve = _curve(server, server.train(spec)["id"])
    near(curve["sharpness"][-1], expected, 1e-3 * expected, "sharpness")
    near(curve["sharpness_limit"][-1] / 2e30, 1, 1e-9, "2 / learning_rate")


@rows(("below", 1.9, True), ("above", 2.1, False))
def gradient_descent_is_stable_just_below_its_limit(server, factor, falls):
    """From the optimum's neighbourhood, with the learning rate at `factor` / sharpness."""
    data = _table(server, "iris.csv")
    loss = {"type": "cross_entropy", "l2": 0.1}
    first = server.train(softmax(data, preprocessing="none", loss=loss, optimizer={"type": "gd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": "lookahead"},
                                 diagnostics=["sharpness"], training={"epochs": 3000, "seed": 1, "log_every_steps": 1000}))
    sharpness = _curve(server, first["id"])["sharpness"][-1]
    job = server.train(softmax(data, init={"model": first["model"]}, loss=loss, optimizer={"type": "gd", "learning_rate": factor / sharpness}, preprocessing="none",
                               training={"epochs": 300, "seed": 1}))
    norms = _curve(server, job["id"], "gradient_norm")["gradient_norm"]
    want((norms[-1] <= norms[0] * 1.01) == falls, f"at {factor} / sharpness the gradient's norm goes from {norms[0]} to {norms[-1]}")


def the_halves_of_a_batch_add_up_to_its_gradient(server):
    spec = mlp(BLOBS, (8,), diagnostics=["noise_scale"], loss={"type": "cross_entropy", "l2": 0.01}, training={"epochs": 3, "batch_size": 30, "seed": 2, "log_every_steps": 1})
    curve = _curve(server, server.train(spec)["id"])
    for square, variance, norm in zip(curve["gradient_square"], curve["gradient_variance"], curve["gradient_norm"]):
        near((square + variance) / norm ** 2, 1, 1e-4, "|(g1 + g2) / 2|^2 = |g1|^2/2 + |g2|^2/2 - |g1 - g2|^2/4")


def the_variance_of_minibatch_gradients_falls_as_one_over_their_size(server):
    def measure(size):
        spec = softmax({**BLOBS, "n": 4096, "noise": 1.0}, diagnostics=["noise_scale", "full_gradient_norm"], init="glorot_normal", optimizer={"type": "sgd", "learning_rate": 1e-30},
                       training={"epochs": 16 * size // 64, "batch_size": size, "seed": 4, "log_every_steps": 1})
        job = server.train(spec)
        curve = _curve(server, job["id"])
        mean = {name: sum(curve[name]) / len(curve[name]) for name in ("gradient_variance", "gradient_square")}
        return mean, curve["full_gradient_norm"][-1], server.results(job["id"])["diagnostics"]

    small, full, _ = measure(64)
    large, _, results = measure(256)
    near(small["gradient_variance"] / large["gradient_variance"], 4, 0.4, "4 times the rows")
    near(small["gradient_square"] / full ** 2, 1, 0.05, "the true gradient's square")
    scale = 64 * small["gradient_variance"] / full ** 2
    near(results["noise_scale"] / scale, 1, 0.35, "noise scale")
    equal(results["suggested_batch_size"], max(1, math.floor(results["noise_scale"] + 0.5)), "suggested batch size")


def the_full_gradient_is_that_of_the_next_step_of_batch_gradient_descent(server):
    spec = mlp(BLOBS, (8,), diagnostics=["full_gradient_norm"], optimizer={"type": "gd", "learning_rate": 0.1}, loss={"type": "cross_entropy", "l2": 0.01}, training={"epochs": 20, "seed": 2})
    curve = _curve(server, server.train(spec)["id"])
    for before, after in zip(curve["full_gradient_norm"], curve["gradient_norm"][1:]):
        near(before / after, 1, 1e-5, "norm")


def update_ratios_are_those_of_the_models(server):
    """The parameters after each of two steps, layer by layer."""
    spec = mlp(BLOBS, (8,), diagnostics=["update_ratio"], training={"epochs": 3, "batch_size": 30, "seed": 2, "log_every_steps": 1})

    def parameters(steps):
        job = server.train({**spec, "stop": {"max_steps": steps}})
        layers = server.get(f"/v1/models/{job['model']}/export?format=json")["layers"]
        return job, [[w for row in layer["weight"] for w in row] + layer["bias"] for layer in layers if "weight" in layer]

    _, before = parameters(4)
    job, after = parameters(5)
    curve = _curve(server, job["id"])
    for k, (a, b) in enumerate(zip(before, after)):
        ratio = math.dist(a, b) / math.hypot(*b)
        near(curve[f"update_ratio_{k}"][-1] / ratio, 1, 1e-5, f"layer {k}")


def a_killed_job_makes_the_same_rows_again():
    spec = mlp(SPIRALS, (32,), diagnostics=ALL, training={"epochs": 12, "batch_size": 32, "seed": 3, "log_every_steps": 3 if THOROUGH else 9}, checkpoint={"every_steps": 17})
    with Server() as server:
        whole = _rows_without_seconds(server, server.train(spec)["id"])
        job = server.ok("POST", "/v1/jobs", {**spec, "resources": {"threads": 1}})["id"]
        server.wait_until(job, lambda j: j["step"] >= 60)
        server.restart(kill=True)
        server.wait(job)
        job = server.get(f"/v1/jobs/{job}")
        equal((job["status"], job["error"]), ("succeeded", None), "the job")
        equal(_rows_without_seconds(server, job["id"]), whole, "rows")


def the_resolved_spec_and_the_estimate_have_them(server):
    answer = server.ok("POST", "/v1/jobs?validate_only=true", mlp(BLOBS, (8,), diagnostics=["update_ratio", "sharpness"]), status=200)
    equal(answer["spec"]["diagnostics"], ["sharpness", "update_ratio"], "diagnostics")
    plain = server.ok("POST", "/v1/jobs?validate_only=true", mlp(BLOBS, (8,)), status=200)
    want(answer["estimate"]["bytes"] > plain["estimate"]["bytes"], "memory")
    want("diagnostics" not in plain["spec"] and "kind" not in plain["spec"], "specs without are as they were")


def charts_and_events_show_them(server):
    job = server.train(mlp(BLOBS, (8,), diagnostics=ALL))["id"]
    picture = server.call("GET", f"/v1/jobs/{job}/metrics?format=svg&names=sharpness,sharpness_limit,noise_scale,update_ratio_0").body.decode()
    includes(picture, "sharpness_limit", "noise scale", "update_ratio_0")
    event = next(e for e in server.get(f"/v1/jobs/{job}/events?limit=100")["data"] if e["type"] == "metric")
    includes(event["data"], "sharpness", "update_ratio_1", "gradient_variance")


@rows(("no list", "sharpness", "/diagnostics", "type_mismatch"), ("unknown", ["sharpnes"], "/diagnostics/0", "unknown_value"), ("twice", ["sharpness", "sharpness"], "/diagnostics/1", "conflicting_fields"))
def what_cannot_be_measured_is_refused(server, value, pointer, code):
    server.refuse(422, code, "POST", "/v1/jobs", softmax(diagnostics=value), pointer=pointer)


def update_ratios_have_room_for_sixteen_layers(server):
    deep = mlp(BLOBS, (4,) * 16, diagnostics=["update_ratio"])
    server.refuse(422, "out_of_range", "POST", "/v1/jobs", deep, pointer="/diagnostics")
    job = server.train({**deep, "model": {"type": "mlp", "hidden": [4] * 15}})
    includes(_curve(server, job["id"]), "update_ratio_15")
