"""Models: predictions, evaluations, exports, deleting."""
import base64
import hashlib
import math
import struct

from harness import equal, includes, near, rows, side_by_side, want
from material import BLOBS, csv_table, mlp, softmax, tiny_images

JSON = {"Content-Type": "application/json"}


def _trees(server, epochs=30):
    """A model that tells oaks from pines by two numbers: (model id, data set id)."""
    data = server.ok("POST", "/v1/datasets?name=trees", csv_table(200, classes=("oak, red", "pine")).replace("oak, red", '"oak, red"'), {"Content-Type": "text/csv"})["id"]
    return server.train(softmax(data, training={"epochs": epochs, "batch_size": 32, "seed": 1}))["model"], data


def a_model_names_its_job_classes_digest_and_tier(server):
    model, _ = _trees(server)
    view = server.get(f"/v1/models/{model}")
    includes(view, "object", "id", "job", "created_at", "bytes", "classes", "kernel_tier", "digest", what="model")
    equal((view["object"], view["classes"]), ("model", ["oak, red", "pine"]), "model")
    job = server.get(f"/v1/jobs/{view['job']}")
    equal((job["model"], job["digest"]), (model, view["digest"]), "its job's model")
    equal(view["kernel_tier"], server.get("/v1")["kernel_tier"], "kernel tier")
    for name in ("self", "export", "job"):
        server.get(view["links"][name])


def predictions_name_labels_and_sum_to_one(server):
    model, _ = _trees(server)
    found = server.ok("POST", f"/v1/models/{model}/predict", {"instances": [[0, 0], [3, -3], [1.5, -1.5]], "return": ["label", "probabilities"], "top_k": 1}, status=200)
    first, second, third = found["predictions"]
    equal((first["label"], second["label"]), ("oak, red", "pine"), "labels")
    for p in (first, second, third):
        near(sum(p["probabilities"]), 1, 1e-6, "sum")
        equal(len(p["top"]), 1, "top 1")
    want(all(0.01 < v < 0.99 for v in third["probabilities"]), f"between the two: {third}")


def predictions_agree_with_the_evaluation(server):
    model, data = _trees(server)
    table = server.get(f"/v1/datasets/{data}/rows?limit=100")["data"]
    found = server.ok("POST", f"/v1/models/{model}/predict", {"instances": [r["features"] for r in table], "return": ["label"]})["predictions"]
    right = sum(p["label"] == r["label"] for p, r in zip(found, table))
    scores = server.ok("POST", f"/v1/models/{model}/evaluate", {"dataset": data}, status=200)
    equal((scores["object"], scores["samples"]), ("evaluation", 200), "evaluation")
    want(abs(right / 100 - scores["accuracy"]) < 0.1, f"{right} of 100, accuracy {scores['accuracy']}")
    equal(sum(sum(row) for row in scores["confusion_matrix"]), 200, "sum of the confusion matrix")
    includes(scores, "loss", "confusion_matrix", "per_class", "calibration", what="evaluation")


def predictions_as_csv_in_and_out(server):
    model, _ = _trees(server)
    answer = server.call("POST", f"/v1/models/{model}/predict", "0,0\n3,-3\n", {"Content-Type": "text/csv", "Accept": "text/csv"})
    equal((answer.status, answer.media), (200, "text/csv"), "answer")
    lines = answer.text.splitlines()
    equal((lines[0], len(lines)), ('label,"oak, red",pine', 3), "a header and two rows")
    want(lines[1].startswith('"oak, red",') and lines[2].startswith("pine,"), f"rows {lines}")


