"""POST /v1/jobs with bodies that are no JSON, not ours, or mean nothing: each gets its code, and all errors come at once."""
import json

from harness import equal, includes, rows, want
from material import BLOBS, csv_table, softmax

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it

JSON = {"Content-Type": "application/json"}
GOOD = json.dumps(softmax())


def _deep(n):
    return '{"dataset":' + "[" * n + "]" * n + "}"


@rows(
    ("blanks", "   ", "json_invalid"),
    ("two values", "{} x", "json_trailing_data"),
    ("two objects", "{}{}", "json_trailing_data"),
    ("NaN", '{"a":NaN}', "json_invalid"),
    ("Infinity", '{"a":Infinity}', "json_invalid"),
    ("leading zero", '{"a":01}', "json_invalid"),
    ("bare point", '{"a":1.}', "json_invalid"),
    ("hexadecimal", '{"a":0x10}', "json_invalid"),
    ("two points", '{"a":1e5.5}', "json_invalid"),
    ("plus", '{"a":+1}', "json_invalid"),
    ("no integer part", '{"a":.5}', "json_invalid"),
    ("single quotes", "{'a':1}", "json_invalid"),
    ("trailing comma", '{"a":1,}', "json_invalid"),
    ("comment", '{"a":1/**/}', "json_invalid"),
    ("cut off", '{"a":', "json_invalid"),
    ("1,000 digits", '{"a":1' + "0" * 1000 + "}", "json_number_too_long"),
    ("a key twice", '{"name":"a","name":"b"}', "json_duplicate_key"),
    ("a key twice, one escaped", '{"name":"a","n\\u0061me":"b"}', "json_duplicate_key"),
    ("NUL in a key", '{"na\\u0000me":1}', "json_nul_in_string"),
    ("NUL in a string", '{"name":"a\\u0000b"}', "json_nul_in_string"),
    ("line break in a string", '{"name":"a\nb"}', "json_invalid"),
    ("lone surrogate", '{"name":"\\ud800"}', "json_bad_utf8"),
    ("overlong UTF-8", b'{"name":"\xc0\xaf"}', "json_bad_utf8"),
    ("broken UTF-8", b'{"name":"\xff"}', "json_bad_utf8"),
    ("byte order mark", b"\xef\xbb\xbf{}", "json_bom"),
    ("NUL as blank", b"{\x00}", "json_invalid"),
    ("vertical tab as blank", b"{\x0b}", "json_invalid"),
    ("33 deep", _deep(33), "json_too_deep"),
    ("100,000 deep", _deep(100000), "json_too_deep"),
    ("257 keys", "{" + ",".join(f'"k{i}":0' for i in range(257)) + "}", "json_too_many_keys"),
    ("60,000 keys", "{" + ",".join(f'"k{i}":0' for i in range(60000)) + "}", "json_too_many_keys"),
    ("many small values", '{"metadata":{"a":[' + ",".join(["0"] * 30000) + "]}}", "json_too_many_nodes"),
)
def what_is_no_json_is_400(server, body, code):
    problem = server.refuse(400, code, "POST", "/v1/jobs", body, JSON)
    equal((problem["code"], [e["code"] for e in problem["errors"]]), (code, [code]), "codes")
    want(0 <= problem["offset"] <= len(body), f"byte offset {problem['offset']}")


@rows(("blanks", "   ", 0), ("second value", "{} x", 3), ("second object", "{}{}", 2), ("behind a word", "truex", 4), ("NaN", '{"a":NaN}', 5), ("leading zero", '{"dataset": 01}', 13),
      ("the key's second time", '{"name":"a","name":"b"}', 12), ("line break", '{"name":"a\nb"}', 10), ("surrogate", '{"name":"\\ud800"}', 11), ("low surrogate", '{"name":"\\udc00"}', 11),
      ("broken UTF-8", b'{"name":"\xff"}', 9), ("surrogate in UTF-8", b'{"name":"\xed\xa0\x80"}', 9), ("beyond Unicode", b'{"name":"\xf4\x90\x80\x80"}', 9), ("NUL", b"{\x00}", 1),
      ("no-break space", b"{\xc2\xa0}", 1), ("byte order mark", b"\xef\xbb\xbf{}", 0), ("33 deep", _deep(32), 42), ("257 keys", "{" + ",".join(f'"k{i:03}":0' for i in range(257)) + "}", 2305),
      ("20,001 values", '{"metadata":{"a":[' + ",".join(["0"] * 30000) + "]}}", 40012), ("cut off", '{"a":', 5), ("UTF-16", '{"a":1}'.encode("utf-16-le"), 1))
