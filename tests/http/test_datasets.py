"""Uploads as CSV: what is read, what is refused and where; the data set's life."""
import base64
import hashlib
import json
import math
import socket

from harness import Server, equal, includes, near, rows, side_by_side, want
from material import csv_table, endless, softmax

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it

CSV = {"Content-Type": "text/csv"}


def a_table_is_described_with_its_classes_and_statistics(server):
    data = server.upload("size,weight,kind\n1,10,oak\n2,20,pine\n3,30,oak\n4,40,oak\n", query="?name=trees")
    includes(data, "object", "id", "name", "rows", "features", "classes", "sha256", "created_at", what="data set")
    equal((data["object"], data["name"], data["rows"], data["features"]), ("dataset", "trees", 4, 2), "data set")
    equal({c["name"]: c["count"] for c in data["classes"]}, {"oak": 3, "pine": 1}, "classes")
    want(data["id"].startswith("ds_"), data["id"])
    size = next(v for v in _lists_of_dicts(data) if v.get("name") == "size")
    near(size["mean"], 2.5, 1e-9, "mean")
    near(size["std"], math.sqrt(1.25), 1e-6, "standard deviation of the population")
    equal((size["min"], size["max"]), (1, 4), "range")


def _lists_of_dicts(value):
    for v in value.values() if isinstance(value, dict) else []:
        for item in v if isinstance(v, list) else []:
            if isinstance(item, dict):
                yield item


def rows_can_be_looked_at(server):
    data = server.upload("a,b,kind\n1,2,x\n3,4.5,y\n5,6,x\n7,8,y\n")["id"]
    page = server.get(f"/v1/datasets/{data}/rows?offset=1&limit=2")["data"]
    equal([r["label"] for r in page], ["y", "x"], "labels")
    equal([r["features"] for r in page], [[3, 4.5], [5, 6]], "features")
    equal(server.get(f"/v1/datasets/{data}/rows?offset=4")["data"], [], "behind the end")


@rows(("LF", "\n"), ("CRLF", "\r\n"), ("CR", "\r"))
def any_line_end_gives_the_same_data_set(server, end):
    plain = server.ok("POST", "/v1/datasets", "p,q\n1,one\n2,two\n3,one\n", CSV)
    equal(server.ok("POST", "/v1/datasets", end.join(["p,q", "1,one", "2,two", "3,one"]), CSV)["id"], plain["id"], "id")
    equal(server.ok("POST", "/v1/datasets", b"\xef\xbb\xbf" + "p,q\n1,one\n2,two\n3,one\n".encode(), CSV)["id"], plain["id"], "with a byte order mark")


def quotes_commas_and_line_breaks_belong_to_a_field(server):
    data = server.upload('a,"the ""kind"""\n1,"oak, red"\n2,"two\nlines"\n3,"oak, red"\n4,"=cmd()"\n')
    equal({c["name"]: c["count"] for c in data["classes"]}, {"oak, red": 2, "two\nlines": 1, "=cmd()": 1}, "classes")


def a_table_without_header_is_known_by_its_numbers(server):
    data = server.upload("1,2,-1\n3,4,1\n5,6,-1\n")
    equal((data["rows"], data["features"], {c["name"]: c["count"] for c in data["classes"]}), (3, 2, {"-1": 2, "1": 1}), "data set")


@rows(("by name", "?label=kind"), ("by number", "?label=1"))
def the_label_may_stand_in_any_column(server, query):
    data = server.upload("a,kind,b\n1,x,2\n3,y,4\n5.5,x,6\n".replace("5.5", "5.5" if "kind" in query else "5.25"), query=query)
    equal((data["features"], {c["name"] for c in data["classes"]}), (2, {"x", "y"}), "data set")


def soft_labels_are_rows_of_probabilities(server):
    body = "x,cat,dog\n1,0.25,0.75\n2,1,0\n3,0.5,0.5\n4,0.1,0.9\n"
    data = server.upload(body, query="?label_columns=cat,dog")
    equal(([c["name"] for c in data["classes"]], data["features"]), (["cat", "dog"], 1), "data set")
    job = server.train(softmax(data["id"], training={"epochs": 3, "batch_size": 2}))
    want(server.results(job["id"])["splits"]["train"]["loss"] > 0.1, "the entropy of the labels bounds the loss")


