"""Learning-rate range tests: a sweep that ends with a suggestion instead of a model."""
import re

from harness import THOROUGH, Server, equal, includes, near, rows, want
from material import BLOBS, SPIRALS, mlp, softmax

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests


def _sweep(dataset=None, **changes):
    return mlp(dataset or {**SPIRALS, "n": 2000}, (32,), kind="lr_range_test", optimizer={"type": "sgd"}, training={"batch_size": 32, "seed": 5}, **changes)


def _curve(server, job):
    curve = server.get(f"/v1/jobs/{job}/metrics?downsample=none&max_points=10000")
    return {name: [row[i] for row in curve["data"]] for i, name in enumerate(curve["columns"])}


def a_sweep_ends_with_a_suggestion_and_no_model(server):
    job = server.train(_sweep())
    equal((job["stop_reason"], job["model"], job["digest"], job["error"]), ("range_test", None, None, None), "the job")
    results = server.results(job["id"])
    equal((results["model"], results["digest"], results["splits"]), (None, None, {}), "results")
    found, curve = results["range_test"], _curve(server, job["id"])
    want(1e-6 < found["suggestion"] < found["minimum"] <= found["stopped_at"] <= 10, f"found {found}")
    near(found["minimum_over_10"], found["minimum"] / 10, 1e-15, "minimum over 10")
    least = min(range(len(curve["step"])), key=lambda i: curve["smoothed_loss"][i])
    equal((found["minimum"], found["loss"]), (curve["learning_rate"][least], curve["smoothed_loss"][least]), "the least smoothed loss")
    equal((found["steps"], found["stopped_at"]), (curve["step"][-1], curve["learning_rate"][-1]), "the last update")
    # the suggestion is a learning rate that trains
    trained = server.train(mlp({**SPIRALS, "n": 2000}, (32,), optimizer={"type": "sgd", "learning_rate": found["suggestion"]}, training={"batch_size": 32, "seed": 5, "epochs": 10}))
    loss = [v for v in _curve(server, trained["id"])["train_loss"] if v is not None]
    want(loss[-1] < 0.9 * loss[0], f"train_loss {loss[0]} to {loss[-1]} at the suggestion")


def the_rates_are_geometric_and_the_mean_is_bias_corrected(server):
    curve = _curve(server, server.train(_sweep(range={"start": 1e-5, "end": 1e-1, "steps": 100}))["id"])
    equal(curve["step"], list(range(1, 101)), "a row for each step")
    equal((curve["learning_rate"][0], curve["learning_rate"][-1]), (1e-5, 1e-1), "both ends")
    mean = 0
    for k, (rate, loss, smoothed) in enumerate(zip(curve["learning_rate"], curve["batch_loss"], curve["smoothed_loss"])):
        near(rate / (1e-5 * 1e4 ** (k / 99)), 1, 1e-12, f"rate {k}")
        mean = 0.98 * mean + 0.02 * loss
        near(smoothed / (mean / (1 - 0.98 ** (k + 1))), 1, 1e-12, f"smoothed loss {k}")


def the_suggestion_is_where_the_mean_falls_most(server):
    job = server.train(_sweep())
    curve, found = _curve(server, job["id"]), server.results(job["id"])["range_test"]
    smoothed, rates = curve["smoothed_loss"], curve["learning_rate"]
    falls = {k: smoothed[k - 8] - smoothed[k] for k in range(28, len(smoothed)) if smoothed[k] == min(smoothed[:k + 1])}
    steepest = max(falls, key=falls.get)
    equal(found["suggestion"], rates[steepest - 4], "the middle of the steepest 8 steps")


@rows(("a loss that grows", {"start": 1e-3, "end": 1e4, "steps": 200}), ("a loss that is not finite", {"start": 1e3, "end": 1e6, "steps": 100}))
def where_the_loss_explodes_the_sweep_ends_and_the_job_succeeds(server, span):
    job = server.train(_sweep(range=span))
    found, curve = server.results(job["id"])["range_test"], _curve(server, job["id"])
    equal((job["status"], job["stop_reason"], found["diverged"]), ("succeeded", "range_test", True), "the job")
    want(found["stopped_at"] < span["end"] and found["steps"] < span["steps"], f"found {found}")
    want(all(v is not None for v in curve["batch_loss"] + curve["smoothed_loss"]), "every row is finite")
    before = curve["smoothed_loss"][:-1]
    want(all(s <= 4 * min(before[:i + 1]) for i, s in enumerate(before)), "it had not ended before")


