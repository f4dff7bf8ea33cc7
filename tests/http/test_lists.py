"""Pages, cursors, conditional requests, long polls."""
import threading
import time

from harness import PATIENCE, Server, equal, rows, want
from material import endless, softmax


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


@rows(("more than 100", "limit=1000", 200), ("zero", "limit=0", 400), ("negative", "limit=-3", 400), ("bad order", "order=up", 400), ("bad status", "status=done", 400))
def limits_of_lists(server, query, status):
    equal(server.call("GET", "/v1/jobs?" + query).status, status, query)


def a_cursor_that_names_nothing_is_refused(server):
    want(server.call("GET", "/v1/jobs?after=job_00000000000000000000").status in (400, 404), "status")


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
    want(time.monotonic() - start < 3, "a version from the future answers at once")
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    server.wait(job, "cancelled")


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
