"""Requests that no well-behaved client sends: what decides is the first status line and whether the connection lives."""
import json
import re
import time

from harness import equal, rows, want

HOST = b"Host: 127.0.0.1\r\n"
CLOSE = b"Connection: close\r\n"


def _problem(raw):
    """(status, code) of an answer; code "" if the body is not ours."""
    status = re.match(rb"HTTP/1\.[01] (\d{3})", raw)
    body = raw.partition(b"\r\n\r\n")[2]
    try:
        return int(status.group(1)), json.loads(body)["code"]
    except (ValueError, KeyError, TypeError):
        return int(status.group(1)) if status else 0, ""


def _post(headers, body=b""):
    return b"POST /v1/jobs HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n" + headers + b"\r\n" + body


@rows(
    ("no host", b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"\r\n", 400, "host_required"),
    ("two hosts", b"GET /healthz HTTP/1.1\r\n" + HOST + b"Host: localhost\r\n\r\n", 400, "host_duplicate"),
    ("another host", b"GET /healthz HTTP/1.1\r\nHost: evil.test\r\n\r\n", 421, "misdirected_host"),
    ("space in the target", b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_target"),
    ("absolute form", b"GET http://evil.test/x HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_target"),
    ("control byte in a header name", b"GET /healthz HTTP/1.1\r\n" + HOST + b"Fo\x01o: x\r\n\r\n", 400, "bad_header_name"),
    ("length and chunks", _post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400, "ambiguous_framing"),
    ("two lengths", _post(b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}"), 400, "ambiguous_framing"),
    ("two encodings", _post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400, "ambiguous_framing"),
    ("chunks in 1.0", b"POST /v1/jobs HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "ambiguous_framing"),
    ("gzip and chunks", _post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 501, "transfer_encoding_unsupported"),
    ("length of 2^63", _post(b"Content-Length: 9223372036854775808\r\n"), 413, "body_too_large"),
    ("length of 2^64-1", _post(b"Content-Length: 18446744073709551615\r\n"), 413, "body_too_large"),
    ("length beyond the limit", _post(b"Content-Length: 1000000000\r\n"), 413, "body_too_large"),
    ("beyond the limit, asking first", _post(b"Content-Length: 1000000000\r\nExpect: 100-continue\r\n"), 413, "body_too_large"),
    ("unknown expectation", _post(b"Content-Length: 2\r\nExpect: foo\r\n", b"{}"), 417, "expectation_failed"),
    ("compressed body", _post(b"Content-Length: 2\r\nContent-Encoding: gzip\r\n", b"{}"), 415, "content_encoding_unsupported"),
    ("65 headers", b"GET /healthz HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: 1\r\n" % i for i in range(70)) + b"\r\n", 431, "too_many_headers"),
)
def a_request_that_could_be_read_two_ways_is_refused(server, data, status, code):
    equal(_problem(server.raw(data, seconds=5)), (status, code), "status and code")


@rows(
    ("no target", b"GET\r\n\r\n", (0, 400)),
    ("version 0.9", b"GET /\r\n\r\n", (0, 400)),
    ("version 2.0", b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", (505,)),
    ("lower-case version", b"GET / http/1.1\r\n" + HOST + b"\r\n", (400,)),
    ("space before the colon", _post(b"Content-Length : 5\r\n", b"{}"), (400,)),
    ("header without colon", b"GET / HTTP/1.1\r\n" + HOST + b"Foo\r\n\r\n", (400,)),
    ("negative length", _post(b"Content-Length: -5\r\n"), (400,)),
    ("length of 2^64", _post(b"Content-Length: 18446744073709551616\r\n"), (413,)),
    ("chunk size no number", _post(b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n"), (400,)),
    ("chunk size beyond 2^64", _post(b"Transfer-Encoding: chunked\r\n", b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"), (413,)),
    ("target of 100 kB", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", (414,)),
    ("header of 100 kB", b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 100000 + b"\r\n\r\n", (431,)),
)
def what_is_no_http_gets_an_error_or_nothing(server, data, statuses):
    got = server.raw_status(data, seconds=3)
    want(got in statuses, f"status {got}, wanted one of {statuses}")
    server.get("/healthz")


def a_request_behind_an_ambiguous_one_is_never_run(server):
    before = len(server.get("/v1/datasets?limit=100")["data"])
    smuggled = b"POST /v1/datasets?name=smuggled HTTP/1.1\r\n" + HOST + b"Content-Type: text/csv\r\nContent-Length: 16\r\n\r\n1,2,x\n3,4,y\n5,6\n"
    server.raw(_post(b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + smuggled), seconds=3)
    equal(len(server.get("/v1/datasets?limit=100")["data"]), before, "data sets")


def pipelined_requests_are_answered_in_order(server):
    raw = server.raw((b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n") * 2 + b"GET /v1/nothing HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", seconds=5)
    equal(re.findall(rb"HTTP/1\.1 (\d{3})", raw), [b"200", b"200", b"404"], "statuses")


def a_chunked_body_in_one_byte_chunks_is_read(server):
    body = b'{"dataset":{"generator":"blobs"}}'
    chunks = b"".join(b"1\r\n%c\r\n" % c for c in body) + b"0\r\n\r\n"
    status, code = _problem(server.raw(_post(CLOSE + b"Transfer-Encoding: chunked\r\n", chunks), seconds=5))
    equal((status, code), (422, "validation_failed"), "the body was read: model is missing")


def a_chunked_body_beyond_the_limit_is_413(server):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    raw = server.raw(_post(b"Transfer-Encoding: chunked\r\n", chunk * 136 + b"0\r\n\r\n"), seconds=5)
    equal(_problem(raw)[0], 413, "status")


def a_client_that_leaves_in_the_middle_of_its_body_harms_nobody(server):
    for _ in range(5):
        server.raw(_post(b"Content-Length: 100\r\n", b'{"dataset'), half_close=True, seconds=3)
    equal(server.call("GET", "/healthz").status, 200, "health")


def a_connection_that_says_nothing_is_closed_in_time(server):
    start = time.monotonic()
    raw = server.raw(b"", seconds=25)
    want(time.monotonic() - start < 20, "still open after 20 s")
    equal(raw, b"", "bytes")
