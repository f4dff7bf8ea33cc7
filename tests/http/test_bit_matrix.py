"""The bit matrix: whatever happens to a job on its way, and with however many threads, it ends with the bits that it would have had.

{1, 2, 4 threads} x {undisturbed, pause and resume, SIGTERM, kill -9} x every optimizer x {dropout or not} x {short last batch or
not}: one digest each, the same curves and metric events but for their seconds, event numbers without gap. The whole matrix in
release; builds under a sanitizer take a part of it, drawn by a fixed seed.
"""
import random
import time

from harness import MODE, PATIENCE, TERMINAL, THOROUGH, Server, equal, side_by_side, want
from job_states import check_events
from material import BLOBS, OPTIMIZERS, endless, mlp

ALL = [(name, optimizer, dropout, batch) for name, optimizer in OPTIMIZERS for dropout in (0.0, 0.3) for batch in (50, 48)]
PART = {"release": len(ALL), "debug": 20, "asan": 8, "tsan": 4}[MODE]
SPECS = random.Random(5).sample(ALL, PART)
THREADS = (1, 2, 4)
KILLS = 20 if THOROUGH else 6
CLIENTS = 8
# So many threads that all jobs train at once, and each disturbance meets all of them.
SERVER = {"options": ["--threads", str(len(THREADS) * PART * 4)]}


def _spec(optimizer, dropout, batch, threads):
    """250 rows: five batches of 50, or five of 48 and a short one."""
    spec = mlp({**BLOBS, "n": 250}, (20,), optimizer=optimizer, training={"epochs": 80, "batch_size": batch, "seed": 11, "log_every_steps": 7},
               resources={"threads": threads}, checkpoint={"every_steps": 13}, split={"validation": 0.2})
    spec["model"]["dropout"] = dropout
    return spec


def _what_it_left(server, job):
    """Digest, curves and metric events of a job that has succeeded, all but their seconds."""
    view = server.wait(job, seconds=120)
    curve = server.get(f"/v1/jobs/{job}/metrics?downsample=none&max_points=10000")
    seconds = curve["columns"].index("seconds")
    points = [[v for i, v in enumerate(row) if i != seconds] for row in curve["data"]]
    events = [{k: v for k, v in e["data"].items() if k != "seconds"} for e in check_events(server, job) if e["type"] == "metric"]
    return {"digest": view["digest"], "best": view["best"], "curve": points, "metric events": events}


def _each(jobs, work):
    """work(key, job) for each job, by several clients side by side; their answers by key."""
    items, answers = list(jobs.items()), {}

    def client(first):
        for key, job in items[first::CLIENTS]:
            answers[key] = work(key, job)

    side_by_side([lambda first=i: client(first) for i in range(CLIENTS)])
    return answers


def _submit_all(server):
    keys = {(name, dropout, batch, threads): optimizer for name, optimizer, dropout, batch in SPECS for threads in THREADS}
    return _each(keys, lambda key, optimizer: server.job(_spec(optimizer, *key[1:])))


class _Undisturbed:
    """What the jobs leave that nobody disturbs; made once."""

    left = None

    @classmethod
    def of(cls, server):
        if cls.left is None:
            cls.left = _each(_submit_all(server), lambda _, job: _what_it_left(server, job))
        return cls.left


def _compare(server, jobs):
    for key, left in _each(jobs, lambda _, job: _what_it_left(server, job)).items():
        for part, value in left.items():
            equal(value, _Undisturbed.left[key][part], f"{part} of {key}")


def the_bits_do_not_depend_on_the_threads_but_on_all_else(server):
    left = _Undisturbed.of(server)
    for (*key, threads), values in left.items():
        for part, value in values.items():
            equal(value, left[(*key, THREADS[0])][part], f"{part} of {key} with {threads} threads")
    equal(len({v["digest"]["parameters_sha256"] for v in left.values()}), PART, "digests of all specs")  # the control: they do differ


def a_pause_changes_no_bit(server):
    _Undisturbed.of(server)
    draw, paused = random.Random(7), []

    def live(key, optimizer):
        job = server.job(_spec(optimizer, *key[1:]))
        for _ in range(2):
            step = draw.randrange(1, 150)
            view = server.get(f"/v1/jobs/{job}")
            while view["step"] < step and view["status"] not in TERMINAL:
                view = server.get(f"/v1/jobs/{job}?wait=1&since={view['version']}")
            if server.call("POST", f"/v1/jobs/{job}/pause").status == 202:
                view = server.wait_until(job, lambda j: j["status"] in ("paused", *TERMINAL)) if THOROUGH else server.get(f"/v1/jobs/{job}")
            if server.call("POST", f"/v1/jobs/{job}/resume").status == 202:
                paused.append(view["step"])
        return job

    keys = {(name, dropout, batch, threads): optimizer for name, optimizer, dropout, batch in SPECS for threads in THREADS}
    _compare(server, _each(keys, live))
    want(len(paused) > len(keys) / 5, f"only {len(paused)} of {len(keys)} jobs were paused at all")


def _disturb(server, seed, times, disturb):
    """All jobs of the matrix, while the server goes down again and again; how often that met one."""
    draw, jobs = random.Random(seed), _submit_all(server)
    for _ in range(times):
        time.sleep(draw.uniform(0, 0.1) * PATIENCE)
        disturb()
    _compare(server, jobs)
    return jobs


def a_drain_changes_no_bit(server):
    _Undisturbed.of(server)
    jobs = _disturb(server, 3, 4, server.restart)
    drained = sum(e["type"] == "state" and e["data"].get("reason") == "drain" for job in jobs.values() for e in check_events(server, job))
    want(drained > 0, "no drain met a running job")
    equal(sum(server.get(f"/v1/jobs/{job}")["restarts"] for job in jobs.values()), 0, "restarts by drains")


def a_kill_changes_no_bit(server):
    _Undisturbed.of(server)
    jobs = _disturb(server, 4, KILLS, lambda: server.restart(kill=True))
    met = sum(server.get(f"/v1/jobs/{job}")["restarts"] for job in jobs.values())
    want(met >= KILLS, f"{KILLS} kills met {met} running jobs")


def threads_that_come_and_go_change_no_bit():
    spec = mlp({**BLOBS, "n": 2000}, (256, 128), training={"epochs": 30 if THOROUGH else 10, "batch_size": 250, "seed": 5, "log_every_steps": 1})
    spec["model"]["dropout"] = 0.2
    with Server(["--threads", "4"]) as s:
        alone = _what_it_left(s, s.job({**spec, "resources": {"threads": 1}}))
        job, seen, guests, draw = s.job({**spec, "resources": {"threads": "auto"}}), set(), [], random.Random(1)
        while s.get(f"/v1/jobs/{job}")["status"] not in TERMINAL:
            seen |= {r["threads"] for r in s.get("/v1/scheduler")["running"] if r["job"] == job}
            if len(guests) < 6 and draw.random() < 0.5:
                guests.append(s.job({**endless(), "resources": {"threads": draw.choice([1, 2, "auto"])}}))
            elif guests:
                s.call("POST", f"/v1/jobs/{guests.pop(draw.randrange(len(guests)))}/cancel")
        for guest in guests:
            s.call("POST", f"/v1/jobs/{guest}/cancel")
        want(len(seen) > 1, f"it always had {seen} threads")
        for part, value in _what_it_left(s, job).items():
            equal(value, alone[part], part)
