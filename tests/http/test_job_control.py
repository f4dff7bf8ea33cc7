"""pause, resume, stop, cancel: in each status exactly what api/job_states.def allows, and what becomes of the job by it."""
import time

from harness import TERMINAL, Failure, Server, equal, includes, near, rows, want
from job_states import CLIENT_ACTIONS, DONE, STATUSES, TABLE, allowed, check_events, events_of, states_of
from material import BLOBS, ONE_AT_A_TIME, endless, mlp, softmax

# Some hundredths of a second a step: time enough to ask for something while it is taken.
SLOW = mlp({**BLOBS, "n": 1000}, (512, 512), training={"epochs": 1000000, "batch_size": "full", "seed": 1}, resources={"threads": 1})
TRIES = 5  # to ask in a status that passes


def _ask(server, job, action):
    return server.call("POST", f"/v1/jobs/{job}/{action}")


def _asked(server, job, action, status=202):
    answer = _ask(server, job, action)
    want(answer.status == status, f"{action} -> {answer.status} {answer.text}")
    return answer.json


def _running(server, spec=None):
    job = server.job(spec or endless())
    server.wait_until(job, lambda j: j["status"] == "running" and j["step"] > 0)
    return job


def _paused(server, spec=None):
    job = _running(server, spec)
    _asked(server, job, "pause")
    server.wait_until(job, lambda j: j["status"] == "paused")
    return job


def _passing(action):
    def bring(server):
        job = _running(server, SLOW)
        _asked(server, job, action)
        return job

    return bring


def _diverged(server):
    return server.wait(server.job(mlp(optimizer={"type": "sgd", "learning_rate": 1e30}, preprocessing="none")), "failed")["id"]


def _cancelled(server):
    job = _running(server)
    _asked(server, job, "cancel")
    return server.wait(job, "cancelled")["id"]


BRING = {"running": _running, "pausing": _passing("pause"), "paused": _paused, "stopping": _passing("stop"), "cancelling": _passing("cancel"),
         "succeeded": lambda server: server.train(softmax())["id"], "failed": _diverged, "cancelled": _cancelled}


def _end(server, job):
    """Whatever a test left of a job comes to its end by the rules."""
    if server.get(f"/v1/jobs/{job}")["status"] not in TERMINAL:
        want(_ask(server, job, "cancel").status in (200, 202, 409), "cancel")
    view = server.get(f"/v1/jobs/{job}?wait=60&until=terminal")
    want(view["status"] in TERMINAL, f"it is {view['status']} for ever")
    check_events(server, job)


def _ask_in(server, job, status, action):
    """Asks in this very status and checks the answer against the table; None: the status had passed by then."""
    answer = _ask(server, job, action)
    states = states_of(events_of(server, job))
    if (status, action) in TABLE:
        after = TABLE[status, action]
        if answer.status != 202 or (status, after) not in zip(states, states[1:]):
            want(status not in ("running", "paused", "queued", *TERMINAL) and status != states[-1], f"{action} while {status} -> {answer.status}, {states}")
            return None
        return after
    if states[-1] != status:  # it has gone on by itself meanwhile
        return None
    if status in DONE[action]:
        equal((answer.status, answer.json["status"]), (200, status), f"{action} again while {status}")
    else:
        equal((answer.status, answer.json["code"]), (409, "state_conflict"), f"{action} while {status}")
        equal(answer.json["allowed_actions"], allowed(status), f"allowed actions while {status}")
    return status


@rows(*((f"{action} while {status}", status, action) for status in STATUSES[1:] for action in CLIENT_ACTIONS))
def the_table_decides(server, status, action):
    for _ in range(TRIES):
        job = BRING[status](server)
        after = _ask_in(server, job, status, action)
        _end(server, job)
        if after:
            return
    raise Failure(f"{action} was never asked while {status} in {TRIES} tries")


def a_queued_job_can_be_paused_and_cancelled_but_not_stopped_or_resumed():
    with Server(ONE_AT_A_TIME) as s:
        _running(s)
        for action in CLIENT_ACTIONS:
            job = s.job(endless())
            want(_ask_in(s, job, "queued", action), f"{action} while queued")
            view = s.get(f"/v1/jobs/{job}")
            equal((view["status"], view["started_at"], view["step"]), (TABLE.get(("queued", action), "queued"), None, 0), "the job")
            equal([a for a in CLIENT_ACTIONS if a in view["links"]], [a for a in allowed(view["status"]) if a != "delete"], "links to actions")
            _end(s, job)
        check = s.get("/v1/scheduler")
        equal(check["queue"], [], "nothing is left in the queue")