@rows(
    ("nothing", b"", 422, "dataset_empty"),
    ("header only", b"a,b,kind\n", 422, "dataset_empty"),
    ("ragged row", b"a,b,kind\n1,2,x\n3,y\n", 422, "csv_ragged_row"),
    ("long row", b"a,b,kind\n1,2,x\n3,4,5,y\n", 422, "csv_ragged_row"),
    ("quote without end", b'a,b,kind\n1,2,"x\n3,4,y\n', 422, "csv_unterminated_quote"),
    ("text behind a quote", b'a,b,kind\n1,2,"x"y\n3,4,y\n', 422, "csv_bad_quote"),
    ("field of 70 kB", b"a,b,kind\n1,2,x\n1," + b"9" * 70000 + b",y\n", 422, "csv_field_too_long"),
    ("text for a number", b"a,b,kind\n1,2,x\n3,tall,y\n", 422, "csv_not_number"),
    ("empty cell", b"a,b,kind\n1,2,x\n3,,y\n", 422, "csv_not_number"),
    ("hexadecimal", b"a,b,kind\n1,2,x\n0x1p3,4,y\n", 422, "csv_not_number"),
    ("full-width digit", "a,b,kind\n1,2,x\n３,4,y\n".encode(), 422, "csv_not_number"),
    ("not a number", b"a,b,kind\n1,2,x\nnan,4,y\n", 422, "non_finite_value"),
    ("infinite", b"a,b,kind\n1,2,x\ninf,4,y\n", 422, "non_finite_value"),
    ("beyond a float", b"a,b,kind\n1,2,x\n1e400,4,y\n", 422, "non_finite_value"),
    ("NUL", b"a,b,kind\n1,2,x\n3,4\x00,y\n", 422, "csv_nul_byte"),
    ("UTF-16", "a,b,kind\n1,2,x\n".encode("utf-16"), 415, "format_mismatch"),
    ("a column twice", b"a,a,kind\n1,2,x\n3,4,y\n", 422, "csv_duplicate_column"),
    ("no features", b"kind\nx\ny\n", 422, "csv_no_features"),
    ("20,000 columns", b",".join(b"%d" % i for i in range(20000)) + b"\n", 422, "too_many_columns"),
    ("one class", b"a,kind\n1,x\n2,x\n", 422, "labels_single_class"),
    ("label no UTF-8", b"a,kind\n1,x\n2,\xff\xfe\n", 422, "label_invalid"),
    ("empty label", b"a,kind\n1,x\n2,\n", 422, "label_invalid"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), 415, "format_mismatch"),
    ("a program", b"\x7fELF\x02\x01\x01" + bytes(100), 415, "format_mismatch"),
)
def a_bad_table_is_refused(server, body, status, code):
    server.refuse(status, code, "POST", "/v1/datasets?name=bad", body, CSV)


def a_bad_cell_is_named_by_line_column_and_text(server):
    problem = server.refuse(422, "csv_not_number", "POST", "/v1/datasets", "a,b,kind\n1,2,x\n3,4,x\n5,six,y\n", CSV)
    entry = problem.places[0]
    equal((entry["line"], entry["column"]), (4, 2), "line and column")
    want("six" in entry["detail"], entry["detail"])


def a_line_is_counted_through_quoted_line_breaks(server):
    problem = server.refuse(422, "csv_ragged_row", "POST", "/v1/datasets", 'a,b,kind\n1,2,"x\ny"\n3,y\n', CSV)
    equal(problem.places[0]["line"], 4, "line")
    includes(problem.places[0]["detail"], "2 fields", "3", what="how many there are and should be")


def a_missing_label_column_is_named(server):
    server.refuse(422, "label_column_missing", "POST", "/v1/datasets?label=colour", "a,b,kind\n1,2,x\n3,4,y\n", CSV)


@rows(("sum is no 1", "x,a,b\n1,0.5,0.6\n2,1,0\n"), ("negative", "x,a,b\n1,-0.5,1.5\n2,1,0\n"))
def soft_labels_that_are_no_distribution_are_refused(server, body):
    server.refuse(422, "soft_label_invalid", "POST", "/v1/datasets?label_columns=a,b", body, CSV)


def a_table_beyond_the_limit_is_413_before_it_is_read():
    with Server(["--max-dataset-bytes", "100000"]) as s:
        s.refuse(413, "body_too_large", "POST", "/v1/datasets", csv_table(10000), CSV)
        head = b"POST /v1/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\nContent-Length: 10000000\r\nExpect: 100-continue\r\n\r\n"
        equal(s.raw_status(head, seconds=5), 413, "nothing of the body was sent")


