"""POST /v1/jobs/{id}/rerun: a job like another one, as it was, or with a merge patch on the request that made it."""
from harness import Server, equal, includes, rows, want
from material import BLOBS, csv_table, endless, mlp, softmax

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it


def _rerun(server, job, body=None, query=""):
    return server.ok("POST", f"/v1/jobs/{job}/rerun{query}", body, status=200 if query else 201)


def _digest(server, job):
    server.wait(job)
    return server.results(job)["digest"]["parameters_sha256"]


@rows(("no body", None), ("an empty patch", {}))
def a_rerun_gives_the_same_bits(server, body):
    old = server.job(mlp(name="first", metadata={"team": "a"}, resources={"priority": 4, "threads": 1}))
    answer = server.call("POST", f"/v1/jobs/{old}/rerun", body)
    equal(answer.status, 201, f"the status: {answer.text}")
    new = answer.json
    want(new["id"] != old, "it is a new job")
    equal(answer.headers["Location"], f"/v1/jobs/{new['id']}", "Location")
    equal(answer.headers["ETag"], f'"{new["version"]}"', "ETag")
    equal((new["name"], new["metadata"], new["extended_from"]), ("first", {"team": "a"}, None), "what came along")
    equal(server.get(f"/v1/jobs/{new['id']}/spec"), server.get(f"/v1/jobs/{old}/spec"), "the spec")
    equal(_digest(server, new["id"]), _digest(server, old), "the digest")


def a_patch_changes_the_original_request(server):
    old = server.job(mlp(optimizer={"type": "adam", "learning_rate": 0.01, "beta1": 0.8}, training={"epochs": 2, "seed": 3}))
    new = _rerun(server, old, {"name": "second", "optimizer": {"learning_rate": 0.02, "beta1": None}, "training": {"epochs": 4},
                               "split": {"validation": 0.25}})["id"]
    spec = server.get(f"/v1/jobs/{new}/spec")
    equal(spec["name"], "second", "name")
    equal({k: spec["optimizer"][k] for k in ("type", "learning_rate", "beta1")}, {"type": "adam", "learning_rate": 0.02, "beta1": 0.9}, "optimizer")
    equal((spec["training"]["epochs"], spec["training"]["seed"]), (4, 3), "training")
    equal(spec["split"]["validation"], 0.25, "split")
    third = _rerun(server, new, {"split": None})["id"]
    equal(server.get(f"/v1/jobs/{third}/spec")["split"]["validation"], 0, "a rerun of a rerun")
    equal(server.get(f"/v1/jobs/{third}/spec")["training"]["epochs"], 4, "has the first patch, too")


def what_was_left_open_is_left_open_again(server):
    """The patch is on the request, not on the resolved spec: defaults follow."""
    old = server.job({"dataset": {**BLOBS, "n": 50}, "model": {"type": "softmax_regression"}})
    equal(server.get(f"/v1/jobs/{old}/spec")["training"]["batch_size"], 50, "of 50 rows")
    new = _rerun(server, old, {"dataset": {"n": 90}, "model": {"type": "mlp", "hidden": [4]}})["id"]
    spec = server.get(f"/v1/jobs/{new}/spec")
    equal((spec["training"]["batch_size"], spec["init"]), (90, "he_normal"), "of 90 rows, with a hidden layer")


def rows_that_came_along_are_not_sent_again(server):
    x = [[float(i % 7), float(i % 5)] for i in range(40)]
    inline = {"x": x, "y": ["ab"[i % 2] for i in range(40)]}
    old = server.job(softmax(inline, test={"dataset": inline}))
    new = _rerun(server, old)["id"]
    equal(server.get(f"/v1/jobs/{new}/spec"), server.get(f"/v1/jobs/{old}/spec"), "the spec")
    equal(_digest(server, new), _digest(server, old), "the digest")
    other = _rerun(server, old, {"dataset": {"x": x + [[9.5, 9.5]], "y": inline["y"] + ["a"]}})["id"]
    server.wait(other)
    equal(server.results(other)["splits"]["train"]["samples"], 41, "rows of a patch that brings its own")


def another_data_set_takes_the_place_of_the_first(server):
    table = server.upload(csv_table(70, seed=11))["id"]
    old = server.job(softmax())
    new = _rerun(server, old, {"dataset": table})["id"]
    server.wait(new)
    equal(server.results(new)["splits"]["train"]["samples"], 70, "rows")


def what_was_patched_since_comes_along(server):
    old = server.job(softmax(name="old", metadata={"a": "1", "b": "2"}))
    server.ok("PATCH", f"/v1/jobs/{old}", {"name": "new", "metadata": {"a": None}, "priority": 9})
    new = _rerun(server, old, {"metadata": {"c": "3"}})
    equal((new["name"], new["metadata"]), ("new", {"b": "2", "c": "3"}), "name and metadata")
    equal(server.get(f"/v1/jobs/{new['id']}/spec")["resources"]["priority"], 9, "priority")


def errors_point_into_the_merged_request(server):
    old = server.job(mlp())
    problem = server.refuse(422, "validation_failed", "POST", f"/v1/jobs/{old}/rerun",
                            {"optimizer": {"learning_rat": 1}, "training": {"epochs": 0}, "model": {"hidden": [0]}})
    equal({(e["pointer"], e["code"]) for e in problem["errors"]},
          {("/optimizer/learning_rat", "unknown_field"), ("/training/epochs", "out_of_range"), ("/model/hidden/0", "out_of_range")}, "errors")
    server.refuse(422, "missing_field", "POST", f"/v1/jobs/{old}/rerun", {"model": None}, pointer="/model")
    server.refuse(422, "unknown_field", "POST", f"/v1/jobs/{old}/rerun", {"stop": {"erly": None}}, pointer="/stop/erly")
    server.refuse(422, "type_mismatch", "POST", f"/v1/jobs/{old}/rerun", "[1]", {"Content-Type": "application/json"}, pointer="")
    server.refuse(400, "json_invalid", "POST", f"/v1/jobs/{old}/rerun", "{", {"Content-Type": "application/json"})
    server.refuse(404, "dataset_not_found", "POST", f"/v1/jobs/{old}/rerun", {"dataset": "ds_00000000000000000000"})


