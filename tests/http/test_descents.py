"""Descents on landscapes: the optimizers' traces, what slides show about saddles, canyons and noise, pictures, refusals."""
import math
import os
import pathlib
import xml.etree.ElementTree

from harness import MODE, ROOT, equal, includes, near, rows, want

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests

ROSENBROCK = "/v1/landscapes/rosenbrock/descents"
FORMULA = "/v1/landscapes/descents"
GD = {"type": "sgd", "learning_rate": 0.1}
CANYON = {"f": "0.5*(x^2 + 100*y^2)", "start": [10, 1]}
FLAGS = ("amsgrad", "centered")
SVG = "{http://www.w3.org/2000/svg}"


def _descend(server, spec, path=FORMULA):
    """The descents of an answer; `optimizers` may be one."""
    optimizers = spec["optimizers"]
    return server.ok("POST", path, {**spec, "optimizers": optimizers if isinstance(optimizers, list) else [optimizers]})["descents"]


def _traces():
    """(name, optimizer, {updates: (x, y)}) of those that are known at the served point."""
    traces = []
    for line in (ROOT / "tests/golden/optimizer_traces.txt").read_text().splitlines():
        words = line.split()
        if line.startswith("trace"):
            optimizer = {"type": words[2]}
            for key, value in (word.split("=") for word in words[4:]):
                optimizer[key] = bool(int(value)) if key in FLAGS else float(value)
            if "nesterov" in optimizer:
                optimizer["nesterov"] = [False, "lecture", "lookahead"][int(optimizer["nesterov"])]
            if words[2] == "adamw":
                optimizer.setdefault("weight_decay", 0)
            traces.append((words[1], optimizer, {}, words[3] == "served"))
        elif words and words[0].isdigit():
            traces[-1][2][int(words[0])] = (float(words[1]), float(words[2]))
    return [t[:3] for t in traces if t[3]]


def every_optimizer_follows_its_trace(server):
    traces = _traces()
    want(len(traces) >= 16, f"{len(traces)} traces")
    for name, optimizer, points in traces:
        path = _descend(server, {"start": [-1.2, 1], "steps": 200, "optimizers": optimizer}, ROSENBROCK)[0]["path"]
        equal(len(path), 201, "rows")
        for k, place in points.items():
            for got, wanted in zip(path[k], place):
                near(got, wanted, 1e-12 * abs(wanted), f"{name} after {k} updates")


def a_row_is_x_y_f_and_the_gradients_norm(server):
    found = _descend(server, {**CANYON, "steps": 30, "optimizers": {**GD, "learning_rate": 0.015}})[0]
    for (x, y, f, norm), size, before in zip(found["path"][1:], found["step_sizes"], found["path"]):
        near(f, 0.5 * (x * x + 100 * y * y), 1e-12 * f, "f")
        near(norm, math.hypot(x, 100 * y), 1e-12 * norm, "gradient norm")
        near(size, math.hypot(x - before[0], y - before[1]), 1e-12, "step size")
        near(size, 0.015 * before[3], 1e-12, "step size of gradient descent")
    equal(len(found["step_sizes"]), 30, "step sizes")


def the_answer_has_the_optimizer_with_every_default(server):
    answer = server.ok("POST", ROSENBROCK, {"optimizers": [{"type": "adam"}, {"type": "adam", "name": "mine", "schedule": {"type": "cosine"}}]})
    includes(answer, "object", "landscape", "f", "box", "steps", "every", "noise", "seed")
    equal((answer["landscape"], answer["steps"], answer["every"]), ("rosenbrock", 500, 1), "defaults")
    first, second = answer["descents"]
    includes(first["optimizer"], "type", "learning_rate", "beta1", "beta2", "epsilon", "amsgrad", "weight_decay")
    equal((first["name"], second["name"]), ("adam", "mine"), "names")
    equal(second["optimizer"]["schedule"]["type"], "cosine", "schedule")
    equal(_descend(server, {"optimizers": first["optimizer"]}, ROSENBROCK)[0]["path"], first["path"], "posted again")


