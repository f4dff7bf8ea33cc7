"""Following a job: its events as they come, from any event on, across reconnects and restarts, to the end."""
import contextlib
import http.client
import os
import re
import signal
import socket
import tempfile
import threading
import time

from harness import PATIENCE, THOROUGH, Failure, Server, Skip, equal, includes, rows, run_program, short, side_by_side, strict_json, want
from material import endless, mlp, softmax

SSE = {"Accept": "text/event-stream"}
DEATHS = 5 if THOROUGH else 2


class Stream:
    """One client's connection; `events` gives what comes as (id, type, data)."""

    def __init__(self, server, job, last=None, query="", token=None):
        headers = {**SSE, **({} if last is None else {"Last-Event-ID": str(last)})}
        token = token or server.token
        if token:
            headers["Authorization"] = "Bearer " + token
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=20 + 10 * PATIENCE)
        self.connection.request("GET", f"/v1/jobs/{job}/events{query}", headers=headers)
        self.answer = self.connection.getresponse()
        self.status, self.retry = self.answer.status, None
        equal(self.status, 200, f"status of a stream: {short(self.answer.read()) if self.status != 200 else ''}")
        equal(self.answer.headers["Content-Type"], "text/event-stream", "media type")
        equal(self.answer.headers["Cache-Control"], "no-store", "Cache-Control")
        equal(self.answer.headers["X-Accel-Buffering"], "no", "X-Accel-Buffering")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.answer.close()
        self.connection.close()

    def events(self):
        """Until the stream ends; a connection that is cut ends it, too."""
        fields = {}
        while True:
            try:
                line = self.answer.readline().decode()
            except (http.client.IncompleteRead, ConnectionError):
                return
            if not line:
                return
            want(line.endswith("\n") and "\r" not in line, f"a line ends strangely: {line!r}")
            line = line[:-1]
            if line.startswith(":"):
                equal(line, ": hb", "a comment")
            elif line:
                name, _, value = line.partition(": ")
                want(name in ("id", "event", "data", "retry") and name not in fields, f"line {line!r} after {fields}")
                fields[name] = value
            elif "retry" in fields:
                equal(fields, {"retry": "2000"}, "the beginning")
                self.retry, fields = 2000, {}
            elif fields:
                equal(self.retry, 2000, "retry before the first event")
                yield int(fields["id"]) if "id" in fields else None, fields["event"], strict_json(fields["data"].encode())
                fields = {}

    def wait_for_beat(self):
        """Of a stream that has no events meanwhile."""
        equal([self.answer.readline(), self.answer.readline()], [b": hb\n", b"\n"], "what a silent stream says")

    def take(self, count):
        taken = []
        for event in self.events():
            taken.append(event)
            if len(taken) == count:
                break
        return taken


def _follow(server, job, last=None, **how):
    with Stream(server, job, last, **how) as stream:
        return list(stream.events())


def _stored(server, job):
    """The events of the JSON pages."""
    events, page = [], server.get(f"/v1/jobs/{job}/events?limit=100")
    while True:
        events += [(e["id"], e["type"], e["data"]) for e in page["data"]]
        if not page["has_more"]:
            return events
        page = server.get(f"/v1/jobs/{job}/events?limit=100&after={page['last_id']}")


def _long(batches=110):
    """A job of some `batches` * 94 events."""
    return {**endless(), "training": {"epochs": batches, "batch_size": 32, "log_every_steps": 1}}


def _lasting(server):
    """A job that is running and has shown something; it goes on until it is cancelled."""
    job = server.job({**endless(), "resources": {"threads": 1}})
    server.wait_until(job, lambda j: j["step"] > 0)
    return job


def _cancel(server, job):
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    server.wait(job, "cancelled")


def _check_order(events, first=1):
    equal([e[0] for e in events], list(range(first, first + len(events))), "numbers of the events")


def a_finished_job_is_told_from_its_first_event_to_done(server):
    job = server.train(mlp())["id"]
    events = _follow(server, job)
    equal(events, _stored(server, job), "events")
    _check_order(events)
    equal((events[0][1], events[0][2]["status"]), ("state", "queued"), "the first event")
    equal((events[-1][1], events[-1][2]["status"]), ("done", "succeeded"), "the last event")
    includes({e[1] for e in events}, "metric", what="types of events")


