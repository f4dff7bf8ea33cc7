"""What the peers share: they are asked as bench/train is, and do the work that it would have done.

    PEER IMAGES LABELS THREADS FOLDER

IDX files, not compressed; FOLDER: `parameters` and `order` as bench/train writes them. Each line of the standard input is
a job, each is answered by a line of JSON: samples, seconds of all updates, the mean of the last epoch's minibatches' losses,
which variant of the peer it was, and the process's memory. What is compiled is compiled before the time begins: {"prepare": job} does
that alone."""
import json
import pathlib
import re
import sys

import numpy


def idx(path):
    raw = pathlib.Path(path).read_bytes()
    rank = raw[3]
    shape = numpy.frombuffer(raw, ">u4", rank, 4).astype(int)
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * rank).reshape(shape)


def load(images, labels):
    """Images as float32 [rows][channels][height][width], labels."""
    images = idx(images)
    return (images.reshape(len(images), -1, *(images.shape[-2:] if images.ndim > 2 else (1, images.shape[1]))).astype(numpy.float32) / 255,
            idx(labels).astype(numpy.int64))


class Work:
    """The data, the parameters to begin with, the rows in the order of each epoch."""

    def __init__(self, images, labels, folder):
        self.images, self.labels = load(images, labels)
        self.parameters = numpy.fromfile(folder + "/parameters", "<f4")
        self.order = numpy.fromfile(folder + "/order", "<u4").astype(numpy.int64)

    def batches(self, job):
        """[epochs][steps][batch] rows; of the first steps only where the job says so."""
        epochs, batch = job["training"]["epochs"], job["training"]["batch_size"]
        return self.order[:epochs * len(self.images)].reshape(epochs, -1, batch)[:, :job.get("stop", {}).get("max_steps")]


def learning_rates(job, steps):
    """Of each update, as descentd schedules them."""
    base, schedule = job["optimizer"]["learning_rate"], job.get("schedule", {"type": "constant"})
    warmup = schedule.get("warmup_steps", 0)
    for k in range(steps):
        if k < warmup:
            yield base * (k + 1) / warmup
        elif schedule["type"] == "linear":
            yield base + (schedule["final_learning_rate"] - base) * (k - warmup) / (steps - warmup)
        else:
            yield base


def flat(layers):
    """Whether the model sees no images: its first layer with parameters is dense."""
    return next(layer["type"] for layer in layers if layer["type"] in ("dense", "conv2d")) == "dense"


def memory_mb(key):
    return int(re.search(rf"^{key}:\s+(\d+) kB", pathlib.Path("/proc/self/status").read_text(), re.M).group(1)) / 1024


def serve(make):
    """make(work, threads): the functions that prepare a job, and that do it and return what is told of it."""
    images, labels, threads, folder = sys.argv[1:]
    idle = memory_mb("VmRSS")
    prepare, do = make(Work(images, labels, folder), int(threads))
    for line in sys.stdin:
        job = json.loads(line)
        answer = (prepare(job["prepare"]) or {}) if "prepare" in job else do(job)
        print(json.dumps({**answer, "idle_mb": idle, "resident_mb": memory_mb("VmRSS")}), flush=True)