def malformed_json_names_its_byte(server, body, offset):
    answer = server.call("POST", "/v1/jobs", body, JSON)
    equal((answer.status, answer.json["offset"], answer.json["errors"][0]["offset"]), (400, offset, offset), "status and offset")


@rows(("32 deep", _deep(31)), ("256 keys", '{"dataset":3,"metadata":{' + ",".join(f'"k{i}":0' for i in range(256)) + "}}"), ("64 digits", '{"a":' + "1" * 64 + "}"), ("a pair of surrogates", '{"name":"\\ud83d\\ude00"}'))
def what_is_json_at_its_limits_is_read(server, body):
    server.refuse(422, "missing_field", "POST", "/v1/jobs", body, JSON, pointer="/model")


@rows(("array", "[]", "a list"), ("string", '"x"', "a string"), ("number", "3", "a number"), ("null", "null", "null"), ("truth", "true", "a boolean"))
def a_root_that_is_no_object_is_422(server, body, got):
    problem = server.refuse(422, "type_mismatch", "POST", "/v1/jobs", body, JSON, pointer="")
    equal(problem["errors"], [{"pointer": "", "code": "type_mismatch", "detail": f"an object is wanted, this is {got}", "expected": "an object", "got": got}], "errors")


def _with(path, value):
    spec = softmax()
    place = spec
    *parents, last = path.strip("/").split("/")
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = value
    return spec


