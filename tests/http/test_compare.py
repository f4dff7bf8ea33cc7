"""Comparisons: curves of several jobs over each other, figures of jobs against what their specs say."""
import csv
import io
import json
import math
import xml.etree.ElementTree

from harness import TERMINAL, equal, includes, near, rows, want
from material import BLOBS, endless, mlp

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests

RATES = (0.001, 0.01, 0.1, 1)


def _race(server):
    """Five jobs with validation and test rows, trained once for all; the last batch of an epoch is short."""
    if not hasattr(server, "compared"):
        job = mlp(BLOBS, (8,), name="blobs", split={"validation": 0.2, "test": 0.1}, training={"epochs": 4, "batch_size": 32, "seed": 1, "log_every_steps": 1})
        race = server.ok("POST", "/v1/races", {"job": job, "optimizers": [{"type": t} for t in ("sgd", "adam", "rmsprop", "adagrad", "adamw")]}, status=201)
        for one in race["jobs"]:
            server.wait(one["id"])
        server.compared = race
    return server.compared


def _path(server, query=""):
    return _race(server)["links"]["compare"] + query


def _grid(server):
    """SGD and Adam at four learning rates each, and one SGD that leaves the finite numbers."""
    if not hasattr(server, "grid"):
        job = mlp(BLOBS, (8,), split={"test": 0.2}, training={"epochs": 2, "batch_size": 32, "seed": 1})
        variants = [{"optimizer": {"type": t, "learning_rate": r}} for t in ("sgd", "adam") for r in RATES]
        race = server.ok("POST", "/v1/races", {"job": job, "variants": [*variants, {"name": "wild", "optimizer": {"type": "sgd", "learning_rate": 1e30}}]}, status=201)
        for one in race["jobs"]:
            while server.get(f"/v1/jobs/{one['id']}?wait=5&until=terminal")["status"] not in TERMINAL:
                pass
        server.grid = race
    return server.grid


def _against(server, query):
    return server.get(_grid(server)["links"]["compare"] + query)


def every_series_is_the_jobs_own_curve(server):
    found = server.get(_path(server, "&metric=validation_loss"))
    equal((found["object"], found["metric"], found["align"]), ("comparison", "validation_loss", "step"), "the comparison")
    equal([s["name"] for s in found["series"]], [j["name"] for j in _race(server)["jobs"]], "names, in the order of the jobs")
    for series in found["series"]:
        curve = server.get(f"/v1/jobs/{series['job']}/metrics?names=validation_loss")
        equal((series["x"], series["y"]), ([r[0] for r in curve["data"]], [r[3] for r in curve["data"]]), "x and y")
        equal((series["status"], series["final"], series["total_points"]), ("succeeded", series["y"][-1], len(series["y"])), "figures")
        equal(series["best"], {"value": min(series["y"]), "x": series["x"][series["y"].index(min(series["y"]))]}, "best")


def all_jobs_of_a_race_begin_alike(server):
    found = server.get(_path(server, "&metric=batch_loss"))
    equal(len({s["y"][0] for s in found["series"]}), 1, "losses of the first minibatch")
    equal(len({s["y"][-1] for s in found["series"]}), 5, "losses of the last")


@rows(("epoch", "epoch", lambda row, rows_seen: row[1]), ("seconds", "seconds", lambda row, rows_seen: row[2]), ("samples", "samples", lambda row, rows_seen: rows_seen))
def x_is_what_align_says(server, align, x_of):
    found = server.get(_path(server, f"&metric=batch_loss&align={align}"))
    for series in found["series"]:
        curve = server.get(f"/v1/jobs/{series['job']}/metrics?names=batch_loss&downsample=none")
        batches = ([32] * 6 + [18]) * 4  # 210 rows of 300 to train on
        equal(series["x"], [x_of(row, sum(batches[:row[0]])) for row in curve["data"]], f"x by {align}")


def accuracy_is_best_where_it_is_largest(server):
    for series in server.get(_path(server, "&metric=validation_accuracy"))["series"]:
        equal(series["best"]["value"], max(series["y"]), "best")
    want(all(s["best"] is None for s in server.get(_path(server, "&metric=learning_rate"))["series"]), "a learning rate is never best")


