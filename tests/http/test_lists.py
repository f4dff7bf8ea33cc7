"""Pages, cursors, conditional requests, long polls."""
import threading
import time

from harness import PATIENCE, Server, equal, rows, want
from material import ONE_AT_A_TIME, endless, softmax

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it


def _pages(server, path, limit):
    ids, after = [], ""
    while True:
        page = server.get(f"{path}limit={limit}" + (f"&after={after}" if after else ""))
        equal(page["object"], "list", "object")
        want(len(page["data"]) <= limit, "a page longer than its limit")
        if page["data"]:
            equal((page["first_id"], page["last_id"]), (page["data"][0]["id"], page["data"][-1]["id"]), "first and last id")
        ids += [x["id"] for x in page["data"]]
        if not page["has_more"]:
            return ids
        after = page["last_id"]


def pages_cover_everything_once_in_either_order():
    with Server() as s:
        made = [s.job(softmax(metadata={"n": str(i % 2)})) for i in range(7)]
        for job in made:
            s.wait(job)
        for limit in (1, 2, 3, 7, 100):
            equal(_pages(s, "/v1/jobs?order=asc&", limit), made, f"ascending, {limit} a page")
            equal(_pages(s, "/v1/jobs?order=desc&", limit), made[::-1], f"descending, {limit} a page")
        equal(_pages(s, "/v1/jobs?order=asc&metadata.n=1&", 2), made[1::2], "by metadata")
        equal(_pages(s, "/v1/jobs?status=succeeded&", 100), made[::-1], "by status, newest first by default")
        equal(_pages(s, "/v1/jobs?status=queued&", 100), [], "nobody is queued")
        equal(len(_pages(s, "/v1/models?order=asc&", 3)), 7, "models")
        equal(len(_pages(s, "/v1/datasets?", 100)), len(set(_pages(s, "/v1/datasets?", 2))), "data sets")


def an_empty_list_has_no_ids():
    with Server() as s:
        for path in ("/v1/jobs", "/v1/datasets", "/v1/models"):
            page = s.get(path)
            equal((page["data"], page["has_more"], page["first_id"], page["last_id"]), ([], False, None, None), path)


def a_page_links_to_the_next(server):
    for _ in range(3):
        server.train(softmax())
    answer = server.call("GET", "/v1/jobs?limit=1&order=asc")
    link = answer.headers["Link"]
    want(link.startswith("<") and 'rel="next"' in link, f"Link: {link}")
    following = server.get(link[1:link.index(">")])
    want(following["data"][0]["id"] != answer.json["data"][0]["id"], "the link leads to the same page")


@rows(("zero", "limit=0", "limit"), ("negative", "limit=-3", "limit"), ("bad order", "order=up", "order"), ("bad status", "status=done", "status"), ("empty cursor", "after=", "after"),
      ("endless cursor", "after=" + "a" * 65, "after"))
def what_a_list_cannot_take_is_400(server, query, parameter):
    problem = server.refuse(400, "query_invalid", "GET", "/v1/jobs?" + query)
    equal([e["parameter"] for e in problem["errors"]], [parameter], "its errors")


def a_limit_beyond_100_counts_as_100():
    with Server() as s:
        for i in range(102):
            s.upload(f"a,k\n{i},x\n1,y\n")
        for limit in ("100", "1000", "9007199254740993", "99999999999999999999"):
            page = s.get("/v1/datasets?limit=" + limit)
            equal((len(page["data"]), page["has_more"]), (100, True), f"limit={limit}")
        equal(len(s.get("/v1/datasets")["data"]), 20, "items of a page without a limit")


@rows(("jobs", "/v1/jobs", "job_00000000000000000000"), ("data sets", "/v1/datasets", "ds_00000000000000000000"), ("models", "/v1/models", "mdl_00000000000000000000"),
      ("another kind", "/v1/jobs", "ds_00000000000000000000"), ("no id", "/v1/jobs", "x"))
