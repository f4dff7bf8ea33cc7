"""Does it learn: convex optimum, known losses, Fashion-MNIST, every optimizer."""
import math

from harness import THOROUGH, Skip, equal, near, rows, want
from material import BLOBS, DATA, SPIRALS, fashion, golden, mlp, softmax
from test_exactness import OPTIMIZERS

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it


def _digits(server):
    found = sorted(DATA.glob("digits*.csv"))
    if not found:
        raise Skip("there is no digits data")
    head, *lines = found[0].read_text().split()
    scaled = [head] + [",".join([str(float(v) / 16) for v in line.split(",")[:-1]] + [line.split(",")[-1]]) for line in lines]
    return server.ok("POST", "/v1/datasets?name=digits", "\n".join(scaled), {"Content-Type": "text/csv"})


def softmax_regression_reaches_the_convex_optimum(server):
    case = next(c for c in golden("convex_softmax.json") if "digits" in c["problem"] and c["lam"] == 1e-3)
    data = _digits(server)
    equal((data["rows"], data["features"], len(data["classes"])), (1797, 64, 10), "digits")
    spec = softmax(data["id"], preprocessing="none", loss={"type": "cross_entropy", "l2": 1e-3},
                   optimizer={"type": "gd", "learning_rate": 0.17, "momentum": 0.97, "nesterov": "lookahead"},
                   training={"epochs": 20000, "batch_size": "full", "seed": 1, "log_every_steps": 100}, stop={"gradient_norm": 1e-5 if THOROUGH else 3e-4})
    job = server.train(spec, seconds=120)
    results = server.results(job["id"])["splits"]["train"]
    near(results["objective"], case["F_star"], 1e-6 if THOROUGH else 1e-3, "objective")


def the_first_loss_of_a_zero_model_is_ln_k(server):
    for classes in (2, 3, 10):
        data = {"generator": "blobs", "n": 200, "classes": classes, "noise": 0.3, "seed": 1}
        job = server.train(softmax(data, training={"epochs": 1, "batch_size": "full", "seed": 1, "log_every_steps": 1}))["id"]
        curve = server.get(f"/v1/jobs/{job}/metrics?names=batch_loss&downsample=none")
        near(curve["data"][0][curve["columns"].index("batch_loss")], math.log(classes), 1e-6, f"{classes} classes")


@rows(*OPTIMIZERS)
def every_optimizer_learns(server, optimizer):
    job = server.train(mlp({**BLOBS, "noise": 0.2}, (16,), optimizer=optimizer, training={"epochs": 60, "batch_size": 32, "seed": 2} if optimizer["type"] != "gd" else
                           {"epochs": 300, "seed": 2}))
    accuracy = server.results(job["id"])["splits"]["train"]["accuracy"]
    want(accuracy > 0.95, f"accuracy {accuracy}")


def what_no_line_divides_takes_a_hidden_layer(server):
    linear = server.results(server.train(softmax(SPIRALS, training={"epochs": 50, "batch_size": 32, "seed": 1}))["id"])["splits"]["train"]["accuracy"]
    deep = server.results(server.train(mlp(SPIRALS, (64, 64), optimizer={"type": "adam", "learning_rate": 0.01},
                                           training={"epochs": 200 if THOROUGH else 80, "batch_size": 32, "seed": 1}))["id"])["splits"]["train"]["accuracy"]
    want(linear < 0.8 and deep > 0.95, f"softmax regression {linear}, two hidden layers {deep}")


def fashion_mnist_is_learnt(server):
    count = None if THOROUGH else 2000
    train, test = server.upload_idx(*fashion("train", count), "train"), server.upload_idx(*fashion("t10k", count and 1000), "test")
    spec = {"dataset": train, "test": {"dataset": test}, "model": {"type": "mlp", "hidden": [128]}, "training": {"epochs": 2, "batch_size": 128, "seed": 42}}
    results = server.results(server.train(spec, seconds=120)["id"])
    part = results["splits"]["test"]
    want(part["accuracy"] > (0.82 if THOROUGH else 0.6), f"test accuracy {part['accuracy']}")
    matrix = part["confusion_matrix"]
    equal(sum(map(sum, matrix)), part["samples"], "the confusion matrix counts every image")
    near(sum(matrix[k][k] for k in range(10)) / part["samples"], part["accuracy"], 1e-12, "its diagonal")


@rows(("each step", {"type": "gd", "learning_rate": 0.5}, {"epochs": 100000}),
      ("each epoch", {"type": "gd", "learning_rate": 0.5, "momentum": 0.5, "nesterov": "lookahead"}, {"epochs": 100000}),
      ("of minibatches", {"type": "sgd", "learning_rate": 0.01}, {"epochs": 100000, "batch_size": 100}))