# ---- saddles ----


def a_saddle_holds_who_comes_along_its_ridge(server):
    spec = {"starts": [[1, 0], [1, 1e-6]], "steps": 1000, "optimizers": GD}
    held, free = _descend(server, spec, "/v1/landscapes/saddle_escape/descents")
    want(all(row[1] == 0 for row in held["path"]), "y stays 0, exactly")
    equal((held["end"]["type"], held["end"]["nearest"]["type"]), ("saddle", "saddle"), "end of the held one")
    near(held["end"]["eigenvalues"][0], -1, 1e-9, "the downward curvature")
    equal(next(k for k, row in enumerate(free["path"]) if row[1] >= 0.5), 139, "updates until y >= 0.5")
    equal((free["end"]["type"], free["end"]["nearest"]["type"]), ("minimum", "minimum"), "end of the free one")
    near(held["rate"]["measured"], 0.9, 1e-3, "rate into the saddle")
    equal(held["rate"]["theory"], None, "theory at a saddle")


def a_small_gradient_ends_a_descent_even_on_a_saddle(server):
    found = _descend(server, {"start": [1, 0], "steps": 10000, "gradient_norm": 1e-8, "optimizers": GD}, "/v1/landscapes/saddle/descents")[0]
    equal((found["stop_reason"], found["end"]["type"]), ("gradient_norm", "saddle"), "stop")
    want(found["end"]["gradient_norm"] <= 1e-8 < found["path"][-2][3], "it ends as soon as it may")
    equal(found["steps"], len(found["path"]) - 1, "steps")


# ---- rates ----


@rows(
    ("gd", {"learning_rate": 2 / 101}, 99 / 101, 99 / 101),
    ("momentum", {"learning_rate": 4 / 121, "momentum": (9 / 11) ** 2}, 9 / 11, 9 / 11),
    ("lookahead", {"learning_rate": 0.01, "momentum": 9 / 11, "nesterov": "lookahead"}, 0.9, 1 - 2 / math.sqrt(301)),
    ("lecture", {"learning_rate": 0.011556228313303236, "momentum": 0.8081126583634153, "nesterov": "lecture"}, 0.8925001008684044, 0.8925001008684044),
)
def a_canyons_measured_rate_stands_beside_theorys(server, optimizer, rate, best):
    found = _descend(server, {**CANYON, "steps": 3000, "path": False, "optimizers": {"type": "sgd", **optimizer}})[0]
    near(found["rate"]["measured"], rate, 0.01 * rate, "measured")
    near(found["rate"]["theory"]["rate"], rate, 1e-6, "theory")
    near(found["rate"]["theory"]["condition_number"], 100, 1e-9, "condition number")
    near(found["rate"]["theory"]["best"]["rate"], best, 1e-6, "the best rate there is")
    want("path" not in found, "path: false")


@rows(
    ("gd", {}, 2),
    ("momentum 0.9", {"momentum": 0.9}, 3.8),
    ("lookahead 0.9", {"momentum": 0.9, "nesterov": "lookahead"}, 3.8 / 2.8),
    ("lecture 0.9", {"momentum": 0.9, "nesterov": "lecture"}, 3.8 / 3),
    ("lecture 0.5", {"momentum": 0.5, "nesterov": "lecture"}, 1),
)
def divergence_begins_where_theory_says(server, optimizer, limit):
    below, above = _descend(server, {**CANYON, "steps": 10000, "path": False, "optimizers": [
        {"type": "sgd", "learning_rate": 0.995 * limit / 100, **optimizer}, {"type": "sgd", "learning_rate": 1.005 * limit / 100, **optimizer}]})
    near(below["rate"]["theory"]["largest_learning_rate"], limit / 100, 1e-12, "largest learning rate")
    want(below["end"]["f"] < 1e-6 and below["rate"]["measured"] < 1, f"just below it converges: {below}")
    want(above["end"]["f"] > 1e6 and above["rate"]["measured"] > 1, f"just above it diverges: {above}")


