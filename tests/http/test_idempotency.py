"""Idempotency-Key: whoever asks again gets the first answer again, and one job is made."""
import json
import socket
import tempfile
import threading

from harness import PATIENCE, Server, equal, includes, rows, run_program, side_by_side, want
from material import BLOBS, endless, mlp, softmax


def _post(s, spec, key, path="/v1/jobs"):
    return s.call("POST", path, spec, {"Idempotency-Key": key})


def _count(s, **metadata):
    query = "".join(f"&metadata.{k}={v}" for k, v in metadata.items())
    return len(s.get(f"/v1/jobs?limit=100{query}")["data"])


def the_same_key_and_body_get_the_first_answer_again(server):
    first = _post(server, softmax(metadata={"t": "again"}), "again-1")
    equal(first.status, 201, "the first")
    want("Idempotent-Replayed" not in first.headers, "the first answer is no replay")
    server.wait(first.json["id"])  # another version, another state by now
    again = _post(server, softmax(metadata={"t": "again"}), "again-1")
    equal(again.status, 201, "the second")
    equal(again.body, first.body, "the body")
    for name in ("Location", "ETag", "Content-Type"):
        equal(again.headers[name], first.headers[name], name)
    equal(again.headers["Idempotent-Replayed"], "true", "Idempotent-Replayed")
    equal(_count(server, t="again"), 1, "jobs")


def another_request_with_the_key_is_refused(server):
    job = _post(server, softmax(metadata={"t": "reused"}), "reused-1").json["id"]
    problem = server.refuse(422, "idempotency_key_reused", "POST", "/v1/jobs", softmax(metadata={"t": "other"}),
                            {"Idempotency-Key": "reused-1"})
    includes(problem["detail"], job)
    server.refuse(422, "idempotency_key_reused", "POST", f"/v1/jobs/{job}/rerun", None, {"Idempotency-Key": "reused-1"})
    equal(_count(server, t="other"), 0, "jobs of the other request")


@rows(("empty", ""), ("too long", "k" * 256), ("not ASCII", "k\xfc"), ("a control character", "a\tb"))
def a_key_that_is_none_is_refused(server, key):
    server.refuse(400, "idempotency_key_invalid", "POST", "/v1/jobs", softmax(), {"Idempotency-Key": key})


@rows(("one character", "k"), ("255 characters", "k" * 255), ("blanks and signs", "a b~!\"\\"))
def any_printable_key_is_taken(server, key):
    first, again = (_post(server, softmax(), key) for _ in range(2))
    equal((first.status, again.status), (201, 201), "both")
    equal(again.json["id"], first.json["id"], "the job")


def a_request_that_failed_leaves_its_key_unused(server):
    server.refuse(422, "missing_field", "POST", "/v1/jobs", {"dataset": BLOBS}, {"Idempotency-Key": "failed-1"})
    answer = _post(server, softmax(), "failed-1")
    equal(answer.status, 201, "the request that is right")
    want("Idempotent-Replayed" not in answer.headers, "it is the first one that was carried out")


def a_trial_does_not_use_its_key(server):
    path = "/v1/jobs?validate_only=true"
    for _ in range(2):
        equal(_post(server, softmax(), "trial-1", path).json["object"], "job_estimate", "the answer")
    equal(_post(server, softmax(), "trial-1", path[:8]).status, 201, "the request itself")


def a_hundred_at_once_make_one_job(server):
    start = threading.Barrier(100)
    spec = softmax(metadata={"t": "hundred"})

    def post():
        start.wait()
        return _post(server, spec, "hundred")

    answers = side_by_side([post] * 100)
    made = {a.json["id"] for a in answers if a.status == 201}
    equal(len(made), 1, "jobs that were told of")
    for a in answers:
        if a.status != 201:
            equal((a.status, a.json["code"]), (409, "idempotency_in_progress"), "an answer that is no job")
            want(int(a.headers["Retry-After"]) >= 1, "Retry-After")
    equal(sum(a.status == 201 and "Idempotent-Replayed" not in a.headers for a in answers), 1, "first answers")
    equal(_count(server, t="hundred"), 1, "jobs that there are")


def a_request_in_hand_holds_its_key():
    # Rows enough that reading them takes a while. The last byte of all comes at once, so that they are in hand together.
    x = [[i % 97 / 7, i % 89 / 5, i % 83 / 3, float(i)] for i in range(100000 if PATIENCE < 15 else 30000)]
    body = json.dumps(softmax({"x": x, "y": [i % 3 for i in range(len(x))]})).encode()
    with Server() as s:
        head = f"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: held\r\nContent-Length: {len(body)}\r\n\r\n"
        sockets = [socket.create_connection(("127.0.0.1", s.port), timeout=60) for _ in range(4)]
        for c in sockets:
            c.sendall(head.encode() + body[:-1])
        for c in sockets:
            c.sendall(body[-1:])
        heads = []
        for c in sockets:
            with c, c.makefile("rb") as f:
                heads.append([f.readline().split()[1].decode(), *(iter(lambda: f.readline().decode().strip(), ""))])
        refused = [h for h in heads if h[0] == "409"]
        equal(sorted({h[0] for h in heads}), ["201", "409"], "statuses")
        want(all("Retry-After: 1" in h for h in refused), f"Retry-After: {refused}")
        equal(len(s.get("/v1/jobs")["data"]), 1, "jobs")


@rows(("SIGTERM", False), ("kill -9", True))
def a_key_survives_a_restart(kill):
    with Server() as s:
        first = _post(s, softmax(), "durable")
        s.restart(kill)
        again = _post(s, softmax(), "durable")
        equal((again.status, again.body), (201, first.body), "the answer")
        equal(again.headers["Idempotent-Replayed"], "true", "Idempotent-Replayed")
        s.refuse(422, "idempotency_key_reused", "POST", "/v1/jobs", mlp(), {"Idempotency-Key": "durable"})
        equal(len(s.get("/v1/jobs")["data"]), 1, "jobs")


def a_rerun_has_keys_too(server):
    job = server.job(softmax(metadata={"t": "rerun-key"}))
    first, again = (_post(server, {"name": "second"}, "rerun-1", f"/v1/jobs/{job}/rerun") for _ in range(2))
    equal((first.status, again.status), (201, 201), "both")
    equal(again.body, first.body, "the body")
    equal(_count(server, t="rerun-key"), 2, "the job and one rerun")


def other_routes_take_no_notice(server):
    job = server.job(endless())
    for _ in range(2):
        want(server.call("POST", f"/v1/jobs/{job}/cancel", None, {"Idempotency-Key": "x" * 300}).status in (200, 202), "cancel")


def clients_have_keys_of_their_own():
    with tempfile.TemporaryDirectory() as folder:
        made = [run_program("token", "new", "--token-file", folder + "/tokens", "--scopes", "write")[1].strip() for _ in range(2)]
        with Server(["--token-file", folder + "/tokens"]) as s:
            jobs = []
            for s.token in made * 2:
                jobs.append(_post(s, softmax(), "same").json["id"])
            equal(jobs[:2], jobs[2:], "each client's job, twice")
            want(jobs[0] != jobs[1], "one client's key is nothing to the other")