def curves_are_thinned_out_and_smoothed_as_a_jobs_own(server):
    found = server.get(_path(server, "&metric=batch_loss&max_points=10&smooth=0.9"))
    for series in found["series"]:
        curve = server.get(f"/v1/jobs/{series['job']}/metrics?names=batch_loss&max_points=10&smooth=0.9")
        equal((series["x"], series["y"]), ([r[0] for r in curve["data"]], [r[3] for r in curve["data"]]), "x and y")
        want(len(series["x"]) <= 10 and series["total_points"] == 28, "points")


def the_forms_tell_the_same(server):
    query = "&metric=train_loss&align=epoch&format="
    found = server.get(_path(server, query + "json"))
    points = [(s["job"], s["name"], x, y) for s in found["series"] for x, y in zip(s["x"], s["y"])]
    table = list(csv.reader(io.StringIO(server.get(_path(server, query + "csv")).decode())))
    equal(table[0], ["job", "name", "x", "value"], "header")
    equal([(j, n, float(x), float(y)) for j, n, x, y in table[1:]], points, "csv")
    lines = [json.loads(line) for line in server.get(_path(server, query + "ndjson")).decode().splitlines()]
    equal([(line["job"], line["name"], line["x"], line["y"]) for line in lines], points, "ndjson")


def a_picture_draws_and_names_every_job(server):
    raw = server.get(_path(server, "&metric=validation_loss&format=svg")).decode()
    root = xml.etree.ElementTree.fromstring(raw)
    text = " ".join(e.text or "" for e in root.iter())
    includes(text, "sgd", "adam", "rmsprop", "adagrad", "adamw", "validation loss (nats)", "step", "blobs - 5 jobs", what="the picture's text")
    equal(len([e for e in root.iter() if e.tag.endswith("}path") and e.get("class", "").startswith("line ") and " " in e.get("d")[1:] and "L" in e.get("d")]), 5, "lines")
    want("nan" not in raw.lower() and "script" not in raw, "odd text")


@rows(("linear", "linear"), ("logarithmic", "log"))
def the_scale_can_be_chosen(server, scale):
    root = xml.etree.ElementTree.fromstring(server.get(_path(server, f"&metric=validation_loss&format=svg&scale={scale}")).decode())
    marks = [float(e.text) for e in root.iter() if e.get("class") == "end" and e.get("x") == "68.0"]
    gaps = [b - a for a, b in zip(marks, marks[1:])]
    want(len(gaps) >= 2, f"labels of y: {marks}")
    equal(max(gaps) - min(gaps) <= 1e-9, scale == "linear", f"as much from each label to the next: {marks}")


@rows(("40", 40), ("80", 80), ("200", 200))
def a_terminal_chart_keeps_to_its_width(server, width):
    for query in ("&metric=batch_loss", "&metric=test_accuracy&against=/optimizer/type", "&metric=test_accuracy&against=/optimizer/learning_rate"):
        lines = server.get(_path(server, f"{query}&format=ascii&width={width}")).decode().splitlines()
        want(len(lines) > 20 and max(map(len, lines)) <= width, f"{len(lines)} lines of at most {max(map(len, lines))}")


@rows(("json", "application/json"), ("csv", "text/csv"), ("ndjson", "application/x-ndjson"), ("svg", "image/svg+xml"), ("ascii", "text/plain"))
def the_form_follows_the_accept_header_too(server, media):
    answer = server.call("GET", _path(server), headers={"Accept": media})
    equal((answer.media, answer.headers["Vary"]), (media, "Accept"), "by Accept")


def the_final_figures_against_the_learning_rate(server):
    found = _against(server, "&metric=test_accuracy&against=/optimizer/learning_rate&group=/optimizer/type")
    equal((found["metric"], found["against"], found["group"]), ("test_accuracy", "/optimizer/learning_rate", "/optimizer/type"), "the comparison")
    equal([(p["group"], p["x"]) for p in found["points"]], [(t, r) for t in ("sgd", "adam") for r in RATES] + [("sgd", 1e30)], "groups and x")
    for point in found["points"][:-1]:
        equal((point["y"], point["source"]), (server.results(point["job"])["splits"]["test"]["accuracy"], "results"), "y")
    wild = found["points"][-1]
    equal((wild["name"], wild["status"], wild["y"], wild["source"]), ("wild", "failed", None, None), "the job that failed")
    equal(found["failed"], [wild["job"]], "failed")