@rows(*((status, status) for status in ("running", "paused", "succeeded", "failed", "cancelled")))
def the_links_of_a_job_are_what_can_be_done(server, status):
    view = server.get(f"/v1/jobs/{BRING[status](server)}")
    equal([a for a in CLIENT_ACTIONS if a in view["links"]], [a for a in allowed(status) if a != "delete"], f"links to actions of a {status} job")
    for action in (a for a in CLIENT_ACTIONS if a in view["links"]):
        equal(view["links"][action], f"/v1/jobs/{view['id']}/{action}", "link")
    _end(server, view["id"])


def who_pauses_is_told_in_the_job_and_its_events(server):
    job = _paused(server)
    view = server.get(f"/v1/jobs/{job}")
    equal((view["pause_reason"], view["eta_seconds"], view["finished_at"]), ("user", None, None), "the paused job")
    time.sleep(0.3)
    equal(server.get(f"/v1/jobs/{job}"), view, "it stands still")
    resumed = _asked(server, job, "resume")
    want(resumed["status"] in ("queued", "running") and resumed["pause_reason"] is None, f"resumed: {resumed['status']} {resumed['pause_reason']}")
    going = server.wait_until(job, lambda j: j["step"] > view["step"])
    equal((going["status"], going["pause_reason"], going["restarts"]), ("running", None, 0), "the resumed job")
    paused = [e for e in check_events(server, job) if e["type"] == "state" and e["data"]["status"] == "paused"]
    equal(paused[0]["data"].get("reason"), "user", "reason of the event")
    _end(server, job)


def pause_and_resume_in_a_row_end_where_the_last_one_says(server):
    job = _running(server)
    for _ in range(20):
        for action in ("pause", "resume"):
            want(_ask(server, job, action).status in (200, 202), action)
    step = server.get(f"/v1/jobs/{job}")["step"]
    server.wait_until(job, lambda j: j["status"] == "running" and j["step"] > step)
    _end(server, job)


def a_resumed_job_has_its_old_place():
    with Server(ONE_AT_A_TIME) as s:
        _running(s)
        jobs = [s.job(endless()) for _ in range(4)]
        for job in (jobs[0], jobs[2]):
            equal(_asked(s, job, "pause")["status"], "paused", "at once")
        equal([j["job"] for j in s.get("/v1/scheduler")["queue"]], [jobs[1], jobs[3]], "the queue without the paused ones")
        s.restart(kill=True)
        s.wait_until(s.get("/v1/jobs?order=asc")["data"][0]["id"], lambda j: j["status"] == "running")
        equal([s.get(f"/v1/jobs/{j}")["status"] for j in jobs], ["paused", "queued", "paused", "queued"], "after a restart")
        for job in (jobs[2], jobs[0]):
            equal(_asked(s, job, "resume")["status"], "queued", "resumed")
        equal([j["job"] for j in s.get("/v1/scheduler")["queue"]], jobs, "the queue, by age")
        s.ok("PATCH", f"/v1/jobs/{jobs[3]}", {"priority": 5})
        equal([j["job"] for j in s.get("/v1/scheduler")["queue"]], [jobs[3], *jobs[:3]], "the queue, by priority and age")


def paused_time_does_not_count(server):
    limit = 1.0
    job = server.job({**endless(), "stop": {"max_seconds": limit}})
    server.wait_until(job, lambda j: j["step"] > 0)
    _asked(server, job, "pause")
    view = server.get(f"/v1/jobs/{job}?wait=30&until=terminal") if server.get(f"/v1/jobs/{job}")["status"] in TERMINAL else \
        server.wait_until(job, lambda j: j["status"] == "paused")
    time.sleep(2 * limit)
    _asked(server, job, "resume")
    ended = server.wait(job)
    equal(ended["stop_reason"], "max_seconds", "stop_reason")
    want(ended["step"] > view["step"] + 1, f"it trained on: {view['step']} steps, then {ended['step']}")
    curve = server.get(f"/v1/jobs/{job}/metrics?downsample=none&max_points=10000")
    seconds = [r[curve["columns"].index("seconds")] for r in curve["data"]]
    equal(seconds, sorted(seconds), "seconds only grow")
    spec = server.get(f"/v1/jobs/{job}/spec")
    equal(server.train(spec)["digest"], ended["digest"], "digest of the spec posted again")


# ---- stop ----

NOISY = {**BLOBS, "n": 400, "noise": 2.5}


def _stopped(server, job):
    view = server.wait(job)
    equal((view["stop_reason"], view["error"]), ("user", None), "stop_reason and error")
    want(view["model"], "it has a model")
    check_events(server, job)
    results = server.results(job)
    want(results["digest"]["step"] <= view["step"], "the model is of a step that was trained")
    spec = server.get(f"/v1/jobs/{job}/spec")
    again = server.train(spec)
    equal(again["digest"], view["digest"], "digest of the spec posted again")
    return view, results


