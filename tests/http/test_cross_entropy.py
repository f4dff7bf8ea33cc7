"""Cross-entropy, entropy and divergence of given vectors."""
import math
import xml.etree.ElementTree

from harness import equal, includes, near, rows, want

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests

PATH = "/v1/cross_entropy"


def _ask(server, **body):
    return server.ok("POST", PATH, body, status=200)


@rows(("certain and right", [1, 0], [1, 0], 0, 0, 0), ("nine tenths", [1, 0], [0.9, 0.1], 0.10536051565782628, 0, 0.10536051565782628), ("one tenth", [1, 0], [0.1, 0.9], 2.3025850929940455, 0, 2.3025850929940455),
      ("even", [0.5, 0.5], [0.5, 0.5], 0.6931471805599453, 0.6931471805599453, 0), ("uneven", [0.5, 0.5], [0.9, 0.1], 1.203972804325936, 0.6931471805599453, 0.5108256237659906),
      ("itself", [0.7, 0.2, 0.1], [0.7, 0.2, 0.1], 0.8018185525433373, 0.8018185525433373, 0), ("three", [0.7, 0.2, 0.1], [0.2, 0.3, 0.5], 1.4367158176250518, 0.8018185525433373, 0.6348972650817145),
      ("four", [0.25] * 4, [0.25] * 4, 1.3862943611198906, 1.3862943611198906, 0), ("no mass against no mass", [0.5, 0.5, 0], [0.5, 0.5, 0], 0.6931471805599453, 0.6931471805599453, 0),
      ("hardly any", [1, 0], [1e-300, 1], 690.7755278982137, 0, 690.7755278982137), ("little", [1, 0], [1e-8, 0.99999999], 18.420680743952367, 0, 18.420680743952367),
      ("one class", [1], [1], 0, 0, 0), ("ten", [0.1] * 10, [0.1] * 10, 2.302585092994046, 2.302585092994046, 0))
def two_vectors_have_their_known_values(server, u, v, h, entropy, kl):
    found = _ask(server, u=u, v=v)
    equal((found["object"], found["infinite"]), ("cross_entropy", False), "the answer")
    for name, value in (("cross_entropy", h), ("entropy", entropy), ("kl", kl)):
        near(found[name], value, 1e-15 * max(1, value), name)


@rows(("last of three", [1, 2, 3], [0, 0, 1], 0.4076059644443803), ("soft", [1, 2, 3], [0.7, 0.2, 0.1], 2.00760596444438), ("large", [1000, 0, -1000], [1, 0, 0], 0.0), ("large and wrong", [1000, 0, -1000], [0, 0, 1], 2000.0),
      ("small", [-1000, -1001, -1002], [1, 0, 0], 0.4076059644443803), ("two", [0.5, -0.25], [0, 1], 1.1368710061148999), ("confident", [20, -20], [1, 0], 4.248354255291589e-18), ("very confident", [40, -40], [1, 0], 1.8048513878454153e-35),
      ("beyond float32", [88.8, 0], [0, 1], 88.8))
def logits_have_their_known_values(server, z, u, h):
    near(_ask(server, u=u, logits=z)["cross_entropy"], h, 1e-15 * h, "cross_entropy")


def mass_against_none_is_infinite(server):
    found = _ask(server, u=[0.5, 0.5, 0], v=[1, 0, 0])
    equal(found, {"object": "cross_entropy", "cross_entropy": None, "entropy": found["entropy"], "kl": None, "infinite": True}, "the answer")
    near(found["entropy"], math.log(2), 1e-15, "entropy")


def lists_are_answered_pair_by_pair(server):
    pairs = [([1, 0], [0.5, 0.5]), ([0, 1], [1, 0]), ([0.2, 0.3, 0.5], [0.5, 0.3, 0.2])]
    found = _ask(server, u=[u for u, _ in pairs], v=[v for _, v in pairs])
    equal(found["infinite"], [False, True, False], "infinite")
    for i, (u, v) in enumerate(pairs):
        one = _ask(server, u=u, v=v)
        equal([found[k][i] for k in ("cross_entropy", "entropy", "kl", "infinite")], [one[k] for k in ("cross_entropy", "entropy", "kl", "infinite")], f"pair {i}")


