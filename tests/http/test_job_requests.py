"""POST /v1/jobs with bodies that are no JSON, not ours, or mean nothing: each gets its code, and all errors come at once."""
import json

from harness import equal, includes, rows, want
from material import BLOBS, csv_table, softmax

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
    want("offset" in json.dumps(problem) or code.startswith("json_too_many"), f"no byte offset: {problem}")


def malformed_json_names_its_byte(server):
    problem = server.refuse(400, "json_invalid", "POST", "/v1/jobs", '{"dataset": 01}', JSON)
    want("13" in json.dumps(problem) or "12" in json.dumps(problem), f"offset of the number: {problem}")


@rows(("array", "[]"), ("string", '"x"'), ("number", "3"), ("null", "null"))
def a_root_that_is_no_object_is_422(server, body):
    server.refuse(422, "type_mismatch", "POST", "/v1/jobs", body, JSON, pointer="")


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
    ("unknown model", "/model/type", "forest", "unknown_value"),
    ("later model", "/model/type", "cnn", "not_supported"),
    ("unknown schedule", "/schedule/type", "sawtooth", "unknown_value"),
    ("unknown loss", "/loss/type", "hinge", "unknown_value"),
    ("smoothing 1", "/loss/label_smoothing", 1, "out_of_range"),
    ("negative l2", "/loss/l2", -1, "out_of_range"),
    ("unknown shuffle", "/training/shuffle", "often", "unknown_value"),
    ("long name", "/name", "n" * 300, "string_too_long"),
    ("name as path", "/name", "../x", "name_invalid"),
    ("name as markup", "/name", "<script>", "name_invalid"),
    ("name with a line break", "/name", "a\nb", "name_invalid"),
    ("emoji as name", "/name", "\U0001F600", "name_invalid"),
    ("right-to-left name", "/name", "\u202ex", "name_invalid"),
    ("dropout 1", "/model", {"type": "mlp", "hidden": [4], "dropout": 1}, "out_of_range:/model/dropout"),
    ("validation of everything", "/split/validation", 1.5, "out_of_range"),
    ("later field", "/diagnostics", ["sharpness"], "not_supported"),
)
def a_field_that_means_nothing_is_422_at_its_place(server, path, value, code):
    code, _, pointer = code.partition(":")
    if isinstance(value, str) and value.startswith("{"):
        body = GOOD[:-1] + f', "{path[1:]}": {value}}}'
    elif path == "/NAME":
        body = json.dumps({**softmax(), "NAME": value})
    else:
        body = json.dumps(_with(path, value))
    server.refuse(422, code, "POST", "/v1/jobs", body, JSON, pointer=pointer or path)


def a_misspelt_field_names_the_nearest_one(server):
    problem = server.refuse(422, "unknown_field", "POST", "/v1/jobs", _with("/optimizer/learning_rat", 0.1), pointer="/optimizer/learning_rat")
    entry = next(e for e in problem["errors"] if e["pointer"] == "/optimizer/learning_rat")
    want("learning_rate" in entry["detail"], f"no 'did you mean': {entry}")


def an_out_of_range_value_comes_with_its_limits(server):
    problem = server.refuse(422, "out_of_range", "POST", "/v1/jobs", _with("/training/batch_size", 0), pointer="/training/batch_size")
    entry = next(e for e in problem["errors"] if e["pointer"] == "/training/batch_size")
    equal((entry["value"], entry["minimum"]), (0, 1), "value and minimum")


def an_unknown_value_comes_with_those_allowed(server):
    problem = server.refuse(422, "unknown_value", "POST", "/v1/jobs", _with("/optimizer/type", "adma"))
    entry = next(e for e in problem["errors"] if e["pointer"] == "/optimizer/type")
    want("adam" in json.dumps(entry), f"the allowed ones: {entry}")