@rows(
    ("ragged row", {"instances": [[1, 2], [1]]}, 422, "feature_count_mismatch", "/instances/1"),
    ("too wide", {"instances": [[1, 2, 3]]}, 422, "feature_count_mismatch", "/instances/0"),
    ("null", {"instances": [[1, 2], [1, None]]}, 422, "type_mismatch", "/instances/1/1"),
    ("text", {"instances": [["a", 2]]}, 422, "type_mismatch", "/instances/0/0"),
    ("no list", {"instances": 3}, 422, "type_mismatch", "/instances"),
    ("row is a number", {"instances": [3]}, 422, "type_mismatch", "/instances/0"),
    ("infinite", '{"instances":[[1,2],[1,1e999]]}', 422, "number_out_of_range", "/instances/1/1"),
    ("none", {"instances": []}, 422, "out_of_range", "/instances"),
    ("beyond float32", '{"instances":[[1,2],[1,1e39]]}', 422, "number_out_of_range", "/instances/1/1"),
    ("a list in a row", {"instances": [[[1], 2]]}, 422, "type_mismatch", "/instances/0/0"),
    ("no object", "[[1,2]]", 422, "type_mismatch", ""),
    ("top of less than nothing", {"instances": [[1, 2]], "top_k": -1}, 422, "out_of_range", "/top_k"),
    ("not a number", '{"instances":[[NaN,1]]}', 400, "json_invalid", None),
    ("leading zero", '{"instances":[[01,2]]}', 400, "json_invalid", None),
    ("cut off", '{"instances":[[1,2],', 400, "json_invalid", None),
    ("two values", '{"instances":[[1,2]]} x', 400, "json_trailing_data", None),
    ("instances twice", '{"instances":[[1,2]],"instances":[[1,2]]}', 400, "json_duplicate_key", None),
    ("missing", {}, 422, "missing_field", "/instances"),
    ("unknown field", {"instances": [[1, 2]], "retrun": []}, 422, "unknown_field", "/retrun"),
    ("unknown return", {"instances": [[1, 2]], "return": ["odds"]}, 422, "unknown_value", "/return/0"),
    ("4,097 rows", {"instances": [[1, 2]] * 4097}, 413, "batch_too_large", None),
)
def bad_instances_are_refused_at_their_place(server, body, status, code, pointer):
    model, _ = _trees(server)
    problem = server.refuse(status, code, "POST", f"/v1/models/{model}/predict", body, JSON, pointer=pointer)
    equal("offset" in problem, status == 400, "an offset for what is no JSON")


@rows(
    ("a header", "x,y\n1,2\n", "csv_not_number", 1, 1),
    ("text", "1,2\n1,z\n", "csv_not_number", 2, 2),
    ("an empty line", "1,2\n\n", "csv_not_number", 2, 1),
    ("a quote", '1,"2"\n', "csv_not_number", 1, 2),
    ("NUL", "1,2\n1,\0\n", "csv_nul_byte", 2, 2),
    ("not a number", "1,nan\n", "non_finite_value", 1, 2),
    ("beyond float32", "1,2\n1e39,2\n", "non_finite_value", 2, 1),
    ("too narrow", "1,2\n1\n", "feature_count_mismatch", 2, None),
    ("too wide", "1,2,3\n", "feature_count_mismatch", 1, None),
)
def bad_rows_of_csv_are_refused_at_their_line(server, body, code, line, column):
    model, _ = _trees(server)
    entry = server.refuse(422, code, "POST", f"/v1/models/{model}/predict", body, {"Content-Type": "text/csv"})["errors"][0]
    equal((entry["code"], entry["line"], entry.get("column")), (code, line, column), "place")


def csv_has_the_same_limits(server):
    model, _ = _trees(server)
    csv = {"Content-Type": "text/csv"}
    server.refuse(413, "batch_too_large", "POST", f"/v1/models/{model}/predict", "1,2\n" * 4097, csv)
    server.refuse(400, "body_required", "POST", f"/v1/models/{model}/predict", "", csv)
    server.refuse(415, "content_type_unsupported", "POST", f"/v1/models/{model}/predict", "x", {"Content-Type": "application/x-npy"})


def a_body_beyond_8_mib_is_413(server):
    model, _ = _trees(server)
    head = f"POST /v1/models/{model}/predict HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\nContent-Length: {9 << 20}\r\n\r\n"
    raw = server.raw(head.encode())
    want(raw.startswith(b"HTTP/1.1 413 ") and b'"body_too_large"' in raw, f"before a byte of the body: {raw[:200]}")


def a_full_batch_of_4096_rows_is_answered(server):
    model, _ = _trees(server)
    equal(len(server.ok("POST", f"/v1/models/{model}/predict", {"instances": [[1, 2]] * 4096})["predictions"]), 4096, "predictions")


def enormous_features_give_finite_probabilities(server):
    model, _ = _trees(server)
    for p in server.ok("POST", f"/v1/models/{model}/predict", {"instances": [[1e30, -1e30], [-1e30, 1e30], [3e38, 3e38]], "return": ["probabilities"]})["predictions"]:
        values = p["probabilities"]
        want(all(v is not None and math.isfinite(v) for v in values), f"probabilities {values}")
        near(sum(values), 1, 1e-6, "sum")