def a_cursor_that_names_nothing_is_refused(server, path, cursor):
    problem = server.refuse(400, "query_invalid", "GET", f"{path}?after={cursor}")
    equal([e["parameter"] for e in problem["errors"]], ["after"], "its errors")
    want(cursor in problem["detail"], f"the cursor: {problem['detail']}")


def a_cursor_outlives_what_it_names():
    with Server() as s:
        made = [s.upload(f"a,k\n{i},x\n1,y\n")["id"] for i in range(4)]
        s.ok("DELETE", f"/v1/datasets/{made[1]}", status=204)
        equal([d["id"] for d in s.get(f"/v1/datasets?order=asc&after={made[1]}")["data"]], made[2:], "behind the deleted one")


def pages_of_events_go_either_way(server):
    job = server.train(softmax())["id"]
    path = f"/v1/jobs/{job}/events?limit=3"
    ids = [e["id"] for e in server.get(f"/v1/jobs/{job}/events?limit=100")["data"]]
    equal(ids, list(range(1, len(ids) + 1)), "all")
    first = server.call("GET", path)
    equal(([e["id"] for e in first.json["data"]], first.json["has_more"]), (ids[:3], True), "the first page")
    following = server.get(first.headers["Link"][1:first.headers["Link"].index(">")])
    equal([e["id"] for e in following["data"]], ids[3:6], "where its link leads")
    equal([e["id"] for e in server.get(path + "&order=desc")["data"]], ids[:-4:-1], "the newest")
    equal([e["id"] for e in server.get(path + "&order=desc&after=3")["data"]], [2, 1], "backwards from 3")
    page = server.get(path + "&after=9007199254740991")
    equal((page["data"], page["has_more"], page["first_id"], page["last_id"]), ([], False, None, None), "behind the end")
    for bad in ("after=x", "after=-1", "limit=0", "order=up", "status=queued"):
        equal(server.call("GET", path.replace("limit=3", bad)).status, 400, bad)


def an_etag_answers_304_until_the_version_grows(server):
    job = server.train(softmax())
    answer = server.call("GET", f"/v1/jobs/{job['id']}")
    want(str(job["version"]) in answer.headers["ETag"], f"ETag {answer.headers['ETag']} of version {job['version']}")
    again = server.call("GET", f"/v1/jobs/{job['id']}", headers={"If-None-Match": answer.headers["ETag"]})
    equal((again.status, again.body, again.headers["ETag"]), (304, b"", answer.headers["ETag"]), "conditional request")
    weak = server.call("GET", f"/v1/jobs/{job['id']}", headers={"If-None-Match": f'"nothing", W/{answer.headers["ETag"]}'})
    equal(weak.status, 304, "a list of tags, weak comparison")
    equal(server.call("GET", f"/v1/jobs/{job['id']}", headers={"If-None-Match": "*"}).status, 304, "any")
    equal(server.call("GET", f"/v1/jobs/{job['id']}", headers={"If-None-Match": '"0"'}).status, 200, "another tag")


def tags_differ_by_media_type_and_query(server):
    job = server.train(softmax())["id"]
    tags = [server.call("GET", f"/v1/jobs/{job}/metrics?format={f}").headers["ETag"] for f in ("json", "csv", "svg")]
    tags.append(server.call("GET", f"/v1/jobs/{job}/metrics?format=json&max_points=2").headers["ETag"])
    equal(len(set(tags)), 4, f"different tags of {tags}")
    equal(server.call("GET", f"/v1/jobs/{job}/metrics?format=csv", headers={"If-None-Match": tags[1]}).status, 304, "304")


def a_long_poll_waits_for_news_and_comes_back_at_once_with_it(server):
    job = server.job(endless())
    view = server.wait_until(job, lambda j: j["status"] == "running" and j["step"] > 0)
    start = time.monotonic()
    seen = server.get(f"/v1/jobs/{job}?wait=20&since={view['version']}")
    want(seen["version"] > view["version"], "nothing new")
    want(time.monotonic() - start < 10, "a running job tells something every second")
    start = time.monotonic()
    behind = server.get(f"/v1/jobs/{job}?wait=20&since=1")
    want(behind["version"] > 1 and time.monotonic() - start < 3, "an old version answers at once")
    start = time.monotonic()
    server.get(f"/v1/jobs/{job}?wait=20&since=9007199254740991")
    server.get(f"/v1/jobs/{job}?wait=20&until=terminal&since=9007199254740991")
    want(time.monotonic() - start < 3, "a version from the future answers at once")
    start = time.monotonic()
    equal(server.call("GET", f"/v1/jobs/{job}?wait=20", headers={"If-None-Match": '"1"'}).status, 200, "an old tag")
    want(time.monotonic() - start < 3, "an old tag answers at once")
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    server.wait(job, "cancelled")