def what_diverges_ends_with_finite_numbers(server):
    found = _descend(server, {"start": [-1.2, 1], "steps": 10000, "every": 1, "optimizers": {**GD, "learning_rate": 1}}, ROSENBROCK)[0]
    equal(found["stop_reason"], "diverged", "stop")
    want(found["steps"] < 20 and len(found["path"]) == found["steps"] + 1, f"{found['steps']} steps")
    want(all(math.isfinite(number) for row in found["path"] for number in row), "finite")


def momentum_is_ten_times_as_fast_on_a_slope(server):
    plain, heavy = _descend(server, {"f": "3*x + 4*y", "start": [0, 0], "steps": 500, "optimizers": [GD, {**GD, "momentum": 0.9}]})
    near(plain["step_sizes"][-1], 0.5, 1e-9, "speed of gradient descent: alpha |g|")
    near(heavy["step_sizes"][-1], 5, 1e-9, "terminal speed")


# ---- noise ----


def noise_is_the_seeds_and_fair_to_all_optimizers(server):
    spec = {"f": "0*x", "start": [0, 0], "steps": 20, "noise": 1, "seed": 4}
    one, two = _descend(server, {**spec, "optimizers": [{**GD, "learning_rate": 1}, {**GD, "learning_rate": 2}]})
    alone = _descend(server, {**spec, "optimizers": {**GD, "learning_rate": 2}})[0]
    equal(two["path"], alone["path"], "another optimizer changes nothing")
    for a, b in zip(one["path"], two["path"]):
        near(2 * a[0], b[0], 1e-12, "the same noise")
    other = _descend(server, {**spec, "seed": 5, "optimizers": {**GD, "learning_rate": 2}})[0]
    want(other["path"][1] != two["path"][1], "another seed is other noise")
    twins = _descend(server, {**{k: v for k, v in spec.items() if k != "start"}, "starts": [[0, 0], [0, 0]], "optimizers": GD})
    want(twins[0]["path"][1] != twins[1]["path"][1], "each start has noise of its own")


def noise_frees_gradient_descent_from_local_minima(server):
    """Kleinberg, Li, Yuan 2018, 4.1: x <- x - eta f'(x) - u with u uniform in [-s, s], hence noise s / eta."""
    share = {}
    for s in (0, 0.15, 1):
        ends = _descend(server, {"f": "0.5*x^2 + 0.5*(1 - cos(4*pi*x))", "starts": {"random": 500, "box": [[-5, 5], [-1, 1]]}, "steps": 2000,
                                 "seed": 3, "noise": s / 0.01, "path": False, "optimizers": {**GD, "learning_rate": 0.01}})
        share[s] = sum(abs(d["end"]["x"]) < 1.5 for d in ends) / len(ends)
        want(s == 0 or ends[0]["rate"]["measured"] is None, "noise has no rate")
    near(share[0], 0.33, 0.07, "without noise it stays where it starts")
    want(share[0.15] > 0.95, f"with noise nearly all come to the middle: {share}")
    near(share[1], 0.285, 0.07, "too much noise is a random walk")


# ---- formulas, boxes, sizes ----


def critical_points_of_a_formula_are_known_in_its_box(server):
    spec = {"f": "(x^2 - 1)^2 + y^2", "start": [0.3, 1], "steps": 2000, "optimizers": GD}
    whole = server.ok("POST", FORMULA, {**spec, "optimizers": [GD]})
    equal((whole["descents"][0]["end"]["nearest"], whole["known_critical_points"]), (None, None), "without a box")
    whole = server.ok("POST", FORMULA, {**spec, "optimizers": [GD], "box": [[-2, 2], [-2, 2]]})
    equal(whole["known_critical_points"], {"count": 3, "complete": True}, "what is known in the box")
    end = whole["descents"][0]["end"]
    near(end["nearest"]["x"], 1, 1e-12, "nearest")
    want(end["nearest"]["distance"] < 1e-9 and end["nearest"]["type"] == "minimum", f"nearest {end}")


