"""A job from its acceptance to its end: states, events, cancelling, deleting, failing, several at once."""
import time

from harness import PATIENCE, TERMINAL, Server, equal, includes, rows, side_by_side, want
from material import ONE_AT_A_TIME, BLOBS, csv_table, endless, mlp, softmax


def a_job_is_accepted_with_location_etag_and_every_default(server):
    answer = server.call("POST", "/v1/jobs", {"dataset": BLOBS, "model": {"type": "mlp", "hidden": [8]}, "training": {"epochs": 1}})
    equal(answer.status, 201, "status")
    job = answer.json
    equal(answer.headers["Location"], f"/v1/jobs/{job['id']}", "Location")
    want(answer.headers["ETag"], "ETag")
    want(job["id"].startswith("job_") and len(job["id"]) == 24, f"id {job['id']}")
    spec = server.get(f"/v1/jobs/{job['id']}/spec")
    includes(spec, "optimizer", "schedule", "training", "preprocessing", "init", "loss", "stop", "expect", what="spec")
    equal((spec["optimizer"]["type"], spec["optimizer"]["learning_rate"], spec["optimizer"]["momentum"], spec["optimizer"]["nesterov"]),
          ("sgd", 0.05, 0.9, "lookahead"), "the default optimizer")
    equal((spec["schedule"]["type"], spec["preprocessing"], spec["training"]["batch_size"]), ("constant", "standardize", 128), "defaults")
    includes(spec["expect"], "dataset_sha256", "kernel_tier", what="expect")
    server.wait(job["id"])


def a_finished_job_tells_how_it_ended(server):
    job = server.train(softmax(name="three blobs", metadata={"team": "a"}))
    includes(job, "object", "id", "name", "status", "pause_reason", "version", "created_at", "started_at", "finished_at", "progress", "epoch", "step",
             "total_steps", "samples_seen", "samples_per_second", "eta_seconds", "latest", "best", "seed", "threads", "stop_reason", "error", "model",
             "restarts", "digest", "metadata", "links", what="job")
    equal((job["object"], job["name"], job["status"], job["progress"], job["stop_reason"], job["error"], job["restarts"], job["metadata"]),
          ("job", "three blobs", "succeeded", 1, "epochs", None, 0, {"team": "a"}), "job")
    equal((job["epoch"], job["step"], job["total_steps"], job["samples_seen"]), (3, 30, 30, 900), "how far")
    includes(job["latest"], "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate", "gradient_norm", what="latest")
    for key in ("created_at", "started_at", "finished_at"):
        want(len(job[key]) == 24 and job[key].endswith("Z"), f"{key} {job[key]}")
    want(job["created_at"] <= job["started_at"] <= job["finished_at"], "times in order")
    equal(job["digest"]["step"], 30, "the digest's step")
    for link in job["links"].values():
        server.get(link)


def events_are_numbered_from_one_and_end_with_done(server):
    job = server.train(softmax())["id"]
    events, after = [], 0
    while True:
        page = server.get(f"/v1/jobs/{job}/events?limit=2&after={after}")
        events += page["data"]
        if not page["has_more"]:
            break
        after = page["last_id"]
    equal([int(e["id"]) for e in events], list(range(1, len(events) + 1)), "numbers")
    equal(events[-1]["type"], "done", "the last event")
    states = [e["data"]["status"] for e in events if e["type"] == "state"]
    equal(states, ["queued", "running", "succeeded"], "states")


def results_of_a_running_job_are_409(server):
    job = server.job(endless())
    server.wait_until(job, lambda j: j["status"] == "running")
    server.refuse(409, "results_not_ready", "GET", f"/v1/jobs/{job}/results")
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    server.wait(job, "cancelled")
    server.refuse(409, "results_not_ready", "GET", f"/v1/jobs/{job}/results")


def cancelling_a_running_job_takes_a_step_and_leaves_no_model(server):
    job = server.job(endless())
    server.wait_until(job, lambda j: j["step"] > 0)
    start = time.monotonic()
    answer = server.call("POST", f"/v1/jobs/{job}/cancel")
    equal(answer.status, 202, "status")
    want(answer.json["status"] in ("cancelling", "cancelled"), f"the job is {answer.json['status']}")
    view = server.wait(job, "cancelled")
    want(time.monotonic() - start < 1 + PATIENCE, f"it took {time.monotonic() - start:.1f} s")
    equal((view["model"], view["error"], view["eta_seconds"]), (None, None, None), "model, error and eta")
    want(0 < view["progress"] < 1, f"progress {view['progress']}")
    want(0 < view["step"] < view["total_steps"], "where it was")
    again = server.call("POST", f"/v1/jobs/{job}/cancel")
    equal((again.status, again.json["status"]), (200, "cancelled"), "asked again")


