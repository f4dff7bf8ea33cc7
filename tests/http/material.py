"""What the tests train on: job specifications, tables and IDX files, made here so that their truth is known."""
import gzip
import json
import pathlib
import random
import struct

from harness import FASHION, ROOT, Skip

DATA = ROOT / "tests/data"

BLOBS = {"generator": "blobs", "n": 300, "classes": 3, "noise": 0.4, "seed": 7}
SPIRALS = {"generator": "spirals", "n": 600, "classes": 3, "noise": 0.1, "seed": 7}

# Every optimizer, with every option that has a state or a rule of its own.
OPTIMIZERS = (
    ("gd", {"type": "gd", "learning_rate": 0.1}),
    ("sgd", {"type": "sgd", "learning_rate": 0.05}),
    ("momentum", {"type": "sgd", "learning_rate": 0.05, "momentum": 0.9}),
    ("nesterov lecture", {"type": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": "lecture"}),
    ("nesterov lookahead", {"type": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": "lookahead"}),
    ("adagrad", {"type": "adagrad", "learning_rate": 0.05}),
    ("rmsprop", {"type": "rmsprop", "learning_rate": 0.01}),
    ("rmsprop centered", {"type": "rmsprop", "learning_rate": 0.01, "centered": True, "momentum": 0.5}),
    ("adam", {"type": "adam", "learning_rate": 0.01}),
    ("amsgrad", {"type": "adam", "learning_rate": 0.01, "amsgrad": True}),
    ("adamw", {"type": "adamw", "learning_rate": 0.01, "weight_decay": 0.1}),
    ("adadelta", {"type": "adadelta"}),
    ("nadam", {"type": "nadam", "learning_rate": 0.01}),
    ("radam", {"type": "radam", "learning_rate": 0.02}),
    ("adamax", {"type": "adamax", "learning_rate": 0.02}),
    ("lion", {"type": "lion", "learning_rate": 0.003, "weight_decay": 0.1}),
    ("schedule-free sgd", {"type": "schedule_free_sgd", "learning_rate": 0.5, "warmup_steps": 20}),
    ("schedule-free adamw", {"type": "schedule_free_adamw", "learning_rate": 0.02, "weight_decay": 0.01}),
    ("muon", {"type": "muon", "learning_rate": 0.02, "adamw_learning_rate": 0.01, "weight_decay": 0.01}),
)


def softmax(dataset=None, **changes):
    """The smallest job: a convex model on three blobs. `changes` replace whole members of the specification."""
    spec = {"dataset": dataset or BLOBS, "model": {"type": "softmax_regression"},
            "training": {"epochs": 3, "batch_size": 32, "seed": 1}}
    return {**spec, **changes}


def mlp(dataset=None, hidden=(16,), **changes):
    spec = {"dataset": dataset or BLOBS, "model": {"type": "mlp", "hidden": list(hidden)},
            "training": {"epochs": 3, "batch_size": 32, "seed": 1}}
    return {**spec, **changes}


def endless(dataset=None):
    """A job that goes on until somebody stops it."""
    return mlp(dataset or {**SPIRALS, "n": 3000}, (64,), training={"epochs": 1000000, "batch_size": 32, "log_every_steps": 1000})


# A server on which one endless job leaves no memory for another one: all others stay queued.
ONE_AT_A_TIME = ["--threads", "1", "--memory", "600K"]


def csv_table(rows=60, seed=1, classes=("oak", "pine"), header=True):
    """Two features that tell the classes apart; the label is the last column."""
    draw = random.Random(seed)
    lines = ["height,width,kind"] if header else []
    for i in range(rows):
        k = i % len(classes)
        lines.append(f"{draw.gauss(3 * k, 1):.4f},{draw.gauss(-3 * k, 1):.4f},{classes[k]}")
    return "\n".join(lines) + "\n"


def idx(shape, values, kind=0x08):
    """An IDX file: magic, dimensions, then the values' bytes."""
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + bytes(values)


def tiny_images(count=40, side=4, seed=3):
    """Images of two classes, bright on top or bright below, and their labels."""
    draw = random.Random(seed)
    pixels, labels = bytearray(), bytearray()
    for i in range(count):
        k = i % 2
        for y in range(side):
            for _ in range(side):
                bright = (y < side // 2) == (k == 0)
                pixels.append(draw.randrange(150, 256) if bright else draw.randrange(0, 100))
        labels.append(k)
    return idx((count, side, side), pixels), idx((count,), labels)


def fashion(part, count=None):
    """(images, labels) of Fashion-MNIST as IDX files; the first `count` if given."""
    if not FASHION.is_dir():
        raise Skip("the package dataset-fashion-mnist is not installed")
    images, labels = ((FASHION / f"{part}-{kind}-ubyte.gz").read_bytes() for kind in ("images-idx3", "labels-idx1"))
    if count is None:
        return images, labels
    images, labels = gzip.decompress(images), gzip.decompress(labels)
    return idx((count, 28, 28), images[16:16 + count * 784]), idx((count,), labels[8:8 + count])


def golden(name):
    """One of tests/golden's vectors."""
    return json.loads(pathlib.Path(ROOT / "tests/golden" / name).read_text(encoding="utf-8"))
