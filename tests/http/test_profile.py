"""Where a job's time goes: while it trains, in its results, and after a restart."""
import time

from harness import Server, equal, near, rows, want
from material import DATA, ONE_AT_A_TIME, SPIRALS, csv_table, endless, mlp, softmax

PHASES = ["gather", "forward", "backward", "update", "evaluate", "other", "wait"]
CNN = {"dataset": "digits", "model": {"type": "cnn", "filters": [8], "hidden": [16], "input_shape": [1, 8, 8]},
       "training": {"epochs": 2, "batch_size": 64, "seed": 1}}


def _path(job, query=""):
    return f"/v1/jobs/{job['id'] if isinstance(job, dict) else job}/profile{query}"


def _check(profile, job):
    """What holds of every profile."""
    equal((profile["object"], profile["job"]), ("profile", job), "what it is")
    equal([p["phase"] for p in profile["phases"]], PHASES, "phases")
    near(sum(p["share"] for p in profile["phases"]), 1, 1e-6, "sum of the shares")
    near(sum(p["seconds"] for p in profile["phases"]), profile["seconds"], 1e-6 * profile["seconds"], "sum of the seconds")
    for phase in profile["phases"]:
        want(0 <= phase["share"] <= 1, f"a share: {phase}")
    want(profile["seconds"] > 0 and profile["steps"] > 0 and profile["samples_per_second"] > 0, f"figures: {profile}")
    want(profile["peak_gflops"] > 0, f"peak: {profile}")
    return {p["phase"]: p["share"] for p in profile["phases"]}


@rows(("softmax", softmax({**SPIRALS, "n": 3000})), ("mlp", mlp({**SPIRALS, "n": 3000}, (64,))), ("cnn", CNN),
      ("two threads", mlp({**SPIRALS, "n": 3000}, (64, 64), resources={"threads": 2})), ("one thread", mlp(SPIRALS, resources={"threads": 1})))
def a_job_that_has_succeeded_has_its_profile_in_its_results(server, spec):
    spec = {**spec, "split": {"validation": 0.2}}
    if spec["dataset"] == "digits":
        spec["dataset"] = server.upload((DATA / "digits.csv").read_text())["id"]
    begin = time.monotonic()
    job = server.train(spec)
    took = time.monotonic() - begin
    profile, results = server.get(_path(job)), server.results(job["id"])
    shares = _check(profile, job["id"])
    equal(results["profile"], profile, "in the results")
    want(profile["seconds"] <= results["timing"]["train_seconds"] + 1e-6, f"longer than training: {profile} {results['timing']}")
    want(profile["seconds"] < took, f"longer than the job: {profile}, {took}")
    near(profile["samples_per_second"] * profile["seconds"], results["timing"]["samples_seen"], 0.5, "samples")
    equal(profile["steps"], results["digest"]["step"], "steps")
    for phase in ("forward", "backward", "evaluate"):
        want(shares[phase] > 0, f"no time in {phase}: {shares}")
    near(profile["share_of_peak"], profile["gflops"] / profile["peak_gflops"], 1e-9, "share of the peak")
    want(0 < profile["share_of_peak"] < 2, f"share of the peak: {profile}")
    if "resources" in spec:
        equal(profile["threads"], spec["resources"]["threads"], "threads")
    if profile["threads"] == 1:
        near(shares["wait"], 0, 1e-3, "who is alone waits for nobody")


def a_job_that_trains_shows_how_far_it_is(server):
    job = server.job(endless())
    server.wait_until(job, lambda view: view["step"] > 0)
    first = server.get(_path(job))
    _check(first, job)
    server.wait_until(job, lambda view: view["step"] > first["steps"] + 20000)
    later = server.get(_path(job))
    _check(later, job)
    want(later["steps"] > first["steps"] and later["seconds"] > first["seconds"], f"it stands still: {first} {later}")
    near(later["peak_gflops"] / later["threads"], first["peak_gflops"] / first["threads"], 1e-9 * first["peak_gflops"], "measured once")
    server.ok("POST", f"/v1/jobs/{job}/pause")
    server.wait_until(job, lambda view: view["status"] == "paused")
    problem = server.refuse(409, "profile_not_ready", "GET", _path(job))
    want("paused" in problem["detail"], problem["detail"])
    server.ok("POST", f"/v1/jobs/{job}/resume")
    server.wait_until(job, lambda view: view["status"] == "running")
    server.ok("POST", f"/v1/jobs/{job}/stop")
    server.wait(job)
    _check(server.get(_path(job)), job)


@rows(("lbfgs", {"type": "lbfgs"}), ("newton_cg", {"type": "newton_cg"}))
def how_many_operations_a_solver_makes_is_not_known(server, optimizer):
    job = server.train(softmax(optimizer=optimizer, training={"epochs": 5}, loss={"l2": 0.01}))
    profile = server.get(_path(job))
    _check(profile, job["id"])
    equal((profile["gflops"], profile["share_of_peak"]), (None, None), "operations")


def a_range_test_has_one(server):
    job = server.train(softmax(kind="lr_range_test", optimizer={"type": "sgd"}, training={"epochs": 3, "batch_size": 32}))
    _check(server.get(_path(job)), job["id"])


def who_has_none_says_why(server):
    blocker = server.job(endless())
    job = server.job(softmax(training={"epochs": 1000000, "batch_size": 32}))
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    server.wait(job, "cancelled")
    problem = server.refuse(409, "profile_not_ready", "GET", _path(job))
    want("cancelled" in problem["detail"], problem["detail"])
    server.ok("POST", f"/v1/jobs/{blocker}/cancel")
    server.wait(blocker, "cancelled")
    server.refuse(404, "not_found", "GET", _path("job_aaaaaaaaaaaaaaaaaaaa"))
    server.ok("DELETE", f"/v1/jobs/{job}")
    server.refuse(410, "deleted", "GET", _path(job))


def a_terminal_gets_bars(server):
    data = server.upload(csv_table(100, seed=12))["id"]
    job = server.train(softmax(data))
    drawn = server.call("GET", _path(job, "?format=ascii&width=60"))
    equal((drawn.status, drawn.media), (200, "text/plain"), "answer")
    lines = drawn.text.splitlines()
    want(lines[0].startswith(job["id"] + ": "), lines[0])
    equal([line.split()[0] for line in lines[1:8]], PHASES, "a line for each phase")
    want(all(len(line) == 60 for line in lines[1:8]), drawn.text)
    equal(server.call("GET", _path(job), headers={"Accept": "text/plain"}).media, "text/plain", "by Accept")
    equal(server.call("GET", _path(job), headers={"Accept": "application/json"}).media, "application/json", "by Accept")
    server.refuse(406, "not_acceptable", "GET", _path(job), headers={"Accept": "image/png"})
    server.refuse(400, "query_invalid", "GET", _path(job, "?format=svg"))
    server.refuse(400, "query_invalid", "GET", _path(job, "?width=10"))
    head = server.call("HEAD", _path(job))
    equal((head.status, head.media, head.body), (200, "application/json", b""), "HEAD")


def it_outlives_the_server_and_queued_jobs_have_none():
    with Server(ONE_AT_A_TIME) as server:
        job = server.train(softmax({**SPIRALS, "n": 600}))
        before = server.call("GET", _path(job)).body
        endlessly = server.job(endless())
        server.wait_until(endlessly, lambda view: view["status"] == "running")
        queued = server.job(endless())
        problem = server.refuse(409, "profile_not_ready", "GET", _path(queued))
        want("queued" in problem["detail"], problem["detail"])
        server.restart()
        equal(server.call("GET", _path(job)).body, before, "after a restart")
