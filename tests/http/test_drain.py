"""SIGTERM: jobs keep their state, waiting clients are let go, new work is refused, and the server ends with 0."""
import contextlib
import http.client
import os
import signal
import socket
import threading
import time

from harness import PATIENCE, TERMINAL, Failure, Server, equal, want
from job_states import check_events, events_of
from material import BLOBS, ONE_AT_A_TIME, endless, mlp, softmax

# A second and more for one step: a drain has to wait for it.
LONG_STEP = mlp({**BLOBS, "n": 6000}, (1024, 1024), training={"epochs": 1000000, "batch_size": "full", "seed": 1}, resources={"threads": 1})
SLOW = {**LONG_STEP, "dataset": {**BLOBS, "n": 500}}  # some hundredths


def _running(server, spec):
    job = server.job(spec)
    server.wait_until(job, lambda j: j["status"] == "running" and j["step"] > 0, seconds=60)
    return job


def _background(*actions):
    """Runs them in threads; a function that waits for their answers (an exception is an answer, too)."""
    answers = [None] * len(actions)

    def work(i):
        try:
            answers[i] = actions[i]()
        except (OSError, http.client.HTTPException, Failure) as e:
            answers[i] = e

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(actions))]
    for t in threads:
        t.start()

    def join():
        for t in threads:
            t.join(30 * PATIENCE)
            want(not t.is_alive(), "a client waits for ever")
        return answers

    return join