def _sha256(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


@rows(("hexadecimal", "X-Content-SHA256", lambda body: hashlib.sha256(body).hexdigest(), "nonsense"), ("RFC 9530", "Content-Digest", lambda body: f"sha-256=:{_sha256(body)}:", "sha-256=nonsense"),
      ("RFC 3230", "Digest", lambda body: f"SHA-256={_sha256(body)}", "sha-256=nonsense"), ("MD5", "Content-MD5", lambda body: base64.b64encode(hashlib.md5(body).digest()).decode(), "nonsense"))
def a_declared_checksum_is_checked(server, field, sum_of, nonsense):
    body = csv_table(20, seed=len(field)).encode()
    before = server.get("/v1/datasets?limit=100")["data"]
    for wrong in (sum_of(body[:-1]), nonsense):
        server.refuse(422, "checksum_mismatch", "POST", "/v1/datasets", body, {**CSV, field: wrong})
    equal(server.get("/v1/datasets?limit=100")["data"], before, "data sets")
    server.ok("POST", "/v1/datasets", body, {**CSV, field: sum_of(body)}, status=201)


def the_same_content_again_is_the_same_data_set(server):
    first = server.call("POST", "/v1/datasets?name=one", csv_table(33), CSV)
    again = server.call("POST", "/v1/datasets?name=two", csv_table(33), CSV)
    equal((first.status, again.status), (201, 200), "statuses")
    equal((again.json["id"], again.json["name"]), (first.json["id"], "one"), "the first one stays")
    equal(first.headers["Location"], f"/v1/datasets/{first.json['id']}", "Location")


def the_same_content_at_the_same_time_is_one_data_set(server):
    answers = side_by_side([lambda: server.call("POST", "/v1/datasets", csv_table(500, seed=5), CSV)] * 4)
    equal(sorted(a.status for a in answers), [200, 200, 200, 201], "one of them made it")
    equal(len({a.json["id"] for a in answers}), 1, "ids")


def a_client_that_leaves_leaves_nothing(server):
    before = server.get("/v1/datasets?limit=100")["data"]
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            s.sendall(b"POST /v1/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\nContent-Length: 1000\r\n\r\na,b,kind\n1,2,x\n3,4,y\n")
    server.get("/v1")
    equal(server.get("/v1/datasets?limit=100")["data"], before, "data sets")


def another_format_is_415(server):
    server.refuse(415, "content_type_unsupported", "POST", "/v1/datasets", "{}", {"Content-Type": "application/x-hdf5"})


def the_query_may_name_the_format(server):
    data = server.ok("POST", "/v1/datasets?format=csv", csv_table(21), {"Content-Type": "application/octet-stream"})
    equal(data["rows"], 21, "rows")


def a_data_set_in_use_is_not_deleted(server):
    data = server.upload(csv_table(200, seed=77))["id"]
    job = server.job(endless(data))
    problem = server.refuse(409, "in_use", "DELETE", f"/v1/datasets/{data}")
    equal(problem["jobs"], [job], "the jobs that need it")
    server.ok("POST", f"/v1/jobs/{job}/cancel")
    server.wait(job, "cancelled")
    server.ok("DELETE", f"/v1/datasets/{data}", status=204)
    for method, path in (("GET", ""), ("GET", "/rows"), ("DELETE", "")):
        server.refuse(410, "deleted", method, f"/v1/datasets/{data}{path}")
    server.refuse(404, "dataset_not_found", "POST", "/v1/jobs", softmax(data))
    equal(server.call("POST", "/v1/datasets", csv_table(200, seed=77), CSV).status, 201, "uploaded again it is new")


def a_test_set_and_the_data_of_the_queue_are_in_use_too():
    with Server(["--threads", "1"]) as s:
        train, test = s.upload(csv_table(200, seed=301))["id"], s.upload(csv_table(30, seed=302))["id"]
        jobs = [s.job({**endless(train), "test": {"dataset": test}})]
        jobs += [s.job({**endless(train), "resources": {"threads": 1}}) for _ in range(20)]
        want(s.get(f"/v1/jobs/{jobs[-1]}")["status"] == "queued", "the queue is too short for this test")
        jobs.append(s.job(softmax(test, training={"epochs": 1, "batch_size": 8})))
        equal(s.refuse(409, "in_use", "DELETE", f"/v1/datasets/{test}")["jobs"], [jobs[0], jobs[-1]], "a test set's, and one that waits")
        for job in reversed(jobs):  # the one that would be done in no time, first
            s.ok("POST", f"/v1/jobs/{job}/cancel")
        s.wait(jobs[0], "cancelled")
        s.ok("DELETE", f"/v1/datasets/{test}", status=204)


@rows(("get", "GET", ""), ("rows", "GET", "/rows"), ("delete", "DELETE", ""))
def an_unknown_data_set_is_404(server, method, path):
    server.refuse(404, "not_found", method, "/v1/datasets/ds_00000000000000000000" + path)


def a_path_on_the_server_is_refused_without_a_data_root(server):
    server.refuse(403, "path_forbidden", "POST", "/v1/datasets", {"path": "/etc/passwd", "format": "csv"})


def paths_stay_inside_the_data_root(server):
    import os
    import pathlib
    import tempfile

    with tempfile.TemporaryDirectory() as outside:
        root = pathlib.Path(outside, "root")
        root.mkdir()
        (root / "good.csv").write_text(csv_table(25))
        pathlib.Path(outside, "secret.csv").write_text(csv_table(26))
        os.symlink("../secret.csv", root / "link.csv")
        with Server(["--data-root", str(root)]) as s:
            equal(s.ok("POST", "/v1/datasets", {"path": "good.csv", "format": "csv"}, status=201)["rows"], 25, "rows")
            os.mkfifo(root / "pipe")
            for code, paths in (("path_invalid", ("../secret.csv", "/etc/passwd", str(root / "good.csv"), "a/../../secret.csv", ".", "", "./good.csv", "good.csv/")),
                                ("path_not_found", ("missing.csv", "link.csv", "pipe", "good.csv/x"))):
                for path in paths:
                    s.refuse(422, code, "POST", "/v1/datasets", {"path": path, "format": "csv"}, pointer="/path")
