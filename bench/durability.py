"""Figures of jobs that survive: what checkpoints, durable submits, many readers and a restart cost."""
import json
import os
import pathlib
import re
import selectors
import socket
import statistics
import subprocess
import sys
import time

from common import CORES, QUICK, ROUNDS, commit_ms, counters, fashion, fashion_mlp, line, load, status_kb, thread_seconds
from harness import ROOT, Server, want
from material import ONE_AT_A_TIME, SPIRALS, endless, mlp


def last_row(server, job, after=0):
    """The newest row of the job's curves."""
    curves = server.get(f"/v1/jobs/{job}/metrics?after_step={after}")
    return dict(zip(curves["columns"], curves["data"][-1]))


# ---- checkpoints ----

def seconds_of_training(server, spec):
    """How long the job trained, and how many checkpoints were made of it meanwhile: one more comes at its end."""
    name = "descentd_checkpoints_written_total"
    (before,), job = counters(server, name), server.train(spec, seconds=600)["id"]
    return last_row(server, job)["seconds"], counters(server, name)[0] - before - 1


def checkpoints():
    """The same job with a checkpoint every 50 steps and with none but its last, in turn."""
    default = 30  # seconds between two checkpoints
    for hidden, steps in ((512,), 500), ((1024, 1024), 150):
        costs, shares, counts = [], [], []
        with Server() as server:
            small = fashion(server, "test")  # the scores at a job's end take their time, too
            for seed in range(ROUNDS):
                spec = {**fashion_mlp(small, seed, hidden, epochs=10), "stop": {"max_steps": steps}}
                many, count = seconds_of_training(server, {**spec, "checkpoint": {"every_seconds": None, "every_steps": 50}})
                none, _ = seconds_of_training(server, {**spec, "checkpoint": {"every_seconds": None}})
                costs.append((many - none) / count)
                shares.append(many / none - 1)
                counts.append(count)
        cost = statistics.median(costs)
        line(f"a checkpoint each {default} s, MLP 784-{'-'.join(map(str, hidden))}-10, batch 128: share of training time", "<= 3 %",
             f"{cost / default:.3%} ({1000 * cost:.1f} ms each; every 50 steps: {statistics.median(shares):.1%})", cost <= 0.03 * default,
             f"{steps} steps with some {statistics.median(counts):.0f} checkpoints and with none, in turn, {ROUNDS} times: "
             f"the difference, by the job's own clock, for each checkpoint, as a share of {default} s")


# ---- many clients ----

def yield_cores(server):
    """Whoever else wants a core gets it before the jobs that run now."""
    for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        if task.joinpath("comm").read_text().strip() in ("runner", "worker"):
            os.setpriority(os.PRIO_PROCESS, int(task.name), 19)


def submits():
    """New jobs from 32 clients at once, each with a key, into the queue behind one that runs."""
    clients, rates, bounds = 32, [], []
    names = ("descentd_store_operations_total", "descentd_store_commit_duration_seconds_count")
    spec = {"dataset": {"x": [[0, 0], [1, 0], [0, 1], [1, 1], [2, 2], [2, 3]], "y": ["a", "a", "a", "a", "b", "b"]},
            "model": {"type": "softmax_regression"}, "training": {"epochs": 5, "seed": 1}}
    with Server([*ONE_AT_A_TIME, "--max-queued-jobs", "1000000"]) as server:
        job = server.job(endless())
        server.wait_until(job, lambda view: view["step"] > 0)
        yield_cores(server)
        before = counters(server, *names)
        for i in range(ROUNDS):
            bounds.append(clients * 1000 / commit_ms(30, clients))
            rates.append(load(server, clients, 2, 0, "POST", "/v1/jobs", json.dumps(spec), f"round-{i}")["per_second"])
        operations, transactions = (b - a for a, b in zip(before, counters(server, *names)))
    rate, bound = statistics.median(rates), statistics.median(bounds)
    line(f"durable submits by {clients} clients", ">= 1,000/s, or 0.8 of the disk's",
         f"{rate:,.0f}/s ({min(rates):,.0f} to {max(rates):,.0f}; the disk's own: {bound:,.0f}/s)", rate >= min(1000, 0.8 * bound),
         f"inline data, an Idempotency-Key each, {operations / transactions:.0f} to a commit; {ROUNDS} times 2 s of `bench/load`; beside each, the "
         f"disk's: SQLite transactions of {clients} rows of 2 kB. The job that keeps the others queued yields its core (nice 19)")


def newest_row(server, job):
    return last_row(server, job, max(0, server.get(f"/v1/jobs/{job}")["step"] - 200))


def window(server, job, seconds):
    """Samples/s of training by the job's own clock, and the share of a core that the server's other threads take."""
    first, before, begin = newest_row(server, job), thread_seconds(server), time.monotonic()
    time.sleep(seconds)
    share = (thread_seconds(server) - before) / (time.monotonic() - begin)
    last = newest_row(server, job)
    return 128 * (last["step"] - first["step"]) / (last["seconds"] - first["seconds"]), share


