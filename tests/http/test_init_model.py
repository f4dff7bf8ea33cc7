"""init: {"model": ...}: a job that begins with a model's weights instead of an initialiser's."""
from harness import Server, equal, includes, near, rows, want
from material import BLOBS, csv_table, mlp, softmax

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it

LONG = {"epochs": 30, "batch_size": 32, "seed": 1}


def _model(server, spec):
    return server.train(spec)["model"]


def _from(model, spec, **changes):
    return {**spec, "init": {"model": model}, **changes}


def training_begins_where_the_model_stands(server):
    model = _model(server, mlp(training=LONG))
    final = server.get(f"/v1/models/{model}")["scores"]["train"]["loss"]
    fresh, warm = (server.job(spec) for spec in (mlp(training={**LONG, "epochs": 1, "batch_size": "full"}),
                                                 _from(model, mlp(training={**LONG, "epochs": 1, "batch_size": "full"}))))
    first = []
    for job in (fresh, warm):
        server.wait(job)
        curves = server.get(f"/v1/jobs/{job}/metrics?names=batch_loss")
        first.append(curves["data"][0][curves["columns"].index("batch_loss")])
    near(first[1], final, 1e-4, "the first loss is the model's last")
    want(first[0] > 2 * first[1], f"without it, it is larger: {first}")


def the_model_is_named_with_its_digest(server):
    model = _model(server, mlp())
    sha256 = server.get(f"/v1/models/{model}")["digest"]["parameters_sha256"]
    view = server.train(_from(model, mlp()))
    equal(view["links"]["initial_model"], f"/v1/models/{model}", "link")
    spec = server.get(f"/v1/jobs/{view['id']}/spec")
    equal(spec["init"], {"model": model, "sha256": sha256}, "init")
    equal(spec["preprocessing"], "standardize", "preprocessing")
    equal(server.digest(spec), server.results(view["id"])["digest"]["parameters_sha256"], "the spec, posted again")
    rerun = server.ok("POST", f"/v1/jobs/{view['id']}/rerun", {"init": "he_normal"}, status=201)["id"]
    equal(server.get(f"/v1/jobs/{rerun}/spec")["init"], "he_normal", "a rerun without it")


def parameters_that_are_others_are_told(server):
    model = _model(server, softmax())
    server.refuse(409, "expectation_not_met", "POST", "/v1/jobs", softmax(init={"model": model, "sha256": "0" * 64}))


def new_data_keep_the_models_scaling(server):
    """Retraining on other rows: their mean and deviation are nothing to weights that were trained with others."""
    old, new = (server.upload(csv_table(80, seed=s))["id"] for s in (21, 22))
    model = _model(server, softmax(old))
    warm = _model(server, _from(model, softmax(new)))
    a, b = (server.get(f"/v1/models/{m}/export?format=json") for m in (model, warm))
    equal(b["preprocessing"], a["preprocessing"], "constants")
    want(server.get(f"/v1/models/{warm}/export?format=json") != a, "the weights moved")


@rows(("the same", "standardize", None), ("auto", "auto", None), ("another", "minmax", "conflicting_fields"))
def the_models_preprocessing_goes_with_it(server, preprocessing, code):
    model = _model(server, softmax())
    spec = _from(model, softmax(), preprocessing=preprocessing)
    if code is None:
        server.train(spec)
    else:
        server.refuse(422, code, "POST", "/v1/jobs", spec, pointer="/preprocessing")


def auto_is_what_the_model_has(server):
    model = _model(server, softmax(preprocessing="minmax"))
    job = server.job(_from(model, softmax()))
    equal(server.get(f"/v1/jobs/{job}/spec")["preprocessing"], "minmax", "preprocessing")


@rows(("units", mlp(hidden=(17,))), ("activation", {**mlp(), "model": {"type": "mlp", "hidden": [16], "activation": "tanh"}}),
      ("number of layers", mlp(hidden=(16, 16))), ("no hidden layer", softmax()))
def other_layers_are_refused(server, spec):
    model = _model(server, mlp())
    server.refuse(422, "conflicting_fields", "POST", "/v1/jobs", _from(model, spec), pointer="/model")


def dropout_may_differ(server):
    model = _model(server, {**mlp(), "model": {"type": "mlp", "hidden": [16], "dropout": 0.1}})
    server.train(_from(model, {**mlp(), "model": {"type": "mlp", "hidden": [16], "dropout": 0.4}}))