@rows(
    ("capital letters", "/NAME", "x", "unknown_field"),
    ("misspelt", "/training/epocs", 3, "unknown_field"),
    ("infinite", "/optimizer", '{"type":"sgd","learning_rate":1e999}', "number_out_of_range:/optimizer/learning_rate"),
    ("integer beyond 2^53", "/training/epochs", 9007199254740993, "integer_not_exact"),
    ("seed beyond 2^53", "/training/seed", 9007199254740993, "seed_invalid"),
    ("seed no number", "/training/seed", "one", "seed_invalid"),
    ("negative seed", "/training/seed", -1, "seed_invalid"),
    ("seed of 65 bits", "/training/seed", "0x1ffffffffffffffff", "seed_invalid"),
    ("number as text", "/training/epochs", "3", "type_mismatch"),
    ("number as truth", "/training/epochs", True, "type_mismatch"),
    ("number as null", "/training/epochs", None, "type_mismatch"),
    ("number as list", "/training/epochs", [3], "type_mismatch"),
    ("number as object", "/training/epochs", {}, "type_mismatch"),
    ("zero epochs", "/training/epochs", 0, "out_of_range"),
    ("negative epochs", "/training/epochs", -1, "out_of_range"),
    ("half an epoch", "/training/epochs", 2.5, "not_integer"),
    ("10^9 epochs", "/training/epochs", 1000000000, "out_of_range"),
    ("batch of 0", "/training/batch_size", 0, "out_of_range"),
    ("learning rate 0", "/optimizer/learning_rate", 0, "out_of_range"),
    ("negative learning rate", "/optimizer/learning_rate", -0.1, "out_of_range"),
    ("learning rate 1e300", "/optimizer/learning_rate", 1e300, "out_of_range"),
    ("denormal learning rate", "/optimizer/learning_rate", 5e-324, "out_of_range"),
    ("momentum 1", "/optimizer/momentum", 1, "out_of_range"),
    ("unknown optimizer", "/optimizer/type", "adm", "unknown_value"),
    ("muon without a hidden layer", "/optimizer", {"type": "muon"}, "conflicting_fields:/optimizer/type"),
    ("gradient at the newest iterate", "/optimizer", {"type": "schedule_free_sgd", "beta": 0}, "out_of_range:/optimizer/beta"),
    ("unknown model", "/model/type", "forest", "unknown_value"),
    ("later layer", "/model", {"type": "layers", "layers": [{"type": "gelu"}, {"type": "dense"}]},
     "not_supported:/model/layers/0/type"),
    ("a cnn on points in the plane", "/model", {"type": "cnn"}, "conflicting_fields:/model/type"),
    ("unknown schedule", "/schedule/type", "sawtooth", "unknown_value"),
    ("unknown loss", "/loss/type", "hinge", "unknown_value"),
    ("smoothing 1", "/loss/label_smoothing", 1, "out_of_range"),
    ("negative l2", "/loss/l2", -1, "out_of_range"),
    ("unknown shuffle", "/training/shuffle", "often", "unknown_value"),
    ("a million rows and one", "/dataset", {"generator": "blobs", "n": 1000001}, "out_of_range:/dataset/n"),
    ("unknown generator", "/dataset", {"generator": "blob"}, "unknown_value:/dataset/generator"),
    ("long name", "/name", "n" * 300, "string_too_long"),
    ("name as path", "/name", "../x", "name_invalid"),
    ("name as markup", "/name", "<script>", "name_invalid"),
    ("name with a line break", "/name", "a\nb", "name_invalid"),
    ("emoji as name", "/name", "\U0001F600", "name_invalid"),
    ("right-to-left name", "/name", "\u202ex", "name_invalid"),
    ("dropout 1", "/model", {"type": "mlp", "hidden": [4], "dropout": 1}, "out_of_range:/model/dropout"),
    ("validation of everything", "/split/validation", 1.5, "out_of_range"),
    ("unknown precision", "/precision", "fp16", "unknown_value"),
    ("a precision without a product that it changes", "/precision", "bf16", "not_supported"),
)
def a_field_that_means_nothing_is_422_at_its_place(server, path, value, code):
    code, _, pointer = code.partition(":")
    if isinstance(value, str) and value.startswith("{"):
        body = GOOD[:-1] + f', "{path[1:]}": {value}}}'
    elif path == "/NAME":
        body = json.dumps({**softmax(), "NAME": value})
    else:
        body = json.dumps(_with(path, value))
    problem = server.refuse(422, code, "POST", "/v1/jobs", body, JSON, pointer=pointer or path)
    equal((problem["code"], len(problem["errors"])), ("validation_failed", 1), "it is the only error")
    entry = problem["errors"][0]
    if code == "type_mismatch":
        includes(entry, "expected", "got", what="a wrong type")
    if code == "integer_not_exact":
        want("value" not in entry, f"a value that was never sent: {entry}")
    if code == "unknown_value":
        includes(entry, "value", "allowed", what="an unknown value")
    if code == "out_of_range" and isinstance(value, (int, float)):
        want(entry["value"] == value and ("minimum" in entry or "exclusive_minimum" in entry), f"the value and its limits: {entry}")


@rows(("cosine", {"type": "cosine"}, ["/schedule/type"]), ("warm-up", {"warmup_steps": 3}, ["/schedule/warmup_steps"]),
      ("both", {"type": "linear", "warmup_steps": 3}, ["/schedule/type", "/schedule/warmup_steps"]), ("none", {"type": "constant", "warmup_steps": 0}, []))
def a_rule_without_schedule_has_none_beside_it(server, schedule, pointers):
    for rule in ("schedule_free_sgd", "schedule_free_adamw"):
        spec = softmax(optimizer={"type": rule, "warmup_steps": 3}, schedule=schedule)
        if not pointers:
            equal(server.ok("POST", "/v1/jobs?validate_only=true", spec)["spec"]["optimizer"]["warmup_steps"], 3, "its own warm-up")
            continue
        problem = server.refuse(422, "conflicting_fields", "POST", "/v1/jobs", spec)
        equal([e["pointer"] for e in problem["errors"]], pointers, "pointers")
        want(all(rule in e["detail"] for e in problem["errors"]), f"which rule: {problem}")