@rows(("test_loss", "test_loss", lambda r: r["splits"]["test"]["loss"]), ("train_loss", "train_loss", lambda r: r["splits"]["train"]["loss"]),
      ("train_accuracy", "train_accuracy", lambda r: r["splits"]["train"]["accuracy"]), ("samples_per_second", "samples_per_second", lambda r: r["timing"]["samples_per_second"]),
      ("step_seconds", "step_seconds", lambda r: r["timing"]["train_seconds"] / 16))
def figures_come_from_the_results(server, metric, figure):
    for point in _against(server, f"&metric={metric}&against=/optimizer/learning_rate")["points"][:-1]:
        near(point["y"], figure(server.results(point["job"])), 1e-15 * abs(point["y"]), metric)


def other_figures_come_from_the_job_and_its_curves(server):
    for point in _against(server, "&metric=gradient_norm&against=/optimizer/learning_rate")["points"][:-1]:
        equal((point["y"], point["source"]), (server.get(f"/v1/jobs/{point['job']}")["latest"]["gradient_norm"], "job"), "gradient_norm")
    estimate = server.ok("POST", "/v1/races?validate_only=true", {"job": mlp(BLOBS, (8,), split={"test": 0.2}, training={"epochs": 2, "batch_size": 32}), "optimizers": [{"type": "sgd"}]}, status=200)
    found = _against(server, "&metric=memory_bytes&against=/optimizer/type")
    equal(found["points"][0]["y"], estimate["jobs"][0]["estimate"]["bytes"], "memory_bytes")
    want(all(p["y"] is None for p in _against(server, "&metric=validation_loss&against=/optimizer/type")["points"]), "there is no validation split")


def words_and_lists_are_compared_too(server):
    equal([p["x"] for p in _against(server, "&metric=test_loss&against=/optimizer/type")["points"]], ["sgd"] * 4 + ["adam"] * 4 + ["sgd"], "types")
    equal({p["x"] for p in _against(server, "&metric=test_loss&against=/model/hidden")["points"]}, {"[8]"}, "lists")
    equal({p["x"] for p in _against(server, "&metric=test_loss&against=/model/hidden/0")["points"]}, {8}, "elements of lists")
    equal([p["x"] for p in _against(server, "&metric=test_loss&against=/optimizer/beta1")["points"]], [None] * 4 + [0.9] * 4 + [None], "what not all have")


def points_have_all_forms(server):
    query = "&metric=test_accuracy&against=/optimizer/learning_rate&group=/optimizer/type&format="
    points = _against(server, query + "json")["points"]
    table = list(csv.reader(io.StringIO(_against(server, query + "csv").decode())))
    equal(table[0], ["job", "name", "status", "group", "x", "y"], "header")
    equal([(r[0], r[3], float(r[4]), float(r[5]) if r[5] else None) for r in table[1:]], [(p["job"], p["group"], p["x"], p["y"]) for p in points], "csv")
    equal([json.loads(line) for line in _against(server, query + "ndjson").decode().splitlines()], points, "ndjson")
    root = xml.etree.ElementTree.fromstring(_against(server, query + "svg").decode())
    text = " ".join(e.text or "" for e in root.iter())
    includes(text, "sgd", "adam", "test accuracy", "learning_rate", "9 jobs, 1 failed", what="the picture's text")
    lines = [e.get("d") for e in root.iter() if e.tag.endswith("}path") and e.get("class", "").startswith("line ") and "L" in e.get("d")]
    equal([line.count("L") for line in lines], [3, 3], "segments of the two lines")


