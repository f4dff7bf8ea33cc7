"""What a client can find out without knowing anything: health, version, algorithms, the OpenAPI document."""
import re

from harness import ROOT, equal, includes, rows, want
from material import softmax

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it


@rows(("alive", "/healthz"), ("ready", "/readyz"), ("root", "/v1"), ("algorithms", "/v1/algorithms"), ("openapi", "/v1/openapi.json"))
def a_stranger_can_ask(server, path):
    answer = server.call("GET", path)
    equal(answer.status, 200, path)
    equal(answer.media, "application/json", "media type")
    want(isinstance(answer.json, dict), "an object")


def the_root_names_version_commit_tier_cores_and_limits(server):
    root = server.get("/v1")
    includes(root, "name", "version", "commit", "kernel_tier", "cores", "limits")
    equal(root["name"], "descentd", "name")
    equal(root["version"], (ROOT / "VERSION").read_text().strip(), "version")
    want(isinstance(root["cores"], int) and root["cores"] >= 1, f"cores {root['cores']}")
    want(any(k.startswith("uptime") for k in root), f"no uptime: {list(root)}")


def algorithms_list_every_parameter_with_type_default_and_help(server):
    found = server.get("/v1/algorithms")
    includes(found, "models", "layers", "losses", "optimizers", "schedules", what="/v1/algorithms")
    optimizers = {o["type"] if "type" in o else o["name"]: o for o in found["optimizers"]}
    includes(optimizers, "sgd", "gd", "adagrad", "rmsprop", "adam", "adamw")
    momentum = next(p for p in optimizers["sgd"]["parameters"] if p["name"] == "momentum")
    includes(momentum, "type", "default", "help", what="momentum")


def openapi_is_3_1_and_every_operation_in_it_is_served(server):
    document = server.get("/v1/openapi.json")
    want(document["openapi"].startswith("3.1"), document["openapi"])
    operations = [(m.upper(), p) for p, item in document["paths"].items() for m in item if m in ("get", "post", "put", "patch", "delete")]
    want(len(operations) >= 25, f"{len(operations)} operations")
    for method, path in operations:
        path = re.sub(r"\{\w+\}", "x", path)
        answer = server.call(method, path, "" if method in ("POST", "PUT", "PATCH") else None)
        lost = answer.status == 404 and answer.json["code"] == "route_not_found"
        want(not lost and answer.status not in (405, 500, 501), f"{method} {path} -> {answer.status}")


def an_unknown_route_is_404(server):
    server.refuse(404, "route_not_found", "GET", "/v1/nothing")
    server.refuse(404, "route_not_found", "GET", "/v1/jobs/job_00000000000000000000/nothing")


def a_wrong_method_is_405_and_names_the_right_ones(server):
    problem = server.refuse(405, "method_not_allowed", "PUT", "/v1/jobs", "{}", {"Content-Type": "application/json"})
    allow = {m.strip() for m in problem.headers["Allow"].split(",")}
    includes(allow, "GET", "POST")
    want("PUT" not in allow, f"Allow: {allow}")


@rows(*((f"{method} {path}", method, path, allow) for path, allow in (("/healthz", "GET, HEAD, OPTIONS"), ("/v1/jobs", "GET, HEAD, POST, OPTIONS"), ("/v1/jobs/x", "GET, HEAD, PATCH, DELETE, OPTIONS"),
                                                                    ("/v1/jobs/x/cancel", "POST, OPTIONS"), ("/v1/datasets/x/labels", "PUT, OPTIONS"), ("/v1/models/x/export", "GET, HEAD, OPTIONS"))
        for method in ("OPTIONS", "PUT" if "PATCH" in allow else "PATCH")))
def a_path_tells_its_methods(server, method, path, allow):
    answer = server.call(method, path)
    equal((answer.status, answer.headers["Allow"]), (204 if method == "OPTIONS" else 405, allow), "status and Allow")


@rows(("trace", "TRACE", 405, "method_not_allowed"), ("nonsense", "BREW", 501, "method_unknown"), ("lower case", "get", 501, "method_unknown"))
def odd_methods_are_refused(server, method, status, code):
    server.refuse(status, code, method, "/v1/jobs")


def options_names_the_methods_and_allows_no_other_origin(server):
    answer = server.call("OPTIONS", "/v1/jobs")
    equal(answer.status, 204, "status")
    want("POST" in answer.headers["Allow"], answer.headers["Allow"])
    want(not [h for h in answer.headers if h.lower().startswith("access-control")], "CORS headers")


def head_answers_as_get_without_a_body(server):
    for path in ("/healthz", "/v1/algorithms", "/v1/jobs", "/v1/nothing", "/v1/jobs/x"):
        get, head = server.call("GET", path), server.call("HEAD", path)
        equal((head.status, head.body), (get.status, b""), f"HEAD {path}")
        for name in ("Content-Type", "Content-Length", "ETag"):
            equal(head.headers[name], get.headers[name], f"{name} of {path}")


