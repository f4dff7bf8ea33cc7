"""What the clients send: job specifications and data sets, short enough that a few of them end between two deaths."""
import functools

from material import csv_table, tiny_images

KEY = "key"  # of the metadata: every job is labelled with the key that it was submitted under
SOLVERS = ("lbfgs", "newton_cg")  # of convex models, on all rows at once
SEEDS = 2    # of each kind of job, so that golden runs are shared


def kinds(optimizers):
    """Specifications by name, without seed, name, metadata and resources. Together they take every optimizer."""
    found = {"softmax": _job(300, {"type": "softmax_regression"}, epochs=3, batch_size=32)}
    for optimizer in SOLVERS:
        found[optimizer] = {**_job(2000, {"type": "softmax_regression"}, epochs=12), "optimizer": {"type": optimizer}, "split": {"validation": 0.1}}
    for i, optimizer in enumerate(o for o in optimizers if o not in SOLVERS):
        # large: the model's file and the checkpoints' are files, not rows
        large, dropout = i % 2 == 0, 0.2 if i % 3 == 0 else 0.0
        batch_size = 50 if i % 4 < 2 else 47  # without and with a short last batch
        model = {"type": "mlp", "hidden": [128, 128] if large else [16], "dropout": dropout}
        spec = _job(1000, model, epochs=15 if large else 60, batch_size=batch_size, log_every_steps=40)
        found[optimizer] = {**spec, "optimizer": {"type": optimizer, **_rate(optimizer)}, "split": {"validation": 0.1}}
    patient = _job(800, {"type": "mlp", "hidden": [32]}, epochs=40, batch_size=40, log_every_steps=25)
    found["early"] = {**patient, "split": {"validation": 0.2},
                      "stop": {"early": {"metric": "validation_loss", "patience": 10, "min_delta": 0.0}}}
    table = {"x": [[i % 7, i % 5] for i in range(60)], "y": ["even" if (i % 7 + i % 5) % 2 == 0 else "odd" for i in range(60)]}
    found["inline"] = {**found["softmax"], "dataset": table}
    return found


def _job(rows, model, **training):
    dataset = {"generator": "spirals", "n": rows, "classes": 3, "noise": 0.1, "seed": 7}
    return {"dataset": dataset, "model": model, "training": training}


def _rate(optimizer):
    """No job of these may diverge."""
    return {"learning_rate": 0.01 if optimizer in ("sgd", "gd", "adagrad") else 0.001} if optimizer != "adadelta" else {}


@functools.lru_cache
def _lines(count):
    return csv_table(count, seed=count).splitlines(keepends=True)


def table(rows, number):
    """CSV that is like no other."""
    lines = list(_lines(rows))
    lines[1] = f"{number}.5,1,oak\n"
    return "".join(lines)


def images(number):
    """(images, labels), IDX, like no other."""
    return tiny_images(20, 4, seed=number)


def merge(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merge(target.get(name), value)
    return target
