"""The named landscapes: their list, their critical points, values and derivatives at points and on grids."""
import math
import xml.etree.ElementTree

from harness import ROOT, equal, includes, near, rows, want

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests

GOLDEN = [line.split() for line in (ROOT / "tests/golden/critical_points.txt").read_text().splitlines() if line[0] != "#"]


def all_forty_are_listed_and_each_can_be_asked_for(server):
    page = server.get("/v1/landscapes")
    equal((page["object"], len(page["data"]), page["has_more"]), ("list", 40, False), "the list")
    for item in page["data"]:
        includes(item, "name", "title", "formula", "box", "convex", "start", "note")
        full = server.get("/v1/landscapes/" + item["name"])
        equal({k: full[k] for k in item}, item, item["name"])
        want(full["complete"], f"{item['name']} is complete")
        equal(sum(full["counts"].values()), len(full["critical_points"]), "counts of " + item["name"])
    equal([a["type"] for a in server.get("/v1/algorithms")["landscapes"]], [item["name"] for item in page["data"]], "algorithms")


def critical_points_are_those_of_the_textbooks(server):
    names = {row[0] for row in GOLDEN}
    want(len(names) == 31, f"{len(names)} landscapes")
    for name in names:
        found = server.get("/v1/landscapes/" + name)["critical_points"]
        wanted = [row for row in GOLDEN if row[0] == name]
        equal(len(found), len(wanted), "points of " + name)
        for _, x, y, f, type_, low, high in wanted:
            point = min(found, key=lambda p: math.hypot(p["x"] - float(x), p["y"] - float(y)))
            near(math.hypot(point["x"] - float(x), point["y"] - float(y)), 0, 1e-10, f"{name}: a {type_} at {x}, {y}")
            near(point["f"], float(f), 1e-11 * (1 + abs(float(f))), f"{name}: f")
            equal(point["type"], type_, name)
            for got, eigenvalue in zip(point["eigenvalues"], (low, high)):
                near(got, float(eigenvalue), 1e-9 * max(abs(float(low)), abs(float(high))), f"{name}: eigenvalues")


def a_minimum_tells_how_fast_one_may_go_and_how_round_it_is(server):
    point = server.get("/v1/landscapes/rosenbrock")["critical_points"][0]
    near(point["max_learning_rate"], 2 / 1001.6006392325, 1e-12, "2 / largest eigenvalue")
    near(point["condition_number"], 2508.0096, 1e-3, "condition number")
    saddle = server.get("/v1/landscapes/saddle")["critical_points"][0]
    equal(saddle["type"], "saddle", "type")
    want("max_learning_rate" not in saddle and "condition_number" not in saddle, "a saddle has no such figures")


def what_is_not_differentiable_says_so(server):
    ackley = server.get("/v1/landscapes/ackley")
    equal(ackley["counts"], {"minimum": 120, "maximum": 100, "saddle": 220, "degenerate": 0, "nonsmooth": 1}, "counts")
    cusp = ackley["critical_points"][0]
    equal((cusp["type"], cusp["eigenvalues"]), ("nonsmooth", [None, None]), "the cusp")
    point = server.get("/v1/landscapes/ackley/point?x=0&y=0")
    near(point["f"], 0, 1e-14, "f")
    equal(point["gradient"], [None, None], "gradient")
    equal(point["type"], "nonsmooth", "type")


def a_point_has_value_gradient_and_hessian(server):
    point = server.get("/v1/landscapes/rosenbrock/point?x=-1.2&y=1")
    near(point["f"], 24.2, 1e-13, "f")
    for got, wanted in zip(point["gradient"] + point["hessian"][0] + point["hessian"][1], (-215.6, -88, 1330, 480, 480, 200)):
        near(got, wanted, 1e-11, "derivatives")
    near(point["gradient_norm"], math.hypot(215.6, 88), 1e-11, "norm")
    want("directions" not in point, "directions only where they are asked for")


def the_gradient_is_the_steepest_of_all_directions(server):
    point = server.get("/v1/landscapes/himmelblau/point?x=0.3&y=-2.1&directions=36")
    equal(len(point["directions"]), 36, "directions")
    norm = point["gradient_norm"]
    equal(point["steepest"]["derivative"], norm, "the steepest rate")
    for i, (got, part) in enumerate(zip(point["steepest"]["direction"], point["gradient"])):
        near(got, part / norm, 1e-15, f"steepest direction {i}")
    best = max(d["derivative"] for d in point["directions"])
    want(norm * math.cos(math.pi / 36) <= best <= norm, f"{best} of {norm}")
    for i, one in enumerate(point["directions"]):
        angle = 2 * math.pi * i / 36
        near(one["direction"][0], math.cos(angle), 1e-15, "direction")
        near(one["derivative"], sum(d * g for d, g in zip(one["direction"], point["gradient"])), 1e-12 * norm, "derivative")


