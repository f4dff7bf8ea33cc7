"""How the time of an epoch grows: with samples, and with units and features by what the processor and the memory can do."""
import dataclasses
import itertools
import statistics

from common import FOLDER, QUICK, ROUNDS, TABLES, line, say, train
from data import fashion, noisy, write_images
from workloads import WORKLOADS, Workload, dense

SIZES = (256, 512, 1024, 2048)
BATCH, THREADS = 128, 2


def typical(times):
    """Of {what: a time each round}: typical times. Each is compared with its own round's mean first: a round may be a slow one as a whole."""
    means = [statistics.geometric_mean(round_) for round_ in zip(*times.values())]
    mean = statistics.median(means)
    return {what: mean * statistics.median(t / m for t, m in zip(own, means)) for what, own in times.items()}


def linear_in_samples():
    """Seconds a sample on a quarter, a half and all of Fashion-MNIST, in turn; every run sees as many samples."""
    whole, jobs, programs = 2048 if QUICK else 59904, {}, {}
    for parts in (4, 2, 1):
        workload = dataclasses.replace(WORKLOADS["mlp"], rows=whole // parts, epochs={BATCH: parts})
        programs[workload.rows] = train(write_images(FOLDER / f"samples-{parts}", *fashion(workload.rows)), THREADS)
        jobs[workload.rows] = workload.job(BATCH)
    times, rounds = {rows: [] for rows in jobs}, 2 * ROUNDS - 1
    for _ in range(rounds):
        for rows, program in programs.items():
            answer = program.ask(jobs[rows])
            times[rows].append(answer["seconds"] / answer["samples"])
    for program in programs.values():
        program.__exit__()
    middle = {rows: t * 1e6 for rows, t in typical(times).items()}
    mean = statistics.mean(middle.values())
    apart = max(abs(m / mean - 1) for m in middle.values())
    line("time of an epoch, MLP 784-512-10, batch 128: linear in the samples", "within 5 %",
         f"{apart:.1%} ({', '.join(f'{m:.2f} us a sample of {rows:,}' for rows, m in middle.items())})", apart <= 0.05,
         f"{rounds} times in turn, 2 threads; distance from the mean")


def work(features, units):
    """Of one step: operations, and bytes: parameters are read twice, their velocity once, both written; values of the
    minibatch are read as bytes, written once and read twice, so are those of the hidden layer, three times each."""
    parameters = features * units + units + 10 * (units + 1)
    flops = BATCH * (4 * features * units + 6 * 10 * units)
    return flops, 20 * parameters + BATCH * (13 * features + 24 * units)


def fit(points):
    """a, b >= 0 of time = a flops + b bytes with the least squares of relative errors. points: (flops, bytes, time)."""
    rows = [(f / t, m / t) for f, m, t in points]
    ff, fm, mm = (sum(x * y for x, y in pairs) for pairs in ([(r[0], r[0]) for r in rows], rows, [(r[1], r[1]) for r in rows]))
    f1, m1 = (sum(r[i] for r in rows) for i in (0, 1))
    determinant = ff * mm - fm * fm
    a, b = (f1 * mm - m1 * fm) / determinant, (m1 * ff - f1 * fm) / determinant
    return (f1 / ff, 0) if b < 0 else (0, m1 / mm) if a < 0 else (a, b)


def units_and_features():
    """Networks of 256 to 2,048 units on as many features: a fit of two numbers to all of their times."""
    rows = 512 if QUICK else 5120
    times = {shape: [] for shape in itertools.product(SIZES, SIZES)}
    programs = {f: train(write_images(FOLDER / f"features-{f}", *noisy(rows, (f,))), THREADS) for f in SIZES}
    for round_ in range(ROUNDS + 1):
        for features, units in times:
            epochs = 1 if QUICK else max(1, SIZES[-1] ** 2 // (8 * features * units))  # so that no run is over in no time
            workload = Workload("shape", "", "noisy", dense(units, 10), rows, {BATCH: epochs})
            answer = programs[features].ask(workload.job(BATCH))
            if round_ > 0:
                times[features, units].append(answer["seconds"] / answer["steps"])
    for program in programs.values():
        program.__exit__()
    middle = typical(times)
    a, b = fit([(*work(*shape), t) for shape, t in middle.items()])
    errors = {shape: (a * work(*shape)[0] + b * work(*shape)[1]) / t - 1 for shape, t in middle.items()}
    worst = max(errors.values(), key=abs)
    bandwidth = f"{1e-9 / b:.0f} GB/s" if b else "no cost of bytes"
    line("time of a step, 256 to 2,048 units and features, batch 128: FLOPs/peak + bytes/bandwidth", "within 15 %",
         f"{abs(worst):.1%} (fitted: {1e-9 / a if a else 0:.0f} GFLOP/s, {bandwidth})", abs(worst) <= 0.15,
         f"one hidden layer, 16 shapes, {ROUNDS} times in turn, 2 threads; two numbers fitted to all of their medians")
    TABLES["Time of a step by units and features"] = [
        "us, and how far the fit is from it.", "", "| features | " + " | ".join(f"{u} units" for u in SIZES) + " |", "| --- " * 5 + "|",
        *(f"| {f} | " + " | ".join(f"{1e6 * middle[f, u]:,.0f} ({errors[f, u]:+.0%})" for u in SIZES) + " |" for f in SIZES)]


def epoch_time():
    linear_in_samples()
    units_and_features()