def a_stream_goes_on_after_any_event(server):
    job = server.train(softmax())["id"]
    events = _stored(server, job)
    for last in range(len(events)):
        equal(_follow(server, job, last), events[last:], f"after event {last}")
        equal(_follow(server, job, query=f"?after={last}"), events[last:], f"with after={last}")
    equal(_follow(server, job, 3, query="?after=1"), events[3:], "the header is what counts")


def after_the_end_there_is_nothing(server):
    job = server.train(softmax())["id"]
    last = len(_stored(server, job))
    for path, headers in ((f"/v1/jobs/{job}/events", {"Last-Event-ID": str(last)}), (f"/v1/jobs/{job}/events?after={last}", {})):
        answer = server.call("GET", path, headers={**SSE, **headers})
        equal((answer.status, answer.body), (204, b""), f"{path} {headers}")


def a_stream_follows_a_job_to_its_end(server):
    job = server.job(mlp(training={"epochs": 30, "batch_size": 8, "seed": 1, "log_every_steps": 1}))
    events = _follow(server, job)
    _check_order(events)
    equal(events[-1][1], "done", "the last event")
    equal(events, _stored(server, job), "events")
    want(len(events) > 1000, f"a burst of only {len(events)} events")


def a_long_job_is_told_whole(server):
    """Pages, live pieces and bursts: clients that are as quick as they can be are never told to start over."""
    job = server.job(_long())
    for events in side_by_side([lambda: _follow(server, job)] * 5):
        _check_order(events)
        equal([e[1] for e in events if e[1] in ("resync", "done")], ["done"], "ends")
        want(len(events) > 10000, f"only {len(events)} events")


def events_come_while_the_job_runs(server):
    job = _lasting(server)
    with Stream(server, job) as stream:
        seen = len(stream.take(40))
        equal(server.get(f"/v1/jobs/{job}")["status"], "running", "status")
        server.ok("POST", f"/v1/jobs/{job}/cancel")
        rest = list(stream.events())
    equal(rest[-1][1:], ("done", {"status": "cancelled"}), "the last event")
    _check_order(rest, seen + 1)


def a_client_that_comes_and_goes_misses_nothing_and_gets_nothing_twice(server):
    job, events = _lasting(server), []
    for count in (1, 7, 40, 3, 20):
        with Stream(server, job, events[-1][0] if events else None) as stream:
            events += stream.take(count)
    _cancel(server, job)
    events += _follow(server, job, events[-1][0])
    equal(events, _stored(server, job), "events")


def a_restart_of_the_server_leaves_no_gap_and_no_repeat():
    with Server() as s:
        job, events = _lasting(s), []
        for death in range(DEATHS):
            with Stream(s, job, events[-1][0] if events else None) as stream:
                events += stream.take(20)
                if death % 2 == 0:
                    s.kill()
                else:
                    s.process.send_signal(signal.SIGTERM)
                events += list(stream.events())
            if death % 2 == 1:
                equal(s.process.wait(20 * PATIENCE), 0, "exit status")
            s.start()
        s.ok("POST", f"/v1/jobs/{job}/cancel")
        events += _follow(s, job, events[-1][0])
        _check_order(events)
        equal(events[-1][1], "done", "the last event")
        equal(events, _stored(s, job), "events")
        equal(s.call("GET", f"/v1/jobs/{job}/events", headers={**SSE, "Last-Event-ID": str(events[-1][0])}).status, 204, "after the end")


@rows(("one too far", 1), ("the greatest number", None))
def a_client_that_is_ahead_gets_the_job_instead(server, ahead):
    job = server.train(softmax())["id"]
    last = len(_stored(server, job))
    events = _follow(server, job, 2**64 - 1 if ahead is None else last + ahead)
    equal(events, [(last - 1, "resync", server.get(f"/v1/jobs/{job}")), _stored(server, job)[-1]], "events")


def a_client_that_is_ahead_of_a_running_job_then_follows_it(server):
    job = _lasting(server)
    with Stream(server, job, 10**9) as stream:
        (number, kind, view), *rest = stream.take(30)
        equal((kind, view["object"], view["id"]), ("resync", "job", job), "the first event")
        _check_order(rest, number + 1)
    _cancel(server, job)


@rows(("letters", "abc"), ("negative", "-1"), ("2^64", str(2**64)), ("hexadecimal", "0x10"), ("a fraction", "1.5"), ("a list", "1, 2"))
def a_last_event_id_that_is_no_number_is_400(server, value):
    job = server.train(softmax())["id"]
    server.refuse(400, "bad_last_event_id", "GET", f"/v1/jobs/{job}/events", headers={**SSE, "Last-Event-ID": value})
    equal(server.call("GET", f"/v1/jobs/{job}/events", headers={"Last-Event-ID": value}).status, 200, "a page does not look at it")


