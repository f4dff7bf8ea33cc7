"""Starts descentd on a free loopback port with a data folder of its own and talks to it as any client would.

Python's standard library only. A test is a function of a test_*.py file, its name a sentence; tests/http/run finds it:

    def pages_do_not_overlap(server):          one server is shared by the tests of a file that take `server`
    def a_restart_keeps_everything():          a test without parameters starts what it needs: with Server() as s: ...
    @rows(("empty", ""), ("blanks", "  "))     one test for each row: its label, then what the function gets besides
    def bad_json_is_refused(server, body):

Every answer that a test receives is checked on the way: a problem document against the contract (Answer.check_problem),
its status and code against what the server's own OpenAPI document promises for the operation (Interface).
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
PROBLEM_CODES = {c.lower() for c in re.findall(r"^STATUS\((\w+),", (ROOT / "core/base/status.def").read_text(), re.M)}
TERMINAL = ("succeeded", "failed", "cancelled")

# Set by tests/http/run: the program under test, its build, and how much slower than a release it may be.
BINARY = os.environ.get("DESCENTD_BINARY", str(ROOT / "build/release/descentd"))
MODE = os.environ.get("DESCENTD_MODE", "release")
PATIENCE = {"release": 1, "debug": 2, "asan": 4, "tsan": 15}[MODE]
# Release runs the whole of each test; builds under a sanitizer look for other things and get less work.
THOROUGH = MODE == "release"


class Failure(Exception):
    """A test's claim does not hold."""


class Skip(Exception):
    """This machine lacks what the test needs."""


def want(condition, message):
    if not condition:
        raise Failure(message)


def equal(got, wanted, what="value"):
    if got != wanted:
        raise Failure(f"{what}: got {short(got)}, wanted {short(wanted)}")


def near(got, wanted, tolerance, what="value"):
    if not abs(got - wanted) <= tolerance:  # written so that NaN fails
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r} within {tolerance!r}")


def includes(container, *items, what="answer"):
    for item in items:
        if item not in container:
            raise Failure(f"{what} lacks {item!r}: {short(container)}")


def short(value, limit=400):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[:limit] + "..."


def rows(*table):
    """One test for each row: (label, argument, ...)."""

    def mark(function):
        function.rows = table
        return function

    return mark


def strict_json(raw):
    """JSON as RFC 8259 has it: no NaN, no Infinity, no key twice, nothing but UTF-8."""

    def refuse(word):
        raise Failure(f"JSON with {word}")

    def unique(pairs):
        keys = [k for k, _ in pairs]
        want(len(keys) == len(set(keys)), f"JSON with a key twice: {keys}")
        return dict(pairs)

    return json.loads(raw.decode("utf-8"), parse_constant=refuse, object_pairs_hook=unique)


class Problem(dict):
    """A problem document, and the headers that it came with."""

    headers = None

    @property
    def places(self):
        """The errors that it lists; itself if it is the only one."""
        return self.get("errors") or [self]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def media(self):
        return (self.headers.get("Content-Type") or "").split(";")[0].strip()

    @property
    def json(self):
        return strict_json(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def value(self):
        return self.json if self.media in ("application/json", "application/problem+json") else self.body

    def check_problem(self):
        """What RFC 9457 and the contract ask of every problem document."""
        equal(self.media, "application/problem+json", f"media type of a {self.status}: {short(self.body)}")
        problem = self.json
        for key in ("type", "title", "status", "code", "detail", "request_id"):
            want(key in problem, f"problem without {key}: {short(problem)}")
        equal(problem["status"], self.status, "status inside the problem")
        want(problem["code"] in PROBLEM_CODES, f"unknown code {problem['code']}")
        want(problem["type"].endswith("/" + problem["code"]), f"type {problem['type']} does not end with the code")
        want(problem["request_id"].startswith("req_"), f"request_id {problem['request_id']}")
        equal(self.headers.get("Cache-Control"), "no-store", "Cache-Control of a problem")
        for entry in problem.get("errors", []):
            want(entry.get("code") in PROBLEM_CODES, f"unknown code in {entry}")
            want(isinstance(entry.get("detail", ""), str), f"detail of {entry}")
        want("/tmp/" not in self.text and "sqlite" not in self.text.lower(), f"a problem tells internals: {self.text}")
        return problem


class Interface:
    """What an OpenAPI document promises: which statuses, and which problems with them, an operation may answer with."""

    known = None  # of the program under test: asked for once

    def __init__(self, document):
        self.items = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), item) for path, item in document["paths"].items()]

    def check(self, method, path, answer):
        item = next((i for pattern, i in self.items if pattern.fullmatch(path.partition("?")[0])), {})
        operation = item.get("get" if method == "HEAD" else method.lower()) if method.isupper() else None
        if operation is None:
            return
        promised = operation["responses"].get(str(answer.status))
        want(promised, f"{method} {path} -> {answer.status}, which {operation['operationId']} does not promise: {short(answer.body)}")
        if answer.status >= 400 and answer.body:
            codes = promised["description"].split(", ")
            want(answer.json["code"] in codes, f"{operation['operationId']} does not promise {answer.json['code']}, only {codes}")


