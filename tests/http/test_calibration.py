"""Calibration: its measures, temperatures fitted on validation rows and what they change, reliability diagrams.

An implementation of its own (here, from the textbook) computes the same from the exported weights.
"""
import hashlib
import json
import math
import random
import struct
import xml.etree.ElementTree

from harness import Server, equal, near, rows, want
from material import BLOBS, SPIRALS, endless, mlp, softmax

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests

BINS = 15


# ---- the other implementation ----

def _dense(layer, x):
    return [math.fsum(w * v for w, v in zip(weights, x)) + bias for weights, bias in zip(layer["weight"], layer["bias"])]


def _logits(export, features):
    scale = export["preprocessing"]
    x = [(v - s) * f for v, s, f in zip(features, scale["shift"], scale["factor"])]
    for layer in export["layers"]:
        x = _dense(layer, x) if layer["type"] == "dense" else [max(v, 0) for v in x]
    return x


def _softmax(z, temperature=1):
    most = max(z)
    e = [math.exp((v - most) / temperature) for v in z]
    return [v / math.fsum(e) for v in e]


def _bin(p):
    return next(m for m in range(BINS) if p <= (m + 1) / BINS or m == BINS - 1)


def _gaps(pairs, groups):
    """Share of the pairs (probability, success) and gap of each group."""
    found = {}
    for pair, group in zip(pairs, groups):
        found.setdefault(group, []).append(pair)
    return [(len(g) / len(pairs), abs(sum(s for _, s in g) - sum(p for p, _ in g)) / len(g)) for g in found.values()]


