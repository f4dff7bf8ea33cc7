"""The state storm: many clients ask for everything at once, of the same few jobs. Whoever wins, the table is kept.

A minute under ThreadSanitizer (make http MODE=tsan), some seconds elsewhere.
"""
import pathlib
import random
import threading
import time

from harness import MODE, PATIENCE, TERMINAL, Server, equal, run_program, short, want
from job_states import CLIENT_ACTIONS, check_events
from material import BLOBS, endless, mlp, softmax

SECONDS = {"release": 8, "debug": 8, "asan": 15, "tsan": 60}[MODE]
CLIENTS, JOBS = 8, 6
# What may be answered to a request that is well-formed: the job is in another state, deleted, without a model yet, busy.
CALM = {200, 201, 202, 204, 304, 409, 410, 412, 503}

SHORT = mlp({**BLOBS, "n": 250}, (20,), training={"epochs": 40, "batch_size": 48, "seed": 11}, checkpoint={"every_steps": 13}, split={"validation": 0.2})
LONG = {**endless(), "checkpoint": {"every_steps": 50}, "split": {"validation": 0.1}}


class Storm:
    """Jobs that all clients work on, replaced one by one."""

    def __init__(self, server):
        self.server, self.end, self.lock, self.errors = server, time.monotonic() + SECONDS, threading.Lock(), []
        self.made, self.deleted, self.counts = [], set(), {}
        self.jobs = [self.new(random.Random(i)) for i in range(JOBS)]

    def new(self, draw):
        spec = draw.choice([SHORT, LONG, LONG, softmax()])
        spec = {**spec, "resources": {"threads": draw.choice([1, 2, "auto"]), "priority": draw.choice([0, 0, 1])}}
        return self.keep(self.server.call("POST", "/v1/jobs", spec))

    def keep(self, answer):
        want(answer.status == 201, f"a new job -> {answer.status} {short(answer.text)}")
        with self.lock:
            self.made.append(answer.json["id"])
        return answer.json["id"]

    def call(self, what, method, path, body=None, headers=None):
        answer = self.server.call(method, path, body, headers)
        want(answer.status in CALM, f"{method} {path} -> {answer.status} {short(answer.body.decode('utf-8', 'replace'))}")
        with self.lock:
            self.counts[what, answer.status] = self.counts.get((what, answer.status), 0) + 1
        return answer

    def act(self, draw):
        place = draw.randrange(JOBS)
        job = self.jobs[place]
        what = draw.choice([*CLIENT_ACTIONS, "pause", "resume", "resume", "delete", "patch", "predict", "rerun", "look", "poll"])
        path = f"/v1/jobs/{job}"
        if what in CLIENT_ACTIONS:
            self.call(what, "POST", f"{path}/{what}")
        elif what == "patch":
            self.call(what, "PATCH", path, {"priority": draw.randrange(-1, 2), "metadata": {"n": str(draw.random())}})
        elif what == "predict":
            self.call(what, "POST", f"{path}/predict", {"instances": [[0.5, 1]]})
        elif what == "poll":
            self.call(what, "GET", f"{path}?wait=1&since={draw.randrange(1, 40)}")
        elif what == "look":
            for rest in ("", "/checkpoints", "/events?limit=5&order=desc", "/metrics?max_points=10"):
                self.call(what, "GET", path + rest)
            self.call(what, "GET", "/v1/scheduler")
        elif what == "rerun":
            answer = self.call(what, "POST", f"{path}/rerun")
            if answer.status == 201:
                self.jobs[place] = self.keep(answer)
                self.call("cancel", "POST", f"{path}/cancel")
        elif self.call(what, "DELETE", path).status in (204, 410):
            with self.lock:
                self.deleted.add(job)
            self.jobs[place] = self.new(draw)

    def blow(self, seed):
        draw = random.Random(seed)
        try:
            while time.monotonic() < self.end and not self.errors:
                self.act(draw)
        except Exception as e:  # pylint: disable=broad-except
            self.errors.append(e)

    def run(self):
        threads = [threading.Thread(target=self.blow, args=(i,)) for i in range(CLIENTS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if self.errors:
            raise self.errors[0]


def _bring_to_an_end(server, job):
    """Whatever was asked of it, a job can always be cancelled, and is then over."""
    answer = server.call("POST", f"/v1/jobs/{job}/cancel")
    want(answer.status in (200, 202, 409), f"cancel -> {answer.status}")
    view = server.get(f"/v1/jobs/{job}?wait=60&until=terminal")
    want(view["status"] in TERMINAL, f"{job} is {view['status']} for ever")
    return view


def _wait_for_the_scheduler(server):
    """The last runners may still be on their way out: soon nothing runs and all is given back."""
    end = time.monotonic() + 10 * PATIENCE
    while True:
        view = server.get("/v1/scheduler")
        if (view["running"], view["queue"], view["threads"]["busy"], view["memory"]["used_bytes"]) == ([], [], 0, 0):
            return
        want(time.monotonic() < end, f"something is left: {view}")
        time.sleep(0.02)


def whoever_wins_the_table_is_kept():
    with Server(["--threads", "2"]) as s:
        storm = Storm(s)
        storm.run()
        for job in storm.made:
            if job in storm.deleted:
                s.refuse(410, "deleted", "GET", f"/v1/jobs/{job}")
                continue
            view = _bring_to_an_end(s, job)
            states = [e["data"]["status"] for e in check_events(s, job) if e["type"] == "state"]
            equal(states[-1], view["status"], f"the last state event of {job}")
            equal(view["model"] is not None, view["status"] == "succeeded", f"a model of the {view['status']} job")
            want(view["status"] != "failed", f"{job} failed: {view['error']}")
        _wait_for_the_scheduler(s)
        for what in CLIENT_ACTIONS:
            want(storm.counts.get((what, 202), 0) > 0, f"{what} was never taken: {storm.counts}")
        s.train(softmax())
        s.stop()
        equal(list(pathlib.Path(s.data, "tmp").iterdir()), [], "temporary files")
        status, out, err = run_program("check", "--data", s.data, seconds=60)
        equal(status, 0, f"descentd check: {out} {err}")


def the_last_word_holds_when_orders_follow_one_another_at_once():
    """One client, one job: what was answered last is what comes to be, however fast it follows what came before."""
    with Server(["--threads", "2"]) as s:
        draw = random.Random(3)
        job = s.job({**LONG, "resources": {"threads": 1}})
        s.wait_until(job, lambda j: j["status"] == "running")
        end, rounds = time.monotonic() + SECONDS / 2, 0
        while time.monotonic() < end:
            for action in draw.choices(("pause", "resume"), k=draw.randrange(1, 6)):
                answer = s.call("POST", f"/v1/jobs/{job}/{action}")
                want(answer.status in (200, 202) or (action == "resume" and answer.status == 409), f"{action} -> {answer.status}")
            status = s.get(f"/v1/jobs/{job}")["status"]
            target = "paused" if status in ("pausing", "paused") else "running"
            view = s.wait_until(job, lambda j: j["status"] == target)
            if target == "running":
                s.wait_until(job, lambda j: j["step"] > view["step"])
            rounds += 1
        want(rounds > 5, f"only {rounds} rounds")
        _bring_to_an_end(s, job)
        check_events(s, job)
