"""Models: predictions, evaluations, exports, deleting."""
import hashlib
import json
import math
import struct

from harness import equal, includes, near, rows, side_by_side, want
from material import BLOBS, csv_table, mlp, softmax

JSON = {"Content-Type": "application/json"}


def _trees(server, epochs=30):
    """A model that tells oaks from pines by two numbers: (model id, data set id)."""
    data = server.ok("POST", "/v1/datasets?name=trees", csv_table(200, classes=("oak, red", "pine")).replace("oak, red", '"oak, red"'), {"Content-Type": "text/csv"})["id"]
    return server.train(softmax(data, training={"epochs": epochs, "batch_size": 32, "seed": 1}))["model"], data


def a_model_names_its_job_classes_digest_and_tier(server):
    model, _ = _trees(server)
    view = server.get(f"/v1/models/{model}")
    includes(view, "object", "id", "job", "created_at", "bytes", "classes", "kernel_tier", "digest", what="model")
    equal((view["object"], [c if isinstance(c, str) else c["name"] for c in view["classes"]]), ("model", ["oak, red", "pine"]), "model")
    equal(server.get(f"/v1/jobs/{view['job']}")["model"], model, "its job's model")


def predictions_name_labels_and_sum_to_one(server):
    model, _ = _trees(server)
    found = server.ok("POST", f"/v1/models/{model}/predict", {"instances": [[0, 0], [3, -3], [1.5, -1.5]], "return": ["label", "probabilities"], "top_k": 1}, status=200)
    first, second, third = found["predictions"]
    equal((first["label"], second["label"]), ("oak, red", "pine"), "labels")
    for p in (first, second, third):
        values = list(p["probabilities"].values()) if isinstance(p["probabilities"], dict) else p["probabilities"]
        near(sum(values), 1, 1e-6, "sum")
        equal(len(p["top"]), 1, "top 1")
    want(all(0.01 < v < 0.99 for v in (third["probabilities"].values() if isinstance(third["probabilities"], dict) else third["probabilities"])), f"between the two: {third}")


def predictions_agree_with_the_evaluation(server):
    model, data = _trees(server)
    table = server.get(f"/v1/datasets/{data}/rows?limit=100")["data"]
    found = server.ok("POST", f"/v1/models/{model}/predict", {"instances": [r["features"] for r in table], "return": ["label"]})["predictions"]
    right = sum(p["label"] == r["label"] for p, r in zip(found, table))
    scores = server.ok("POST", f"/v1/models/{model}/evaluate", {"dataset": data}, status=200)
    part = scores.get("scores", scores)
    equal(part["samples"], 200, "samples")
    want(abs(right / 100 - part["accuracy"]) < 0.1, f"{right} of 100, accuracy {part['accuracy']}")
    includes(part, "loss", "confusion_matrix", "per_class", "calibration", what="evaluation")


def predictions_as_csv_in_and_out(server):
    model, _ = _trees(server)
    answer = server.call("POST", f"/v1/models/{model}/predict", "0,0\n3,-3\n", {"Content-Type": "text/csv", "Accept": "text/csv"})
    equal((answer.status, answer.media), (200, "text/csv"), "answer")
    lines = answer.text.splitlines()
    equal(len(lines), 3, "a header and two rows")
    want(lines[1].startswith('"oak, red",') and lines[2].startswith("pine,"), f"rows {lines}")


@rows(
    ("ragged row", {"instances": [[1, 2], [1]]}, 422, "feature_count_mismatch", "/instances/1"),
    ("too wide", {"instances": [[1, 2, 3]]}, 422, "feature_count_mismatch", "/instances/0"),
    ("null", {"instances": [[1, 2], [1, None]]}, 422, "type_mismatch", "/instances/1/1"),
    ("text", {"instances": [["a", 2]]}, 422, "type_mismatch", "/instances/0/0"),
    ("no list", {"instances": 3}, 422, "type_mismatch", "/instances"),
    ("row is a number", {"instances": [3]}, 422, "type_mismatch", "/instances/0"),
    ("infinite", '{"instances":[[1,2],[1,1e999]]}', 422, "number_out_of_range", "/instances/1/1"),
    ("missing", {}, 422, "missing_field", "/instances"),
    ("unknown field", {"instances": [[1, 2]], "retrun": []}, 422, "unknown_field", "/retrun"),
    ("unknown return", {"instances": [[1, 2]], "return": ["odds"]}, 422, "unknown_value", "/return/0"),
    ("4,097 rows", {"instances": [[1, 2]] * 4097}, 413, "batch_too_large", None),
)
def bad_instances_are_refused_at_their_place(server, body, status, code, pointer):
    model, _ = _trees(server)
    server.refuse(status, code, "POST", f"/v1/models/{model}/predict", body, JSON, pointer=pointer)


