"""What bench/run trains: one table of workloads, and their jobs as POST /v1/jobs takes them."""
import dataclasses

from common import QUICK


def dense(*units):
    """Dense layers with relu between them."""
    layers = [{"type": "dense", "units": n} for n in units]
    return [part for layer in layers for part in (layer, {"type": "relu"})][:-1]


def block(filters, *norm, **convolution):
    return [{"type": "conv2d", "filters": filters, "kernel": 3, **convolution}, *norm, {"type": "relu"}, {"type": "max_pool2d", "size": 2}]


NORM, FLATTEN = {"type": "batch_norm"}, {"type": "flatten"}


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    title: str
    images: str   # fashion, or noisy: made by bench/data.py in the shape of CIFAR's
    layers: list
    rows: int     # of the data set, a multiple of every batch size: all minibatches are of one size
    epochs: dict  # by batch size: a run takes half a second or so, of the slower programs
    changes: dict = dataclasses.field(default_factory=dict)  # of the job

    def job(self, batch, precision="float32"):
        """A run as every program of bench/ takes it."""
        spec = {"dataset": "ds_" + 20 * "0", "model": {"type": "layers", "layers": self.layers}, "preprocessing": "scale_255",
                "optimizer": {"type": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": "lookahead"},
                "training": {"epochs": self.epochs[batch], "batch_size": batch, "seed": 42, "log_every_steps": 1000000}}
        return {**spec, **self.changes, **({} if precision == "float32" else {"precision": precision})}


THREADS = (1, 2)
WORKLOADS = {w.name: w for w in (
    Workload("softmax", "softmax regression 784-10", "fashion", dense(10), 59904, {32: 2, 128: 5, 512: 5}),
    Workload("mlp", "MLP 784-512-10", "fashion", dense(512, 10), 5120, {32: 1, 128: 4, 512: 4}),
    Workload("mlp2", "MLP 784-1024-1024-10", "fashion", dense(1024, 1024, 10), 1536, {32: 1, 128: 2, 512: 2}),
    Workload("cnn", "CNN: conv 32, conv 64, dense 128, dense 10", "fashion", [*block(32), *block(64), FLATTEN, *dense(128, 10)], 1024,
             {32: 1, 128: 1, 512: 1}),
    Workload("cifar", "CIFAR-shaped CNN: 3 blocks with batch norm", "noisy",
             [*(layer for filters in (32, 64, 128) for layer in block(filters, NORM, padding=1)), FLATTEN, *dense(10)], 512, {32: 1, 128: 2, 512: 1}),
)}
# docs/recipes.md: more than 90 % in three epochs
RECIPE = Workload("recipe", "CNN, Adam, three epochs", "fashion", WORKLOADS["cnn"].layers, 60000, {96: 3},
                  {"optimizer": {"type": "adam", "learning_rate": 0.003}, "schedule": {"type": "linear", "final_learning_rate": 0, "warmup_steps": 100}})
if QUICK:
    WORKLOADS = {n: dataclasses.replace(w, rows=512, epochs={b: 1 for b in w.epochs}) for n, w in WORKLOADS.items()}
    RECIPE = dataclasses.replace(RECIPE, epochs={96: 1}, changes={**RECIPE.changes, "stop": {"max_steps": 20}})