def a_job_ended_by_its_gradient_shows_the_norm_and_its_last_step(server, optimizer, training):
    job = server.train(softmax({**BLOBS, "noise": 1.0}, loss={"type": "cross_entropy", "l2": 0.01}, optimizer=optimizer, training=training,
                               stop={"gradient_norm": 1e-2}))
    equal(job["stop_reason"], "gradient_norm", "stop reason")
    want(0 < job["latest"]["gradient_norm"] <= 1e-2, f"latest {job['latest']}")
    curve = server.get(f"/v1/jobs/{job['id']}/metrics")
    equal(curve["last_step"], job["step"], "the curve's last step")
    want(curve["total_points"] < 5000, f"{curve['total_points']} points")


def splits_are_stratified_and_disjoint(server):
    job = server.train(softmax({**BLOBS, "n": 300}, split={"validation": 0.2, "test": 0.1, "stratified": True}))
    splits = server.results(job["id"])["splits"]
    equal({k: v["samples"] for k, v in splits.items()}, {"train": 210, "validation": 60, "test": 30}, "samples")
    for part in ("validation", "test"):
        supports = [c["support"] for c in splits[part]["per_class"]]
        want(max(supports) - min(supports) <= 1, f"{part}: {supports}")


def scores_agree_with_the_confusion_matrix(server):
    job = server.train(softmax({**BLOBS, "noise": 1.5, "n": 600}, split={"test": 0.3}))
    part = server.results(job["id"])["splits"]["test"]
    matrix = part["confusion_matrix"]
    for k, scores in enumerate(part["per_class"]):
        right, claimed, there = matrix[k][k], sum(row[k] for row in matrix), sum(matrix[k])
        equal(scores["support"], there, "support")
        near(scores["precision"], right / claimed, 1e-9, "precision")
        near(scores["recall"], right / there, 1e-9, "recall")
        near(scores["f1"], 2 * right / (claimed + there), 1e-9, "F1")
    bins = part["calibration"]["bins"]
    equal(sum(b["count"] if "count" in b else b["samples"] for b in bins), part["samples"], "the bins count every sample")
    want(0 <= part["calibration"]["ece"] <= part["calibration"]["mce"] <= 1 and 0 <= part["calibration"]["brier"] <= 2, f"calibration {part['calibration']}")


def with_l2_the_objective_stands_beside_the_loss(server):
    job = server.train(softmax(loss={"type": "cross_entropy", "l2": 0.1}))
    train = server.results(job["id"])["splits"]["train"]
    want(train["objective"] > train["loss"] > 0, f"objective {train['objective']}, loss {train['loss']}")
    plain = server.results(server.train(softmax())["id"])["splits"]["train"]
    want("objective" not in plain, "no objective without L2")


def label_smoothing_keeps_the_model_less_sure(server):
    def confidence(smoothing):
        job = server.train(softmax({**BLOBS, "noise": 0.1}, loss={"type": "cross_entropy", "label_smoothing": smoothing}, training={"epochs": 100, "batch_size": 32, "seed": 1}))
        return server.results(job["id"])["splits"]["train"]["loss"]

    want(confidence(0.3) > 3 * confidence(0.0), "the loss on plain labels")


def class_weights_move_the_border(server):
    noisy = {"generator": "blobs", "n": 600, "classes": 2, "noise": 2.0, "seed": 3}

    def recall(weights):
        job = server.train(softmax(noisy, loss={"type": "cross_entropy", "class_weights": weights}, training={"epochs": 30, "batch_size": 64, "seed": 1}))
        return server.results(job["id"])["splits"]["train"]["per_class"][1]["recall"]

    want(recall([1, 20]) > recall(None) > recall([20, 1]), "recall of the second class follows its weight")


@rows(("none", "none"), ("standardize", "standardize"), ("minmax", "minmax"))
def a_constant_feature_harms_nobody(server, preprocessing):
    body = "a,b,kind\n" + "".join(f"{i},7,{'x' if i < 10 else 'y'}\n" for i in range(20))
    data = server.ok("POST", "/v1/datasets", body, {"Content-Type": "text/csv"})["id"]
    job = server.train(softmax(data, preprocessing=preprocessing, training={"epochs": 5, "batch_size": 5}))
    loss = server.results(job["id"])["splits"]["train"]["loss"]
    want(math.isfinite(loss), f"loss {loss}")