def cancelling_a_queued_job_ends_it_at_once():
    with Server(["--threads", "1"]) as s:
        first = s.job(endless())
        s.wait_until(first, lambda j: j["status"] == "running")
        waiting = [s.job({**endless(), "resources": {"threads": 1}}) for _ in range(20)]
        queued = [w for w in waiting if s.get(f"/v1/jobs/{w}")["status"] == "queued"]
        want(queued, "none of 20 long jobs on one thread is queued")
        answer = s.call("POST", f"/v1/jobs/{queued[-1]}/cancel")
        equal((answer.status, answer.json["status"]), (202, "cancelled"), "at once")
        again = s.call("POST", f"/v1/jobs/{queued[-1]}/cancel")
        equal((again.status, again.json), (200, answer.json), "asked again: the same job")
        view = s.get(f"/v1/jobs/{queued[-1]}")
        equal((view["started_at"], view["step"], view["eta_seconds"], view["samples_per_second"]), (None, 0, None, None), "it never started")


def cancelling_what_has_ended_is_409_with_the_allowed_actions(server):
    job = server.train(softmax())["id"]
    problem = server.refuse(409, "state_conflict", "POST", f"/v1/jobs/{job}/cancel")
    equal(problem["allowed_actions"], ["delete"], "allowed actions")


@rows(("get", "GET", ""), ("cancel", "POST", "/cancel"), ("delete", "DELETE", ""), ("spec", "GET", "/spec"), ("events", "GET", "/events"), ("metrics", "GET", "/metrics"),
      ("results", "GET", "/results"))
def an_unknown_job_is_404(server, method, path):
    server.refuse(404, "not_found", method, "/v1/jobs/job_00000000000000000000" + path)
    server.refuse(404, "not_found", method, "/v1/jobs/nonsense" + path)


def a_deleted_job_is_410_and_its_model_stays(server):
    job = server.train(softmax())
    running = server.job(endless())
    problem = server.refuse(409, "state_conflict", "DELETE", f"/v1/jobs/{running}")
    includes(problem["allowed_actions"], "cancel")
    server.ok("POST", f"/v1/jobs/{running}/cancel")
    server.ok("DELETE", f"/v1/jobs/{job['id']}", status=204)
    for path in ("", "/results", "/metrics", "/events", "/spec"):
        server.refuse(410, "deleted", "GET", f"/v1/jobs/{job['id']}{path}")
    want(job["id"] not in [j["id"] for j in server.get("/v1/jobs?limit=100")["data"]], "it is still listed")
    server.get(f"/v1/models/{job['model']}")


def a_diverging_job_fails_and_says_where(server):
    dataset = server.ok("POST", "/v1/datasets", csv_table(200), {"Content-Type": "text/csv"})["id"]
    spec = mlp(dataset, (32, 32), preprocessing="none", optimizer={"type": "sgd", "learning_rate": 1e6, "momentum": 0.9},
               training={"epochs": 200, "batch_size": 8, "seed": 1, "log_every_steps": 1})
    job = server.wait(server.job(spec), "failed")
    equal((job["error"]["code"], job["model"]), ("diverged", None), "error code and model")
    equal(job["error"]["step"], job["step"] + 1, "the update that failed")
    includes(job["error"]["message"], f"update {job['step'] + 1} ", "1e+06", what="message")
    equal((job["digest"], job["stop_reason"], job["eta_seconds"]), (None, None, None), "digest, stop_reason and eta")
    equal(job["progress"], job["step"] / job["total_steps"], "progress")
    server.refuse(409, "results_not_ready", "GET", f"/v1/jobs/{job['id']}/results")
    curves = server.get(f"/v1/jobs/{job['id']}/metrics?downsample=none")
    equal((curves["nonfinite"], curves["last_step"]), ([], job["step"]), "what was logged before it")
    equal([m["id"] for m in server.get("/v1/models?limit=100")["data"] if m["job"] == job["id"]], [], "models of it")
    events = server.get(f"/v1/jobs/{job['id']}/events?limit=100&order=desc")["data"]
    equal((events[0]["type"], events[0]["data"]["error"]["code"]), ("done", "diverged"), "the last event")


