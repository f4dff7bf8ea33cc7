"""PATCH /v1/jobs/{id}: name, metadata and priority of a job, as a merge patch."""
from harness import Server, equal, includes, rows, side_by_side, want
from material import ONE_AT_A_TIME, BLOBS, endless, softmax


def _job(server, **changes):
    return server.job(softmax(**{"name": "old", "metadata": {"team": "a", "run": "1"}, **changes}))


@rows(("nothing", {}, "old", {"team": "a", "run": "1"}),
      ("a name", {"name": "new"}, "new", {"team": "a", "run": "1"}),
      ("no name", {"name": None}, None, {"team": "a", "run": "1"}),
      ("metadata", {"metadata": {"run": None, "new": "x", "team": "b"}}, "old", {"team": "b", "new": "x"}),
      ("no metadata", {"metadata": None}, "old", {}),
      ("a key that is not there", {"metadata": {"none": None}}, "old", {"team": "a", "run": "1"}),
      ("both", {"name": "new", "metadata": {"team": None}}, "new", {"run": "1"}))
def a_patch_changes_what_it_names(server, patch, name, metadata):
    job = _job(server)
    server.wait(job)
    answer = server.call("PATCH", f"/v1/jobs/{job}", patch)
    equal(answer.status, 200, f"the status: {answer.text}")
    view = answer.json
    equal((view["name"], view["metadata"]), (name, metadata), "name and metadata")
    equal(answer.headers["ETag"], f'"{view["version"]}"', "ETag")
    equal(server.get(f"/v1/jobs/{job}"), view, "the job afterwards")
    spec = server.get(f"/v1/jobs/{job}/spec")
    equal((spec.get("name"), spec["metadata"]), (name, metadata), "what the spec says")


def both_media_types_are_taken(server):
    job = _job(server)
    for i, media in enumerate(("application/json", "application/merge-patch+json", "application/merge-patch+json; charset=utf-8")):
        equal(server.ok("PATCH", f"/v1/jobs/{job}", f'{{"name": "n{i}"}}', {"Content-Type": media})["name"], f"n{i}", media)
    server.refuse(415, "content_type_unsupported", "PATCH", f"/v1/jobs/{job}", "{}", {"Content-Type": "application/json-patch+json"})


def all_that_is_wrong_is_told_at_once(server):
    job = _job(server)
    problem = server.refuse(422, "validation_failed", "PATCH", f"/v1/jobs/{job}",
                            {"name": "../x", "priority": 101, "metadata": {"a": 1, "b": {"c": "d"}, "": "x"}, "status": "queued"})
    found = {(e["pointer"], e["code"]) for e in problem["errors"]}
    equal(found, {("/name", "name_invalid"), ("/priority", "out_of_range"), ("/metadata/a", "type_mismatch"),
                  ("/metadata/b", "type_mismatch"), ("/metadata/", "name_invalid"), ("/status", "unknown_field")}, "errors")
    equal(server.get(f"/v1/jobs/{job}")["name"], "old", "the name afterwards")


@rows(("with a value", {"nam": "x"}), ("with null", {"nam": None}))
def an_unknown_field_is_refused_with_the_nearest_name(server, patch):
    job = _job(server)
    problem = server.refuse(422, "unknown_field", "PATCH", f"/v1/jobs/{job}", patch, pointer="/nam")
    includes(problem["errors"][0]["detail"], "did you mean name?")


@rows(("a list", [1], "type_mismatch", ""), ("a text", '"x"', "type_mismatch", ""), ("a number for a name", {"name": 1}, "type_mismatch", "/name"),
      ("half a step", {"priority": 0.5}, "not_integer", "/priority"), ("a text as metadata", {"metadata": "x"}, "type_mismatch", "/metadata"),
      ("too many members", {"metadata": {f"k{i}": "v" for i in range(15)}}, "out_of_range", "/metadata"))
def a_patch_that_means_nothing_is_refused(server, patch, code, pointer):
    job = _job(server)
    server.refuse(422, code, "PATCH", f"/v1/jobs/{job}", patch, {"Content-Type": "application/json"}, pointer=pointer)


def only_the_version_that_the_client_knows_is_changed(server):
    job = _job(server)
    version = server.wait(job)["version"]
    for stale in ('"0"', f'W/"{version}"', "nonsense", ""):
        server.refuse(412, "precondition_failed", "PATCH", f"/v1/jobs/{job}", {"name": "x"}, {"If-Match": stale})
    for fresh in (lambda v: f'"{v}"', lambda v: f'"0", "{v}"', lambda v: "*"):
        view = server.ok("PATCH", f"/v1/jobs/{job}", {"name": "y"}, {"If-Match": fresh(version)}, 200)
        want(view["version"] > version, "a new version")
        version = view["version"]
    server.refuse(412, "precondition_failed", "PATCH", f"/v1/jobs/{job}", {}, {"If-Match": '"1"'})


def of_two_who_patch_at_once_neither_undoes_the_other(server):
    job = _job(server, metadata={})
    side_by_side([lambda i=i: server.ok("PATCH", f"/v1/jobs/{job}", {"metadata": {f"k{i}": str(i)}}) for i in range(16)])
    equal(server.get(f"/v1/jobs/{job}")["metadata"], {f"k{i}": str(i) for i in range(16)}, "metadata")


def a_job_that_is_not_there_cannot_be_patched(server):
    server.refuse(404, "not_found", "PATCH", "/v1/jobs/job_00000000000000000000", {"name": "x"})
    job = _job(server)
    server.wait(job)
    server.ok("DELETE", f"/v1/jobs/{job}", status=204)
    server.refuse(410, "deleted", "PATCH", f"/v1/jobs/{job}", {"name": "x"})


def pages_of_other_origins_may_not_patch(server):
    job = _job(server)
    server.refuse(403, "origin_forbidden", "PATCH", f"/v1/jobs/{job}", {"name": "x"}, {"Origin": "http://elsewhere.example"})
    allow = server.call("OPTIONS", f"/v1/jobs/{job}").headers["Allow"]
    equal(allow, "GET, HEAD, PATCH, DELETE, OPTIONS", "Allow")
    server.refuse(405, "method_not_allowed", "PATCH", "/v1/jobs", {})


def a_patch_outlives_the_server():
    with Server() as s:
        job = _job(s)
        s.wait(job)
        view = s.ok("PATCH", f"/v1/jobs/{job}", {"name": "new", "metadata": {"team": None}, "priority": 7})
        s.restart(kill=True)
        equal(s.get(f"/v1/jobs/{job}"), view, "the job")
        equal(s.get(f"/v1/jobs/{job}/spec")["resources"]["priority"], 7, "its priority")


def the_queue_follows_a_new_priority():
    with Server(ONE_AT_A_TIME) as s:
        blocker = s.job(endless())
        s.wait_until(blocker, lambda j: j["status"] == "running")
        low, middle, high = (s.job({**endless(), "resources": {"priority": p}}) for p in (0, 1, 2))
        s.ok("PATCH", f"/v1/jobs/{low}", {"priority": 3})
        s.ok("PATCH", f"/v1/jobs/{high}", {"priority": None})
        s.ok("POST", f"/v1/jobs/{blocker}/cancel")
        for job in (low, middle, high):
            s.wait_until(job, lambda j: j["status"] == "running")
            equal([j["id"] for j in s.get("/v1/jobs?status=running")["data"]], [job], "what runs")
            s.ok("POST", f"/v1/jobs/{job}/cancel")