@rows(("validation", {"split": {"validation": 0.3, "stratified": True}}, "validation_loss", "validation"), ("no validation", {}, "train_loss", None))
def a_stopped_job_keeps_the_best_model(server, changes, metric, split):
    spec = mlp(NOISY, (64,), training={"epochs": 1000000, "batch_size": 16, "seed": 3}, optimizer={"type": "adam", "learning_rate": 0.05}, **changes)
    job = server.job(spec)
    server.wait_until(job, lambda j: j["epoch"] >= 20)
    _asked(server, job, "stop")
    view, results = _stopped(server, job)
    equal((results["best"]["metric"], results["best"]["step"]), (metric, results["digest"]["step"]), "the model is the best one")
    if split:
        want(results["best"]["step"] < view["step"], "which is not the last after 20 epochs of overfitting")
        near(results["splits"][split]["loss"], results["best"]["value"], 1e-9, "its loss")


def a_job_stopped_in_its_first_epoch_keeps_what_it_has(server):
    job = _running(server, mlp({**BLOBS, "n": 100000}, (64,), training={"epochs": 10, "batch_size": 1, "log_every_steps": 100}))
    _asked(server, job, "stop")
    view, results = _stopped(server, job)
    want(view["epoch"] < 1, f"it got to epoch {view['epoch']}")
    equal(results["digest"]["step"], view["step"], "the model is the last one")


@rows(("by nobody else", lambda s: None), ("over a drain", lambda s: s.restart()), ("over a kill", lambda s: s.restart(kill=True)))
def a_paused_job_can_be_stopped(between):
    with Server() as s:
        job = _paused(s, {**endless(NOISY), "split": {"validation": 0.3}})
        step = s.get(f"/v1/jobs/{job}")["step"]
        between(s)
        equal(s.get(f"/v1/jobs/{job}")["status"], "paused", "status")
        _asked(s, job, "stop")
        view, _ = _stopped(s, job)
        want(step <= view["step"] <= step + 1, f"paused at step {step}, ended at {view['step']}")


def a_job_paused_before_it_ran_can_be_stopped_by_nobody_but_has_a_model_if_it_is():
    with Server(ONE_AT_A_TIME) as s:
        first = _running(s)
        job = s.job(softmax())
        _asked(s, job, "pause")
        _asked(s, job, "stop")
        _asked(s, first, "cancel")
        view = s.wait(job)
        equal(view["stop_reason"], "user", "stop_reason")
        _asked(s, job, "stop", 409)


@rows(("pausing", "pause", "paused"), ("stopping", "stop", "succeeded"), ("cancelling", "cancel", "cancelled"))
def what_was_asked_for_holds_after_a_kill(action, after):
    with Server() as s:
        job = _running(s, SLOW)
        _asked(s, job, action)
        s.restart(kill=True)
        view = s.get(f"/v1/jobs/{job}?wait=60&until=terminal") if after in TERMINAL else s.wait_until(job, lambda j: j["status"] == after)
        equal(view["status"], after, f"after {action} and a kill")
        check_events(s, job)
        _end(s, job)


# ---- cancel ----

def a_cancelled_job_leaves_no_model_and_no_checkpoint_that_is_used(server):
    job = _running(server, {**endless(), "checkpoint": {"every_steps": 5}})
    server.wait_until(job, lambda j: server.get(f"/v1/jobs/{job}/checkpoints")["data"])
    _asked(server, job, "cancel")
    view = server.wait(job, "cancelled")
    equal((view["model"], view["digest"], view["stop_reason"], view["error"]), (None, None, None, None), "what it leaves")
    equal([m for m in server.get("/v1/models?limit=100")["data"] if m["job"] == job], [], "models")
    includes(view, "step", "finished_at")
    server.ok("DELETE", f"/v1/jobs/{job}", status=204)
    server.refuse(410, "deleted", "GET", f"/v1/jobs/{job}/checkpoints")


def an_action_takes_no_body_and_no_unknown_job(server):
    for action in CLIENT_ACTIONS:
        server.refuse(404, "not_found", "POST", f"/v1/jobs/job_00000000000000000000/{action}")
        job = server.train(softmax())["id"]
        server.ok("DELETE", f"/v1/jobs/{job}", status=204)
        server.refuse(410, "deleted", "POST", f"/v1/jobs/{job}/{action}")
        server.refuse(405, "method_not_allowed", "GET", f"/v1/jobs/{job}/{action}")
