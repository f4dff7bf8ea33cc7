"""GET /metrics: sound text, and numbers that grow by what was done."""
import contextlib
import re
import socket
import tempfile
import threading
import time

from harness import PATIENCE, ROOT, Failure, Server, equal, near, run_program, want
from material import BLOBS, ONE_AT_A_TIME, endless, softmax

SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?[0-9.]+(?:e[+-][0-9]+)?)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')


def _labels(text, line):
    found, at = [], 0
    while at < len(text):
        label = LABEL.match(text, at)
        want(label and (label.group(3) or label.end() == len(text)), f"labels of {line}")
        found.append(label.group(1, 2))
        at = label.end()
    want(len(dict(found)) == len(found), f"a label twice: {line}")
    return tuple(found)


def _parse(text):
    """{family: (type, {(name, labels): value})}; refuses what the format does not allow, and families in two places."""
    families, name = {}, None
    want(text.endswith("\n"), "the last line has no end")
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("# HELP "):
            name, words = line.split(" ", 3)[2:]
            want(words.strip() and name not in families, f"help: {line}")
            kind = re.fullmatch(rf"# TYPE {name} (counter|gauge|histogram)", next(lines))
            want(kind, f"{name} has no type")
            families[name] = (kind.group(1), {})
            continue
        sample = SAMPLE.fullmatch(line)
        want(sample, f"no sample: {line}")
        kind, samples = families[name]
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        want(sample.group(1) in [name + s for s in suffixes], f"{line} stands in {name}")
        key = sample.group(1), _labels(sample.group(2) or "", line)
        want(key not in samples, f"twice: {line}")
        samples[key] = float(sample.group(3))
    return families


