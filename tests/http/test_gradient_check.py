"""POST /v1/models/{id}/gradient_check: backpropagation against central differences, on any model."""
from harness import THOROUGH, Server, Skip, equal, includes, rows, want
from material import BLOBS, SPIRALS, mlp, softmax, tiny_images

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests

CHAIN = {"type": "layers", "layers": [{"type": "dense", "units": 9}, {"type": "tanh"}, {"type": "dropout", "rate": 0.2},
                                      {"type": "dense", "units": 8}, {"type": "leaky_relu"}, {"type": "dense", "units": 7}, {"type": "sigmoid"}, {"type": "dense"}]}
MODELS = (("softmax regression", softmax(BLOBS)), ("relu", mlp(SPIRALS, (16, 12))), ("a chain of layers", {"dataset": SPIRALS, "model": CHAIN, "init": "glorot_normal"}))


def _model(server, spec):
    return server.train({**spec, "training": {"epochs": 3, "batch_size": 32, "seed": 1}})["model"]


@rows(*MODELS)
def the_gradient_of_every_layer_is_right(server, spec):
    model = _model(server, spec)
    found = server.ok("POST", f"/v1/models/{model}/gradient_check", {}, status=200)
    equal((found["object"], found["model"], found["rows"], found["h"]), ("gradient_check", model, 32, 1e-5), "what was checked")
    want(found["passed"] and 0 < found["max_relative_error"] < 1e-7, f"found {found}")
    layers = server.get(f"/v1/models/{model}/export?format=json")["layers"]
    equal([layer["layer"] for layer in found["layers"]], [i for i, layer in enumerate(layers) if "weight" in layer], "the layers with parameters")
    for layer in found["layers"]:
        there = layers[layer["layer"]]
        equal(layer["parameters"], there["units"] * (len(there["weight"][0]) + 1), "parameters")
        equal(layer["checked"] + layer["skipped"], layer["parameters"], "all of a small layer")
        want(layer["max_relative_error"] <= found["max_relative_error"], "the largest of all")
    equal(sum(layer["checked"] for layer in found["layers"]), found["checked"], "checked")
    want(found["skipped"] < found["checked"] / 10, f"{found['skipped']} have a kink")


def convolutions_pools_and_batch_norm_are_checked_like_all_others(server):
    images = server.upload_idx(*tiny_images(60, 8), "tiny")
    layers = [{"type": "conv2d", "filters": 4, "kernel": 3, "padding": 1}, {"type": "batch_norm"}, {"type": "relu"}, {"type": "max_pool2d", "size": 2},
              {"type": "conv2d", "filters": 3, "kernel": 3}, {"type": "tanh"}, {"type": "avg_pool2d", "size": 2}, {"type": "flatten"},
              {"type": "dense", "units": 6}, {"type": "batch_norm"}, {"type": "leaky_relu"}, {"type": "dense"}]
    job = server.train({"dataset": images, "model": {"type": "layers", "layers": layers}, "diagnostics": ["sharpness", "noise_scale", "update_ratio", "full_gradient_norm"],
                        "training": {"epochs": 3, "batch_size": 20, "seed": 1}})
    found = server.ok("POST", f"/v1/models/{job['model']}/gradient_check", {"rows": 16}, status=200)
    equal([layer["type"] for layer in found["layers"]], ["conv2d", "batch_norm", "conv2d", "dense", "batch_norm", "dense"], "layers with parameters")
    equal([layer["parameters"] for layer in found["layers"][:3]], [4 * 9 + 4, 2 * 4, 3 * 4 * 9 + 3], "running statistics are no parameters")
    want(found["passed"] and found["checked"] > 0.8 * (found["checked"] + found["skipped"]), f"found {found}")
    curve = server.get(f"/v1/jobs/{job['id']}/metrics")
    last = dict(zip(curve["columns"], curve["data"][-1]))
    want(all(last[name] is not None for name in ("sharpness", "gradient_variance", "update_ratio_0", "update_ratio_5", "full_gradient_norm")), f"last row {last}")