def the_axis_is_logarithmic_over_five_decades(server):
    root = xml.etree.ElementTree.fromstring(_against(server, "&metric=test_accuracy&against=/optimizer/learning_rate&format=svg&group=/optimizer/type").decode())
    dots = [(float(e.get("cx")), float(e.get("cy"))) for e in root.iter() if e.get("class", "").startswith("dot c1")]
    gaps = [b[0] - a[0] for a, b in zip(dots, dots[1:])]
    equal(len(gaps), 3, "gaps")
    want(max(gaps) - min(gaps) <= 0.2, f"decades are equally wide: {gaps}")


def jobs_are_compared_while_they_run(server):
    job = server.job(endless())
    server.wait_until(job, lambda j: j["step"] >= 3000)
    found = server.get(f"/v1/compare?jobs={job}&metric=batch_loss")["series"][0]
    want(found["status"] == "running" and len(found["x"]) >= 3, f"{found['status']}, {len(found['x'])} points")
    point = server.get(f"/v1/compare?jobs={job}&metric=batch_loss&against=/training/batch_size")["points"][0]
    equal((point["x"], point["source"]), (32, "job"), "x and source")
    want(point["y"] is not None and math.isfinite(point["y"]), "the loss so far")
    queued = server.get(f"/v1/compare?jobs={job}&metric=test_loss&against=/training/batch_size")["points"][0]
    equal((queued["y"], queued["source"]), (None, None), "there is no test loss yet")
    server.ok("POST", f"/v1/jobs/{job}/cancel")


def nothing_new_is_304(server):
    first = server.call("GET", _path(server))
    equal(server.call("GET", _path(server), headers={"If-None-Match": first.headers["ETag"]}).status, 304, "the same again")
    want(server.call("GET", _path(server, "&align=epoch")).headers["ETag"] != first.headers["ETag"], "another query")
    want(server.call("GET", _path(server), headers={"Accept": "text/csv"}).headers["ETag"] != first.headers["ETag"], "another form")


def a_job_that_is_not_there_is_named(server):
    missing = "job_" + "0" * 20
    for jobs in (missing, _race(server)["jobs"][0]["id"] + "," + missing):
        includes(server.refuse(404, "not_found", "GET", f"/v1/compare?jobs={jobs}")["detail"], missing)
    server.refuse(404, "not_found", "GET", "/v1/compare?jobs=" + "x" * 100)
    gone = server.train(mlp())["id"]
    server.ok("DELETE", f"/v1/jobs/{gone}")
    includes(server.refuse(410, "deleted", "GET", f"/v1/compare?jobs={gone}")["detail"], gone)


@rows(("no jobs", "/v1/compare", "jobs"), ("none", "/v1/compare?jobs=", "jobs"), ("an empty one", "{}&jobs=", None), ("a comma too many", "{},", "jobs"), ("no such metric", "{}&metric=luck", "metric"),
      ("a figure without a curve", "{}&metric=test_loss", "metric"), ("no such x", "{}&align=weeks", "align"), ("a group alone", "{}&group=/optimizer/type", "group"),
      ("no pointer", "{}&against=learning_rate", "against"), ("a pointer to nothing", "{}&against=/luck", "against"), ("a group of nothing", "{}&against=/optimizer/type&group=/luck", "group"),
      ("align of points", "{}&against=/optimizer/type&align=step", "align"), ("smooth points", "{}&against=/optimizer/type&smooth=0.5", "smooth"), ("one point", "{}&max_points=1", "max_points"),
      ("no such scale", "{}&scale=square", "scale"), ("what it does not know", "{}&names=train_loss", "names"))
def what_cannot_be_compared_is_400(server, path, parameter):
    answer = server.call("GET", path.replace("{}", _path(server)))
    equal(answer.status, 400, answer.text)
    if parameter:
        equal([e["parameter"] for e in answer.json["errors"]], [parameter], "its errors")


def a_job_stands_once(server):
    one = _race(server)["jobs"][0]["id"]
    problem = server.refuse(400, "query_duplicate", "GET", f"/v1/compare?jobs={one},{one}")
    includes(problem["detail"], one)


def at_most_64_jobs_are_compared(server):
    ids = [f"job_{i:020d}" for i in range(65)]
    server.refuse(400, "query_invalid", "GET", "/v1/compare?jobs=" + ",".join(ids))
    server.refuse(404, "not_found", "GET", "/v1/compare?jobs=" + ",".join(ids[:64]))