def a_job_that_is_not_there_has_no_stream(server):
    server.refuse(404, "not_found", "GET", "/v1/jobs/job_00000000000000000000/events", headers=SSE)
    job = server.train(softmax())["id"]
    server.ok("DELETE", f"/v1/jobs/{job}", status=204)
    server.refuse(410, "deleted", "GET", f"/v1/jobs/{job}/events", headers=SSE)


@rows(("nothing", None, "application/json"), ("anything", "*/*", "application/json"), ("both alike", "text/event-stream, application/json", "application/json"),
      ("a stream", "text/event-stream", "text/event-stream"), ("a stream rather", "application/json;q=0.5, text/event-stream", "text/event-stream"),
      ("any text", "text/*", "text/event-stream"), ("a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"))
def accept_chooses_between_a_page_and_a_stream(server, accept, media):
    job = server.train(softmax())["id"]
    answer = server.call("GET", f"/v1/jobs/{job}/events", headers={"Accept": accept} if accept else {})
    equal((answer.status, answer.media), (200, media), f"Accept: {accept}")
    includes(answer.headers["Vary"], "Accept", what="Vary")
    server.refuse(406, "not_acceptable", "GET", f"/v1/jobs/{job}/events", headers={"Accept": "image/png"})


def the_interface_names_the_stream(server):
    operation = server.get("/v1/openapi.json")["paths"]["/v1/jobs/{id}/events"]["get"]
    includes([(p["in"], p["name"]) for p in operation["parameters"]], ("header", "Last-Event-ID"), what="parameters")
    includes(operation["responses"]["200"]["content"], "application/json", "text/event-stream", what="answers")
    includes(operation["responses"], "204", what="answers")


def head_does_not_stream(server):
    job = _lasting(server)
    got = server.raw(f"HEAD /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: text/event-stream\r\n\r\n".encode())
    want(got.startswith(b"HTTP/1.1 200") and got.endswith(b"\r\n\r\n") and got.count(b"\r\n\r\n") == 1, f"answer: {got!r}")
    includes(got, b"Content-Type: text/event-stream")
    _cancel(server, job)


def two_hundred_readers_are_told_the_same():
    with Server() as s:
        job, count = _lasting(s), 200 if THOROUGH else 40
        streams = [Stream(s, job) for _ in range(count)]
        stop = threading.Timer(1, lambda: s.ok("POST", f"/v1/jobs/{job}/cancel"))
        stop.start()
        told = side_by_side([lambda stream=stream: list(stream.events()) for stream in streams])
        stop.join()
        stored = _stored(s, job)
        for events in told:
            equal(events, stored, "a reader's events")
        for stream in streams:
            stream.close()


def too_many_streams_are_refused_and_others_are_served():
    with Server(["--max-streams", "3", "--threads", "1"]) as s:
        job = _lasting(s)
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(Stream(s, job)) for _ in range(3)]
            problem = s.refuse(503, "too_many_streams", "GET", f"/v1/jobs/{job}/events", headers=SSE)
            equal(problem.headers["Retry-After"], "5", "Retry-After")
            equal(s.get(f"/v1/jobs/{job}")["status"], "running", "another request")
            streams[0].close()
            end = time.monotonic() + 10 * PATIENCE
            while s.call("HEAD", f"/v1/jobs/{job}", headers=SSE).status == 200:
                with contextlib.suppress(Failure):
                    stack.enter_context(Stream(s, job))
                    break
                want(time.monotonic() < end, "the place of a client that left is not given away")
                time.sleep(0.1)
        _cancel(s, job)