def long_paths_are_thinned_out_unless_told_otherwise(server):
    answer = server.ok("POST", ROSENBROCK, {"steps": 100000, "optimizers": [{**GD, "learning_rate": 0.001}] * 2})
    want(answer["every"] > 1, "every")
    for found in answer["descents"]:
        want(len(found["path"]) <= 10001, f"{len(found['path'])} rows")
        equal(found["path"][-1][:2], [found["end"]["x"], found["end"]["y"]], "the last row is there")
    found = server.ok("POST", ROSENBROCK, {"steps": 1000, "every": 300, "optimizers": [{**GD, "learning_rate": 0.001}]})
    equal(len(found["descents"][0]["path"]), 5, "rows after 0, 300, 600, 900, 1000 updates")


def _processor_seconds(server):
    """What the server has used so far: unlike a clock's, it is the same on a busy machine."""
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ten_thousand_steps_of_eight_optimizers_cost_a_fraction_of_a_second(server):
    types = ("sgd", "rmsprop", "nadam", "radam", "schedule_free_adamw")
    spec = {"steps": 10000, "optimizers": [{"type": t, "learning_rate": 0.0005} for t in types] + [
        {"type": "sgd", "learning_rate": 0.0005, "momentum": 0.9, "nesterov": n} for n in (False, "lecture", "lookahead")]}
    before = _processor_seconds(server)
    for _ in range(3):
        equal(len(_descend(server, spec, ROSENBROCK)), 8, "descents")
    used = (_processor_seconds(server) - before) / 3
    want(MODE != "release" or used < 0.5, f"{used:.2f} s of a processor")


def the_same_request_gets_the_same_bytes(server):
    spec = {"starts": {"random": 7}, "noise": {"type": "normal", "scale": 0.1}, "steps": 50, "optimizers": [GD, {"type": "adam"}]}
    one, two = (server.call("POST", "/v1/landscapes/himmelblau/descents", spec).body for _ in range(2))
    equal(one, two, "bytes")


# ---- pictures ----


def _picture(server, path, spec, **headers):
    answer = server.call("POST", path, spec, headers)
    equal((answer.status, answer.media), (200, "image/svg+xml"), "answer")
    return xml.etree.ElementTree.fromstring(answer.body), answer.text


def a_picture_has_contours_paths_and_a_legend(server):
    spec = {"steps": 100, "arrows": 10, "optimizers": [{**GD, "learning_rate": 0.001}, {"type": "adam", "name": "Adam and co"}]}
    root, text = _picture(server, ROSENBROCK + "?format=svg", spec)
    classes = [e.get("class", "") for e in root.iter()]
    want(classes.count("contour") >= 15 and "area" in classes, "contours")
    equal((classes.count("halo"), classes.count("line c0"), classes.count("line c1")), (2, 2, 2), "paths and their legend")
    want(classes.count("arrow") >= 5, "arrows")
    includes(text, "Rosenbrock", "(1 - x)^2 + 100*(y - x^2)^2", ">sgd<", ">Adam and co<", ">minimum<", "prefers-color-scheme", what="picture")
    equal(_picture(server, ROSENBROCK, spec, Accept="image/svg+xml")[1], text, "by Accept")


def a_picture_of_many_starts_shows_ends(server):
    root, _ = _picture(server, "/v1/landscapes/six_hump_camel/descents?format=svg", {"starts": {"random": 60}, "path": False, "optimizers": [GD | {"learning_rate": 0.01}]})
    classes = [e.get("class", "") for e in root.iter()]
    equal(classes.count("halo"), 0, "paths")
    equal(classes.count("start many"), 60, "starts")
    want(classes.count("dot f0") == 61, "ends, and one in the legend")