class Client:
    """HTTP to one address. One connection a call, so that a test says what it means to say."""

    def __init__(self, port, token=None, host="127.0.0.1"):
        self.port, self.token, self.host = port, token, host

    def call(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        if self.token and "Authorization" not in headers:
            headers["Authorization"] = "Bearer " + self.token
        connection = http.client.HTTPConnection(self.host, self.port, timeout=70 + 10 * PATIENCE)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all of the body was sent
                connection.request(method, path, body, headers)
            raw = connection.getresponse()
            answer = Answer(raw.status, raw.headers, raw.read())
        finally:
            connection.close()
        if answer.status >= 400 and method != "HEAD":
            answer.check_problem()
        if Interface.known:
            Interface.known.check(method, path, answer)
        return answer

    def ok(self, method, path, body=None, headers=None, status=None):
        """The decoded answer of a call that must succeed."""
        answer = self.call(method, path, body, headers)
        good = answer.status == status if status else answer.status < 300
        want(good, f"{method} {path} -> {answer.status} {short(answer.body.decode('utf-8', 'replace'))}")
        return answer.value

    def get(self, path, headers=None):
        return self.ok("GET", path, None, headers)

    def refuse(self, status, code, method, path, body=None, headers=None, pointer=None):
        """The problem of a call that must fail so: `code` is the document's, or that of one of its errors."""
        answer = self.call(method, path, body, headers)
        seen = f"{method} {path} -> {answer.status} {short(answer.body.decode('utf-8', 'replace'), 600)}"
        want(answer.status == status, f"wanted {status} {code}: {seen}")
        problem = Problem(answer.json)
        problem.headers = answer.headers
        entries = problem.get("errors", [])
        want(problem["code"] == code or code in [e["code"] for e in entries], f"wanted code {code}: {seen}")
        if pointer is not None:
            found = [e for e in entries if e.get("pointer") == pointer and e["code"] == code]
            want(found, f"wanted {code} at {pointer!r}: {seen}")
        problem["headers"] = dict(answer.headers.items())
        return problem

    def job(self, spec):
        return self.ok("POST", "/v1/jobs", spec, status=201)["id"]

    def wait(self, job, status="succeeded", seconds=60):
        end = time.monotonic() + seconds * PATIENCE
        while time.monotonic() < end:
            view = self.get(f"/v1/jobs/{job}?wait=5&until=terminal")
            if view["status"] in TERMINAL:
                want(view["status"] == status, f"the job {view['status']}, wanted {status}: {short(view.get('error'))}")
                return view
        raise Failure(f"job {job} did not end in {seconds * PATIENCE} s")

    def wait_until(self, job, condition, seconds=30):
        """Polls a job until condition(job)."""
        end = time.monotonic() + seconds * PATIENCE
        view = self.get(f"/v1/jobs/{job}")
        while not condition(view):
            want(time.monotonic() < end, f"the job never got there: {short(view)}")
            want(view["status"] not in TERMINAL, f"the job ended first: {short(view)}")
            view = self.get(f"/v1/jobs/{job}?wait=1&since={view['version']}")
        return view

    def train(self, spec, seconds=60):
        return self.wait(self.job(spec), seconds=seconds)

    def results(self, job):
        return self.get(f"/v1/jobs/{job}/results")

    def digest(self, spec, seconds=60):
        """Trains and answers with the SHA-256 of the parameters."""
        return self.results(self.train(spec, seconds)["id"])["digest"]["parameters_sha256"]

    def upload(self, body, media="text/csv", query="", status=201):
        return self.ok("POST", "/v1/datasets" + query, body, {"Content-Type": media}, status=status)

    def upload_idx(self, images, labels, name):
        dataset = self.upload(images, "application/x-idx", f"?name={name}")["id"]
        return self.ok("PUT", f"/v1/datasets/{dataset}/labels", labels, {"Content-Type": "application/x-idx"})["id"]

    def raw(self, data, half_close=False, seconds=15):
        """Sends bytes, gives back all that comes until the server closes or `seconds` pass."""
        with socket.create_connection((self.host, self.port), timeout=seconds) as s:
            got = b""
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent: there is an answer
                s.sendall(data)
            with contextlib.suppress(OSError):
                if half_close:
                    s.shutdown(socket.SHUT_WR)
                while True:
                    chunk = s.recv(65536)
                    if not chunk:
                        break
                    got += chunk
            return got

    def raw_status(self, data, **how):
        """The status of the first answer to raw bytes, 0 if there was none."""
        found = re.match(rb"HTTP/1\.[01] (\d{3})", self.raw(data, **how))
        return int(found.group(1)) if found else 0


class Server(Client):
    """One descentd process with its own folder. `options` are added to its command line."""

    def __init__(self, options=(), env=None, token=None, start=True):
        super().__init__(free_port(), token)
        self.folder = tempfile.mkdtemp(prefix="descentd-test-")
        self.data, self.log = self.folder + "/data", self.folder + "/log"
        self.options, self.env, self.process = list(options), dict(env or {}), None
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
        finally:
            if kind is not None and self.process:
                print(f"    the server's log ends with:\n{self.log_tail()}", file=sys.stderr)
            self.discard()

    def command(self):
        return [BINARY, "--listen", f"127.0.0.1:{self.port}", "--data", self.data, *self.options]

    def start(self):
        """Starts the program and waits until it is ready."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **self.env})
        end = time.monotonic() + 10 * PATIENCE
        while time.monotonic() < end:
            want(self.process.poll() is None, f"the server ended at its start: {self.process.returncode}\n{self.log_tail()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.call("GET", "/readyz").status == 200:
                    return self.learn_interface()
            time.sleep(0.01)
        raise Failure(f"the server was not ready in {10 * PATIENCE} s\n{self.log_tail()}")

    def learn_interface(self):
        if not Interface.known and "--token-file" not in self.options:
            Interface.known = Interface(self.get("/v1/openapi.json"))

    def kill(self):
        """kill -9: no chance to tidy up."""
        self.process.kill()
        self.process.wait()

    def terminate(self, seconds=20):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"SIGTERM did not end the server in {seconds * PATIENCE} s\n{self.log_tail()}") from None

    def restart(self, kill=False):
        if kill:
            self.kill()
        else:
            equal(self.terminate(), 0, "exit status after SIGTERM")
        self.start()

    def stop(self):
        """A clean end: exit status 0 and no report of a sanitizer in the log."""
        if self.process and self.process.poll() is None:
            equal(self.terminate(), 0, "exit status after SIGTERM")
        elif self.process:
            want(self.process.returncode in (0, -signal.SIGKILL), f"the server had died: {self.process.returncode}\n{self.log_tail()}")
        report = re.search(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:)[^\0]*", self.log_text())
        want(not report, f"a sanitizer reports:\n{report and report.group(0)[:6000]}")

    def discard(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_text(self):
        with contextlib.suppress(FileNotFoundError):
            return pathlib.Path(self.log).read_text(errors="replace")
        return ""

    def wait_for_log(self, text, seconds=10):
        end = time.monotonic() + seconds * PATIENCE
        while text not in self.log_text():
            want(time.monotonic() < end, f"the log never says {text!r}:\n{self.log_tail()}")
            time.sleep(0.005)

    def log_tail(self, lines=15):
        return "\n".join("        " + line for line in self.log_text().splitlines()[-lines:])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run_program(*arguments, env=None, seconds=20):
    """descentd with other arguments, to its end: (exit status, standard output, standard error)."""
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=seconds * PATIENCE,
                          stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr


def side_by_side(functions):
    """Runs functions in threads of their own; gives their values back, raises what one of them raised."""
    values, errors = [None] * len(functions), []

    def work(i):
        try:
            values[i] = functions[i]()
        except Exception as e:  # pylint: disable=broad-except
            errors.append(e)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(functions))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]
    return values