def _stream(server, job):
    """All that a stream of events says until its end."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60 * PATIENCE)
    with contextlib.closing(connection):
        connection.request("GET", f"/v1/jobs/{job}/events", headers={"Accept": "text/event-stream"})
        return connection.getresponse().read().decode()


def all_that_waits_is_let_go_and_all_that_runs_goes_on_from_where_it_was():
    with Server(["--threads", "2"]) as s:
        running = [_running(s, {**endless(), "checkpoint": {"every_seconds": 3600}, "resources": {"threads": 1}}) for _ in range(3)]
        paused = _running(s, endless())
        s.ok("POST", f"/v1/jobs/{paused}/pause")
        s.wait_until(paused, lambda j: j["status"] == "paused")
        before = s.get(f"/v1/jobs/{paused}")
        join = _background(*(lambda j=j: _stream(s, j) for j in [*running, paused]),
                           *(lambda j=j: s.get(f"/v1/jobs/{j}?wait=60&until=terminal") for j in [*running, paused]))
        time.sleep(0.2)
        start = time.monotonic()
        equal(s.terminate(), 0, "exit status")
        want(time.monotonic() - start < 10 * PATIENCE, f"it took {time.monotonic() - start:.1f} s")
        for answer in join()[4:]:
            want(not isinstance(answer, Exception) and answer["status"] not in TERMINAL, f"a long poll got {answer!r}")
        s.start()
        equal(s.get(f"/v1/jobs/{paused}"), before, "the paused job")
        for job in running:
            events = check_events(s, job)
            at = max(e["data"]["step"] for e in events if e["type"] == "checkpoint")
            drained = next(e for e in events if e["type"] == "state" and e["data"].get("reason") == "drain")
            equal(drained["data"]["status"], "queued", "the state that a drain leaves")
            shown = max([e["data"]["step"] for e in events if e["type"] == "metric" and int(e["id"]) < int(drained["id"])], default=0)
            want(at >= shown, f"a checkpoint of step {at}, shown was {shown}")
            view = s.wait_until(job, lambda j: j["status"] == "running" and j["step"] > at)
            equal(view["restarts"], 0, "restarts")
            s.ok("POST", f"/v1/jobs/{job}/cancel")
            s.wait(job, "cancelled")
        s.ok("POST", f"/v1/jobs/{paused}/cancel")


def a_queue_is_as_it_was():
    with Server(ONE_AT_A_TIME) as s:
        _running(s, endless())
        jobs = [s.job({**endless(), "resources": {"priority": p}}) for p in (0, 5, 0, 5)]
        wanted = [jobs[1], jobs[3], jobs[0], jobs[2]]
        equal([j["job"] for j in s.get("/v1/scheduler")["queue"]], wanted, "the queue")
        s.restart()
        running = s.get("/v1/jobs?order=asc")["data"]
        equal([j["restarts"] for j in running], [0] * 5, "restarts")
        end = time.monotonic() + 10 * PATIENCE
        while len(found := [j["id"] for j in s.get("/v1/jobs?status=running")["data"]]) == 0:
            want(time.monotonic() < end, "nothing runs")
        equal(found, [wanted[0]], "the first of the queue, by priority, as the one that ran is of a lower one")
        for job in jobs:
            equal([e["data"].get("reason") for e in events_of(s, job)][:1], [None], "its first event")


def new_work_is_refused_while_the_last_step_is_taken():
    with Server() as s:
        done = s.train(softmax())
        job = _running(s, LONG_STEP)
        s.process.send_signal(signal.SIGTERM)
        s.wait_for_log("draining")
        refused, answered = None, 0
        while s.process.poll() is None:
            try:
                equal(s.call("GET", "/readyz").status, 503, "readyz")
                answer = s.call("POST", "/v1/jobs", softmax())
                equal((answer.status, answer.json["code"]), (503, "not_ready"), "POST /v1/jobs")
                want(int(answer.headers["Retry-After"]) >= 1, "Retry-After")
                equal(s.get(f"/v1/jobs/{done['id']}")["status"], "succeeded", "reading")
                s.ok("POST", f"/v1/models/{done['model']}/predict", {"instances": [[1, 2]]})
                refused, answered = answer, answered + 1
            except (OSError, http.client.HTTPException, AttributeError):  # it has ended
                break
        equal(s.process.wait(10 * PATIENCE), 0, "exit status")
        want(refused is not None and answered > 0, "nobody was answered during the drain")
        s.start()
        equal([j["id"] for j in s.get("/v1/jobs?order=asc")["data"]], [done["id"], job], "jobs")


def nobody_new_gets_in_while_the_last_requests_are_answered():
    with Server() as s, socket.create_connection((s.host, s.port)) as slow:
        slow.sendall(b"POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 100\r\n\r\nx0,")
        s.get("/v1")  # the slow request is known by now
        s.process.send_signal(signal.SIGTERM)
        end, heard = time.monotonic() + 30 * PATIENCE, None
        while heard is None and time.monotonic() < end:
            try:
                socket.create_connection((s.host, s.port), timeout=0.1).close()
            except OSError as e:
                heard = e
        want(isinstance(heard, TimeoutError), f"who comes late hears {heard!r}, not nothing")
        slow.close()
        equal(s.process.wait(20 * PATIENCE), 0, "exit status")


def a_second_signal_ends_at_once():
    # Who ends at once joins no threads, which ThreadSanitizer would call a leak.
    with Server(env={"TSAN_OPTIONS": os.environ.get("TSAN_OPTIONS", "") + " report_thread_leaks=0"}) as s:
        job = _running(s, LONG_STEP)
        s.process.send_signal(signal.SIGTERM)
        s.wait_for_log("draining")
        s.process.send_signal(signal.SIGTERM)
        status = s.process.wait(10 * PATIENCE)
        want(status in (0, 1), f"exit status {status}")
        want(status == 1 or "ended" in s.log_text(), "the second signal came too late, and yet")
        s.start()
        s.wait_until(job, lambda j: j["status"] == "running")
        check_events(s, job)


def orders_of_clients_hold_through_a_drain():
    with Server() as s:
        jobs = {action: _running(s, SLOW) for action in ("pause", "stop", "cancel")}
        for action, job in jobs.items():
            s.ok("POST", f"/v1/jobs/{job}/{action}", status=202)
        equal(s.terminate(), 0, "exit status")
        s.start()
        s.wait_until(jobs["pause"], lambda j: j["status"] == "paused", seconds=60)
        equal(s.wait(jobs["stop"])["stop_reason"], "user", "the stopped one")
        s.wait(jobs["cancel"], "cancelled")
        for job in jobs.values():
            check_events(s, job)
        s.ok("POST", f"/v1/jobs/{jobs['pause']}/cancel")
