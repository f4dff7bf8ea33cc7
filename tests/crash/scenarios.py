"""Deaths that are told one by one, beside the campaign at random. Each function is a test, its name a sentence."""
from campaign import Mortal
from golden import all_events
from harness import equal, want
from material import endless, softmax


def die(server, failpoint, code):
    """Starts the server, which is to die of the failpoint by itself."""
    server.launch(failpoint)
    want(server.wait_for_death(20), f"{failpoint} does not end the server")
    equal(server.process.returncode, code, f"how {failpoint} ended the server")


def under_way(server):
    """A job that runs, and the next one, which waits for it."""
    want(server.launch(), "the server does not start")
    first = server.job(endless())
    server.wait_until(first, lambda j: j["status"] == "running")
    return first, server.job(softmax(resources={"priority": -1}))


def a_job_that_brings_the_server_down_three_times_fails_and_the_next_one_goes_on(server):
    first, second = under_way(server)
    server.kill()
    for _ in range(3):
        die(server, "job.step:1:abort", -6)
    want(server.launch(), "the server does not start again")
    view = server.wait(first, "failed")
    equal((view["error"]["code"], view["model"]), ("crash_loop", None), "how it failed")
    server.wait(second)


def a_new_checkpoint_makes_a_job_innocent_again(server):
    want(server.launch(), "the server does not start")
    job = server.job({**endless(), "checkpoint": {"every_steps": 50}})
    for _ in range(2):  # two and two are four, but never three without a checkpoint between them
        before = len(checkpoint_events(server, job))
        server.wait_until(job, lambda j: len(checkpoint_events(server, job)) > before)
        server.kill()
        die(server, "job.step:1:abort", -6)
        die(server, "job.step:1:abort", -6)
        want(server.launch(), "the server does not start again")
    server.wait_until(job, lambda j: j["status"] == "running")
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    server.wait(job, "cancelled")


def checkpoint_events(server, job):
    return [e for e in all_events(server, "/v1/jobs/" + job) if e["type"] == "checkpoint"]


def kill_9_is_no_evidence_against_a_job_however_often(server):
    first, second = under_way(server)
    for deaths in range(1, 11):
        server.kill()
        want(server.launch(), "the server does not start again")
        view = server.wait_until(first, lambda j: j["status"] == "running")
        equal(view["restarts"], deaths, "restarts")
    server.ok("POST", f"/v1/jobs/{first}/cancel")
    server.wait(first, "cancelled")
    server.wait(second)


ALL = [a_job_that_brings_the_server_down_three_times_fails_and_the_next_one_goes_on, a_new_checkpoint_makes_a_job_innocent_again,
       kill_9_is_no_evidence_against_a_job_however_often]


def run(scenario):
    server = Mortal(["--threads", "1"])
    try:
        scenario(server)
        server.kill()
    finally:
        server.discard()