def polls():
    """Training on all cores, with 1,000 status polls a second and without, in turn."""
    seconds, polled, alone, clients = 3, [], [], []
    with Server() as server:
        job = server.job(fashion_mlp(fashion(server, "train"), 1, epochs=10000, log_every_steps=50))
        server.wait_until(job, lambda view: view["step"] > 1000)
        for _ in range(ROUNDS):
            alone.append(window(server, job, seconds))
            command = [sys.argv[2] + "/load", str(server.port), "4", str(seconds + 1), "1000", "GET", f"/v1/jobs/{job}"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                time.sleep(0.5)
                polled.append(window(server, job, seconds))
                answers = json.loads(process.communicate()[0])
            want(answers["refused"] == 0 and answers["answered"] > 950 * (seconds + 1), f"polls: {answers}")
            clients.append(answers["processor_seconds"] / answers["answered"] * 1000 / CORES)
    slower = statistics.median(1 - b[0] / a[0] for a, b in zip(alone, polled))
    client = statistics.median(clients)
    server_share = statistics.median((b[1] - a[1]) / CORES for a, b in zip(alone, polled))
    line("1,000 status polls a second: training slower by", "<= 3 %", f"{slower - client:.1%} ({slower:.1%} with the polling program's own share of the "
         f"machine, {client:.1%})", slower - client <= 0.03,
         f"samples/s on {CORES} threads, {ROUNDS} times {seconds} s with `bench/load` on 4 connections and without, in turn, by the job's own clock; the "
         f"server's other threads took {server_share:.1%} of the machine more, {1e3 * server_share * CORES:.0f} us a poll")


# ---- readers ----

def follow(server, job, count):
    """Connections that follow a job from its last event on."""
    last = server.get(f"/v1/jobs/{job}/events?order=desc&limit=1")["last_id"]
    readers = selectors.DefaultSelector()
    for _ in range(count):
        reader = socket.create_connection((server.host, server.port))
        reader.sendall(f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nLast-Event-ID: {last}\r\n\r\n".encode())
        readers.register(reader, selectors.EVENT_READ)
    return readers


def listen(readers, seconds):
    """How many events all of them were told."""
    told, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        told += sum(key.fileobj.recv(1 << 18).count(b"event: metric") for key, _ in readers.select(0.1))
    return told


def streams():
    """200 readers of a job of some 20 events a second; then 1,000 of a job that is silent."""
    seconds, training = 10, {"epochs": 1000000, "batch_size": 32}
    spec = {**mlp({**SPIRALS, "n": 3000}, (64,)), "resources": {"threads": 1}}
    with Server(["--threads", "1", "--max-connections", "2048"]) as server:
        job = server.job({**spec, "training": {**training, "log_every_steps": 1000}})
        first = server.wait_until(job, lambda view: view["step"] > 0)
        time.sleep(3)
        rate = (server.get(f"/v1/jobs/{job}")["step"] - first["step"]) / 3
        server.ok("POST", f"/v1/jobs/{job}/cancel")
        job = server.job({**spec, "training": {**training, "log_every_steps": max(1000, round(rate / 20))}})
        silent = server.job({**spec, "training": {**training, "log_every_steps": 1000}})
        server.wait_until(job, lambda view: view["step"] > 0)
        costs = {}
        for label, followed, count in (("none", None, 0), ("live", job, 200), ("silent", silent, 1000)):
            readers = follow(server, followed, count) if followed else selectors.DefaultSelector()
            listen(readers, 2)
            before, begin = thread_seconds(server), time.monotonic()
            told = listen(readers, seconds)
            costs[label] = (thread_seconds(server) - before) / (time.monotonic() - begin)
            if label == "live":
                each = told / count / seconds
            for key in list(readers.get_map().values()):
                key.fileobj.close()
            readers.close()
        memory = status_kb(server, "VmHWM") / 1024
    line(f"200 event streams of one job at {each:.0f} events/s, share of a core", "<= 10 %", f"{costs['live']:.1%} ({costs['none']:.1%} without them)",
         costs["live"] <= 0.1, f"processor time of all threads that do not train, over {seconds} s")
    line("1,000 silent event streams, share of a core", "<= 10 %", f"{costs['silent']:.1%}; {memory:.0f} MB in all", costs["silent"] <= 0.1, "the same; a comment every 5 s on each")


# ---- a restart ----

def recovery():
    out = subprocess.run([ROOT / "tests/crash/many_jobs", "--starts", str(ROUNDS), sys.argv[1]], check=True, capture_output=True, text=True).stdout
    seconds = [float(s) for s in re.findall(r"ready after (\d+\.\d+) s", out)]
    middle = statistics.median(seconds)
    line("start to /readyz 200 with 10,000 jobs after kill -9", "<= 2 s", f"{middle:.2f} s ({min(seconds):.2f} to {max(seconds):.2f})", middle <= 2,
         f"`tests/crash/many_jobs`: {re.search(r'[(](.*)[)]', out).group(1)} after it; {ROUNDS} starts on copies of one folder")