def other_features_are_refused(server):
    model = _model(server, softmax())
    wide = {"x": [[1, 2, 3], [4, 5, 6], [0, 1, 0], [2, 2, 2], [3, 1, 2], [5, 5, 5]], "y": [0, 1, 2, 0, 1, 2]}
    server.refuse(422, "feature_count_mismatch", "POST", "/v1/jobs", _from(model, softmax(wide)), pointer="/init/model")


@rows(("one more", ("oak", "pine", "yew"), "yew"), ("another", ("oak", "yew"), "yew"), ("one less", ("oak", "pine"), "fir"))
def classes_are_matched_by_name(server, names, told):
    known = ("fir", "oak", "pine") if told == "fir" else ("oak", "pine")
    model = _model(server, softmax(server.call("POST", "/v1/datasets", csv_table(60, classes=known, seed=31), {"Content-Type": "text/csv"}).json["id"]))
    other = server.call("POST", "/v1/datasets", csv_table(60, classes=names, seed=32), {"Content-Type": "text/csv"}).json["id"]
    problem = server.refuse(422, "class_count_mismatch", "POST", "/v1/jobs", _from(model, softmax(other)), pointer="/init/model")
    includes(problem["errors"][0]["detail"], told)


def the_order_in_which_classes_first_appear_is_nothing(server):
    model = _model(server, softmax(server.upload(csv_table(60, classes=("oak", "pine"), seed=33))["id"]))
    turned = server.upload(csv_table(60, classes=("pine", "oak"), seed=34))["id"]
    server.train(_from(model, softmax(turned)))


def soft_labels_in_another_order_are_refused(server):
    def table(names):
        lines = ["x," + ",".join(names)] + [f"{i / 10},{0.25 + i / 40:.3f},{0.75 - i / 40:.3f}" for i in range(20)]
        return "\n".join(lines) + "\n"

    sets = [server.upload(table(n), "text/csv", f"?label_columns={','.join(n)}")["id"] for n in (("oak", "fir"), ("fir", "oak"))]
    spec = softmax(training={"epochs": 2})
    model = _model(server, {**spec, "dataset": sets[0]})
    problem = server.refuse(422, "conflicting_fields", "POST", "/v1/jobs", _from(model, {**spec, "dataset": sets[1]}), pointer="/init/model")
    includes(problem["errors"][0]["detail"], "oak, fir", "fir, oak")


@rows(("unknown", {"model": "mdl_00000000000000000000"}, 404, "model_not_found", None), ("no id", {"model": "x"}, 404, "model_not_found", None),
      ("empty", {"model": ""}, 422, "unknown_value", "/init/model"), ("a number", {"model": 1}, 422, "type_mismatch", "/init/model"),
      ("none", {}, 422, "missing_field", "/init/model"), ("a typo", {"model": "x", "sha": "y"}, 422, "unknown_field", "/init/sha"),
      ("too long", {"model": "m" * 99}, 422, "string_too_long", "/init/model"))
def a_model_that_is_not_there_is_refused(server, init, status, code, pointer):
    problem = server.refuse(status, code, "POST", "/v1/jobs", softmax(init=init), pointer=pointer)
    if status == 404:
        equal(problem["pointer"], "/init/model", "pointer")


def a_deleted_model_is_not_there():
    with Server() as s:
        model = _model(s, softmax())
        job = s.job(_from(model, softmax()))
        s.wait(job)
        s.ok("DELETE", f"/v1/models/{model}", status=204)
        s.refuse(404, "model_not_found", "POST", "/v1/jobs", _from(model, softmax()))
        s.refuse(404, "model_not_found", "POST", f"/v1/jobs/{job}/rerun")


def a_model_that_a_job_needs_stays():
    with Server(["--threads", "1"]) as s:
        model = _model(s, mlp())
        job = s.job(_from(model, mlp({**BLOBS, "n": 3000}, training={"epochs": 1000000, "batch_size": 32, "log_every_steps": 1000})))
        s.refuse(409, "in_use", "DELETE", f"/v1/models/{model}")
        s.ok("POST", f"/v1/jobs/{job}/cancel")
        s.wait(job, "cancelled")
        s.ok("DELETE", f"/v1/models/{model}", status=204)
