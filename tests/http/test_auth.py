"""Tokens, scopes, origins: who may do what."""
import contextlib
import os
import pathlib
import re
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.request

from harness import BINARY, PATIENCE, Client, Failure, Server, equal, free_port, rows, run_program, want
from material import softmax

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it

JSON = {"Content-Type": "application/json"}


@contextlib.contextmanager
def _guarded(*options):
    """A server with a token for each scope: (server, {scope: token})."""
    with tempfile.TemporaryDirectory() as folder:
        path, tokens = folder + "/tokens", {}
        for scope in ("read", "write", "admin"):
            tokens[scope] = _new_token(path, "--scopes", scope)
        with Server(["--token-file", path, *options]) as s:
            yield s, tokens
            for token in tokens.values():
                want(token not in s.log_text(), "a token stands in the log")


def _new_token(path, *options):
    status, out, err = run_program("token", "new", "--token-file", path, *options)
    equal(status, 0, f"descentd token new: {out} {err}")
    return re.search(r"dct_[A-Za-z0-9_-]{43}", out).group(0)


def every_operation_but_health_needs_a_token():
    with _guarded() as (s, tokens):
        s.token = tokens["read"]
        document = s.get("/v1/openapi.json")
        s.token = None
        asked = 0
        for path, item in document["paths"].items():
            for method in item:
                if method not in ("get", "post", "put", "patch", "delete"):
                    continue
                answer = s.call(method.upper(), re.sub(r"\{\w+\}", "x", path))
                if path in ("/healthz", "/readyz"):
                    equal(answer.status, 200, path)
                    continue
                equal((answer.status, answer.json["code"]), (401, "auth_required"), f"{method} {path}")
                want(answer.headers["WWW-Authenticate"].startswith("Bearer"), "WWW-Authenticate")
                asked += 1
        want(asked >= 20, f"only {asked} operations")


def an_unknown_route_tells_a_stranger_nothing():
    with _guarded() as (s, tokens):
        s.refuse(401, "auth_required", "GET", "/v1/nothing")
        s.refuse(401, "auth_required", "BREW", "/v1/jobs")
        s.token = tokens["read"]
        s.refuse(404, "route_not_found", "GET", "/v1/nothing")