def a_misspelt_field_names_the_nearest_one(server):
    problem = server.refuse(422, "unknown_field", "POST", "/v1/jobs", _with("/optimizer/learning_rat", 0.1), pointer="/optimizer/learning_rat")
    entry = next(e for e in problem["errors"] if e["pointer"] == "/optimizer/learning_rat")
    equal(entry["detail"], "did you mean learning_rate?", "detail")
    equal(server.refuse(422, "unknown_field", "POST", "/v1/jobs", _with("/DATASET", 1))["errors"][0]["detail"], "did you mean dataset?", "detail")


def an_out_of_range_value_comes_with_its_limits(server):
    problem = server.refuse(422, "out_of_range", "POST", "/v1/jobs", _with("/training/batch_size", 0), pointer="/training/batch_size")
    entry = next(e for e in problem["errors"] if e["pointer"] == "/training/batch_size")
    equal((entry["value"], entry["minimum"]), (0, 1), "value and minimum")


def an_unknown_value_comes_with_those_allowed(server):
    problem = server.refuse(422, "unknown_value", "POST", "/v1/jobs", _with("/optimizer/type", "adma"))
    entry = next(e for e in problem["errors"] if e["pointer"] == "/optimizer/type")
    equal((entry["detail"], entry["value"]), ("did you mean adam?", "adma"), "detail and value")
    includes(entry["allowed"], "sgd", "gd", "adagrad", "rmsprop", "adam", "adamw", what="the allowed ones")


def all_errors_come_at_once(server):
    spec = {"dataset": BLOBS, "model": {"type": "mlp", "hidden": [0], "activation": "step"}, "optimizer": {"type": "sgd", "learning_rat": 0.1, "momentum": 2},
            "training": {"batch_size": 0, "epochs": "many", "seed": -1}, "stop": {"early": {"metric": "luck"}}, "surprise": 1}
    problem = server.refuse(422, "validation_failed", "POST", "/v1/jobs", spec)
    found = {e["pointer"]: e["code"] for e in problem["errors"]}
    wanted = {"/model/hidden/0": "out_of_range", "/model/activation": "unknown_value", "/optimizer/learning_rat": "unknown_field", "/optimizer/momentum": "out_of_range",
              "/training/batch_size": "out_of_range", "/training/epochs": "type_mismatch", "/training/seed": "seed_invalid", "/stop/early/metric": "unknown_value",
              "/surprise": "unknown_field"}
    equal(found, wanted, "errors")
    equal(problem["detail"], f"{len(wanted)} problems", "detail")


@rows(("no model", {"dataset": BLOBS}, "/model"), ("no dataset", {"model": {"type": "softmax_regression"}}, "/dataset"),
      ("hidden of an mlp", {"dataset": BLOBS, "model": {"type": "mlp"}}, "/model/hidden"))
def a_required_field_that_is_missing_is_named(server, spec, pointer):
    server.refuse(422, "missing_field", "POST", "/v1/jobs", spec, pointer=pointer)


def a_number_too_small_for_a_double_is_zero(server):
    body = GOOD[:-1] + ', "loss": {"type": "cross_entropy", "l2": 1e-999}}'
    equal(server.ok("POST", "/v1/jobs?validate_only=true", body, JSON)["spec"]["loss"]["l2"], 0, "l2")


@rows(("as text", '"12345678901234567890"'), ("hexadecimal", '"0xdeadbeefcafef00d"'), ("as a number", "9007199254740991"))
def a_seed_of_64_bits_comes_back_exactly(server, seed):
    body = json.dumps(softmax(training={"epochs": 1, "seed": 4242})).replace("4242", seed)
    spec = server.ok("POST", "/v1/jobs?validate_only=true", body, JSON)["spec"]
    equal(int(str(spec["training"]["seed"]), 0), int(seed.strip('"'), 0), "seed")


def a_model_beyond_all_limits_is_refused_with_the_figures(server):
    problem = server.refuse(422, "model_too_large", "POST", "/v1/jobs", softmax(model={"type": "mlp", "hidden": [65536, 65536, 65536]}), pointer="/model")
    parameters = 3 * 65536 + 2 * (65536 * 65536 + 65536) + 3 * 65536 + 3
    includes(problem["errors"][0]["detail"], str(parameters), str(1 << 34), what="the figures")
    server.refuse(422, "out_of_range", "POST", "/v1/jobs", softmax(model={"type": "mlp", "hidden": [1000000, 1000000]}), pointer="/model/hidden/0")


