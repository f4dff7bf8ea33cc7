"""What the parts of bench/run share: how a figure is told, the job of most of them, the disk's own speed."""
import contextlib
import pathlib
import re
import sqlite3
import statistics
import sys
import tempfile
import time

from harness import FASHION

ROUNDS = 5
FILES = {"train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"), "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")}
LINES = []


def say(text):
    print(text, flush=True)


def line(what, aim, figure, good, how):
    part = sys._getframe(1).f_code.co_name
    LINES.append((what, aim, figure, good, how, f"`make bench PART={part}`"))
    say(f"  {what}: {figure} (aim {aim}){'' if good else '  MISSED'}")


def fashion(server, part):
    images, labels = FILES[part]
    return server.upload_idx((FASHION / images).read_bytes(), (FASHION / labels).read_bytes(), part)


def status_kb(server, key):
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(rf"^{key}:\s+(\d+) kB", text, re.M).group(1))


def fashion_mlp(train, seed, hidden=(512,), **training):
    """The job of `make demo`, on all 60,000 images."""
    return {"dataset": train, "model": {"type": "mlp", "hidden": list(hidden)},
            "optimizer": {"type": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": "lookahead"},
            "schedule": {"type": "cosine", "final_learning_rate": 0},
            "training": {"epochs": 10, "batch_size": 128, "seed": seed, **training}}


def commit_ms(count=60, rows=1):
    """The disk's own time for one commit of so many small rows: SQLite, write-ahead log, synchronous=FULL."""
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(sqlite3.connect(folder + "/x.db", isolation_level=None)) as db:
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(a, b)")
        times = []
        for i in range(count):
            begin = time.perf_counter()
            db.execute("BEGIN")
            db.executemany("INSERT INTO t VALUES (?, ?)", [(i, "x" * 2000)] * rows)
            db.execute("COMMIT")
            times.append((time.perf_counter() - begin) * 1000)
        return statistics.median(times)


def thread_seconds(server):
    """Processor time of the server's threads but those that train, in all."""
    total = 0
    for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        with contextlib.suppress(OSError):
            if task.joinpath("comm").read_text().strip() not in ("runner", "worker"):
                total += int(task.joinpath("schedstat").read_text().split()[0]) / 1e9
    return total