class Figures:
    """One scrape."""

    def __init__(self, server):
        answer = server.call("GET", "/metrics")
        equal((answer.status, answer.headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"), "answer")
        self.text = answer.text
        self.families = _parse(self.text)
        self.samples = {key: value for _, samples in self.families.values() for key, value in samples.items()}

    def value(self, name, **labels):
        """0 for a series that has not happened."""
        return self.samples.get((name, tuple(labels.items())), 0.0)

    def requests(self, operation, status, method="GET"):
        return self.value("descentd_http_requests_total", operation=operation, method=method, status=str(status))


def _eventually(server, condition, what):
    """A request is counted when its answer is through, which the client may know first."""
    end = time.monotonic() + 10 * PATIENCE
    while True:
        figures = Figures(server)
        if condition(figures):
            return figures
        want(time.monotonic() < end, f"never: {what}\n{figures.text}")
        time.sleep(0.01)


def every_family_is_sound_and_in_the_manual(server):
    server.train(softmax())
    families = Figures(server).families
    manual = re.findall(r"^\| `(\w+)` \| (counter|gauge|histogram) \|", (ROOT / "docs/operation.md").read_text(), re.M)
    equal([(name, kind) for name, (kind, _) in families.items()], manual, "families")
    for name, (kind, samples) in families.items():
        want(name.startswith(("descentd_", "process_")), f"prefix of {name}")
        equal(name.endswith("_total"), kind == "counter", f"_total of {name}")
        want(all(v >= 0 for v in samples.values()), f"{name} below 0")


def histograms_are_cumulative_and_end_with_their_count(server):
    server.get("/v1")
    figures, seen = Figures(server), 0
    for family, (kind, samples) in figures.families.items():
        if kind != "histogram":
            continue
        for labels in {tuple(l for l in key[1] if l[0] != "le") for key in samples}:
            buckets = [(dict(key[1])["le"], value) for key, value in samples.items()
                       if key[0] == family + "_bucket" and tuple(l for l in key[1] if l[0] != "le") == labels]
            bounds, counts = [float(b) for b, _ in buckets], [c for _, c in buckets]
            equal((bounds, counts), (sorted(bounds), sorted(counts)), f"buckets of {family}{labels}")
            equal((bounds[0], bounds[-2], buckets[-1][0]), (0.001, 60.0, "+Inf"), "bounds")
            equal(counts[-1], samples[family + "_count", labels], f"count of {family}{labels}")
            want((family + "_sum", labels) in samples, f"sum of {family}{labels}")
            seen += 1
    want(seen >= 4, f"only {seen} histograms")


def requests_count_by_operation_method_and_status(server):
    before = Figures(server)
    for _ in range(3):
        server.get("/v1/algorithms")
    server.call("HEAD", "/v1/algorithms")
    server.refuse(400, "query_invalid", "GET", "/v1/jobs?limit=x")
    server.refuse(404, "route_not_found", "GET", "/v1/nothing")
    server.refuse(501, "method_unknown", "BREW", "/v1/jobs")
    server.job(softmax())
    grown = (("list_algorithms", 200, "GET", 3), ("list_algorithms", 200, "HEAD", 1), ("list_jobs", 400, "GET", 1),
             ("none", 404, "GET", 1), ("none", 501, "other", 1), ("create_job", 201, "POST", 1))
    for operation, status, method, by in grown:
        _eventually(server, lambda f, key=(operation, status, method), by=by: f.requests(*key) == before.requests(*key) + by,
                    f"{method} {operation} {status} + {by}")


def a_scrape_counts_itself_in_the_next_one(server):
    first = Figures(server)
    want(first.value("descentd_http_requests_in_flight") >= 1, "the scrape itself is under way")
    _eventually(server, lambda f: f.requests("get_monitoring", 200) > first.requests("get_monitoring", 200), "it was counted")


def a_job_counts_with_its_steps_and_samples(server):
    def idle(figures):
        return figures.value("descentd_running_jobs") == 0 and figures.value("descentd_queue_length") == 0

    before = _eventually(server, idle, "earlier jobs have ended")
    job = server.train(softmax(training={"epochs": 4, "batch_size": 50, "seed": 1}))
    after = _eventually(server, idle, "the runner is gone")
    equal(after.value("descentd_training_steps_total") - before.value("descentd_training_steps_total"), job["step"], "steps")
    equal(after.value("descentd_training_samples_total") - before.value("descentd_training_samples_total"), job["samples_seen"], "samples")
    for name in ("descentd_jobs", "descentd_jobs_finished_total"):
        equal(after.value(name, status="succeeded") - before.value(name, status="succeeded"), 1, name)
    for name, least in (("descentd_store_commit_duration_seconds_count", 2), ("descentd_store_operations_total", 3)):
        want(after.value(name) - before.value(name) >= least, f"{name}: accepted; running and ended, maybe in one")


def what_runs_and_waits_is_told_by_state():
    with Server(ONE_AT_A_TIME) as s:
        running, waiting = s.job(endless()), s.job(endless())
        s.wait_until(running, lambda job: job["status"] == "running")
        figures = _eventually(s, lambda f: f.value("descentd_training_threads_busy") == 1, "the thread is busy")
        for status in ("queued", "running", "pausing", "paused", "stopping", "cancelling", "succeeded", "failed", "cancelled"):
            want(("descentd_jobs", (("status", status),)) in figures.samples, f"no {status}")
            equal(figures.value("descentd_jobs", status=status), 1 if status in ("queued", "running") else 0, status)
        equal([figures.value("descentd_" + n) for n in ("queue_length", "running_jobs", "training_threads")], [1, 1, 1], "scheduler")
        want(0 < figures.value("descentd_training_memory_used_bytes") <= figures.value("descentd_training_memory_bytes"), "memory")
        for job in (waiting, running):
            s.ok("POST", f"/v1/jobs/{job}/cancel")
        _eventually(s, lambda f: f.value("descentd_jobs_finished_total", status="cancelled") == 2, "both are counted")


def the_wait_of_a_long_poll_is_no_duration():
    with Server(ONE_AT_A_TIME) as s:
        job = s.job(endless())
        queued = s.job(softmax())
        s.wait_until(job, lambda view: view["status"] == "running")
        total = "descentd_http_request_duration_seconds_sum"
        before = Figures(s)
        began = time.monotonic()
        poll = threading.Thread(target=lambda: s.get(f"/v1/jobs/{queued}?wait=2"))
        poll.start()
        _eventually(s, lambda f: f.value("descentd_http_requests_in_flight") == 2, "the poll is in flight")
        poll.join()
        want(time.monotonic() - began >= 2, "it has waited")
        after = _eventually(s, lambda f: f.value("descentd_http_requests_in_flight") == 1, "it is through")
        want(after.value(total, operation="get_job") - before.value(total, operation="get_job") < 2, "the wait was counted")
        s.ok("POST", f"/v1/jobs/{job}/cancel")


def connections_come_and_go(server):
    before = _eventually(server, lambda f: f.value("descentd_http_connections") == 1, "only the scrape's own")
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(socket.create_connection((server.host, server.port)))
        during = _eventually(server, lambda f: f.value("descentd_http_connections") == 6, "five more")
        equal(during.value("process_open_fds") - before.value("process_open_fds"), 5, "descriptors")
    _eventually(server, lambda f: f.value("descentd_http_connections") == 1, "they are gone")


def the_disk_and_the_process_are_told(server):
    figures = Figures(server)
    near(figures.value("process_start_time_seconds"), time.time(), 3600, "start")
    want(1 << 20 < figures.value("process_resident_memory_bytes") < 1 << 40, "memory")
    want(figures.value("process_cpu_seconds_total") > 0, "processor time")
    want(figures.value("descentd_database_bytes") + figures.value("descentd_database_wal_bytes") >= 4096, "database")
    want(0 < figures.value("descentd_disk_free_bytes") <= figures.value("descentd_disk_bytes"), "disk")
    equal(figures.value("descentd_store_read_only"), 0, "read-only")
    info = server.get("/v1")
    equal(figures.value("descentd_build_info", **{k: info[k] for k in ("version", "commit", "kernel_tier")}), 1, "build")


def nothing_of_the_users_becomes_a_label(server):
    job = server.train(softmax(name="Gretel", metadata={"who": "Gretel"}))
    dataset = server.upload("Gretel,k\n1,Gretel\n2,y\n", query="?name=Gretel")["id"]
    server.call("GET", "/v1/Gretel?Gretel=1")
    text = Figures(server).text
    for word in ("Gretel", job["id"], dataset):
        want(word not in text, f"{word} stands in the figures")


def a_token_that_may_read_may_scrape():
    with tempfile.TemporaryDirectory() as folder:
        status, out, _ = run_program("token", "new", "--token-file", folder + "/tokens", "--scopes", "read")
        equal(status, 0, "descentd token new")
        with Server(["--token-file", folder + "/tokens"]) as s:
            s.refuse(401, "auth_required", "GET", "/metrics")
            s.token = re.search(r"dct_[A-Za-z0-9_-]{43}", out).group(0)
            _eventually(s, lambda f: f.requests("get_monitoring", 401) == 1, "the refusal is counted")
            want(s.token not in Figures(s).text, "a token stands in the figures")


def prometheus_own_accept_header_is_understood(server):
    accept = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    equal(server.call("GET", "/metrics", headers={"Accept": accept}).status, 200, "status")
    server.refuse(406, "not_acceptable", "GET", "/metrics", headers={"Accept": "application/json"})


def a_scrape_while_all_is_busy_disturbs_nobody(server):
    """Scrapes side by side with requests and training: every one is sound, and no counter ever falls."""
    seen, failures, stop = [], [], threading.Event()

    def scrape():
        try:
            while not stop.is_set():
                seen.append(Figures(server))
        except Failure as failure:
            failures.append(failure)

    scraper = threading.Thread(target=scrape)
    scraper.start()
    try:
        for _ in range(3):
            server.train(softmax(BLOBS))
    finally:
        stop.set()
        scraper.join()
    want(not failures, failures and str(failures[0]))
    want(len(seen) >= 2, f"only {len(seen)} scrapes")
    for earlier, later in zip(seen, seen[1:]):
        for name, (kind, samples) in earlier.families.items():
            for key, value in samples.items():
                want(kind == "gauge" or later.samples.get(key, -1) >= value, f"{key} of {name} falls from {value}")