def decimals_that_sum_to_one_on_paper_do(server):
    for vector in ([0.1, 0.2, 0.7], [0.1] * 10, [0.7, 0.2, 0.1], [1 / 3] * 3):
        _ask(server, u=vector, v=vector)


@rows(("nothing", {}, [("/u", "missing_field"), ("/v", "missing_field")]), ("one alone", {"u": [1]}, [("/v", "missing_field")]), ("both forms of v", {"u": [1], "v": [1], "logits": [0]}, [("/logits", "conflicting_fields")]),
      ("a typo", {"u": [1], "logit": [0]}, [("/logit", "unknown_field"), ("/v", "missing_field")]), ("less than one", {"u": [0.5, 0.4], "v": [0.5, 0.5]}, [("/u", "out_of_range")]),
      ("a little too much", {"u": [0.5, 0.5], "v": [0.5, 0.500000000002]}, [("/v", "out_of_range")]), ("negative", {"u": [1.5, -0.5], "v": [0, 1]}, [("/u/0", "out_of_range"), ("/u/1", "out_of_range")]),
      ("other lengths", {"u": [1, 0], "v": [0.2, 0.3, 0.5]}, [("/v", "conflicting_fields")]), ("other lengths of one pair", {"u": [[1, 0], [1]], "logits": [[0, 0], [0, 0]]}, [("/logits/1", "conflicting_fields")]),
      ("more vectors", {"u": [[1]], "v": [[1], [1]]}, [("/v", "conflicting_fields")]), ("a vector and a list", {"u": [1], "v": [[1]]}, [("/v", "conflicting_fields")]), ("empty", {"u": [], "v": []}, [("/v", "out_of_range"), ("/u", "out_of_range")]),
      ("no numbers", {"u": ["a"], "v": [True]}, [("/v/0", "type_mismatch"), ("/u/0", "type_mismatch")]), ("a row that is none", {"u": [[1], 1], "v": [[1], [1]]}, [("/u/1", "type_mismatch")]), ("an object", {"u": {}, "v": [1]}, [("/u", "type_mismatch")]))
def what_is_no_pair_of_distributions_is_422_with_its_places(server, body, places):
    problem = server.refuse(422, "validation_failed", "POST", PATH, body)
    equal(sorted((e["pointer"], e["code"]) for e in problem["errors"]), sorted(places), "errors")


def numbers_beyond_doubles_are_refused(server):
    server.refuse(422, "number_out_of_range", "POST", PATH, '{"u": [1], "logits": [1e999]}', {"Content-Type": "application/json"}, pointer="/logits/0")
    server.refuse(400, "json_invalid", "POST", PATH, '{"u": [NaN], "v": [1]}', {"Content-Type": "application/json"})


def long_vectors_are_fine(server):
    n = 5000
    near(_ask(server, u=[1 / n] * n, v=[1 / n] * n)["cross_entropy"], math.log(n), 1e-14, "ln n")


@rows(("one pair", {"u": [1, 0], "v": [0.25, 0.75]}, 1), ("some pairs", {"u": [[1, 0], [0.5, 0.5], [0, 1]], "v": [[0.5, 0.5], [0.9, 0.1], [1, 0]]}, 2), ("many", {"u": [[1, 0]] * 100, "logits": [[i / 10, 0] for i in range(100)]}, 40))
def a_picture_has_the_curve_and_the_pairs_on_it(server, body, dots):
    answer = server.call("POST", PATH, body, {"Accept": "image/svg+xml"})
    equal((answer.status, answer.media), (200, "image/svg+xml"), "the answer")
    equal(server.call("POST", PATH + "?format=svg", body).body, answer.body, "by format=")
    root = xml.etree.ElementTree.fromstring(answer.text)
    curve = [e for e in root.iter() if e.get("class") == "line c0" and "L" in e.get("d")]
    equal(len(curve), 1, "curves")
    marks = [e for e in root.iter() if e.get("class", "").startswith("dot ") and float(e.get("cx")) < 560]
    equal(len(marks), dots, "dots on the curve")
    if dots == 1:  # x runs over 482 pixels from 76: v = 1/4
        near(float(marks[0].get("cx")), 76 + 482 / 4, 0.2, "x of v = 0.25")
    includes(" ".join(e.text or "" for e in root.iter()), "Cross-entropy", "−ln v")
    want("nan" not in answer.text.lower(), "odd text")