def _measures(logits, labels, temperature=1):
    probabilities = [_softmax(z, temperature) for z in logits]
    n, classes = len(labels), len(logits[0])
    pairs = [(max(p), p.index(max(p)) == y) for p, y in zip(probabilities, labels)]
    wide = _gaps(pairs, [_bin(p) for p, _ in pairs])
    even = _gaps(sorted(pairs, key=lambda pair: pair[0]), [m for m in range(BINS) for _ in range(n // BINS + (m < n % BINS))])
    by_class = [_gaps([(p[c], y == c) for p, y in zip(probabilities, labels)], [_bin(p[c]) for p in probabilities])
                for c in range(classes)]
    return {"samples": n,
            "confidence": math.fsum(p for p, _ in pairs) / n, "accuracy": sum(s for _, s in pairs) / n,
            "ece": math.fsum(s * g for s, g in wide), "mce": max(g for _, g in wide),
            "rmsce": math.sqrt(math.fsum(s * g * g for s, g in wide)),
            "ace": math.fsum(s * g for s, g in even),
            "classwise_ece": math.fsum(s * g for gaps in by_class for s, g in gaps) / classes,
            "brier": math.fsum((q - (c == y)) ** 2 for p, y in zip(probabilities, labels) for c, q in enumerate(p)) / n,
            "nll": -math.fsum(math.log(p[y]) for p, y in zip(probabilities, labels)) / n}


def _best_temperature(logits, labels):
    """By halving: the slope of the loss in 1/T only grows."""
    low, high = 0.01, 100.0
    for _ in range(100):
        b = math.sqrt(low * high)
        slope = math.fsum(math.fsum(p * v for p, v in zip(_softmax(z, 1 / b), z)) - z[y] for z, y in zip(logits, labels))
        low, high = (b, high) if slope < 0 else (low, b)
    return 1 / low


# ---- against it ----

def _overconfident(server, **changes):
    """A network that has learned by heart 420 rows of classes that overlap: (job, data set)."""
    draw = random.Random(5)
    table = "x,y,kind\n" + "".join(f"{draw.gauss(i % 3, 1):.4f},{draw.gauss(-(i % 3), 1):.4f},{'abc'[i % 3]}\n" for i in range(1050))
    data = server.ok("POST", "/v1/datasets", table, {"Content-Type": "text/csv"})["id"]
    job = server.train(mlp(data, (64,), split={"validation": 0.3, "test": 0.3}, **{"training": {"epochs": 120, "batch_size": 16, "seed": 3}, **changes}))
    return job, data


def _split_rows(server, job, data, split):
    """The features and labels of all rows of a split: hardest tells which they are."""
    found = server.get(f"/v1/jobs/{job['id']}/hardest?split={split}&k=1000")
    table = {}
    for offset in range(0, 1050, 100):
        for row in server.get(f"/v1/datasets/{data}/rows?offset={offset}&limit=100")["data"]:
            table[row["row"]] = row
    equal(len(found["data"]), found["samples"], "rows of the split")
    return [table[r["row"]] for r in sorted(found["data"], key=lambda r: r["row"])]


def measures_and_temperature_are_those_of_another_implementation(server):
    job, data = _overconfident(server)
    results = server.results(job["id"])
    export = server.get(f"/v1/models/{job['model']}/export?format=json")
    fit, known = results["calibration"], {}
    for split in ("validation", "test"):
        table = _split_rows(server, job, data, split)
        logits = [_logits(export, r["features"]) for r in table]
        labels = [export["classes"].index(r["label"]) for r in table]
        calibration = results["splits"][split]["calibration"]
        for temperature, got in ((1, calibration), (fit["temperature"], calibration["calibrated"])):
            known[split, temperature] = measures = _measures(logits, labels, temperature)
            for name, value in measures.items():
                near(got[name], value, 2e-5, f"{name} of {split} at {temperature}")
            near(got["gap"], measures["confidence"] - measures["accuracy"], 2e-5, "gap")
            equal((got["bin_count"], sum(b["count"] for b in got["bins"])), (BINS, len(table)), "bins and their rows")
        if split == "validation":
            near(fit["temperature"], _best_temperature(logits, labels), 1e-4 * fit["temperature"], "temperature")
            equal((fit["method"], fit["fitted_on"], fit["samples"], fit["at_limit"]), ("temperature", "validation", len(table), False), "fit")
            want(abs(fit["slope"]) < 1e-12 and fit["passes"] <= 12, f"an exact fit: {fit}")
            near(fit["nll_before"], known[split, 1]["nll"], 2e-5, "nll before")
            near(fit["nll_after"], known[split, fit["temperature"]]["nll"], 2e-5, "nll after")
            equal((fit["ece_before"], fit["ece_after"]), (calibration["ece"], calibration["calibrated"]["ece"]), "ece")
    want(fit["temperature"] > 1.2 and fit["nll_after"] < fit["nll_before"], f"it was overconfident: {fit}")
    test = results["splits"]["test"]["calibration"]
    want(test["calibrated"]["nll"] < test["nll"], f"it helps on the test split, too: {test['nll']}, then {test['calibrated']['nll']}")
    equal(server.get(f"/v1/models/{job['model']}")["calibration"], fit, "the model's")
    evaluation = server.ok("POST", f"/v1/models/{job['model']}/evaluate", {"dataset": data})
    equal((evaluation["calibration"]["temperature"], evaluation["calibration"]["calibrated"]["samples"]), (fit["temperature"], 1050), "evaluation")


# ---- what a temperature changes ----

def a_temperature_changes_probabilities_and_no_label(server):
    job, data = _overconfident(server)
    temperature = server.results(job["id"])["calibration"]["temperature"]
    instances = [r["features"] for r in server.get(f"/v1/datasets/{data}/rows?limit=100")["data"]]
    path = f"/v1/models/{job['model']}/predict"
    plain = server.ok("POST", path, {"instances": instances, "calibrated": False, "top_k": 3})
    calibrated = server.ok("POST", path, {"instances": instances, "top_k": 3})
    equal((plain["temperature"], calibrated["temperature"]), (None, temperature), "temperature that was applied")
    equal(server.ok("POST", path, {"instances": instances, "top_k": 3, "calibrated": True}), calibrated, "the default")
    for p, q in zip(plain["predictions"], calibrated["predictions"]):
        equal(p["label"], q["label"], "label")
        equal((p["top"][0]["label"], q["top"][0]["label"]), (p["label"], p["label"]), "the first of the top")
        powers = [v ** (1 / temperature) for v in p["probabilities"]]
        for got, power in zip(q["probabilities"], powers):
            near(got, power / sum(powers), 2e-5, "softmax(z / T)")
    want(plain["predictions"] != calibrated["predictions"], "probabilities are others")
    lines = server.call("POST", path, "\n".join(",".join(map(str, x)) for x in instances), {"Content-Type": "text/csv", "Accept": "text/csv"}).text.splitlines()
    for text, value in zip(lines[1].split(",")[1:], calibrated["predictions"][0]["probabilities"]):
        near(float(text), value, 1e-7, "as CSV")
    job_predictions = server.ok("POST", f"/v1/jobs/{job['id']}/predict", {"instances": instances, "top_k": 3})
    equal(job_predictions["predictions"], calibrated["predictions"], "through the job")


def a_snapshot_of_a_job_that_trains_has_no_temperature():
    with Server() as server:
        job = server.job({**endless(), "split": {"validation": 0.1}})
        server.wait_until(job, lambda view: view["status"] == "running")
        equal(server.ok("POST", f"/v1/jobs/{job}/predict", {"instances": [[0.5, 0.5]]})["temperature"], None, "temperature")
        server.ok("POST", f"/v1/jobs/{job}/stop")
        done = server.wait(job)
        want(server.get(f"/v1/models/{done['model']}")["calibration"]["temperature"] > 0, "a stopped job's model is calibrated")


def a_model_keeps_its_digest_and_exports_its_temperature(server):
    spec = mlp(SPIRALS, split={"validation": 0.2})
    without, fitted = (server.train({**spec, "calibration": method}) for method in ("none", "temperature"))
    equal(without["digest"], fitted["digest"], "digest with and without")
    equal((server.get(f"/v1/models/{without['model']}")["calibration"], server.results(without["id"])["calibration"]), (None, None), "calibration of the one without")
    want("calibrated" not in server.results(without["id"])["splits"]["validation"]["calibration"], "nothing is calibrated")
    temperature = server.get(f"/v1/models/{fitted['model']}")["calibration"]["temperature"]
    for job, told in ((without, None), (fitted, temperature)):
        raw = server.get(f"/v1/models/{job['model']}/export?format=safetensors")
        size = struct.unpack("<Q", raw[:8])[0]
        header = json.loads(raw[8:8 + size])["__metadata__"]
        equal(float(header["temperature"]) if "temperature" in header else None, told, "in the safetensors file")
        equal(hashlib.sha256(raw[8 + size:]).hexdigest(), job["digest"]["parameters_sha256"], "hash of the data")
        equal(server.get(f"/v1/models/{job['model']}/export?format=json")["temperature"], told, "in the JSON export")


def the_temperature_is_the_same_for_any_number_of_threads_and_from_the_spec(server):
    spec = mlp({**SPIRALS, "n": 5000}, (64,), split={"validation": 0.3}, training={"epochs": 5, "batch_size": 64, "seed": 9})
    jobs = [server.train({**spec, "resources": {"threads": threads}}) for threads in (1, 2, 5)]
    jobs.append(server.train(server.get(f"/v1/jobs/{jobs[0]['id']}/spec")))
    found = [server.results(job["id"]) for job in jobs]
    for other in found[1:]:
        equal(other["calibration"], found[0]["calibration"], "fit")
        equal(other["splits"], found[0]["splits"], "measures")


def a_model_that_begins_with_another_gets_a_temperature_of_its_own(server):
    first = server.train(softmax(BLOBS, split={"validation": 0.3}))
    server.get(f"/v1/models/{first['model']}")["calibration"]["temperature"]
    again = server.train(softmax(BLOBS, init={"model": first["model"]}))
    equal(server.get(f"/v1/models/{again['model']}")["calibration"], None, "without validation rows it has none")


def rows_that_are_all_right_end_at_the_limit(server):
    table = "x,kind\n" + "".join(f"{5 * (i % 2) + i / 1000},{'ab'[i % 2]}\n" for i in range(100))
    data = server.ok("POST", "/v1/datasets", table, {"Content-Type": "text/csv"})["id"]
    fit = server.results(server.train(softmax(data, split={"validation": 0.3}))["id"])["calibration"]
    equal((fit["temperature"], fit["at_limit"]), (0.01, True), "temperature")
    want(fit["nll_after"] < fit["nll_before"], f"less loss: {fit}")


# ---- asking for one ----

def the_default_depends_on_validation_rows(server):
    for split, method in ((None, "none"), ({"validation": 0.2}, "temperature")):
        spec = softmax(**({"split": split} if split else {}))
        equal(server.ok("POST", "/v1/jobs?validate_only=true", spec)["spec"]["calibration"], method, f"with {split}")
        equal(server.ok("POST", "/v1/jobs?validate_only=true", {**spec, "calibration": "none"})["spec"]["calibration"], "none", "none")


def a_temperature_without_validation_rows_is_refused(server):
    server.refuse(422, "conflicting_fields", "POST", "/v1/jobs", softmax(calibration="temperature"), pointer="/calibration")
    server.refuse(422, "conflicting_fields", "POST", "/v1/jobs", softmax(calibration="temperature", split={"test": 0.2}), pointer="/calibration")


@rows(("unknown", "platt", "unknown_value"), ("a number", 3, "type_mismatch"), ("an object", {"type": "temperature"}, "type_mismatch"), ("null", None, "type_mismatch"))
def other_calibrations_are_refused(server, value, code):
    server.refuse(422, code, "POST", "/v1/jobs", softmax(split={"validation": 0.2}, calibration=value), pointer="/calibration")


def a_rerun_with_other_rows_resolves_its_calibration_anew(server):
    job = server.train(softmax(split={"validation": 0.3}))
    again = server.ok("POST", f"/v1/jobs/{job['id']}/rerun", {"split": None}, status=201)["id"]
    server.wait(again)
    equal(server.get(f"/v1/jobs/{again}/spec")["calibration"], "none", "calibration")


def a_restart_keeps_temperatures():
    with Server() as server:
        job = server.train(mlp(SPIRALS, split={"validation": 0.2}))
        path, body = f"/v1/models/{job['model']}/predict", {"instances": [[0.3, -0.2]]}
        before = server.ok("POST", path, body)
        server.restart(kill=True)
        equal(server.ok("POST", path, body), before, "predictions")
        want(before["temperature"] is not None, "with a temperature")


# ---- pictures ----

def _svg(answer):
    equal((answer.status, answer.media), (200, "image/svg+xml"), "answer")
    root = xml.etree.ElementTree.fromstring(answer.text)
    equal(root.tag, "{http://www.w3.org/2000/svg}svg", "root")
    return ["".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")]


def reliability_is_drawn_before_and_after_the_temperature(server):
    job, data = _overconfident(server)
    for path, headers in ((f"/v1/jobs/{job['id']}/results?format=svg", {}), (f"/v1/jobs/{job['id']}/results", {"Accept": "image/svg+xml"})):
        texts = _svg(server.call("GET", path, headers=headers))
        want(any(t.startswith("test split, 315 rows") for t in texts), f"of the test split: {texts}")
        want(sum("ECE" in t for t in texts) == 2, f"both: {texts}")
    calibration = server.results(job["id"])["splits"]["test"]["calibration"]
    want(any(f"ECE {calibration['ece']:.4f}" in t for t in texts) and any(f"ECE {calibration['calibrated']['ece']:.4f}" in t for t in texts), f"their ECE: {texts}")
    texts = _svg(server.call("POST", f"/v1/models/{job['model']}/evaluate?format=svg", {"dataset": data}))
    want(any("1,050 rows" in t for t in texts), f"of the whole data set: {texts}")


@rows(("validation", {"validation": 0.5}, "validation split, 150 rows"), ("none", {}, "training split, 300 rows"))
def without_a_test_split_another_one_is_drawn(server, split, text):
    job = server.train(softmax(split=split))
    texts = _svg(server.call("GET", f"/v1/jobs/{job['id']}/results?format=svg"))
    want(any(t.startswith(text) for t in texts), f"{texts}")
    equal(sum("ECE" in t for t in texts), 2 if split else 1, "diagrams")


def pictures_are_refused_like_results():
    with Server() as server:
        job = server.job(endless())
        for path in (f"/v1/jobs/{job}/results", f"/v1/jobs/{job}/results?format=svg"):
            server.refuse(409, "results_not_ready", "GET", path)
        server.refuse(400, "query_invalid", "GET", f"/v1/jobs/{job}/results?format=png")
        server.refuse(406, "not_acceptable", "GET", f"/v1/jobs/{job}/results", headers={"Accept": "image/png"})
        server.refuse(404, "not_found", "GET", "/v1/jobs/job_aaaaaaaaaaaaaaaaaaaa/results?format=svg")
        server.ok("POST", f"/v1/jobs/{job}/cancel")
