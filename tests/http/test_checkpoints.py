"""Checkpoints: their list, their files, predictions from them, and what happens when one is damaged."""
import hashlib
import pathlib

from harness import TERMINAL, THOROUGH, Server, equal, includes, rows, want
from job_states import check_events, events_of
from material import BLOBS, ONE_AT_A_TIME, endless, mlp, softmax

# Its checkpoints are large enough for files of their own (more than 64 KiB); each pause makes one.
LARGE = mlp({**BLOBS, "n": 500}, (128, 128), optimizer={"type": "adam", "learning_rate": 0.001}, split={"validation": 0.2},
            training={"epochs": 500 if THOROUGH else 200, "batch_size": 32, "seed": 9, "log_every_steps": 20}, checkpoint={"every_seconds": 3600, "keep": 3})
POINT = {"instances": [[0.5, -0.5], [3, 2]]}


def _checkpoints(server, job):
    return server.get(f"/v1/jobs/{job}/checkpoints")["data"]


def _with_checkpoints(server, spec, count):
    """A job that is paused and has so many checkpoints."""
    job = server.job(spec)
    for n in range(count):
        step = server.get(f"/v1/jobs/{job}")["step"]
        server.wait_until(job, lambda j: j["status"] == "running" and j["step"] > step)
        server.ok("POST", f"/v1/jobs/{job}/pause", status=202)
        server.wait_until(job, lambda j: j["status"] == "paused")
        if n + 1 < count:
            server.ok("POST", f"/v1/jobs/{job}/resume", status=202)
    return job


def _file(server, checkpoint):
    return pathlib.Path(server.data, "objects", checkpoint["sha256"])


def the_list_shows_the_newest_first_and_no_more_than_are_kept(server):
    job = _with_checkpoints(server, LARGE, 4)
    view, found = server.get(f"/v1/jobs/{job}"), server.get(f"/v1/jobs/{job}/checkpoints")
    equal((found["object"], found["has_more"], len(found["data"])), ("list", False, 3), "the list")
    steps = [c["step"] for c in found["data"]]
    equal(steps, sorted(set(steps), reverse=True), "steps")
    equal(steps[0], view["step"], "a paused job stands at its newest checkpoint")
    for c in found["data"]:
        includes(c, "object", "created_at", "step", "epoch", "bytes", "sha256", "metrics", "best", what="checkpoint")
        equal(c["object"], "checkpoint", "object")
        data = _file(server, c).read_bytes()
        equal((len(data), hashlib.sha256(data).hexdigest()), (c["bytes"], c["sha256"]), "the file")
        equal(c["epoch"], c["step"] / 13, "epoch of 400 rows in batches of 32")  # the last batch of an epoch is a short one
        equal(sorted(c["metrics"]), ["train_accuracy", "train_loss", "validation_accuracy", "validation_loss"], "metrics")
        equal(c["best"] is None, c["epoch"] < 1, "the best one so far: from the first epoch's end on")
        want(c["best"] is None or (c["best"]["metric"] == "validation_loss" and c["best"]["step"] <= c["step"]), f"best {c['best']}")
    events = [e["data"]["step"] for e in check_events(server, job) if e["type"] == "checkpoint"]
    equal(events[-3:], steps[::-1], "events of type checkpoint")
    server.ok("POST", f"/v1/jobs/{job}/cancel")


@rows(("one", 1), ("two", 2))
def older_files_go_and_the_last_state_stays(keep):
    with Server() as s:
        job = s.job({**LARGE, "checkpoint": {"every_steps": 50, "keep": keep}})
        view = s.get(f"/v1/jobs/{job}")
        while view["status"] not in TERMINAL:
            want(len(_checkpoints(s, job)) <= keep, "more than are kept")
            view = s.get(f"/v1/jobs/{job}?wait=1&since={view['version']}")
        last = _checkpoints(s, job)
        equal((last[0]["step"], view["status"]), (view["total_steps"], "succeeded"), "the last state of a job that ended")
        s.ok("GET", f"/v1/models/{view['model']}")
        s.stop()
        files = {p.name for p in pathlib.Path(s.data, "objects").iterdir()}
        want({c["sha256"] for c in last} <= files, "files of the checkpoints")
        equal(len(files), len(last) + 1, "files of checkpoints and model")
        equal(list(pathlib.Path(s.data, "tmp").iterdir()), [], "temporary files")


class _Undisturbed:
    """The job that nobody disturbs: trained once."""

    digest = steps = None

    @classmethod
    def train(cls, server):
        if cls.digest is None:
            view = server.train(LARGE)
            cls.steps = [e["data"]["step"] for e in events_of(server, view["id"]) if e["type"] == "metric"]
            cls.digest = view["digest"]


def _flip(path):
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def _truncate(path):
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-100])


def _empty(path):
    path.chmod(0o600)
    path.write_bytes(b"")


@rows(("a flipped bit, one of three", _flip, 1), ("cut off, two of three", _truncate, 2), ("empty, one of three", _empty, 1),
      ("gone, two of three", pathlib.Path.unlink, 2), ("a flipped bit, all of three", _flip, 3), ("gone, all of three", pathlib.Path.unlink, 3))