@rows(("by its id", None), ("generated", {**BLOBS, "n": 90, "seed": 5}), ("sent along", {"x": [[0, 1], [1, 0], [2, 2], [1, 1]], "y": ["0", "1", "2", "1"]}))
def any_data_of_the_models_classes_will_do(server, data):
    model = _model(server, softmax({**BLOBS, "classes": 3}))
    if data is None:
        data = server.ok("POST", "/v1/datasets", "a,b,c\n1,2,0\n2,1,1\n3,4,2\n1,1,0\n", {"Content-Type": "text/csv"})["id"]
    elif "n" in data:
        data = {**data, "classes": 3}
    found = server.ok("POST", f"/v1/models/{model}/gradient_check", {"dataset": data, "rows": 4}, status=200)
    want(found["passed"], f"found {found}")
    equal((found["rows"], found["dataset"]), (4, data if isinstance(data, str) else None), "rows and data set")


def a_sample_of_the_parameters_can_be_asked_for(server):
    model = _model(server, mlp(SPIRALS, (64,)))
    found = server.ok("POST", f"/v1/models/{model}/gradient_check", {"parameters": 10, "rows": 8, "h": 1e-4}, status=200)
    equal([layer["checked"] + layer["skipped"] for layer in found["layers"]], [10, 10], "parameters of each layer")
    equal(found["h"], 1e-4, "h")
    equal({k: v for k, v in server.ok("POST", f"/v1/models/{model}/gradient_check", {"parameters": 10, "rows": 8, "h": 1e-4}, status=200).items() if k != "seconds"},
          {k: v for k, v in found.items() if k != "seconds"}, "the same again")
    coarse = server.ok("POST", f"/v1/models/{model}/gradient_check", {"h": 0.1}, status=200)
    want(not coarse["passed"] and coarse["max_relative_error"] > found["max_relative_error"], f"a step that is no derivative's passes: {coarse}")


def every_error_is_told_at_its_place(server):
    model = _model(server, softmax(BLOBS))
    path = f"/v1/models/{model}/gradient_check"
    problem = server.refuse(422, "validation_failed", "POST", path, {"rows": 257, "parameters": 0, "h": 1, "step": 3, "dataset": 7})
    equal(sorted((e["pointer"], e["code"]) for e in problem["errors"]),
          [("/dataset", "type_mismatch"), ("/h", "out_of_range"), ("/parameters", "out_of_range"), ("/rows", "out_of_range"), ("/step", "unknown_field")], "errors")
    server.refuse(404, "dataset_not_found", "POST", path, {"dataset": "ds_00000000000000000000"})
    server.refuse(404, "not_found", "POST", "/v1/models/mdl_00000000000000000000/gradient_check", {})
    server.refuse(422, "feature_count_mismatch", "POST", path, {"dataset": {"x": [[1, 2, 3], [3, 2, 1]], "y": ["0", "1"]}})
    server.refuse(400, "json_invalid", "POST", path, "{", {"Content-Type": "application/json"})


def what_takes_too_long_is_refused_and_auto_takes_less(server):
    data = {"x": [[(i * 7 + j) % 5 for j in range(200)] for i in range(40)], "y": [str(i % 4) for i in range(40)]}
    model = _model(server, mlp(data, (256,)))
    path = f"/v1/models/{model}/gradient_check"
    problem = server.refuse(422, "out_of_range", "POST", path, {"parameters": 100000, "rows": 40})
    includes(str(problem), "/parameters")
    if not THOROUGH:
        raise Skip("what auto takes: half a minute under sanitizers; what was asked for was refused")
    found = server.ok("POST", path, {"rows": 40}, status=200)
    want(found["passed"] and 0 < found["layers"][0]["checked"] < found["layers"][0]["parameters"], f"found {found}")


def without_its_job_a_data_set_must_be_named():
    with Server() as server:
        job = server.train(softmax(BLOBS))
        path = f"/v1/models/{job['model']}/gradient_check"
        server.ok("DELETE", f"/v1/jobs/{job['id']}", status=204)
        server.refuse(422, "missing_field", "POST", path, {})
        want(server.ok("POST", path, {"dataset": BLOBS}, status=200)["passed"], "a data set that is named")