def directions_are_drawn_with_the_gradient_among_them(server):
    for path, headers in (("?x=0.3&y=-2.1&directions=24&format=svg", {}), ("?x=0.3&y=-2.1&directions=24", {"Accept": "image/svg+xml"})):
        answer = server.call("GET", "/v1/landscapes/himmelblau/point" + path, headers=headers)
        equal((answer.status, answer.media), (200, "image/svg+xml"), "answer")
        root = xml.etree.ElementTree.fromstring(answer.body)
        drawn = {p.get("class"): p.get("d") for p in root.iter("{http://www.w3.org/2000/svg}path")}
        equal(drawn["up"].count("M") + drawn["down"].count("M"), 24, "spokes")
        want("arrow" in drawn, "no gradient")
    flat = server.call("GET", "/v1/landscapes/sphere/point?x=0&y=0&format=svg")
    want("The gradient is 0" in flat.text, "a point without a slope")
    cusp = server.call("GET", "/v1/landscapes/ackley/point?x=0&y=0&format=svg").text
    want("There is no gradient here." in cusp and "nan" not in cusp, f"a point without a gradient: {cusp}")


def where_the_gradient_is_zero_no_direction_is_steepest(server):
    point = server.get("/v1/landscapes/sphere/point?x=0&y=0&directions=4")
    equal(point["steepest"], {"direction": [None, None], "derivative": 0}, "steepest")


def a_grid_begins_and_ends_at_the_edges(server):
    grid = server.get("/v1/landscapes/sphere/grid?nx=3&ny=2")
    equal(grid["x"], [-5.12, 0, 5.12], "x")
    equal(grid["y"], [-5.12, 5.12], "y")
    equal([len(row) for row in grid["values"]], [3, 3], "rows")
    near(grid["values"][0][1], 5.12**2, 1e-13, "f(0, -5.12)")
    near(grid["maximum"], 2 * 5.12**2, 1e-13, "maximum")
    part = server.get("/v1/landscapes/rosenbrock/grid?nx=5&ny=4&x0=0&x1=1&y0=-1&y1=0.5")
    equal((part["x"][0], part["x"][-1], part["y"][0], part["y"][-1]), (0, 1, -1, 0.5), "edges")
    for j, y in enumerate(part["y"]):
        for i, x in enumerate(part["x"]):
            near(part["values"][j][i], server.get(f"/v1/landscapes/rosenbrock/point?x={x!r}&y={y!r}")["f"], 0, "f")


def a_grid_is_64_by_64_by_default_and_256_at_most(server):
    equal(len(server.get("/v1/landscapes/peaks/grid")["values"]), 64, "rows")
    grid = server.get("/v1/landscapes/lecture_trenches/grid?nx=256&ny=256")
    equal((len(grid["values"]), len(grid["values"][255])), (256, 256), "size")


def what_is_too_large_to_represent_is_null(server):
    point = server.get("/v1/landscapes/bird/point?x=1e200&y=-1e200")
    equal(point["f"], None, "f")
    grid = server.get("/v1/landscapes/sphere/grid?nx=2&ny=2&x0=0&x1=1e200")
    equal(grid["values"][0][1], None, "a value")
    near(grid["maximum"], 5.12**2, 1e-13, "the largest finite value")


@rows(("list", "/v1/landscapes"), ("one", "/v1/landscapes/himmelblau"), ("large", "/v1/landscapes/trefethen4"))
def what_never_changes_is_not_sent_twice(server, path):
    first = server.call("GET", path)
    again = server.call("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    equal((again.status, again.body), (304, b""), "the same tag")
    equal(server.call("GET", path, headers={"If-None-Match": '"other"'}).status, 200, "another tag")


@rows(("", "/v1/landscapes/rosenbrok"), ("point", "/v1/landscapes/rosenbrok/point?x=0&y=0"), ("grid", "/v1/landscapes/rosenbrok/grid"))
def an_unknown_name_is_404_with_the_nearest_one(server, path):
    want("did you mean rosenbrock?" in server.refuse(404, "not_found", "GET", path)["detail"], "the nearest")


@rows(("no coordinates", "point", ("x", "y")), ("no y", "point?x=1", ("y",)), ("no number", "point?x=1&y=a", ("y",)),
      ("infinite", "point?x=inf&y=1e999", ("x", "y")), ("too many directions", "point?x=0&y=0&directions=361", ("directions",)),
      ("too few", "grid?nx=1&ny=0", ("nx", "ny")), ("too many", "grid?nx=257", ("nx",)), ("turned round", "grid?x0=2&x1=1&y0=3&y1=3", ("x1", "y1")),
      ("beyond the box", "grid?x0=1e6", ("x1",)))
def bad_parameters_are_all_named(server, query, names):
    problem = server.refuse(400, "query_invalid", "GET", "/v1/landscapes/beale/" + query)
    equal([e["parameter"] for e in problem["errors"]], list(names), "parameters")
