"""Many jobs that are over at once, and one alone."""
import json
import statistics
import subprocess
import sys

from common import ROUNDS, QUICK, commit_ms, counters, line, say, spread
from harness import Server, want
from material import DATA

COMMITS = "descentd_store_commit_duration_seconds_count"


def iris_job(dataset):
    return {"dataset": dataset, "model": {"type": "softmax_regression"}, "optimizer": {"type": "sgd", "learning_rate": 0.1},
            "training": {"epochs": 20, "batch_size": 16}}


def run(server, spec, connections, count):
    """What bench/jobs says, and the commits that the jobs took."""
    before = counters(server, COMMITS)[0]
    out = subprocess.run([sys.argv[2] + "/jobs", str(server.port), str(connections), str(count), json.dumps(spec)], check=True, capture_output=True, text=True)
    answers = json.loads(out.stdout)
    want(answers["refused"] == 0, f"jobs failed: {answers}")
    return answers, counters(server, COMMITS)[0] - before


def tiny_jobs():
    count, connections = 64 if QUICK else 1000, 32
    rates, bounds, above, alone = [], [], [], []
    with Server(["--max-queued-jobs", "1000000"]) as server:
        spec = iris_job(server.upload((DATA / "iris.csv").read_text())["id"])
        run(server, spec, connections, 2 * connections)
        for _ in range(ROUNDS):
            crowd, commits = run(server, spec, connections, count)
            rates.append(crowd["per_second"])
            bounds.append(1000 / (commit_ms(30, max(1, round(2 * count / commits))) * commits / count))
            one, commits = run(server, spec, 1, 20)
            alone.append(one["median_ms"])
            above.append(one["median_ms"] - commits / 20 * commit_ms(30))
    rate, bound = statistics.median(rates), statistics.median(bounds)
    line(f"{count:,} Iris jobs (softmax regression, 20 epochs, batch 16) by {connections} connections, to their results", ">= 500/s, or 0.8 of the disk's",
         f"{spread(rates)} jobs/s (the disk's own: {bound:,.0f})", rate >= min(500, 0.8 * bound),
         f"`bench/jobs`, {ROUNDS} times; the disk's: SQLite transactions as many as the server made, with as many rows each")
    line("one Iris job alone: POST to results, above its commits", "<= 5 ms", f"{spread(above, '{:.1f}')} ms ({statistics.median(alone):.1f} ms in all)",
         statistics.median(above) <= 5, "`bench/jobs` on one connection, median of 20 jobs, beside each round the time of as many commits")