def a_formula_without_a_box_is_drawn_around_its_paths(server):
    root, _ = _picture(server, FORMULA + "?format=svg", {**CANYON, "start": [1000, 1], "steps": 10, "optimizers": [{**GD, "learning_rate": 0.01}]})
    start = next(e for e in root.iter() if e.get("class") == "start")
    want(300 < float(start.get("cx")) < 600, "the start is in the picture")
    for f, start in (("1/x", [1, 1]), ("log(x)", [1e-3, 0]), ("x^2", [0, 0]), ("3", [1, 1]), ("log(-1)", [1, 1])):
        _picture(server, FORMULA + "?format=svg", {"f": f, "start": start, "steps": 5, "optimizers": [GD]})


def a_grid_is_drawn_with_its_critical_points(server):
    answer = server.call("GET", "/v1/landscapes/himmelblau/grid?format=svg")
    equal((answer.status, answer.media), (200, "image/svg+xml"), "answer")
    classes = [e.get("class", "") for e in xml.etree.ElementTree.fromstring(answer.body).iter()]
    equal((classes.count("star"), classes.count("cross")), (4 + 1, 4 + 1), "minima and saddles, each once more in the legend")


# ---- refusals ----


@rows(
    ("no such landscape", "/v1/landscapes/rosenbruck/descents", {"optimizers": [GD]}, 404, "not_found", None),
    ("no optimizers", ROSENBROCK, {}, 422, "missing_field", "/optimizers"),
    ("a misspelt type", ROSENBROCK, {"optimizers": [{"type": "sdg"}]}, 422, "unknown_value", "/optimizers/0/type"),
    ("a rule of whole layers", ROSENBROCK, {"optimizers": [{"type": "muon"}]}, 422, "not_supported", "/optimizers/0/type"),
    ("a formula with a hole", FORMULA, {"f": "x+*y", "start": [1, 1], "optimizers": [GD]}, 422, "formula_invalid", "/f"),
    ("no formula", FORMULA, {"start": [1, 1], "optimizers": [GD]}, 422, "missing_field", "/f"),
    ("a formula on a landscape", ROSENBROCK, {"f": "x", "optimizers": [GD]}, 422, "unknown_field", "/f"),
    ("half a start", ROSENBROCK, {"start": [1], "optimizers": [GD]}, 422, "out_of_range", "/start"),
    ("too many steps", ROSENBROCK, {"steps": 100001, "optimizers": [GD]}, 422, "out_of_range", "/steps"),
    ("too much work", ROSENBROCK, {"steps": 100000, "starts": {"random": 5000}, "optimizers": [GD]}, 422, "out_of_range", "/steps"),
    ("too many rows", ROSENBROCK, {"steps": 100000, "every": 1, "optimizers": [GD] * 4}, 422, "out_of_range", "/every"),
    ("deep nesting", FORMULA, {"f": "(" * 70 + "x" + ")" * 70, "start": [1, 1], "optimizers": [GD]}, 422, "formula_invalid", "/f"),
)
def a_bad_request_is_refused_at_its_place(server, path, spec, status, code, pointer):
    server.refuse(status, code, "POST", path, spec, pointer=pointer)


def other_methods_and_forms_are_refused(server):
    server.refuse(405, "method_not_allowed", "GET", ROSENBROCK)
    server.refuse(404, "not_found", "GET", "/v1/landscapes/descents")
    server.refuse(415, "content_type_unsupported", "POST", ROSENBROCK, "{}", {"Content-Type": "text/plain"})
    server.refuse(406, "not_acceptable", "POST", ROSENBROCK, {"optimizers": [GD]}, {"Accept": "text/csv"})
    server.refuse(400, "query_invalid", "POST", ROSENBROCK + "?format=png", {"optimizers": [GD]})
    server.refuse(400, "json_invalid", "POST", FORMULA, "{", {"Content-Type": "application/json"})