def the_largest_job_is_counted_without_overflow(server):
    spec = softmax({"generator": "blobs", "n": 1000000, "classes": 3}, training={"epochs": 10000000, "batch_size": 1})
    estimate = server.ok("POST", "/v1/jobs?validate_only=true", spec, status=200)["estimate"]
    equal((estimate["steps_per_epoch"], estimate["total_steps"]), (10**6, 10**13), "steps")
    want(estimate["bytes"] > 8 * 10**6 and estimate["flops_per_epoch"] > 6 * 10**6, f"bytes and FLOPs: {estimate}")


def what_does_not_fit_the_data_is_422(server):
    dataset = server.upload(csv_table(40))["id"]
    server.refuse(422, "batch_too_large", "POST", "/v1/jobs", softmax(dataset, training={"epochs": 1, "batch_size": 41}), pointer="/training/batch_size")
    server.refuse(422, "split_empty", "POST", "/v1/jobs", softmax(dataset, split={"validation": 0.001}), pointer="/split")
    server.refuse(422, "class_count_mismatch", "POST", "/v1/jobs", {"dataset": BLOBS, "model": {"type": "logistic_regression"}}, pointer="/model/type")
    layers = {"type": "layers", "layers": [{"type": "dense", "units": 5}]}
    server.refuse(422, "class_count_mismatch", "POST", "/v1/jobs", {"dataset": dataset, "model": layers}, pointer="/model/layers/0/units")
    server.refuse(422, "class_count_mismatch", "POST", "/v1/jobs", softmax(dataset, loss={"type": "cross_entropy", "class_weights": [1, 2, 3]}), pointer="/loss/class_weights")


def an_unknown_data_set_is_404(server):
    for spec, pointer in ((softmax("ds_00000000000000000000"), "/dataset"), (softmax("x"), "/dataset"), (softmax(test={"dataset": "ds_00000000000000000000"}), "/test/dataset")):
        equal(server.refuse(404, "dataset_not_found", "POST", "/v1/jobs", spec)["pointer"], pointer, "pointer")


def a_batch_larger_than_a_small_data_set_is_its_size_by_default(server):
    dataset = server.upload(csv_table(42))["id"]
    spec = server.ok("POST", "/v1/jobs?validate_only=true", {"dataset": dataset, "model": {"type": "softmax_regression"}})["spec"]
    equal(spec["training"]["batch_size"], 42, "batch_size")


@rows(("form", "application/x-www-form-urlencoded"), ("text", "text/plain"), ("multipart", "multipart/form-data; boundary=x"), ("none", ""))
def another_media_type_is_415(server, media):
    server.refuse(415, "content_type_unsupported", "POST", "/v1/jobs", GOOD, {"Content-Type": media})


def another_charset_is_415(server):
    server.refuse(415, "charset_unsupported", "POST", "/v1/jobs", GOOD, {"Content-Type": "application/json; charset=latin1"})
    equal(server.call("POST", "/v1/jobs?validate_only=true", GOOD, {"Content-Type": "application/json; charset=UTF-8"}).status, 200, "UTF-8")


@rows(("ragged", {"x": [[1, 2], [1]], "y": ["a", "b"]}, "/dataset/x/1"), ("text", {"x": [[1, 2], [1, "z"]], "y": ["a", "b"]}, "/dataset/x/1/1"),
      ("too few labels", {"x": [[1], [2]], "y": ["a"]}, "/dataset/y"), ("one class", {"x": [[1], [2]], "y": ["a", "a"]}, "/dataset/y"))
def inline_data_is_checked_too(server, dataset, pointer):
    problem = server.refuse(422, "validation_failed", "POST", "/v1/jobs", softmax(dataset))
    equal([e["pointer"] for e in problem["errors"]], [pointer], "pointers")


def a_later_feature_is_named_as_such(server):
    problem = server.refuse(422, "not_supported", "POST", "/v1/jobs", softmax(training={"epochs": 1, "shards": 2}))
    includes([e["pointer"] for e in problem["errors"]], "/training/shards", what="pointers")
