"""Runs to their accuracy, over HTTP, and the memory that they take."""
import dataclasses
import statistics
import time

from common import FOLDER, QUICK, ROUNDS, fashion, fashion_mlp, line, peer, ratio, spread, status_kb
from data import fashion as fashion_files, prepare, write_images
from harness import Server
from throughput import FIGURES, HEADLINE
from workloads import RECIPE, WORKLOADS


def most_resident(server, job):
    """MB of the server, sampled every 50 ms until the job's end."""
    peak = 0
    while server.get(f"/v1/jobs/{job}")["status"] in ("queued", "running"):
        peak = max(peak, status_kb(server, "VmRSS") / 1024)
        time.sleep(0.05)
    server.wait(job)
    return peak


def accuracy_and_memory():
    with Server() as server:
        idle = status_kb(server, "VmRSS") / 1024
        train, test = fashion(server, "train"), fashion(server, "test")
        peaks, accuracies, rates = [], [], []
        for seed in (42, 43, 44):
            job = server.job({**fashion_mlp(train, seed), "test": {"dataset": test}})
            peaks.append(most_resident(server, job))
            rates.append(server.wait(job)["samples_per_second"])
            accuracies.append(server.results(job)["splits"]["test"]["accuracy"])
        accuracy = statistics.median(accuracies)
        line("Fashion-MNIST, MLP 784-512-10, lookahead, batch 128, 10 epochs: test accuracy", ">= 88.5 %",
             f"{accuracy:.2%} ({min(accuracies):.2%} to {max(accuracies):.2%})", accuracy >= 0.885,
             f"learning rate 0.05 falling along a cosine; 3 seeds, {statistics.median(rates):,.0f} samples/s over HTTP, evaluations included")
        line("resident memory while it trains", "<= 130 MB", f"{max(peaks):.0f} MB", max(peaks) <= 130, "VmRSS, sampled every 50 ms")
        line("resident memory of an idle server", "<= 16 MB", f"{idle:.1f} MB", idle <= 16, "VmRSS after /readyz")


def memory():
    """The CNN on all of Fashion-MNIST, batch 128: the server's resident memory and that of a PyTorch program."""
    steps = 5 if QUICK else 60
    workload = dataclasses.replace(WORKLOADS["cnn"], rows=59904, epochs={128: 1})
    job = {**workload.job(128), "stop": {"max_steps": steps}}
    with Server() as server:
        idle = status_kb(server, "VmRSS") / 1024
        own = most_resident(server, server.job({**job, "dataset": fashion(server, "train")}))
    folder = FOLDER / "memory"
    with peer("pytorch", prepare(folder, workload), 2, folder) as other:
        answer = other.ask({**job, "variant": "channels_last"})
    theirs, base = answer["resident_mb"], answer["idle_mb"]
    line("resident memory, CNN on Fashion-MNIST, batch 128, against PyTorch", "<= 15 %",
         f"{own / theirs:.1%} ({own:.0f} MB and {theirs:.0f} MB; above idle: {own - idle:.0f} MB and {theirs - base:.0f} MB)",
         own <= 0.15 * theirs, f"VmRSS while {steps} steps are trained; PyTorch's images as float32 in memory, "
         "idle: after its import")


def time_to_accuracy():
    """The recipe of docs/recipes.md that is the first to 90 %: from POST to the results, against PyTorch's training alone."""
    folder, job = FOLDER / "recipe", RECIPE.job(next(iter(RECIPE.epochs)))
    files, known = prepare(folder, RECIPE), FIGURES.get(("cnn", *HEADLINE))
    variant = {"variant": known.answers["PyTorch"]["variant"]} if known else {}  # that was the fastest in part throughput, or they try all
    write_images(folder / "test", *fashion_files(10000, "test"))
    ours, theirs, accuracies, peers, rounds = [], [], [], [], min(ROUNDS, 2)  # theirs take minutes
    with Server() as server, peer("pytorch", files, 2, folder) as other:
        train, test = fashion(server, "train"), fashion(server, "test")
        for _ in range(rounds):
            begin = time.perf_counter()
            done = server.train({**job, "dataset": train, "test": {"dataset": test}}, seconds=3600)
            ours.append(time.perf_counter() - begin)
            accuracies.append(server.results(done["id"])["splits"]["test"]["accuracy"])
            answer = other.ask({**job, **variant, "test": str(folder / "test")})
            theirs.append(answer["seconds"])
            peers.append(answer["accuracy"])
    share, least = ratio(ours, theirs), min(accuracies + peers)
    line("time to 90 % test accuracy on Fashion-MNIST, against PyTorch with the same recipe", "<= 1/3", f"{share:.2f} ({spread(ours, '{:.1f}')} s against "
         f"{spread(theirs, '{:.1f}')} s; {statistics.median(accuracies):.2%} and {statistics.median(peers):.2%})", share <= 1 / 3 and (QUICK or least >= 0.9),
         f"the recipe of docs/recipes.md, {rounds} times in turn; from POST to the end, scores of both data sets included, against PyTorch's updates alone")