def validate_only_makes_nothing_and_tells_what_it_would_cost(server):
    before = server.get("/v1/jobs?limit=100")
    found = server.ok("POST", "/v1/jobs?validate_only=true", mlp(hidden=(10,)), status=200)
    includes(found, "spec", "estimate")
    estimate = found["estimate"]
    equal(estimate["parameters"], 2 * 10 + 10 + 10 * 3 + 3, "parameters of 2-10-3")
    want(abs(estimate["expected_first_loss"] - 1.0986122886681098) < 1e-9, f"ln 3, got {estimate['expected_first_loss']}")
    want(any("bytes" in k for k in estimate) and any("flops" in k for k in estimate), f"bytes and FLOPs: {list(estimate)}")
    table = {"x": [[i, 907] for i in range(9)], "y": [i % 2 for i in range(9)]}
    server.ok("POST", "/v1/jobs?validate_only=true", softmax(table, training={"epochs": 1, "batch_size": "full"}), status=200)
    answer = server.call("POST", "/v1/jobs?validate_only=true", softmax(training={"epochs": 0}))
    equal((answer.status, answer.json["errors"][0]["pointer"]), (422, "/training/epochs"), "it refuses what would be refused")
    server.refuse(400, "query_invalid", "POST", "/v1/jobs?validate_only=yes", softmax())
    equal(server.get("/v1/jobs?limit=100"), before, "the list of jobs")
    equal([d for d in server.get("/v1/datasets?limit=100")["data"] if d["rows"] == 9], [], "data sets of inline tables")


def the_spec_posted_again_gives_the_same_bits(server):
    first = server.train(mlp(optimizer={"type": "adam", "learning_rate": 0.01}))
    spec = server.get(f"/v1/jobs/{first['id']}/spec")
    second = server.train(spec)
    equal(second["digest"], first["digest"], "digest")
    again = server.get(f"/v1/jobs/{second['id']}/spec")
    equal(again, spec, "the spec is a fixed point")


@rows(("another data set", "dataset_sha256", "0" * 64), ("another tier", "kernel_tier", "abacus"))
def an_expectation_that_does_not_hold_is_409(server, key, value):
    job = server.train(softmax())["id"]
    spec = server.get(f"/v1/jobs/{job}/spec")
    spec["expect"][key] = value
    equal(server.refuse(409, "expectation_not_met", "POST", "/v1/jobs", spec)["pointer"], f"/expect/{key}", "pointer")


@rows(("inline table", {"x": [[0, 0], [1, 1], [0, 1], [1, 0]] * 5, "y": ["same", "same", "different", "different"] * 5}),
      ("inline numbers as labels", {"x": [[0.5], [1.5]] * 6, "y": [-1, 1] * 6}),
      ("blobs", {"generator": "blobs", "n": 60, "classes": 4, "noise": 0.2, "seed": 1}), ("moons", {"generator": "moons", "n": 60, "noise": 0.1, "seed": 1}),
      ("spirals", {"generator": "spirals", "n": 60, "classes": 3, "noise": 0.1, "seed": 1}), ("rings", {"generator": "rings", "n": 60, "classes": 2, "noise": 0.1, "seed": 1}))
def the_first_request_needs_no_file(server, dataset):
    job = server.train(mlp(dataset, (4,), training={"epochs": 3, "batch_size": 8, "seed": 1}))
    want(server.results(job["id"])["splits"]["train"]["samples"] >= 12, "samples")


def inline_rows_sent_again_are_one_data_set_and_train_again(server):
    rows_sent = {"x": [[0.25, 1], [1.75, 0], [0.5, 2], [1.5, 1]] * 8, "y": ["a", "b", "a", "b"] * 8}
    spec = softmax(rows_sent, test={"dataset": rows_sent})
    first, again = server.train(spec), server.train(spec)
    equal(again["links"]["dataset"], first["links"]["dataset"], "the data set")
    equal(again["links"]["test_dataset"], first["links"]["dataset"], "the test set, of the same content")
    equal(again["digest"]["parameters_sha256"], first["digest"]["parameters_sha256"], "digest")
    equal(server.get(f"/v1/jobs/{again['id']}/spec")["dataset"], first["links"]["dataset"].rsplit("/", 1)[1], "the spec's data set")


def two_clients_at_once_get_their_own_jobs(server):
    specs = [softmax(training={"epochs": 5, "batch_size": 16, "seed": seed}) for seed in range(8)]
    alone = [server.digest(spec) for spec in specs]
    together = side_by_side([lambda spec=spec: server.digest(spec) for spec in specs])
    equal(together, alone, "digests")
    equal(len(set(alone)), len(alone), "different seeds, different weights")


def many_small_jobs_all_end_in_order_of_arrival():
    with Server(["--threads", "1"]) as s:
        jobs = [s.job(softmax()) for _ in range(30)]
        views = [s.wait(j) for j in jobs]
        started = [v["started_at"] for v in views]
        equal(started, sorted(started), "first in, first started")


