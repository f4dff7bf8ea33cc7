"""What bench/run trains: one table of workloads, and their jobs as POST /v1/jobs takes them."""
import dataclasses


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
    dataset: str
    layers: list
    samples: int  # of one timed run, a multiple of every batch size: some tenths of a second for descentd, seconds for the slowest


WORKLOADS = {w.name: w for w in (
    Workload("softmax", "softmax regression 784-10", "fashion", dense(10), 4 * 59904),
    Workload("mlp", "MLP 784-512-10", "fashion", dense(512, 10), 59904),
    Workload("mlp2", "MLP 784-1024-1024-10", "fashion", dense(1024, 1024, 10), 40 * 512),
    Workload("cnn", "CNN conv 32, conv 64, dense 128, dense 10", "fashion", [*block(32), *block(64), FLATTEN, *dense(128, 10)], 12 * 512),
    Workload("cifar", "CIFAR-shaped CNN, 3 blocks with batch norm", "cifar",
             [*(layer for filters in (32, 64, 128) for layer in block(filters, NORM, padding=1)), FLATTEN, *dense(10)], 4 * 512),
)}
BATCHES = (32, 128, 512)
THREADS = (1, 2)
ROWS = {"fashion": 59904, "cifar": 5120}  # of the data sets, multiples of every batch size: all minibatches are of one size


def job(workload, batch, samples=None, precision="float32"):
    """A run of so many samples, as every program of bench/ takes it."""
    samples = samples or workload.samples
    spec = {"dataset": "ds_" + 20 * "0", "model": {"type": "layers", "layers": workload.layers}, "preprocessing": "scale_255",
            "optimizer": {"type": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": "lookahead"},
            "training": {"epochs": -(-samples // ROWS[workload.dataset]), "batch_size": batch, "seed": 42},
            "stop": {"max_steps": samples // batch}}
    return spec if precision == "float32" else {**spec, "precision": precision}