@rows(("get", "GET", "", None), ("delete", "DELETE", "", None), ("predict", "POST", "/predict", {"instances": [[1, 2]]}), ("evaluate", "POST", "/evaluate", {"dataset": "ds_00000000000000000000"}),
      ("export", "GET", "/export", None))
def an_unknown_model_is_404(server, method, path, body):
    server.refuse(404, "not_found", method, "/v1/models/mdl_00000000000000000000" + path, body)


def a_test_set_with_an_unknown_class_is_422(server):
    model, data = _trees(server)
    other = server.ok("POST", "/v1/datasets", csv_table(30, classes=("pine", "elm")), {"Content-Type": "text/csv"})["id"]
    for path, body, pointer in ((f"/v1/models/{model}/evaluate", {"dataset": other}, "/dataset"), ("/v1/jobs", softmax(data, test={"dataset": other}), "/test/dataset")):
        problem = server.refuse(422, "unknown_value", "POST", path, body, pointer=pointer)
        includes(problem["errors"][0]["detail"], "elm", what="the class")


def what_cannot_be_evaluated_is_named(server):
    model, _ = _trees(server)
    path = f"/v1/models/{model}/evaluate"
    server.refuse(404, "dataset_not_found", "POST", path, {"dataset": "ds_00000000000000000000"})
    server.refuse(422, "type_mismatch", "POST", path, {"dataset": 3}, pointer="/dataset")
    server.refuse(422, "missing_field", "POST", path, {}, pointer="/dataset")
    problem = server.refuse(422, "unknown_field", "POST", path, {"datset": "x"}, pointer="/datset")
    includes(problem["errors"][0]["detail"], "did you mean dataset?", what="the nearest")
    images = server.upload(tiny_images(seed=77)[0], "application/x-idx")["id"]
    server.refuse(409, "dataset_not_ready", "POST", path, {"dataset": images})


def a_test_sets_classes_are_matched_by_name(server):
    model, data = _trees(server)
    swapped = csv_table(40, classes=("oak, red", "pine")).replace("oak, red", '"oak, red"').splitlines()
    other = server.ok("POST", "/v1/datasets", "\n".join([swapped[0], *reversed(swapped[1:])]) + "\n", {"Content-Type": "text/csv"})["id"]
    scores = server.ok("POST", f"/v1/models/{model}/evaluate", {"dataset": other})
    want(scores["accuracy"] > 0.9, f"accuracy {scores['accuracy']}")
    want(data != other, "another data set")


def a_test_set_of_another_width_is_422(server):
    model, _ = _trees(server)
    other = server.ok("POST", "/v1/datasets", "a,kind\n1,pine\n2,\"oak, red\"\n", {"Content-Type": "text/csv"})["id"]
    server.refuse(422, "feature_count_mismatch", "POST", f"/v1/models/{model}/evaluate", {"dataset": other})


def an_export_can_be_taken_in_parts(server):
    model, _ = _trees(server)
    whole = server.call("GET", f"/v1/models/{model}/export")
    equal(whole.status, 200, "status")
    size = len(whole.body)
    part = server.call("GET", f"/v1/models/{model}/export", headers={"Range": "bytes=8-15"})
    equal((part.status, part.body, part.headers["Content-Range"]), (206, whole.body[8:16], f"bytes 8-15/{size}"), "8 bytes")
    tail = server.call("GET", f"/v1/models/{model}/export", headers={"Range": "bytes=-4"})
    equal((tail.status, tail.body), (206, whole.body[-4:]), "the last 4")
    over = server.call("GET", f"/v1/models/{model}/export", headers={"Range": f"bytes=8-{10 * size}"})
    equal((over.status, over.body), (206, whole.body[8:]), "beyond the end")
    for bad in (f"bytes={size}-", "bytes=5-2", "bytes=0-1,4-5", "bytes=-0", "bytes=a-b", "bytes=", "lines=1-2", "bytes=18446744073709551616-"):
        problem = server.refuse(416, "range_invalid", "GET", f"/v1/models/{model}/export", headers={"Range": bad})
        equal(problem.headers["Content-Range"], f"bytes */{size}", f"Content-Range after {bad}")
    equal(whole.headers["Repr-Digest"], f"sha-256=:{base64.b64encode(hashlib.sha256(whole.body).digest()).decode()}:", "Repr-Digest")
    tag = whole.headers["ETag"]
    equal(server.call("GET", f"/v1/models/{model}/export", headers={"Range": "bytes=0-7", "If-Range": tag}).status, 206, "If-Range of this file")
    equal(server.call("GET", f"/v1/models/{model}/export", headers={"Range": "bytes=0-7", "If-Range": '"x"'}).status, 200, "If-Range of another")
    again = server.call("GET", f"/v1/models/{model}/export", headers={"If-None-Match": tag})
    equal((again.status, again.body, again.headers["ETag"]), (304, b"", tag), "If-None-Match")
    want(server.call("GET", f"/v1/models/{model}/export?format=json").headers["ETag"] != tag, "the other form has another tag")


