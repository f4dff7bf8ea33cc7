"""The files that bench/run's programs read, under build/bench/: images as IDX, and what peers need to do the same work."""
import gzip
import json
import math
import os
import pathlib
import random
import struct
import subprocess
import sys

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
FILES = {"train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"), "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")}


def write_idx(path, shape, values):
    path.write_bytes(struct.pack(f">{1 + len(shape)}I", 0x800 + len(shape), *shape) + values)


def fashion(rows, part="train"):
    """The first images and labels of Fashion-MNIST."""
    images, labels = (gzip.decompress((FASHION / name).read_bytes()) for name in FILES[part])
    return (rows, 28, 28), images[16:16 + rows * 784], labels[8:8 + rows]


def noisy(rows, shape=(3, 32, 32), classes=10):
    """Images of one random pattern a class, a quarter of it under three quarters of noise."""
    source, size = random.Random(1), math.prod(shape)
    patterns = [source.randbytes(size) for _ in range(classes)]
    labels = bytes(i % classes for i in range(rows))
    return (rows, *shape), b"".join(bytes((a + 3 * b) >> 2 for a, b in zip(patterns[k], source.randbytes(size))) for k in labels), labels


def write_images(folder, shape, values, labels):
    """The files' paths: images, labels."""
    os.makedirs(folder, exist_ok=True)
    write_idx(folder / "images", shape, values)
    write_idx(folder / "labels", (len(labels),), labels)
    return folder / "images", folder / "labels"


def prepare(folder, workload):
    """All files of a workload; the order of the rows is that of its longest run."""
    files = write_images(folder, *{"fashion": fashion, "noisy": noisy}[workload.images](workload.rows))
    longest = max(workload.epochs, key=workload.epochs.get)
    subprocess.run([sys.argv[2] + "/train", *files, "1", folder], check=True, text=True, input=json.dumps(workload.job(longest)) + "\n")
    return files