@rows(("negative", "wait=-1"), ("no number", "wait=x"), ("not a number", "wait=nan"), ("infinite", "wait=inf"), ("negative version", "since=-1"), ("no version", "since=abc"),
      ("version beyond 2^53", "wait=1&since=9007199254740992"), ("unknown end", "until=end"))
def a_wait_that_means_nothing_is_400(server, query):
    job = server.train(softmax())["id"]
    server.refuse(400, "query_invalid", "GET", f"/v1/jobs/{job}?{query}")


def a_finished_job_is_never_waited_for(server):
    job = server.train(softmax())
    for query in ("wait=60", "wait=60&until=terminal", f"wait=1e9&since={job['version']}"):
        start = time.monotonic()
        equal(server.get(f"/v1/jobs/{job['id']}?{query}"), job, query)
        want(time.monotonic() - start < 10, f"{query} took {time.monotonic() - start:.1f} s")
    tag = server.call("GET", f"/v1/jobs/{job['id']}").headers["ETag"]
    equal(server.call("GET", f"/v1/jobs/{job['id']}?wait=60", headers={"If-None-Match": tag}).status, 304, "and it is still the same")


def a_wait_without_news_ends_with_304():
    with Server(ONE_AT_A_TIME) as s:
        blocker = s.job(endless())
        s.wait_until(blocker, lambda j: j["status"] == "running")
        queued = s.job(endless())
        answer = s.call("GET", f"/v1/jobs/{queued}")
        for query in (f"wait=0.3&since={answer.json['version']}", "wait=0.3", "wait=0.3&until=terminal"):
            start = time.monotonic()
            again = s.call("GET", f"/v1/jobs/{queued}?{query}", headers={"If-None-Match": answer.headers["ETag"]})
            equal((again.status, again.headers["ETag"], again.body), (304, answer.headers["ETag"], b""), query)
            want(time.monotonic() - start >= 0.3, f"{query} did not wait")


def until_terminal_waits_for_the_end_and_no_longer(server):
    job = server.job(endless())
    seen = {}

    def poll():
        seen["job"] = server.get(f"/v1/jobs/{job}?wait=60&until=terminal")

    waiter = threading.Thread(target=poll)
    waiter.start()
    time.sleep(1.5)
    want(waiter.is_alive(), "it came back before the end")
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    waiter.join(30)
    want(not waiter.is_alive(), "it never came back")
    equal(seen["job"]["status"], "cancelled", "status")


def a_long_poll_comes_back_when_its_time_is_over(server):
    job = server.job(endless())
    start = time.monotonic()
    view = server.get(f"/v1/jobs/{job}?wait=1&until=terminal")
    want(0.9 <= time.monotonic() - start < 10 * PATIENCE, f"after {time.monotonic() - start:.1f} s")
    equal(view["status"] in ("queued", "running"), True, "it goes on")
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    server.wait(job, "cancelled")


def a_hundred_long_polls_leave_the_server_answering(server):
    job = server.job(endless())
    server.wait_until(job, lambda j: j["status"] == "running")
    waiters = [threading.Thread(target=lambda: server.get(f"/v1/jobs/{job}?wait=30&until=terminal")) for _ in range(100)]
    for w in waiters:
        w.start()
    time.sleep(0.3)
    start = time.monotonic()
    server.get("/v1")
    want(time.monotonic() - start < 5, "a plain request had to wait for the long polls")
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    for w in waiters:
        w.join(60)
    want(not any(w.is_alive() for w in waiters), "some polls never came back")