def wrong_tokens_are_401():
    with _guarded() as (s, tokens):
        good = tokens["write"]
        for header, code in (("Basic YTpi", "auth_required"), ("", "auth_required"), (good, "auth_required"), ("Bearer\t" + good, "auth_required"), ("Bearers " + good, "auth_required"),
                             ("Bearer", "invalid_token"), ("Bearer " + good[:-1], "invalid_token"), ("Bearer " + good + "A", "invalid_token"),
                             ("Bearer " + good[:-1] + ("A" if good[-1] != "A" else "B"), "invalid_token"), ("Bearer " + "x" * 8000, "invalid_token"),
                             ("Bearer dct_", "invalid_token"), ("Bearer " + good.swapcase(), "invalid_token"), ("Bearer " + good + " x", "invalid_token")):
            problem = s.refuse(401, code, "GET", "/v1", headers={"Authorization": header})
            want(problem.headers["WWW-Authenticate"].startswith("Bearer"), f"WWW-Authenticate after {header[:20]!r}")
        cut = good[:20].encode() + b"\0" + good[20:].encode()
        raw = s.raw(b"GET /v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + cut + b"\r\n\r\n", seconds=5)
        want(raw.startswith(b"HTTP/1.1 401 ") and b'"invalid_token"' in raw, f"a NUL in the token: {raw[:200]}")


def the_scheme_has_no_case_and_any_blanks():
    with _guarded() as (s, tokens):
        for header in ("bearer " + tokens["read"], "BEARER " + tokens["read"], "Bearer   " + tokens["read"]):
            equal(s.call("GET", "/v1", headers={"Authorization": header}).status, 200, header[:10])


def two_authorizations_are_400():
    with _guarded() as (s, tokens):
        line = b"Authorization: Bearer " + tokens["read"].encode() + b"\r\n"
        raw = s.raw(b"GET /v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + line + line + b"\r\n", seconds=5)
        want(raw.startswith(b"HTTP/1.1 400") and b"ambiguous_auth" in raw, raw[:200])


def a_token_in_the_address_is_refused():
    with _guarded() as (s, tokens):
        for _ in ("without a header", "with one"):
            for name in ("token", "access_token"):
                s.refuse(400, "token_in_query", "GET", f"/v1?{name}={tokens['read']}")
            s.token = tokens["read"]


def a_reader_may_not_write_and_a_writer_may_read():
    with _guarded() as (s, tokens):
        s.token = tokens["read"]
        s.get("/v1/jobs")
        s.refuse(403, "scope_insufficient", "POST", "/v1/jobs", softmax())
        s.refuse(403, "scope_insufficient", "POST", "/v1/datasets", "a,b\n1,x\n2,y\n", {"Content-Type": "text/csv"})
        s.refuse(403, "scope_insufficient", "DELETE", "/v1/jobs/job_00000000000000000000")
        for scope in ("write", "admin"):
            s.token = tokens[scope]
            job = s.train(softmax())
            s.get(f"/v1/models/{job['model']}")


def a_refusal_comes_before_the_body_is_read():
    with _guarded() as (s, _):
        head = b"POST /v1/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\nContent-Length: 1000000\r\n"
        for more in (b"", b"Expect: 100-continue\r\n"):
            raw = s.raw(head + more + b"\r\n", seconds=5)
            want(raw.startswith(b"HTTP/1.1 401 ") and b'"auth_required"' in raw, f"answer {raw[:200]}")


def an_expired_token_is_401():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/tokens"
        live, old = _new_token(path, "--scopes", "read"), _new_token(path, "--scopes", "read")
        lines = pathlib.Path(path).read_text().splitlines()
        lines[-1] = ":".join(lines[-1].split(":")[:3]) + ":2001-01-01T00:00:00Z"
        pathlib.Path(path).write_text("\n".join(lines) + "\n")
        with Server(["--token-file", path]) as s:
            s.get("/v1", {"Authorization": "Bearer " + live})
            s.refuse(401, "token_expired", "GET", "/v1", headers={"Authorization": "Bearer " + old})


def many_wrong_tokens_are_slowed_down():
    with _guarded() as (s, tokens):
        statuses = [s.call("GET", "/v1", headers={"Authorization": f"Bearer dct_{i:043d}"}) for i in range(40)]
        codes = [a.json["code"] for a in statuses]
        equal(codes[0], "invalid_token", "the first")
        want(codes[-1] == "auth_rate_limited" and statuses[-1].status == 429 and int(statuses[-1].headers["Retry-After"]) >= 1, f"the last: {codes[-1]}")
        want(codes.count("invalid_token") >= 10, "not after a few")


def sighup_reads_the_tokens_again():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/tokens"
        first = _new_token(path, "--scopes", "read")
        with Server(["--token-file", path]) as s:
            second = _new_token(path, "--scopes", "read")
            s.refuse(401, "invalid_token", "GET", "/v1", headers={"Authorization": "Bearer " + second})
            s.process.send_signal(signal.SIGHUP)
            end = time.monotonic() + 5
            while s.call("GET", "/v1", headers={"Authorization": "Bearer " + second}).status != 200:
                want(time.monotonic() < end, "the new token is never known")
                time.sleep(0.05)
            s.get("/v1", {"Authorization": "Bearer " + first})


@rows(("job", "POST", "/v1/jobs", "https://evil.test"), ("data set", "POST", "/v1/datasets", "https://evil.test"), ("delete", "DELETE", "/v1/jobs/job_00000000000000000000", "http://evil.test"),
      ("labels", "PUT", "/v1/datasets/ds_00000000000000000000/labels", "https://evil.test"), ("null", "POST", "/v1/jobs", "null"), ("empty", "POST", "/v1/jobs", ""),
      ("another port", "POST", "/v1/jobs", "http://127.0.0.1:1"), ("predictions", "POST", "/v1/models/x/predict", "https://evil.test"), ("preflight", "OPTIONS", "/v1/jobs", "https://evil.test"))
def pages_of_other_origins_may_change_nothing(server, method, path, origin):
    problem = server.refuse(403, "origin_forbidden", method, path, "{}" if method in ("POST", "PUT") else None, {**JSON, "Origin": origin})
    want(not [h for h in problem.headers if h.lower().startswith("access-control")], "CORS headers")


@rows(("post", "POST"), ("delete", "DELETE"))
def a_browser_that_says_cross_site_is_refused(server, method):
    server.refuse(403, "origin_forbidden", method, "/v1/jobs" + ("/job_00000000000000000000" if method == "DELETE" else ""), "{}" if method == "POST" else None,
                  {**JSON, "Sec-Fetch-Site": "cross-site"})


def the_own_origin_may(server):
    answer = server.call("POST", "/v1/jobs?validate_only=true", softmax(), {"Origin": f"http://127.0.0.1:{server.port}"})
    equal(answer.status, 200, "status")


@rows(("with port", "127.0.0.1:{port}", 200), ("localhost", "localhost:{port}", 200), ("capitals", "LOCALHOST", 200), ("IPv6", "[::1]:{port}", 200), ("another", "rebind.test:{port}", 421))
def the_host_header_must_be_ours(server, host, status):
    raw = server.raw(f"GET /v1 HTTP/1.1\r\nHost: {host.format(port=server.port)}\r\nConnection: close\r\n\r\n".encode(), seconds=5)
    want(raw.startswith(f"HTTP/1.1 {status}".encode()), raw[:80])


def _refuses_to_start(*options, says):
    with tempfile.TemporaryDirectory() as folder:
        try:
            status, _, err = run_program("--data", folder + "/data", *options, seconds=10)
        except subprocess.TimeoutExpired:
            raise Failure(f"the server runs with {options}") from None
        equal(status, 78, f"exit status with {options}: {err}")
        want(re.search(says, err), f"the reason: {err}")


def another_address_without_tokens_or_tls_is_refused_at_the_start():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/tokens"
        _new_token(path, "--scopes", "read")
        everywhere = ("--listen", f"0.0.0.0:{free_port()}")
        _refuses_to_start(*everywhere, says="token")
        _refuses_to_start(*everywhere, "--token-file", path, says="(?i)tls|insecure-http")


def insecure_http_with_tokens_serves_another_address():
    with tempfile.TemporaryDirectory() as folder:
        path, port = folder + "/tokens", free_port()
        token = _new_token(path, "--scopes", "write")
        with Server(["--token-file", path, "--insecure-http", "--listen", f"0.0.0.0:{port}"], start=False) as s:
            s.port = port
            s.start()
            s.refuse(401, "auth_required", "GET", "/v1")
            Client(port, token).train(softmax())


def a_token_file_that_is_open_empty_or_missing_stops_the_start():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/tokens"
        _new_token(path, "--scopes", "read")
        os.chmod(path, 0o644)
        _refuses_to_start("--token-file", path, says="tokens")
        pathlib.Path(folder, "empty").touch(0o600)
        _refuses_to_start("--token-file", folder + "/empty", says="empty")
        _refuses_to_start("--token-file", folder + "/missing", says="missing")


def the_token_file_keeps_hashes_only():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/tokens"
        token = _new_token(path, "--scopes", "read,write")
        text = pathlib.Path(path).read_text()
        want(token not in text and token[4:] not in text, "the token stands in the file")
        want(re.search(r"[0-9a-f]{64}", text), "its SHA-256 does not")
        equal(os.stat(path).st_mode & 0o777, 0o600, "mode")


def _certificate(folder, days=2):
    """A certificate for 127.0.0.1 and its key: (certificate's path, key's path)."""
    cert, key = folder + "/cert.pem", folder + "/key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    os.chmod(key, 0o600)
    return cert, key


@contextlib.contextmanager
def _tls_server():
    """A server with TLS and a token: (process, port, token, folder of cert.pem, key.pem and log)."""
    with tempfile.TemporaryDirectory() as folder:
        cert, key = _certificate(folder)
        path, port = folder + "/tokens", free_port()
        token = _new_token(path, "--scopes", "write")
        with open(folder + "/log", "wb") as log:
            process = subprocess.Popen([BINARY, "--data", folder + "/data", "--listen", f"0.0.0.0:{port}", "--token-file", path, "--tls-cert", cert, "--tls-key", key],
                                       stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            try:
                end = time.monotonic() + 10 * PATIENCE
                while b"listens" not in pathlib.Path(folder, "log").read_bytes():
                    want(time.monotonic() < end and process.poll() is None, f"no start: {pathlib.Path(folder, 'log').read_text()}")
                    time.sleep(0.05)
                yield process, port, token, folder
            finally:
                process.terminate()
                equal(process.wait(30 * PATIENCE), 0, "exit status")


def _served_certificate(port):
    return ssl.get_server_certificate(("127.0.0.1", port)).strip()


def tls_serves_https_and_nothing_else():
    with _tls_server() as (_, port, token, folder):
        context = ssl.create_default_context(cafile=folder + "/cert.pem")
        request = urllib.request.Request(f"https://127.0.0.1:{port}/v1", headers={"Authorization": "Bearer " + token})
        with urllib.request.urlopen(request, context=context, timeout=5 * PATIENCE) as answer:
            equal(answer.status, 200, "over TLS")
        plain = Client(port).raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", seconds=5)
        want(not plain.startswith(b"HTTP"), f"plain HTTP on the TLS port: {plain[:60]}")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.minimum_version = ssl.TLSVersion.TLSv1
        try:
            urllib.request.urlopen(f"https://127.0.0.1:{port}/healthz", context=old, timeout=5)
            raise Failure("TLS 1.1 is served")
        except OSError:
            pass


def tls_1_2_is_served_too():
    with _tls_server() as (_, port, token, folder):
        context = ssl.create_default_context(cafile=folder + "/cert.pem")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        request = urllib.request.Request(f"https://127.0.0.1:{port}/v1", headers={"Authorization": "Bearer " + token})
        with urllib.request.urlopen(request, context=context, timeout=5 * PATIENCE) as answer:
            equal(answer.status, 200, "over TLS 1.2")


def sighup_reads_the_certificate_again_and_keeps_the_old_one_if_it_cannot():
    with _tls_server() as (process, port, _, folder):

        def hang_up(says):
            process.send_signal(signal.SIGHUP)
            end = time.monotonic() + 5 * PATIENCE
            while says not in pathlib.Path(folder, "log").read_text():
                want(time.monotonic() < end, f"the log never says {says!r}: {pathlib.Path(folder, 'log').read_text()}")
                time.sleep(0.02)

        first = pathlib.Path(folder, "cert.pem").read_text().strip()
        equal(_served_certificate(port), first, "the first certificate")
        pathlib.Path(folder, "cert.pem").write_text("no certificate")
        hang_up("the old ones stay")
        equal(_served_certificate(port), first, "after a bad one")
        _certificate(folder)
        hang_up("certificate and key read again")
        second = _served_certificate(port)
        want(second != first, "the certificate is still the first one")
        equal(second, pathlib.Path(folder, "cert.pem").read_text().strip(), "the second certificate")


@rows(("certificate without key", ("--tls-cert", "/dev/null"), "key"), ("no certificate", ("--tls-cert", "/dev/null", "--tls-key", "/dev/null"), "(?i)certificate|tls|regular file"))
def broken_tls_settings_stop_the_start(options, says):
    _refuses_to_start("--listen", "127.0.0.1:0", *options, says=says)
