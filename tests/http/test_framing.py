"""Requests that no well-behaved client sends: what decides is the first status line and whether the connection lives."""
import json
import re
import time

from harness import equal, rows, side_by_side, want

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it

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
    ("an empty host", b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 421, "misdirected_host"),
    ("a host that begins like ours", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1.evil.test\r\n\r\n", 421, "misdirected_host"),
    ("space in the target", b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_target"),
    ("tab in the target", b"GET /a\tb HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_target"),
    ("star of a GET", b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_target"),
    ("byte beyond ASCII in the target", b"GET /v1/\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_target"),
    ("connect", b"CONNECT a:1 HTTP/1.1\r\n" + HOST + b"\r\n", 405, "method_not_allowed"),
    ("a method of 300 letters", b"A" * 300 + b" /v1 HTTP/1.1\r\n" + HOST + b"\r\n", 501, "method_unknown"),
    ("a method that is no token", b"G@T /v1 HTTP/1.1\r\n" + HOST + b"\r\n", 501, "method_unknown"),
    ("absolute form", b"GET http://evil.test/x HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_target"),
    ("control byte in a header name", b"GET /healthz HTTP/1.1\r\n" + HOST + b"Fo\x01o: x\r\n\r\n", 400, "bad_header_name"),
    ("length and chunks", _post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400, "ambiguous_framing"),
    ("two lengths", _post(b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}"), 400, "ambiguous_framing"),
    ("two equal lengths", _post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"{}"), 400, "ambiguous_framing"),
    ("two encodings", _post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400, "ambiguous_framing"),
    ("chunks in 1.0", b"POST /v1/jobs HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "ambiguous_framing"),
    ("gzip and chunks", _post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 501, "transfer_encoding_unsupported"),
    ("identity", _post(b"Transfer-Encoding: identity\r\n"), 501, "transfer_encoding_unsupported"),
    ("no encoding at all", _post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"), 501, "transfer_encoding_unsupported"),
    ("length of 2^63", _post(b"Content-Length: 9223372036854775808\r\n"), 413, "body_too_large"),
    ("length of 2^64-1", _post(b"Content-Length: 18446744073709551615\r\n"), 413, "body_too_large"),
    ("length beyond the limit", _post(b"Content-Length: 1000000000\r\n"), 413, "body_too_large"),
    ("beyond the limit, asking first", _post(b"Content-Length: 1000000000\r\nExpect: 100-continue\r\n"), 413, "body_too_large"),
    ("unknown expectation", _post(b"Content-Length: 2\r\nExpect: foo\r\n", b"{}"), 417, "expectation_failed"),
    ("another expectation beside", _post(b"Content-Length: 2\r\nExpect: 100-continue\r\nExpect: foo\r\n", b"{}"), 417, "expectation_failed"),
    ("compressed after all", _post(b"Content-Length: 2\r\nContent-Encoding: identity\r\nContent-Encoding: gzip\r\n", b"{}"), 415, "content_encoding_unsupported"),
    ("two media types", _post(b"Content-Length: 2\r\nContent-Type: text/plain\r\n", b"{}"), 415, "content_type_unsupported"),
    ("a body of a GET in chunks", b"GET /v1 HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "body_not_allowed"),
    ("a body of a DELETE", b"DELETE /v1/jobs/x HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n{}", 400, "body_not_allowed"),
    ("compressed body", _post(b"Content-Length: 2\r\nContent-Encoding: gzip\r\n", b"{}"), 415, "content_encoding_unsupported"),
    ("65 headers", b"GET /healthz HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: 1\r\n" % i for i in range(64)) + b"\r\n", 431, "too_many_headers"),
)
def a_request_that_could_be_read_two_ways_is_refused(server, data, status, code):
    raw = server.raw(data, seconds=5)
    equal(_problem(raw), (status, code), "status and code")
    want(b"Connection: close\r\n" in raw, "the connection ends")
    want(status != 405 or b"\r\nAllow: " in raw, "Allow")


@rows(
    ("no target", b"GET\r\n\r\n", 0),
    ("version 0.9", b"GET /\r\n\r\n", 400),
    ("version 2.0", b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    ("HTTP/2 itself", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("lower-case version", b"GET / http/1.1\r\n" + HOST + b"\r\n", 400),
    ("version with a tail", b"GET / HTTP/1.1x\r\n" + HOST + b"\r\n", 400),
    ("space before the colon", _post(b"Content-Length : 5\r\n", b"{}"), 400),
    ("header without colon", b"GET / HTTP/1.1\r\n" + HOST + b"Foo\r\n\r\n", 400),
    ("negative length", _post(b"Content-Length: -5\r\n"), 400),
    ("length with a sign", _post(b"Content-Length: +5\r\n"), 400),
    ("a list of lengths", _post(b"Content-Length: 5, 5\r\n"), 400),
    ("length with a blank", _post(b"Content-Length: 2 \r\n", b"{}"), 400),
    ("empty length", _post(b"Content-Length: \r\n"), 400),
    ("length of 2^64", _post(b"Content-Length: 18446744073709551616\r\n"), 413),
    ("chunk size no number", _post(b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n"), 400),
    ("chunk size with 0x", _post(b"Transfer-Encoding: chunked\r\n", b"0x2\r\n{}\r\n0\r\n\r\n"), 400),
    ("negative chunk size", _post(b"Transfer-Encoding: chunked\r\n", b"-2\r\n{}\r\n0\r\n\r\n"), 400),
    ("no line end behind a chunk", _post(b"Transfer-Encoding: chunked\r\n", b"2\r\n{}0\r\n\r\n"), 400),
    ("chunk size beyond 2^64", _post(b"Transfer-Encoding: chunked\r\n", b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"), 413),
    ("target of 100 kB", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    ("header of 100 kB", b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 100000 + b"\r\n\r\n", 431),
    ("1,000 headers", b"GET /healthz HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: 1\r\n" % i for i in range(1000)) + b"\r\n", 431),
)
def what_is_no_http_gets_the_librarys_error_or_nothing(server, data, status):
    raw = server.raw(data, seconds=5)
    equal(int(raw[9:12] or 0), status, f"status of {raw[:60]}")
    want(b"onnection: close" in raw or not raw, "the connection ends")
    server.get("/healthz")


@rows(
    ("version 1.2", b"GET /healthz HTTP/1.2\r\n" + HOST + CLOSE + b"\r\n"),
    ("version 1.0 without a host", b"GET /healthz HTTP/1.0\r\n\r\n"),
    ("bare line feeds", b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n"),
    ("a folded header", b"GET /healthz HTTP/1.1\r\n" + HOST + CLOSE + b"X-A: b\r\n c\r\n\r\n"),
    ("an empty header name", b"GET /healthz HTTP/1.1\r\n" + HOST + CLOSE + b": v\r\n\r\n"),
    ("NUL in a header of no matter", b"GET /healthz HTTP/1.1\r\n" + HOST + CLOSE + b"X-A: b\0c\r\n\r\n"),
    ("an upgrade", b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n"),
    ("64 headers", b"GET /healthz HTTP/1.1\r\n" + HOST + CLOSE + b"".join(b"X-%d: 1\r\n" % i for i in range(62)) + b"\r\n"),
    ("a host with a port, in capitals", b"GET /healthz HTTP/1.1\r\nHost: LOCALHOST:1\r\n" + CLOSE + b"\r\n"),
    ("a body of no bytes", b"GET /healthz HTTP/1.1\r\n" + HOST + CLOSE + b"Content-Length: 0\r\n\r\n"),
)
def leniences_that_harm_nobody_are_kept(server, data):
    raw = server.raw(data, seconds=5)
    want(raw.startswith(b"HTTP/1.1 200 ") and b'{"status":"ok"}' in raw, f"answer {raw[:200]}")


def a_request_behind_an_ambiguous_one_is_never_run(server):
    before = len(server.get("/v1/datasets?limit=100")["data"])
    smuggled = b"POST /v1/datasets?name=smuggled HTTP/1.1\r\n" + HOST + b"Content-Type: text/csv\r\nContent-Length: 16\r\n\r\n1,2,x\n3,4,y\n5,6\n"
    server.raw(_post(b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + smuggled), seconds=3)
    equal(len(server.get("/v1/datasets?limit=100")["data"]), before, "data sets")


def pipelined_requests_are_answered_in_order(server):
    raw = server.raw((b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n") * 2 + b"GET /v1/nothing HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", seconds=5)
    equal(re.findall(rb"HTTP/1\.1 (\d{3})", raw), [b"200", b"200", b"404"], "statuses")


def many_requests_share_a_connection(server):
    raw = server.raw((b"GET /v1 HTTP/1.1\r\n" + HOST + b"\r\n") * 999 + b"GET /v1 HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", seconds=30)
    equal(len(re.findall(rb"HTTP/1\.1 200 ", raw)), 1000, "answers")
    equal(len(set(re.findall(rb"X-Request-Id: (req_\w+)", raw))), 1000, "request ids")


@rows(("one byte a chunk", lambda body: b"".join(b"1\r\n%c\r\n" % c for c in body) + b"0\r\n\r\n"), ("extensions", lambda body: b"%x;a=b\r\n%b\r\n0;c\r\n\r\n" % (len(body), body)),
      ("trailers", lambda body: b"%x\r\n%b\r\n0\r\nHost: evil.test\r\nContent-Length: 3\r\n\r\n" % (len(body), body)))
def a_chunked_body_is_read(server, cut):
    chunks = cut(b'{"dataset":{"generator":"blobs"}}')
    raw = server.raw(_post(CLOSE + b"Transfer-Encoding: chunked\r\n", chunks), seconds=5)
    equal(_problem(raw), (422, "validation_failed"), "the body was read")
    equal([e["pointer"] for e in json.loads(raw.partition(b"\r\n\r\n")[2])["errors"]], ["/model"], "what is missing")


def a_body_beyond_the_limit_that_is_sent_all_the_same_is_413(server):
    equal(_problem(server.raw(_post(b"Content-Length: 9000000\r\n", b" " * 9000000), seconds=5)), (413, "body_too_large"), "status and code")


def a_chunked_body_beyond_the_limit_is_413(server):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    raw = server.raw(_post(b"Transfer-Encoding: chunked\r\n", chunk * 136 + b"0\r\n\r\n"), seconds=5)
    equal(_problem(raw), (413, "body_too_large"), "status and code")


def a_client_that_leaves_in_the_middle_of_its_body_harms_nobody(server):
    for _ in range(5):
        server.raw(_post(b"Content-Length: 100\r\n", b'{"dataset'), half_close=True, seconds=3)
    equal(server.call("GET", "/healthz").status, 200, "health")


def a_connection_that_says_nothing_of_use_is_closed_in_time(server):
    hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"  # how TLS begins

    def closed(data):
        start = time.monotonic()
        equal(server.raw(data, seconds=25), b"", f"bytes after {data!r}")
        want(time.monotonic() - start < 20, f"still open 20 s after {data!r}")

    side_by_side([lambda d=data: closed(d) for data in (b"", b"\0\1\2\r\n", hello, b"GET /v1 HTTP/1.1\r\nHost: ")])