def all_errors_come_at_once(server):
    spec = {"dataset": BLOBS, "model": {"type": "mlp", "hidden": [0], "activation": "step"}, "optimizer": {"type": "sgd", "learning_rat": 0.1, "momentum": 2},
            "training": {"batch_size": 0, "epochs": "many", "seed": -1}, "stop": {"early": {"metric": "luck"}}, "surprise": 1}
    problem = server.refuse(422, "validation_failed", "POST", "/v1/jobs", spec)
    found = {e["pointer"]: e["code"] for e in problem["errors"]}
    wanted = {"/model/hidden/0": "out_of_range", "/model/activation": "unknown_value", "/optimizer/learning_rat": "unknown_field", "/optimizer/momentum": "out_of_range",
              "/training/batch_size": "out_of_range", "/training/epochs": "type_mismatch", "/training/seed": "seed_invalid", "/stop/early/metric": "unknown_value",
              "/surprise": "unknown_field"}
    for pointer, code in wanted.items():
        equal(found.get(pointer), code, pointer)


@rows(("no model", {"dataset": BLOBS}, "/model"), ("no dataset", {"model": {"type": "softmax_regression"}}, "/dataset"),
      ("hidden of an mlp", {"dataset": BLOBS, "model": {"type": "mlp"}}, "/model/hidden"))
def a_required_field_that_is_missing_is_named(server, spec, pointer):
    server.refuse(422, "missing_field", "POST", "/v1/jobs", spec, pointer=pointer)


def a_number_too_small_for_a_double_is_zero(server):
    body = GOOD[:-1] + ', "loss": {"type": "cross_entropy", "l2": 1e-999}}'
    server.ok("POST", "/v1/jobs?validate_only=true", body, JSON)


@rows(("as text", '"12345678901234567890"'), ("hexadecimal", '"0xdeadbeefcafef00d"'), ("as a number", "9007199254740991"))
def a_seed_of_64_bits_comes_back_exactly(server, seed):
    body = json.dumps(softmax(training={"epochs": 1, "seed": 4242})).replace("4242", seed)
    spec = server.ok("POST", "/v1/jobs?validate_only=true", body, JSON)["spec"]
    equal(int(str(spec["training"]["seed"]), 0), int(seed.strip('"'), 0), "seed")


def a_model_beyond_all_limits_is_refused_with_the_figures(server):
    problem = server.refuse(422, "model_too_large", "POST", "/v1/jobs", softmax(model={"type": "mlp", "hidden": [65536, 65536, 65536]}))
    want(any(c.isdigit() for c in problem.places[0]["detail"]), "figures")
    server.refuse(422, "out_of_range", "POST", "/v1/jobs", softmax(model={"type": "mlp", "hidden": [1000000, 1000000]}), pointer="/model/hidden/0")


def what_does_not_fit_the_data_is_422(server):
    dataset = server.upload(csv_table(40))["id"]
    server.refuse(422, "batch_too_large", "POST", "/v1/jobs", softmax(dataset, training={"epochs": 1, "batch_size": 41}), pointer="/training/batch_size")
    server.refuse(422, "split_empty", "POST", "/v1/jobs", softmax(dataset, split={"validation": 0.001}))
    server.refuse(422, "class_count_mismatch", "POST", "/v1/jobs", {"dataset": BLOBS, "model": {"type": "logistic_regression"}})
    layers = {"type": "layers", "layers": [{"type": "dense", "units": 5}]}
    server.refuse(422, "class_count_mismatch", "POST", "/v1/jobs", {"dataset": dataset, "model": layers})


def an_unknown_data_set_is_404(server):
    server.refuse(404, "dataset_not_found", "POST", "/v1/jobs", softmax("ds_00000000000000000000"))


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
      ("too few labels", {"x": [[1], [2]], "y": ["a"]}, "/dataset"), ("one class", {"x": [[1], [2]], "y": ["a", "a"]}, "/dataset"))
def inline_data_is_checked_too(server, dataset, pointer):
    answer = server.call("POST", "/v1/jobs", softmax(dataset))
    equal(answer.status, 422, "status")
    pointers = [e.get("pointer", "") for e in answer.json["errors"]]
    want(any(p.startswith(pointer) for p in pointers), f"pointers {pointers}, wanted {pointer}")


def a_later_feature_is_named_as_such(server):
    problem = server.refuse(422, "not_supported", "POST", "/v1/jobs", softmax(training={"epochs": 1, "shards": 2}))
    includes([e["pointer"] for e in problem["errors"]], "/training/shards", what="pointers")