def a_reader_that_stops_reading_is_told_the_job_and_not_all_that_it_missed():
    if not THOROUGH:
        raise Skip("it waits for long")
    with Server() as s:
        job = s.job(_long())
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.settimeout(20 * PATIENCE)
            slow.connect((s.host, s.port))
            slow.sendall(f"GET /v1/jobs/{job}/events HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode())
            want(b"200 OK" in slow.recv(1000), "no stream")
            s.wait(job)
            time.sleep(11)
            got = b""
            while chunk := slow.recv(1 << 20):
                got += chunk
        ids = [int(i) for i in re.findall(rb"^id: (\d+)$", got, re.M)]
        gaps = [(a, b) for a, b in zip(ids, ids[1:]) if b != a + 1]
        equal(len(gaps), 1, f"gaps: {gaps}")
        want(gaps[0][1] - gaps[0][0] > 1024, f"it was not far behind: {gaps}")
        includes(got, b"id: %d\nevent: resync\ndata: {\"object\":\"job\"" % gaps[0][1])
        includes(got[-300:], b"event: done", what="the end")


def a_job_that_is_deleted_takes_its_streams_along():
    with Server() as s:
        job = s.train(_long())["id"]
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.settimeout(20 * PATIENCE)
            slow.connect((s.host, s.port))
            slow.sendall(f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode())
            got = slow.recv(1000)
            s.ok("DELETE", f"/v1/jobs/{job}", status=204)
            while chunk := slow.recv(1 << 20):
                got += chunk
        want(got.endswith(b"\r\n0\r\n\r\n"), f"the end: {got[-100:]!r}")
        want(b"event: done" not in got, "it was told to its end")
        s.refuse(410, "deleted", "GET", f"/v1/jobs/{job}/events", headers={**SSE, "Last-Event-ID": "7"})


def readers_that_never_read_cost_little_and_end_with_the_server():
    with Server() as s:
        job, readers = s.train(_long())["id"], []
        for _ in range(50):
            reader = socket.create_connection((s.host, s.port))
            reader.sendall(f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode())
            readers.append(reader)
        time.sleep(1)
        s.get(f"/v1/jobs/{job}")
        start = time.monotonic()
        equal(s.terminate(), 0, "exit status")
        want(time.monotonic() - start < 10 * PATIENCE, "the end took long")
        for reader in readers:
            reader.close()


def a_drain_ends_streams_and_the_next_server_goes_on():
    with Server(["--threads", "1"]) as s:
        running = _lasting(s)
        waiting = s.job({**endless(), "resources": {"threads": 1}})
        streams = [Stream(s, job) for job in (running, waiting) for _ in range(10)]
        for stream in streams:
            stream.take(1)
        equal(s.terminate(), 0, "exit status")
        last = []
        for stream in streams:
            rest = list(stream.events())
            want("done" not in [e[1] for e in rest], f"done is told of a job that is not: {rest}")
            last.append(rest[-1][0] if rest else 1)
            stream.close()
        s.start()
        for job in (waiting, running):
            _cancel(s, job)
        for job, number in zip([running] * 10 + [waiting] * 10, last):
            equal(_follow(s, job, number), _stored(s, job)[number:], "what followed")


def a_stream_whose_token_was_withdrawn_ends_and_a_silent_one_beats():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/tokens"
        tokens = [re.search(r"dct_[A-Za-z0-9_-]{43}", run_program("token", "new", "--token-file", path, "--scopes", scope)[1]).group(0) for scope in ("admin", "read", "read")]
        with Server(["--token-file", path, "--threads", "1"], token=tokens[0]) as s:
            running = _lasting(s)
            silent = s.job({**endless(), "resources": {"threads": 1}})
            s.ok("POST", f"/v1/jobs/{silent}/pause")
            s.wait_until(silent, lambda j: j["status"] == "paused")
            with Stream(s, silent, token=tokens[1]) as lost, Stream(s, silent, token=tokens[2]) as kept, Stream(s, running, token=tokens[1]) as live:
                for stream, count in ((lost, 2), (kept, 2), (live, 1)):
                    stream.take(count)
                with open(path, encoding="ascii") as file:
                    lines = file.readlines()
                with open(path, "w", encoding="ascii") as file:
                    file.writelines(lines[:1] + lines[2:])
                os.kill(s.process.pid, signal.SIGHUP)
                s.wait_for_log("tokens read again")
                farewell = (None, "done", {"reason": "auth"})
                equal(list(live.events())[-1], farewell, "a stream of many events")
                start = time.monotonic()
                equal(list(lost.events()), [farewell], "a silent stream")
                want(time.monotonic() - start < 15 * PATIENCE, "the silent stream went on")
                kept.wait_for_beat()
                s.ok("POST", f"/v1/jobs/{silent}/cancel")
                equal(list(kept.events())[-1][1:], ("done", {"status": "cancelled"}), "the other token's stream")
            _cancel(s, running)


def a_line_of_the_documentation_follows_a_job(server):
    job = server.train(softmax())["id"]
    got = server.raw(f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUser-Agent: curl/7.88.1\r\nAccept: text/event-stream\r\n\r\n".encode())
    equal(got.count(b"event: done\n"), 1, "done")
    want(got.endswith(b"0\r\n\r\n"), "the stream ends with its last chunk, and so does the connection")
