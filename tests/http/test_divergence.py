"""A job whose numbers leave the finite ones: it fails and says all that is needed to see why, in JSON that every parser takes."""
from harness import Server, equal, includes, want
from job_states import check_events
from material import csv_table, mlp

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it


def _spec(server, learning_rate, warmup, **changes):
    dataset = server.ok("POST", "/v1/datasets", csv_table(200), {"Content-Type": "text/csv"})["id"]
    spec = mlp(dataset, (32, 32), preprocessing="none", optimizer={"type": "sgd", "learning_rate": learning_rate, "momentum": 0.9},
               schedule={"type": "constant", "warmup_steps": warmup}, training={"epochs": 200, "batch_size": 8, "seed": 1, "log_every_steps": 1}, **changes)
    spec["model"]["activation"] = "leaky_relu"  # units that are never dead
    return spec


def _check(server, job, checkpoints):
    error = job["error"]
    equal(sorted(error), ["checkpoint", "code", "gradient_norms", "layer", "learning_rate", "message", "rows", "step", "suggestion"], "members of the error")
    described = server.get("/v1/openapi.json")["components"]["schemas"]["JobError"]["properties"]
    equal(sorted(described), sorted(error), "members that the interface describes")
    equal((error["code"], error["step"], job["stop_reason"], job["model"], job["digest"]), ("diverged", job["step"] + 1, None, None, None), "what failed")
    want(error["layer"] is None or error["layer"] >= 0, f"layer {error['layer']}")
    norms = error["gradient_norms"]
    want(0 < len(norms) <= job["step"] + 1 and norms == sorted(norms), f"norms that grow: {norms}")
    equal(len(set(error["rows"])), 8, "rows of the batch")
    want(all(0 <= r < 200 for r in error["rows"]), f"rows {error['rows']}")
    want("learning rate" in error["suggestion"], error["suggestion"])
    last = checkpoints[0] if checkpoints else None
    equal(error["checkpoint"], last and {"step": last["step"], "sha256": last["sha256"]}, "the last good state")
    events = check_events(server, job["id"])
    equal(events[-1]["data"]["error"], error, "the last event")
    for path in ("", "/metrics", "/metrics?downsample=none", "/events", "/checkpoints", "/spec"):
        server.get(f"/v1/jobs/{job['id']}{path}")  # parsed strictly
    server.refuse(409, "results_not_ready", "GET", f"/v1/jobs/{job['id']}/results")


def a_job_that_leaves_the_finite_numbers_says_where(server):
    spec = _spec(server, 1e6, 10000)
    job = server.wait(server.job(spec), "failed")
    _check(server, job, server.get(f"/v1/jobs/{job['id']}/checkpoints")["data"])
    near_rate = 1e6 * job["error"]["step"] / 10000
    equal(job["error"]["learning_rate"], near_rate, "the learning rate of that update")
    again = server.wait(server.job(spec), "failed")
    equal({k: v for k, v in again["error"].items() if k != "checkpoint"}, {k: v for k, v in job["error"].items() if k != "checkpoint"}, "the same again")


def the_last_good_checkpoint_is_named(server):
    """Also one that was being written when the job failed."""
    for learning_rate, warmup in ((1e6, 10000), (1e9, 1000), (1e9, 10000)):
        job = server.wait(server.job(_spec(server, learning_rate, warmup, checkpoint={"every_steps": 1})), "failed")
        checkpoints = server.get(f"/v1/jobs/{job['id']}/checkpoints")["data"]
        want(checkpoints and checkpoints[0]["step"] <= job["step"], f"checkpoints {checkpoints}")
        _check(server, job, checkpoints)
        includes(server.ok("POST", f"/v1/jobs/{job['id']}/predict", {"instances": [[1, 2]]}), "predictions")


def it_is_named_after_a_restart_too():
    with Server() as s:
        spec = _spec(s, 1e6, 10000, checkpoint={"every_steps": 1})
        job = s.wait(s.job(spec), "failed")
        s.restart(kill=True)
        equal(s.get(f"/v1/jobs/{job['id']}"), job, "the job")
        _check(s, job, s.get(f"/v1/jobs/{job['id']}/checkpoints")["data"])
