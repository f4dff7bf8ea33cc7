"""Curves in every form, thinned out without losing what matters."""
import csv
import io
import json
import re
import xml.etree.ElementTree

from harness import equal, includes, near, rows, want
from material import BLOBS, mlp, softmax

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it


def _job(server):
    """A job with 200 logged steps and a validation split; trained once for all."""
    if not hasattr(server, "curves_job"):
        spec = mlp(BLOBS, (16,), split={"validation": 0.2}, training={"epochs": 25, "batch_size": 30, "seed": 1, "log_every_steps": 1})
        server.curves_job = server.train(spec)["id"]
    return f"/v1/jobs/{server.curves_job}/metrics"


def columns_begin_with_step_epoch_seconds(server):
    found = server.get(_job(server) + "?downsample=none")
    equal(found["columns"][:3], ["step", "epoch", "seconds"], "columns")
    includes(found["columns"], "batch_loss", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate", "gradient_norm", "step_size", what="columns")
    steps = [row[0] for row in found["data"]]
    equal(steps, sorted(set(steps)), "steps rise")
    equal((found["total_points"], found["last_step"], len(steps)), (200, 200, 200), "points")
    seconds = [row[2] for row in found["data"]]
    equal(seconds, sorted(seconds), "seconds never fall")
    want(all(len(row) == len(found["columns"]) for row in found["data"]), "rows are as wide as the header")


def every_point_has_the_gradients_norm_and_the_steps_size(server):
    found = server.get(_job(server) + "?downsample=none&names=gradient_norm,step_size,batch_loss")
    for row in found["data"]:
        values = dict(zip(found["columns"], row))
        want(values["gradient_norm"] > 0 and values["step_size"] > 0 and values["batch_loss"] > 0, f"row {values}")


def names_choose_the_series(server):
    found = server.get(_job(server) + "?names=validation_loss,train_loss")
    equal(set(found["columns"]), {"step", "epoch", "seconds", "train_loss", "validation_loss"}, "columns")
    server.refuse(400, "query_invalid", "GET", _job(server) + "?names=luck")


def the_four_forms_tell_the_same(server):
    path = _job(server) + "?names=train_loss,batch_loss&downsample=none&format="
    columns = server.get(path + "json")
    table = list(csv.reader(io.StringIO(server.get(path + "csv").decode())))
    lines = [json.loads(line) for line in server.get(path + "ndjson").decode().splitlines()]
    equal(table[0], columns["columns"], "header")
    equal(len(table) - 1, len(columns["data"]), "rows")
    equal(len(lines), len(columns["data"]), "lines")
    for i, row in enumerate(columns["data"]):
        for name, value, text in zip(columns["columns"], row, table[i + 1]):
            equal(float(text) if text else None, value, f"csv row {i}, {name}")
            equal(lines[i].get(name), value, f"ndjson row {i}, {name}")


@rows(("json", "json", "application/json"), ("csv", "csv", "text/csv"), ("ndjson", "ndjson", "application/x-ndjson"), ("svg", "svg", "image/svg+xml"),
      ("ascii", "ascii", "text/plain"))
def the_form_follows_the_accept_header_too(server, form, media):
    answer = server.call("GET", _job(server), headers={"Accept": media})
    equal((answer.media, answer.headers["Vary"]), (media, "Accept"), "by Accept")
    equal(server.call("GET", _job(server) + "?format=" + form).media, media, "by format=")


def a_picture_is_well_formed_and_draws_every_series(server):
    root = xml.etree.ElementTree.fromstring(server.get(_job(server) + "?format=svg&names=train_loss,validation_loss").decode())
    equal(root.tag, "{http://www.w3.org/2000/svg}svg", "root")
    lines = [e for e in root.iter() if e.tag.endswith(("}polyline", "}path"))]
    want(len(lines) >= 2, f"{len(lines)} lines")
    text = " ".join(e.text or "" for e in root.iter())
    includes(text, "train_loss", "validation_loss", "step", what="picture's text")
    want("nan" not in text.lower() and "script" not in text, "odd text")


@rows(("40", 40), ("80", 80), ("200", 200))
def a_terminal_chart_keeps_to_its_width(server, width):
    lines = server.get(_job(server) + f"?format=ascii&width={width}").decode().splitlines()
    want(len(lines) > 5 and max(map(len, lines)) <= width, f"{len(lines)} lines of at most {max(map(len, lines))}")


def thinning_out_keeps_ends_and_extremes(server):
    path = _job(server) + "?names=batch_loss"
    everything = server.get(path + "&downsample=none")["data"]
    few = server.get(path + "&max_points=20&downsample=minmax")
    want(len(few["data"]) <= 20 and few["total_points"] == len(everything), f"{len(few['data'])} points of {few['total_points']}")
    equal((few["data"][0], few["data"][-1]), (everything[0], everything[-1]), "ends")
    losses = [row[3] for row in everything]
    kept = [row[3] for row in few["data"]]
    equal((min(kept), max(kept)), (min(losses), max(losses)), "extremes")


def without_thinning_pages_go_on_after_a_step(server):
    path = _job(server) + "?names=batch_loss&downsample=none&max_points=60"
    got, after = [], 0
    while True:
        page = server.get(path + f"&after_step={after}")
        got += page["data"]
        if not page["data"] or got[-1][0] >= page["last_step"]:
            break
        after = got[-1][0]
    equal([row[0] for row in got], list(range(1, 201)), "steps")


def smoothing_takes_the_noise_and_leaves_the_level(server):
    path = _job(server) + "?names=batch_loss&downsample=none"
    raw = [r[3] for r in server.get(path)["data"]]
    smooth = [r[3] for r in server.get(path + "&smooth=0.9")["data"]]
    rough = lambda v: sum(abs(a - b) for a, b in zip(v, v[1:]))
    want(rough(smooth) < rough(raw), "it is smoother")
    near(smooth[0], raw[0], 1e-12, "the first value, bias-corrected")
    server.refuse(400, "query_invalid", "GET", path + "&smooth=1")


def numbers_keep_all_their_digits(server):
    raw = server.call("GET", _job(server) + "?downsample=none").text
    longest = max(re.findall(r"-?\d+\.\d+(?:e-?\d+)?", raw), key=len)
    want(len(longest) >= 15, f"the longest number is {longest}")


def what_is_not_finite_is_null_in_json_and_named(server):
    huge = "".join(f"{i % 7},{i * 3 % 5},{'high' if i % 7 > 3 else 'low'}\n" for i in range(30)) + "3e38,-3e38,high\n-3e38,3e38,low\n"
    data = server.ok("POST", "/v1/datasets", huge, {"Content-Type": "text/csv"})["id"]
    # with this seed both rows that overflow are among the eight kept for validation: training never sees them
    spec = mlp(data, (8,), preprocessing="none", split={"validation": 0.3, "stratified": True}, optimizer={"type": "sgd", "learning_rate": 0.5},
               training={"epochs": 3, "batch_size": 4, "seed": 1, "log_every_steps": 1})
    job = server.train(spec)
    equal(job["latest"]["validation_loss"], None, "the job's latest")
    equal(server.results(job["id"])["splits"]["validation"]["loss"], None, "the results'")
    path = f"/v1/jobs/{job['id']}/metrics?downsample=none&names=validation_loss,train_loss&format="
    found = server.get(path + "json")
    equal((found["columns"][3:], [row[0] for row in found["data"]], found["nonfinite"]), (["train_loss", "validation_loss"], [6, 12, 18], [6, 12, 18]), "columns, steps, and those that are not finite")
    want(all(row[3] > 0 and row[4] is None for row in found["data"]), f"rows {found['data']}")
    lines = [json.loads(line, parse_constant=lambda word: want(False, word)) for line in server.get(path + "ndjson").decode().splitlines()]
    equal([line.get("validation_loss") for line in lines], [None] * 3, "ndjson")
    table = list(csv.DictReader(io.StringIO(server.get(path + "csv").decode())))
    equal([row["validation_loss"] for row in table], ["inf"] * 3, "csv, which has no other place to say so")
    for form in ("svg", "ascii"):
        text = server.call("GET", path + form).text.lower()
        want(not re.search(r"\b(nan|inf|infinity)\b", text), f"{form} has a number that is none")


def a_loss_that_only_the_end_finds_out_fails_the_job(server):
    spec = mlp(BLOBS, (8,), optimizer={"type": "adam", "learning_rate": 1e30}, split={"validation": 0.2}, stop={"max_steps": 1})
    job = server.wait(server.job(spec), "failed")
    equal((job["error"]["code"], job["error"]["step"], job["model"]), ("diverged", 1, None), "error, step and model")
    curve = server.get(f"/v1/jobs/{job['id']}/metrics?names=validation_loss")
    equal([curve["data"][0][3], curve["nonfinite"]], [None, [1]], "the validation loss and the steps that are not finite")


def a_job_without_points_has_empty_curves(server):
    path = _job(server) + "?after_step=9007199254740991&format="
    found = server.get(path + "json")
    equal((found["data"], found["nonfinite"], found["last_step"]), ([], [], 200), "nothing behind the end")
    equal(server.get(path + "ndjson"), b"", "ndjson")
    equal(server.get(path + "csv").decode().splitlines()[1:], [], "rows of csv")
    xml.etree.ElementTree.fromstring(server.get(path + "svg").decode())
    want(server.get(path + "ascii"), "a chart says that it is empty")


@rows(("one point", "max_points=1"), ("no method", "downsample=max"), ("smooth of 1", "smooth=1"), ("negative smooth", "smooth=-0.1"), ("no number", "smooth=x"), ("negative step", "after_step=-1"),
      ("unknown form", "format=xml"), ("too narrow", "format=ascii&width=39"), ("too wide", "format=ascii&width=201"), ("no series", "names="), ("a series twice", "names=train_loss,train_loss"),
      ("unknown series", "names=train_loss,luck"))
def what_a_curve_cannot_be_is_400(server, query):
    problem = server.refuse(400, "query_invalid", "GET", _job(server) + "?" + query)
    equal([e["parameter"] for e in problem["errors"]], [query.split("&")[-1].partition("=")[0]], "its errors")


def the_hard_cap_of_points_is_10000(server):
    found = server.get(_job(server) + "?downsample=none&max_points=99999999")
    equal(len(found["data"]), 200, "points: all that there are")
    equal(len(server.get(_job(server) + "?downsample=none&max_points=2")["data"]), 2, "points of 2")


@rows(("by quality", "text/csv;q=0.5, image/svg+xml", "image/svg+xml"), ("any text", "text/*", "text/csv"), ("anything", "*/*", "application/json"), ("anything but", "application/json;q=0, */*;q=0.1", "text/csv"),
      ("nothing said", "", "application/json"))
def the_accept_header_is_read_as_rfc_9110_has_it(server, accept, media):
    equal(server.call("GET", _job(server), headers={"Accept": accept}).media, media, f"Accept: {accept}")


@rows(("nothing of it", "image/png"), ("refused", "*/*;q=0"), ("no list", "garbage"))
def an_accept_header_without_any_of_the_forms_is_406(server, accept):
    problem = server.refuse(406, "not_acceptable", "GET", _job(server), headers={"Accept": accept})
    includes(problem["detail"], "application/json", "text/csv", "application/x-ndjson", "image/svg+xml", "text/plain", what="the forms")
    equal(server.call("GET", _job(server) + "?format=csv", headers={"Accept": accept}).media, "text/csv", "format= beats it")