def a_body_beyond_8_mib_is_413(server):
    model, _ = _trees(server)
    head = f"POST /v1/models/{model}/predict HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\nContent-Length: {9 << 20}\r\n\r\n"
    equal(server.raw_status(head.encode()), 413, "before a byte of the body")


def a_full_batch_of_4096_rows_is_answered(server):
    model, _ = _trees(server)
    equal(len(server.ok("POST", f"/v1/models/{model}/predict", {"instances": [[1, 2]] * 4096})["predictions"]), 4096, "predictions")


def enormous_features_give_finite_probabilities(server):
    model, _ = _trees(server)
    for p in server.ok("POST", f"/v1/models/{model}/predict", {"instances": [[1e30, -1e30], [-1e30, 1e30], [3e38, 3e38]], "return": ["probabilities"]})["predictions"]:
        values = list(p["probabilities"].values()) if isinstance(p["probabilities"], dict) else p["probabilities"]
        want(all(v is not None and math.isfinite(v) for v in values), f"probabilities {values}")
        near(sum(values), 1, 1e-6, "sum")


@rows(("get", "GET", "", None), ("delete", "DELETE", "", None), ("predict", "POST", "/predict", {"instances": [[1, 2]]}), ("evaluate", "POST", "/evaluate", {"dataset": "ds_00000000000000000000"}),
      ("export", "GET", "/export", None))
def an_unknown_model_is_404(server, method, path, body):
    server.refuse(404, "not_found", method, "/v1/models/mdl_00000000000000000000" + path, body)


def a_test_set_with_an_unknown_class_is_422(server):
    model, data = _trees(server)
    other = server.ok("POST", "/v1/datasets", csv_table(30, classes=("pine", "elm")), {"Content-Type": "text/csv"})["id"]
    answer = server.call("POST", f"/v1/models/{model}/evaluate", {"dataset": other})
    equal(answer.status, 422, "evaluate")
    want("elm" in answer.text, f"the class is named: {answer.text}")
    answer = server.call("POST", "/v1/jobs", softmax(data, test={"dataset": other}))
    equal(answer.status, 422, "a job's test set")
    want("elm" in answer.text, f"the class is named: {answer.text}")


def a_test_sets_classes_are_matched_by_name(server):
    model, data = _trees(server)
    swapped = csv_table(40, classes=("oak, red", "pine")).replace("oak, red", '"oak, red"').splitlines()
    other = server.ok("POST", "/v1/datasets", "\n".join([swapped[0], *reversed(swapped[1:])]) + "\n", {"Content-Type": "text/csv"})["id"]
    scores = server.ok("POST", f"/v1/models/{model}/evaluate", {"dataset": other})
    want(scores.get("scores", scores)["accuracy"] > 0.9, f"accuracy {scores.get('scores', scores)['accuracy']}")
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
    for bad in (f"bytes={size}-", "bytes=5-2", "bytes=0-1,4-5"):
        server.refuse(416, "range_invalid", "GET", f"/v1/models/{model}/export", headers={"Range": bad})
    want("Repr-Digest" in whole.headers, "Repr-Digest")


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
    near(scores.get("scores", scores)["loss"], server.results(job["id"])["splits"]["train"]["loss"], 1e-9, "loss")


def a_deleted_model_is_gone(server):
    model, _ = _trees(server)
    server.ok("DELETE", f"/v1/models/{model}", status=204)
    want(server.call("GET", f"/v1/models/{model}").status in (404, 410), "it is there still")
    want(server.call("POST", f"/v1/models/{model}/predict", {"instances": [[1, 2]]}).status in (404, 410), "it predicts still")


def many_clients_predict_at_once(server):
    model, _ = _trees(server)
    body = {"instances": [[0, 0], [3, -3]], "return": ["probabilities"]}
    alone = server.ok("POST", f"/v1/models/{model}/predict", body)["predictions"]
    for got in side_by_side([lambda: server.ok("POST", f"/v1/models/{model}/predict", body)["predictions"]] * 16):
        equal(got, alone, "predictions")


def a_digest_is_a_sha256(server):
    job = server.train(softmax())
    equal(len(bytes.fromhex(job["digest"]["parameters_sha256"])), hashlib.sha256().digest_size, "bytes")
    want(json.dumps(server.get(f"/v1/models/{job['model']}")["digest"]).count(job["digest"]["parameters_sha256"]) == 1, "the model has the same")