def the_spec_says_what_a_sweep_does_not_use(server):
    spec = _sweep(stop={"max_steps": 7, "early": {"patience": 1}}, schedule={"type": "cosine"}, split={"validation": 0.2})
    answer = server.ok("POST", "/v1/jobs?validate_only=true", spec, status=200)
    resolved = answer["spec"]
    equal((resolved["kind"], resolved["range"]), ("lr_range_test", {"start": 1e-6, "end": 10, "steps": 200}), "kind and range")
    equal((resolved["schedule"]["type"], resolved["stop"], resolved["training"]["epochs"], resolved["training"]["log_every_steps"]),
          ("constant", {"gradient_norm": None, "max_steps": None, "max_seconds": None, "early": None}, 4, 1), "what it replaces")
    equal(answer["estimate"]["total_steps"], 200, "steps")
    job = server.train(spec)
    equal(job["total_steps"], 200, "steps")
    want("validation_loss" not in _curve(server, job["id"]), "nothing is evaluated")
    again = server.train(server.get(f"/v1/jobs/{job['id']}/spec"))
    equal(server.results(again["id"])["range_test"], server.results(job["id"])["range_test"], "the spec, posted again")


def a_job_can_be_run_again_as_a_range_test(server):
    job = server.train(softmax(BLOBS))
    sweeping = server.wait(server.ok("POST", f"/v1/jobs/{job['id']}/rerun", {"kind": "lr_range_test", "range": {"steps": 100}})["id"])
    equal(server.get(f"/v1/jobs/{sweeping['id']}")["stop_reason"], "range_test", "stop reason")


def a_killed_sweep_finds_the_same():
    spec = _sweep({**SPIRALS, "n": 300 if THOROUGH else 150}, range={"steps": 200 if THOROUGH else 100, "start": 1e-5, "end": 1},
                  diagnostics=["noise_scale", "sharpness"], checkpoint={"every_steps": 20})

    def outcome(server, job):
        found, curve = server.results(job)["range_test"], _curve(server, job)
        return found, {name: values for name, values in curve.items() if name != "seconds"}

    with Server() as server:
        whole = outcome(server, server.train(spec)["id"])
        job = server.ok("POST", "/v1/jobs", {**spec, "resources": {"threads": 1}})["id"]
        server.wait_until(job, lambda j: j["step"] >= 60)
        server.restart(kill=True)
        server.wait(job)
        equal(server.get(f"/v1/jobs/{job}")["restarts"], 1, "restarts")
        equal(outcome(server, job), whole, "what was found")


def the_picture_shows_loss_over_the_learning_rate(server):
    job = server.train(_sweep())["id"]
    picture = server.call("GET", f"/v1/jobs/{job}/metrics?format=svg").text
    includes(picture, ">learning rate</text>", "smoothed_loss", "batch_loss")
    ticks = re.findall(r'<text class="middle"[^>]*>([^<]*)</text>', picture)
    want(len([t for t in ticks if re.fullmatch(r"1e-0\d|0\.\d+|\d+", t)]) >= 6, f"powers of ten: {ticks}")
    includes(server.call("GET", f"/v1/jobs/{job}/metrics?format=ascii").text, "learning rate")


def what_a_sweep_has_not_got_is_refused(server):
    """Neither probabilities to draw, nor a model to predict with: before its end there are checkpoints, but of a network on its way to explode."""
    running = server.ok("POST", "/v1/jobs", _sweep(range={"steps": 500 if THOROUGH else 200}, diagnostics=["sharpness"], checkpoint={"every_steps": 20}))["id"]  # takes some seconds
    server.wait_until(running, lambda j: server.get(f"/v1/jobs/{running}/checkpoints")["data"] != [])
    finished = server.train(_sweep())["id"]
    equal(server.get(f"/v1/jobs/{finished}/results")["splits"], {}, "splits")
    problem = server.refuse(406, "not_acceptable", "GET", f"/v1/jobs/{finished}/results?format=svg")
    includes(problem["detail"], "range test")
    for job in (finished, running):
        problem = server.refuse(409, "model_not_ready", "POST", f"/v1/jobs/{job}/predict", {"instances": [[0, 0]]})
        includes(problem["detail"], "range test")


@rows(("no sweep", {"range": {"steps": 200}}, "/range", "conflicting_fields"), ("few steps", {"kind": "lr_range_test", "range": {"steps": 99}}, "/range/steps", "out_of_range"),
      ("backwards", {"kind": "lr_range_test", "range": {"start": 1, "end": 0.1}}, "/range/end", "out_of_range"),
      ("from nothing", {"kind": "lr_range_test", "range": {"start": 0}}, "/range/start", "out_of_range"), ("another kind", {"kind": "lr_range"}, "/kind", "unknown_value"))
def what_is_no_sweep_is_refused(server, changes, pointer, code):
    server.refuse(422, code, "POST", "/v1/jobs", softmax(**changes), pointer=pointer)