@rows(("unknown", "?limits=3", "query_unknown"), ("twice", "?limit=3&limit=4", "query_duplicate"), ("not a number", "?limit=x", "query_invalid"),
      ("negative", "?limit=-1", "query_invalid"), ("token", "?token=abc", "token_in_query"), ("no value", "?limit", "query_invalid"), ("empty value", "?limit=", "query_invalid"),
      ("half a number", "?limit=1.5", "query_invalid"), ("twice, once escaped", "?limit=3&lim%69t=4", "query_duplicate"))
def bad_queries_are_400(server, query, code):
    problem = server.refuse(400, code, "GET", "/v1/jobs" + query)
    equal([(e["code"], e["parameter"]) for e in problem["errors"]], [(code, re.search(r"\w+", query).group(0))], "its errors")


def all_errors_of_a_query_come_at_once_and_name_the_nearest(server):
    problem = server.refuse(400, "query_unknown", "GET", "/v1/jobs?limt=2&order=up&status=queued&status=running&limit=x")
    equal([(e["parameter"], e["code"]) for e in problem["errors"]],
          [("limt", "query_unknown"), ("order", "query_invalid"), ("status", "query_duplicate"), ("limit", "query_invalid")], "errors")
    includes(problem["errors"][0]["detail"], "did you mean limit?", what="the first")
    includes(problem["errors"][1]["detail"], "asc", "desc", what="the second")


@rows(("bad escape", "?limit=%zz"), ("cut escape", "?limit=%1"), ("NUL", "?status=%00"), ("line break", "?status=%0a"), ("no UTF-8", "?metadata.k=%ff"), ("overlong UTF-8", "?metadata.k=%c0%af"))
def a_query_that_cannot_be_decoded_is_400(server, query):
    server.refuse(400, "bad_target", "GET", "/v1/jobs" + query)


@rows(("nul", "/v1/jobs%00/secret"), ("dot dot", "/v1/jobs/../x"), ("encoded dots", "/v1/%2e%2e/jobs"), ("slash", "/v1/jobs%2fx"), ("bad escape", "/v1/jobs%zz"),
      ("long segment", "/v1/jobs/" + "a" * 65), ("empty segment", "/v1//jobs"),
      ("twice encoded", "/v1/%252e"), ("backslash", "/v1/%5c"), ("overlong UTF-8", "/v1/%c0%af"), ("escaped letter", "/v1/%6aobs"), ("slash at the end", "/v1/jobs/"), ("dot", "/v1/./jobs"), ("fragment", "/v1#jobs"))
def targets_with_anything_odd_are_400(server, target):
    server.refuse(400, "bad_target", "GET", target)


def an_answer_carries_the_request_id(server):
    answer = server.call("GET", "/v1")
    want(answer.headers.get("X-Request-Id", "").startswith("req_"), "X-Request-Id")


def what_cannot_be_given_is_406(server):
    server.refuse(406, "not_acceptable", "GET", "/v1", headers={"Accept": "image/png"})
    job = server.train(softmax())["id"]
    for path in (f"/v1/jobs/{job}/metrics", f"/v1/jobs/{job}/events", f"/v1/jobs/{job}", "/healthz"):
        server.refuse(406, "not_acceptable", "GET", path, headers={"Accept": "image/png"})
    before = server.get("/v1/jobs?limit=100")["data"], server.get("/v1/datasets?limit=100")["data"]
    server.refuse(406, "not_acceptable", "POST", "/v1/jobs", softmax(), {"Accept": "image/png"})
    server.refuse(406, "not_acceptable", "POST", "/v1/datasets", "a,k\n906,x\n1,y\n", {"Accept": "image/png", "Content-Type": "text/csv"})
    equal((server.get("/v1/jobs?limit=100")["data"], server.get("/v1/datasets?limit=100")["data"]), before, "what there is")


def a_body_where_none_belongs_is_400(server):
    server.refuse(400, "body_not_allowed", "GET", "/v1", "{}", {"Content-Type": "application/json"})


def a_missing_body_is_400(server):
    server.refuse(400, "body_required", "POST", "/v1/jobs", "", {"Content-Type": "application/json"})


@rows(("algorithms", "/v1/algorithms"), ("openapi", "/v1/openapi.json"))
def a_document_that_is_known_is_304(server, path):
    first = server.call("GET", path)
    for tags in (first.headers["ETag"], "W/" + first.headers["ETag"], f'"x", {first.headers["ETag"]}', "*"):
        again = server.call("GET", path, headers={"If-None-Match": tags})
        equal((again.status, again.body, again.headers["ETag"]), (304, b"", first.headers["ETag"]), f"If-None-Match: {tags}")
    equal(server.call("GET", path, headers={"If-None-Match": '"x"'}).status, 200, "another tag")
