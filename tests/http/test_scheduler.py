"""Who runs, with how many threads, and who waits for what: GET /v1/scheduler, and what clients see of its decisions."""
import time

from harness import PATIENCE, TERMINAL, Server, equal, includes, want
from material import BLOBS, ONE_AT_A_TIME, endless, mlp, softmax


def _running(server, spec):
    job = server.job(spec)
    server.wait_until(job, lambda j: j["status"] == "running" and j["step"] > 0)
    return job


def _cancel(server, *jobs):
    for job in jobs:
        server.ok("POST", f"/v1/jobs/{job}/cancel")
        server.wait(job, "cancelled")


def _eventually(server, condition, what, seconds=10):
    """The first view of the scheduler of which `condition` holds."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        view = server.get("/v1/scheduler")
        if condition(view):
            return view
        want(time.monotonic() < end, f"never: {what}; {view}")
        time.sleep(0.01)


def _thread(threads, **changes):
    return {**endless(), "resources": {"threads": threads, **changes}}


def an_idle_server_shows_what_it_has():
    with Server(["--threads", "3", "--memory", "64M"]) as s:
        equal(s.get("/v1/scheduler"), {"object": "scheduler", "threads": {"total": 3, "busy": 0}, "memory": {"total_bytes": 64 << 20, "used_bytes": 0},
                                       "running": [], "queue": [], "queued": 0}, "the scheduler")
        s.train(softmax())
        _eventually(s, lambda v: v["running"] == [] and v["threads"]["busy"] == 0 and v["memory"]["used_bytes"] == 0, "all is given back")
        s.refuse(400, "query_unknown", "GET", "/v1/scheduler?what=ever")
        equal(s.call("HEAD", "/v1/scheduler").status, 200, "HEAD")
        equal(s.call("POST", "/v1/scheduler", {}).status, 405, "POST")


def a_running_job_is_shown_with_its_threads_and_memory():
    with Server(["--threads", "2"]) as s:
        job = _running(s, _thread(1, priority=3))
        view = _eventually(s, lambda v: v["running"] and v["running"][0]["threads"] == 1, "it trains")
        shown = view["running"][0]
        includes(shown, "job", "priority", "state", "threads", "memory_bytes", "eta_seconds", what="running job")
        equal((shown["job"], shown["priority"], shown["state"]), (job, 3, "training"), "the running job")
        equal((view["memory"]["used_bytes"], view["threads"]["busy"]), (shown["memory_bytes"], 1), "what is used")
        want(shown["memory_bytes"] > 0, "its memory")
        _cancel(s, job)


def the_queue_has_positions_and_estimated_starts():
    with Server(ONE_AT_A_TIME) as s:
        blocker = s.job({**endless(), "training": {"epochs": 2000, "batch_size": 32}})  # it has an end
        s.wait_until(blocker, lambda j: j["step"] > 0 and j["eta_seconds"] is not None)
        jobs = [s.job({**endless(), "resources": {"priority": p}}) for p in (0, 2, 1, 0)]
        view = _eventually(s, lambda v: len(v["queue"]) == 4, "four wait")
        wanted = [jobs[1], jobs[2], jobs[0], jobs[3]]
        equal([(q["job"], q["position"], q["priority"]) for q in view["queue"]], [(j, i + 1, p) for i, (j, p) in enumerate(zip(wanted, (2, 1, 0, 0)))], "the queue")
        equal(view["queued"], 4, "how many")
        first = view["queue"][0]["estimated_start"]
        want(first is not None and first > s.get(f"/v1/jobs/{blocker}")["started_at"], f"the first one starts when the blocker ends: {first}")
        page = s.get("/v1/scheduler?limit=2")
        equal(([q["job"] for q in page["queue"]], page["queued"]), (wanted[:2], 4), "two of them")
        for job in jobs:
            s.ok("POST", f"/v1/jobs/{job}/cancel")
        equal(s.get("/v1/scheduler")["queue"], [], "an empty queue")
        s.ok("POST", f"/v1/jobs/{blocker}/cancel")


def a_small_job_does_not_wait_for_endless_ones():
    with Server(["--threads", "2"]) as s:
        endless_ones = [_running(s, _thread(2)) for _ in range(2)]
        for threads in (1, 2, "auto"):
            s.train(softmax(resources={"threads": threads}), seconds=10)
        equal([s.get(f"/v1/jobs/{j}")["status"] for j in endless_ones], ["running"] * 2, "the endless ones")
        _cancel(s, *endless_ones)


def equal_jobs_get_equal_shares():
    with Server(["--threads", "1"]) as s:
        jobs = [s.job(_thread(1)) for _ in range(3)]
        for job in jobs:
            s.wait_until(job, lambda j: j["step"] > 0)
        before = [s.get(f"/v1/jobs/{j}")["step"] for j in jobs]
        steps, end = [0, 1, 1], time.monotonic() + 20 * PATIENCE
        while max(steps) > 1.5 * min(steps):  # turns even out
            want(time.monotonic() < end, f"steps of three equal jobs: {steps}")
            time.sleep(1)
            steps = [s.get(f"/v1/jobs/{j}")["step"] - b for j, b in zip(jobs, before)]
        _cancel(s, *jobs)


def never_more_threads_work_than_there_are():
    with Server(["--threads", "2"]) as s:
        jobs = [s.job(_thread(t)) for t in (1, 2, "auto", 1)]
        seen = set()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            view = s.get("/v1/scheduler")
            equal(view["threads"]["busy"], sum(j["threads"] for j in view["running"]), "busy threads")
            want(view["threads"]["busy"] <= 2, f"{view['threads']['busy']} threads are busy")
            seen |= {j["job"] for j in view["running"] if j["threads"] > 0}
        equal(seen, set(jobs), "everybody had a turn")
        _cancel(s, *jobs)


def an_elastic_job_gives_way_and_takes_back():
    with Server(["--threads", "4"]) as s:
        big = mlp({**BLOBS, "n": 2000}, (256, 256), training={"epochs": 1000000, "batch_size": 250})
        job = _running(s, big)
        threads = lambda v: next((r["threads"] for r in v["running"] if r["job"] == job), 0)
        most = threads(_eventually(s, lambda v: threads(v) > 1, "it has several threads"))
        guests = [_running(s, _thread(1)) for _ in range(3)]
        _eventually(s, lambda v: threads(v) == 1, "it has given way")
        _cancel(s, *guests)
        _eventually(s, lambda v: threads(v) == most, "it has its threads again")
        _cancel(s, job)


def a_higher_priority_takes_the_threads_and_a_lower_one_does_not_starve():
    with Server(["--threads", "1"]) as s:
        low = _running(s, _thread(1, priority=0))
        high = _running(s, _thread(1, priority=10))
        before = [s.get(f"/v1/jobs/{j}")["step"] for j in (low, high)]
        time.sleep(3)
        steps = [s.get(f"/v1/jobs/{j}")["step"] - b for j, b in zip((low, high), before)]
        want(steps[1] > 3 * steps[0], f"steps of the low and the high priority: {steps}")
        step = s.get(f"/v1/jobs/{low}")["step"]
        s.wait_until(low, lambda j: j["step"] > step)
        s.ok("PATCH", f"/v1/jobs/{low}", {"priority": 20})
        s.wait_until(low, lambda j: j["status"] == "running")
        before = [s.get(f"/v1/jobs/{j}")["step"] for j in (low, high)]
        time.sleep(3)
        steps = [s.get(f"/v1/jobs/{j}")["step"] - b for j, b in zip((low, high), before)]
        want(steps[0] > 3 * steps[1], f"steps after the priorities were turned round: {steps}")
        _cancel(s, low, high)


def who_does_not_fit_waits_and_smaller_ones_pass():
    with Server(["--threads", "2", "--memory", "8M"]) as s:
        first = _running(s, mlp({**BLOBS, "n": 3000}, (256, 256), training={"epochs": 1000000, "batch_size": 32}))
        second = s.job(mlp({**BLOBS, "n": 3000}, (256, 256), training={"epochs": 1000000, "batch_size": 32}))
        view = s.get("/v1/scheduler")
        want(2 * view["running"][0]["memory_bytes"] > view["memory"]["total_bytes"], f"two of them fit: {view}")
        s.train(softmax())
        equal(s.get(f"/v1/jobs/{second}")["status"], "queued", "the second large one")
        equal([q["job"] for q in s.get("/v1/scheduler")["queue"]], [second], "the queue")
        s.ok("POST", f"/v1/jobs/{first}/cancel")
        s.wait_until(second, lambda j: j["status"] == "running")
        _cancel(s, second)
        _eventually(s, lambda v: v["memory"]["used_bytes"] == 0, "all memory is given back")


def a_job_wants_more_threads_than_there_are_and_runs():
    with Server(["--threads", "2"]) as s:
        view = s.train(softmax(resources={"threads": 7}))
        equal(view["threads"], 7, "its threads")
        job = _running(s, _thread(7))
        shown = _eventually(s, lambda v: v["running"] and v["running"][0]["threads"] > 0, "it trains")
        want(shown["threads"]["busy"] <= 2, f"busy {shown['threads']}")
        other = _running(s, _thread(1))
        _cancel(s, job, other)
        want(s.get(f"/v1/jobs/{job}")["status"] in TERMINAL, "over")