def a_damaged_checkpoint_is_passed_over_and_the_bits_are_the_same(harm, count):
    with Server() as s:
        _Undisturbed.train(s)
        job = _with_checkpoints(s, LARGE, 3)
        checkpoints, shown = _checkpoints(s, job), events_of(s, job)
        s.kill()
        for c in checkpoints[:count]:
            harm(_file(s, c))
        s.start()
        equal(s.get(f"/v1/jobs/{job}")["status"], "paused", "status")
        s.ok("POST", f"/v1/jobs/{job}/resume", status=202)
        view = s.wait(job)
        equal(view["digest"], _Undisturbed.digest, "digest")
        events = check_events(s, job)
        equal(events[:len(shown)], shown, "what was shown before")
        remarks = [(e["data"]["level"], e["data"]["code"], e["data"]["step"]) for e in events if e["type"] == "log"]
        wanted = [("warning", "checkpoint_damaged", c["step"]) for c in checkpoints[:count]]
        equal(remarks, wanted + ([("warning", "restarted", 0)] if count == 3 else []), "remarks")
        equal([e["data"]["step"] for e in events if e["type"] == "metric"], _Undisturbed.steps, "steps of the metric events")


# ---- predictions ----

def a_running_job_predicts_from_a_checkpoint_that_is_made_for_it(server):
    job = server.job({**endless(), "checkpoint": {"every_seconds": 3600}})
    server.wait_until(job, lambda j: j["step"] > 0)
    equal(_checkpoints(server, job), [], "checkpoints before")
    answer = server.ok("POST", f"/v1/jobs/{job}/predict", POINT)
    equal(len(answer["predictions"]), 2, "predictions")
    want(_checkpoints(server, job), "a checkpoint was made")
    equal(server.get(f"/v1/jobs/{job}")["status"], "running", "it trains on")
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    server.wait(job, "cancelled")


def a_paused_job_predicts_from_its_best_model_which_a_stop_then_keeps(server):
    spec = mlp({**BLOBS, "n": 400, "noise": 2.5}, (64,), training={"epochs": 1000000, "batch_size": 16, "seed": 3}, split={"validation": 0.3},
               optimizer={"type": "adam", "learning_rate": 0.05})
    job = server.job(spec)
    server.wait_until(job, lambda j: j["epoch"] >= 30)
    server.ok("POST", f"/v1/jobs/{job}/pause", status=202)
    paused = server.wait_until(job, lambda j: j["status"] == "paused")
    answers = [server.ok("POST", f"/v1/jobs/{job}/predict", POINT)["predictions"] for _ in range(2)]
    equal(answers[0], answers[1], "asked twice")
    server.ok("POST", f"/v1/jobs/{job}/stop", status=202)
    view = server.wait(job)
    equal(view["best"]["step"], paused["best"]["step"], "the best step was long ago")
    bare = {**POINT, "calibrated": False}  # a checkpoint's model has no temperature yet
    equal(server.ok("POST", f"/v1/models/{view['model']}/predict", bare)["predictions"], answers[0], "predictions of its model")
    equal(server.ok("POST", f"/v1/jobs/{job}/predict", bare)["predictions"], answers[0], "predictions of the job that has ended")


def a_job_that_has_not_begun_has_no_model():
    with Server(ONE_AT_A_TIME) as s:
        first = s.job(endless())
        s.wait_until(first, lambda j: j["status"] == "running")
        job = s.job(softmax())
        s.refuse(409, "model_not_ready", "POST", f"/v1/jobs/{job}/predict", POINT)
        equal(_checkpoints(s, job), [], "checkpoints")
        s.ok("POST", f"/v1/jobs/{job}/pause")
        s.refuse(409, "model_not_ready", "POST", f"/v1/jobs/{job}/predict", POINT)
        s.ok("POST", f"/v1/jobs/{job}/cancel")
        s.refuse(409, "model_not_ready", "POST", f"/v1/jobs/{job}/predict", POINT)


def bad_instances_are_refused_as_by_a_model(server):
    job = server.train(softmax())["id"]
    server.refuse(422, "feature_count_mismatch", "POST", f"/v1/jobs/{job}/predict", {"instances": [[1, 2, 3]]})
    server.refuse(404, "not_found", "POST", "/v1/jobs/job_00000000000000000000/predict", POINT)
    server.ok("DELETE", f"/v1/jobs/{job}", status=204)
    server.refuse(410, "deleted", "POST", f"/v1/jobs/{job}/predict", POINT)


def a_finished_job_keeps_its_checkpoints_over_restarts():
    with Server() as s:
        view = s.train(LARGE)
        before = _checkpoints(s, view["id"])
        want(before, "it has some")
        s.restart(kill=True)
        equal(_checkpoints(s, view["id"]), before, "after a kill")
        want(all(_file(s, c).is_file() for c in before), "their files")
        s.ok("DELETE", f"/v1/jobs/{view['id']}", status=204)
        s.stop()
        equal(len(list(pathlib.Path(s.data, "objects").iterdir())), 1, "only the model's file is left")
