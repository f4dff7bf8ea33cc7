"""What the parts of bench/run share: how a figure is told, programs that stay and answer, the disk's own speed."""
import contextlib
import json
import os
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from data import FASHION, FILES
from harness import ROOT

QUICK = bool(os.environ.get("QUICK"))  # does everything run? The figures are then of no worth
ROUNDS = 1 if QUICK else 5
CORES = os.cpu_count()
FOLDER = ROOT / "build/bench"
LINES = []   # (what, aim, figure, good, how, part)
PART = [""]  # that is measured now
TABLES = {}  # title: lines of Markdown
CHARTS = {}  # file: what chart.bars draws


def say(text):
    print(text, flush=True)


def line(what, aim, figure, good, how):
    LINES.append((what, aim, figure, good, how, PART[-1]))
    say(f"  {what}: {figure} (aim {aim}){'' if good else '  MISSED'}")


def spread(values, form="{:,.0f}"):
    """The median, with the least and the greatest value."""
    return f"{form.format(statistics.median(values))} ({form.format(min(values))} to {form.format(max(values))})"


def ratio(one, other):
    """Of what was measured in turn: the median of the ratios of the pairs."""
    return statistics.median(a / b for a, b in zip(one, other))


class Program:
    """A process that answers each line with a line of JSON: bench/train, bench/peak, the peers. What it says goes to its log."""

    def __init__(self, *command):
        FOLDER.mkdir(parents=True, exist_ok=True)
        with (FOLDER / "programs.log").open("a") as log:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                            env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(FOLDER / "inductor"), "JAX_PLATFORMS": "cpu"})

    def tell(self, question):
        self.process.stdin.write((question if isinstance(question, str) else json.dumps(question)) + "\n")
        self.process.stdin.flush()

    def hear(self):
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{' '.join(self.process.args)} gives no answer: see {FOLDER}/programs.log")
        return json.loads(answer)

    def ask(self, question):
        self.tell(question)
        return self.hear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def train(files, threads):
    return Program(sys.argv[2] + "/train", *files, threads)


def peak(threads):
    return Program(sys.argv[2] + "/peak", threads)


def peer(name, files, threads, folder):
    return Program(ROOT / "build/bench-venv/bin/python", ROOT / f"bench/peers/{name}.py", *files, threads, folder)


# ---- jobs of a server ----

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


def counters(server, *names):
    """What the server has counted so far."""
    text = server.call("GET", "/metrics").text
    return [int(re.search(rf"^{name} (\d+)$", text, re.M).group(1)) for name in names]


def load(server, *arguments):
    """Runs bench/load.c's program against the server."""
    out = subprocess.run([sys.argv[2] + "/load", str(server.port), *map(str, arguments)], check=True, capture_output=True, text=True)
    answers = json.loads(out.stdout)
    if answers["refused"]:
        sys.exit(f"requests were refused: {answers}")
    return answers


# ---- the disk ----

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