def a_higher_priority_goes_first():
    with Server(ONE_AT_A_TIME) as s:
        blocker = s.job(endless())
        s.wait_until(blocker, lambda j: j["status"] == "running")
        low, high = (s.job({**endless(), "resources": {"priority": priority}}) for priority in (0, 9))
        for job in (blocker, high, low):
            s.wait_until(job, lambda j: j["status"] == "running")
            equal([j["id"] for j in s.get("/v1/jobs?status=running")["data"]], [job], "what runs")
            s.ok("POST", f"/v1/jobs/{job}/cancel")
            s.wait(job, "cancelled")


def a_full_queue_is_503_with_retry_after():
    with Server(["--threads", "1", "--max-queued-jobs", "3"]) as s:
        taken, answer = [], None
        for _ in range(40):
            answer = s.call("POST", "/v1/jobs", {**endless(), "resources": {"threads": 1}})
            if answer.status != 201:
                break
            taken.append(answer.json["id"])
        equal((answer.status, answer.json["code"]), (503, "queue_full"), "after filling the queue")
        want(int(answer.headers["Retry-After"]) >= 1, "Retry-After")
        s.ok("POST", f"/v1/jobs/{taken[-1]}/cancel")
        s.wait(taken[-1], "cancelled")
        equal(s.call("POST", "/v1/jobs", softmax()).status, 201, "room again")


def a_job_that_can_never_fit_is_refused_with_the_figures():
    with Server(["--memory", "8M"]) as s:
        problem = s.refuse(422, "memory_estimate_exceeded", "POST", "/v1/jobs", mlp(hidden=(4096, 4096)))
        equal(problem["code"], "memory_estimate_exceeded", "the document's code")
        includes(problem["detail"], str(8 << 20), what="what there is")
        equal(s.call("POST", "/v1/jobs", softmax()).status, 201, "a small one fits")


def stopping_by_steps_and_seconds_and_gradient_says_so(server):
    base = {"epochs": 100000, "batch_size": 32, "seed": 1}
    job = server.train(softmax(training=base, stop={"max_steps": 7}))
    equal((job["stop_reason"], job["step"]), ("max_steps", 7), "max_steps")
    job = server.train(softmax(training=base, stop={"max_seconds": 0.3}))
    equal(job["stop_reason"], "max_seconds", "max_seconds")
    spec = server.get(f"/v1/jobs/{job['id']}/spec")
    equal(spec["stop"]["max_steps"], job["step"], "the clock's step goes into the spec")
    equal(server.train(spec)["digest"], job["digest"], "so that it can be repeated")
    job = server.train(softmax(training={"epochs": 100000, "batch_size": "full"}, loss={"type": "cross_entropy", "l2": 0.1}, stop={"gradient_norm": 1e-3}))
    equal(job["stop_reason"], "gradient_norm", "gradient_norm")
    want(job["latest"]["gradient_norm"] <= 1e-3, f"the norm at the end: {job['latest']['gradient_norm']}")


def early_stopping_keeps_the_best_model(server):
    spec = mlp({**BLOBS, "n": 200, "noise": 2.5}, (64,), split={"validation": 0.3, "stratified": True}, optimizer={"type": "adam", "learning_rate": 0.05},
               training={"epochs": 500, "batch_size": 16, "seed": 3}, stop={"early": {"metric": "validation_loss", "patience": 5, "min_delta": 0.0}})
    job = server.train(spec)
    equal(job["stop_reason"], "early", "stop_reason")
    results = server.results(job["id"])
    want(abs(results["splits"]["validation"]["loss"] - results["best"]["value"]) < 1e-9, "the model is the best one")
    want(results["best"]["step"] < job["step"] and results["digest"]["step"] == results["best"]["step"], "and not the last")


def no_end_state_ever_changes(server):
    jobs = [server.job(softmax()) for _ in range(10)]
    answers = side_by_side([lambda j=j: server.call("POST", f"/v1/jobs/{j}/cancel").status for j in jobs])
    want(set(answers) <= {200, 202, 409}, f"statuses {answers}")
    for j in jobs:
        view = server.get(f"/v1/jobs/{j}?wait=30&until=terminal")
        want(view["status"] in TERMINAL, view["status"])
        events = server.get(f"/v1/jobs/{j}/events?limit=100")["data"]
        ends = [e for e in events if e["type"] == "state" and e["data"]["status"] in TERMINAL]
        equal(len(ends), 1, f"terminal states of {j}")
        equal(ends[0]["data"]["status"], view["status"], "the event and the job")