def a_trial_makes_nothing(server):
    old = server.job(softmax(metadata={"t": "trial"}))
    estimate = _rerun(server, old, {"training": {"epochs": 7}}, "?validate_only=true")
    equal((estimate["object"], estimate["spec"]["training"]["epochs"]), ("job_estimate", 7), "the answer")
    equal(len(server.get("/v1/jobs?metadata.t=trial")["data"]), 1, "jobs")


def a_job_in_any_state_is_run_again(server):
    running = server.job(endless())
    server.wait_until(running, lambda j: j["status"] == "running")
    again = _rerun(server, running, {"training": {"epochs": 1}})["id"]
    server.ok("POST", f"/v1/jobs/{running}/cancel")
    server.wait(running, "cancelled")
    server.wait(again)
    server.wait(_rerun(server, running, {"training": {"epochs": 1}})["id"])
    failed = server.job(mlp(optimizer={"type": "sgd", "learning_rate": 1e8}, training={"epochs": 500}))
    server.wait(failed, "failed")
    server.wait(_rerun(server, failed, {"optimizer": {"learning_rate": 0.01}, "training": {"epochs": 1}})["id"])


def a_job_that_is_not_there_is_not_run_again(server):
    server.refuse(404, "not_found", "POST", "/v1/jobs/job_00000000000000000000/rerun")
    job = server.job(softmax())
    server.wait(job)
    server.ok("DELETE", f"/v1/jobs/{job}", status=204)
    server.refuse(410, "deleted", "POST", f"/v1/jobs/{job}/rerun", {"name": "x"})


def a_request_outlives_the_server():
    with Server() as s:
        old = s.job(softmax({"x": [[1.0], [2.0], [3.0], [4.0]], "y": [0, 1, 0, 1]}, training={"epochs": 2, "seed": 5}))
        digest = _digest(s, old)
        s.restart(kill=True)
        equal(_digest(s, _rerun(s, old)["id"]), digest, "the digest")


# ---- more epochs: what is refused ----

def _refuse_extension(server, job, reason, epochs=1):
    problem = server.refuse(422, "not_extendable", "POST", f"/v1/jobs/{job}/rerun", {"extend_epochs": epochs})
    includes(problem["detail"], reason)


@rows(("linear", {"type": "linear"}), ("cosine", {"type": "cosine", "warmup_steps": 3}))
def a_schedule_that_depends_on_the_length_is_not_extended(server, schedule):
    job = server.job(softmax(schedule=schedule))
    server.wait(job)
    _refuse_extension(server, job, schedule["type"])


def only_the_last_epoch_can_be_gone_on_from(server):
    stopped = server.job(softmax(stop={"max_steps": 3}))
    server.wait(stopped)
    _refuse_extension(server, stopped, "max_steps")
    failed = server.job(mlp(optimizer={"type": "sgd", "learning_rate": 1e8}, training={"epochs": 500}))
    server.wait(failed, "failed")
    _refuse_extension(server, failed, "failed")
    off_grid = server.job(softmax(training={"epochs": 3, "batch_size": 32, "eval_every": 7}))  # 30 steps
    server.wait(off_grid)
    _refuse_extension(server, off_grid, "step 30")


def a_job_that_has_not_ended_is_not_extended(server):
    job = server.job(endless())
    problem = server.refuse(409, "state_conflict", "POST", f"/v1/jobs/{job}/rerun", {"extend_epochs": 1})
    includes(problem["allowed_actions"], "cancel")
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    server.wait(job, "cancelled")
    _refuse_extension(server, job, "cancelled")


@rows(("another member", {"extend_epochs": 1, "name": "x"}, "conflicting_fields"), ("none", {"extend_epochs": 0}, "out_of_range"),
      ("half of one", {"extend_epochs": 0.5}, "not_integer"), ("too many", {"extend_epochs": 10000000}, "out_of_range"),
      ("a text", {"extend_epochs": "1"}, "type_mismatch"), ("nothing", {"extend_epochs": None}, "type_mismatch"))
def an_extension_of_another_form_is_refused(server, body, code):
    job = server.job(softmax())
    server.wait(job)
    server.refuse(422, code, "POST", f"/v1/jobs/{job}/rerun", body, pointer="/extend_epochs")


def too_many_points_for_the_curves_are_refused(server):
    job = server.job(softmax(training={"epochs": 3, "batch_size": 32, "log_every_steps": 1}))
    server.wait(job)
    server.refuse(422, "out_of_range", "POST", f"/v1/jobs/{job}/rerun", {"extend_epochs": 20000}, pointer="/training/log_every_steps")


def another_kernel_tier_cannot_go_on():
    with Server(["--kernel-tier", "reference"]) as s:
        job = s.job(softmax())
        s.wait(job)
        s.options = ["--kernel-tier", "baseline"]
        s.restart()
        s.refuse(409, "expectation_not_met", "POST", f"/v1/jobs/{job}/rerun", {"extend_epochs": 1})
        again = s.job({**softmax(), "training": {"epochs": 1}})
        s.wait(again)