def the_json_export_computes_the_same_predictions(server):
    job = server.train(mlp(BLOBS, (5,)))
    raw = server.get(f"/v1/models/{job['model']}/export?format=safetensors")
    length = struct.unpack("<Q", raw[:8])[0]
    document = server.get(f"/v1/models/{job['model']}/export?format=json")
    numbers = [x for x in _numbers(document) if isinstance(x, float)]
    floats = struct.unpack(f"<{(len(raw) - 8 - length) // 4}f", raw[8 + length:])
    single = {struct.pack("<f", x) for x in numbers if abs(x) < 3e38}
    missing = [x for x in floats if x != int(x) and struct.pack("<f", x) not in single]
    equal(missing, [], "weights that the JSON lacks")


def _numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for v in value:
            yield from _numbers(v)
    else:
        yield value


def the_evaluation_of_the_training_set_is_that_of_the_results(server):
    job = server.train(softmax(server.ok("POST", "/v1/datasets", csv_table(120, seed=9), {"Content-Type": "text/csv"})["id"]))
    data = server.get(f"/v1/jobs/{job['id']}/spec")["dataset"]
    scores = server.ok("POST", f"/v1/models/{job['model']}/evaluate", {"dataset": data})
    near(scores["loss"], server.results(job["id"])["splits"]["train"]["loss"], 1e-9, "loss")


def a_deleted_model_is_gone(server):
    model, _ = _trees(server)
    server.ok("DELETE", f"/v1/models/{model}", status=204)
    for method, path, body in (("GET", "", None), ("POST", "/predict", {"instances": [[1, 2]]}), ("POST", "/evaluate", {"dataset": "x"}), ("GET", "/export", None), ("DELETE", "", None)):
        server.refuse(410, "deleted", method, f"/v1/models/{model}{path}", body)


def a_model_that_is_deleted_meanwhile_still_answers_or_is_gone(server):
    model, _ = _trees(server)
    body = {"instances": [[0, 0], [3, -3]] * 2000}
    answers = side_by_side([lambda: server.call("POST", f"/v1/models/{model}/predict", body)] * 6 + [lambda: server.call("DELETE", f"/v1/models/{model}")] + [lambda: server.call("POST", f"/v1/models/{model}/predict", body)] * 6)
    equal(answers[6].status, 204, "deleting")
    for answer in answers[:6] + answers[7:]:
        if answer.status == 200:
            equal(len(answer.json["predictions"]), 4000, "a whole answer")
        else:
            equal((answer.status, answer.json["code"]), (410, "deleted"), "or it is gone")


def many_clients_predict_at_once(server):
    model, _ = _trees(server)
    body = {"instances": [[0, 0], [3, -3]], "return": ["probabilities"]}
    alone = server.ok("POST", f"/v1/models/{model}/predict", body)["predictions"]
    for got in side_by_side([lambda: server.ok("POST", f"/v1/models/{model}/predict", body)["predictions"]] * 16):
        equal(got, alone, "predictions")


def a_digest_is_a_sha256(server):
    job = server.train(softmax())
    raw = server.get(f"/v1/models/{job['model']}/export")
    data = raw[8 + struct.unpack("<Q", raw[:8])[0]:]
    equal(job["digest"]["parameters_sha256"], hashlib.sha256(data).hexdigest(), "the digest of the file's data")
    equal(server.get(f"/v1/models/{job['model']}")["digest"], job["digest"], "the model's")
