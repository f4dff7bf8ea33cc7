"""Training's throughput, in turn with that of the peers and with what the machine can do at most."""
import dataclasses
import pathlib
import statistics

from common import CHARTS, FOLDER, ROUNDS, TABLES, line, peak, peer, ratio, say, spread, train
from data import prepare
from workloads import THREADS, WORKLOADS

PEERS = {"PyTorch": "pytorch", "JAX": "jax_scan", "scikit-learn": "scikit"}
HAS_BF16 = bool({"avx512_bf16", "amx_bf16"} & set(pathlib.Path("/proc/cpuinfo").read_text().split()))
FIGURES = {}  # (workload, batch, threads, precision): Figure
HOPELESS = 1.5  # times slower than the best peer: measured once only
TOLERANCES = {"float32": 0.01, "bf16": 0.05}  # of the final losses: each program rounds elsewhere, and training amplifies it
HEADLINE = (128, 2, "float32")


@dataclasses.dataclass
class Figure:
    """What was measured of one workload, batch size, number of threads and precision."""
    rates: dict = dataclasses.field(default_factory=dict)    # program: samples/s of each round
    answers: dict = dataclasses.field(default_factory=dict)  # program: its first answer
    peaks: list = dataclasses.field(default_factory=list)    # GFLOP/s beside each round
    phases: list = dataclasses.field(default_factory=list)   # shares of our threads' time, in each run

    def take(self, program, answer):
        self.answers.setdefault(program, answer)
        if "phases" in answer:
            self.phases.append(answer["phases"])
        self.rates.setdefault(program, []).append(answer["samples"] / answer["seconds"])

    def best_peer(self):
        """The hopeless have one rate only."""
        return max((p for p in self.rates if p != "descentd"), key=lambda p: (len(self.rates[p]), statistics.median(self.rates[p])))

    def over_peer(self):
        return ratio(self.rates["descentd"], self.rates[self.best_peer()])

    def shares(self):
        flops = self.answers["descentd"]["flops_per_sample"] * 1e-9
        return [flops * rate / most for rate, most in zip(self.rates["descentd"], self.peaks)]

    def same_work(self, precision):
        losses = [a["loss"] for a in self.answers.values()]
        return max(losses) - min(losses) <= TOLERANCES[precision] * min(losses)  # written so that NaN fails


def products(workload, batch):
    """The questions whose better answer is the peak: a square product, and that of the largest dense layer."""
    inputs, own = 784, []
    for layer in workload.layers:
        if layer["type"] == "dense":
            own.append((batch, layer["units"], inputs))
            inputs = layer["units"]
    m, n, k = max(own, key=lambda s: s[1] * s[2])
    return ["sgemm 1024 1024 1024", f"sgemm {m} {n} {k}"]


def measure(workload, batch, precision, programs, peaks):
    """programs: by (threads, name). Once to warm up, where the hopeless are told from the rest; then in turn."""
    key = lambda threads: (workload.name, batch, threads, precision)  # noqa: E731
    job = workload.job(batch, precision)
    figures = {t: FIGURES.setdefault(key(t), Figure()) for t in THREADS}
    trained = {name: p for name, p in programs.items() if name[1] != "scikit-learn" or precision == "float32"}
    compiling = [program for (_, name), program in trained.items() if name != "descentd"]
    for program in compiling:  # all at once: what is not measured need not wait
        program.tell({"prepare": job})
    for program in compiling:
        program.hear()
    for (threads, name), program in trained.items():
        figures[threads].take(name, program.ask(job))
    most = {t: f.rates[f.best_peer()][0] for t, f in figures.items()}
    chosen = {n: p for n, p in trained.items() if n[1] == "descentd" or HOPELESS * figures[n[0]].rates[n[1]][0] > most[n[0]]}
    for threads, name in chosen:
        figures[threads].rates[name] = []
    for _ in range(ROUNDS):
        for (threads, name), program in chosen.items():
            figures[threads].take(name, program.ask(job))
        if workload.name.startswith("mlp"):
            for t in THREADS:
                figures[t].peaks.append(max(peaks[t].ask(q)["gflops"] for q in products(workload, batch)))
    for t, f in figures.items():
        say(f"  {workload.name} {batch} {t} {precision}: " + ", ".join(f"{n} {statistics.median(r):,.0f}" for n, r in f.rates.items()))


def throughput():
    """Every workload, batch size and number of threads: samples/s of descentd and its peers."""
    for workload in WORKLOADS.values():
        folder = FOLDER / workload.name
        files = prepare(folder, workload)
        programs, peaks = {}, {t: peak(t) for t in THREADS}
        for t in THREADS:
            programs[t, "descentd"] = train(files, t)
            for name, module in PEERS.items():
                if name != "scikit-learn" or workload.name == "mlp":
                    programs[t, name] = peer(module, files, t, folder)
        for batch in (128, 32, 512):
            for precision in ("float32", "bf16") if HAS_BF16 and workload.name in ("mlp", "mlp2", "cnn") else ("float32",):
                measure(workload, batch, precision, programs, peaks)
        for program in (*programs.values(), *peaks.values()):
            program.__exit__()
    tell()
    tabulate()


# ---- what comes of it ----

AGAINST = (("mlp", 128, "float32", 1.8), ("mlp2", 128, "float32", 1.3), ("softmax", 128, "float32", 9), ("cnn", 128, "float32", 5),
           ("cifar", 128, "float32", 3), ("mlp", 128, "bf16", 4.5), ("mlp2", 128, "bf16", 4), ("cnn", 128, "bf16", 5))
SHARES = (("mlp", 128, 0.8), ("mlp2", 512, 0.75))


def tell():
    how = f"`bench/train` and the peers in turn, {ROUNDS} times; medians of the pairs"
    for name, batch, precision, aim in AGAINST:
        what = f"{WORKLOADS[name].title}, batch {batch}, 2 threads{', bf16' if precision == 'bf16' else ''}: against the best peer"
        figure = FIGURES.get((name, batch, 2, precision))
        if figure is None:
            line(what, f">= {aim} x", "not measured: this processor has no bf16", True, "")
            continue
        best = figure.best_peer()
        line(what, f">= {aim} x", f"{figure.over_peer():.2f} x ({spread(figure.rates['descentd'])} against {best}'s {spread(figure.rates[best])} samples/s)",
             figure.over_peer() >= aim, how)
    for name, batch, aim in SHARES:
        figure = FIGURES[name, batch, 2, "float32"]
        line(f"{WORKLOADS[name].title}, batch {batch}: share of both cores' peak", f">= {aim:.0%}",
             f"{spread(figure.shares(), '{:.0%}')}; peak {statistics.median(figure.peaks):.0f} GFLOP/s", statistics.median(figure.shares()) >= aim,
             "peak: the better of a product of 1024 x 1024 x 1024 and the layer's own by oneDNN, one call a core, both cores at once, beside each round")
    for name in ("mlp", "cnn"):
        one, two = (FIGURES[name, 128, t, "float32"] for t in THREADS)
        speedup = ratio(two.rates["descentd"], one.rates["descentd"])
        line(f"{WORKLOADS[name].title}, batch 128: 1 to 2 threads", ">= 1.9 x", f"{speedup:.2f} x", speedup >= 1.9, how)
    keys = {k[:2] + k[3:] for k in FIGURES}
    equal = sum(len({FIGURES[w, b, t, p].answers["descentd"]["digest"] for t in THREADS}) == 1 for w, b, p in keys)
    line("the same digest at 1 and 2 threads", "all", f"{equal} of {len(keys)} runs", equal == len(keys), how)
    apart = [" ".join(map(str, k)) for k, f in FIGURES.items() if not f.same_work(k[-1])]
    line("final training losses of all programs within 1 % (bf16: 5 %)", "all", f"{len(FIGURES) - len(apart)} of {len(FIGURES)}"
         + (f"; not: {', '.join(apart)}" if apart else ""), not apart, "equal data, parameters to begin with, order of rows, optimizer, steps")


def tabulate():
    programs = ["descentd", *PEERS]
    columns = ["workload", "batch", "threads", "precision", *programs, "against the best peer", "share of the peak", "final loss", "PyTorch's variant"]
    rows = [f"| {' | '.join(columns)} |", "| --- " * len(columns) + "|"]
    for (name, batch, threads, precision), f in FIGURES.items():
        cells = [spread(f.rates[p]) if p in f.rates else "" for p in programs]
        share = f"{statistics.median(f.shares()):.0%}" if f.peaks else ""
        losses = f"{min(a['loss'] for a in f.answers.values()):.4f} to {max(a['loss'] for a in f.answers.values()):.4f}"
        rows.append(f"| {WORKLOADS[name].title} | {batch} | {threads} | {precision} | {' | '.join(cells)} | {f.over_peer():.2f} x | {share} | {losses} | "
                    f"{f.answers['PyTorch']['variant']} |")
    TABLES["Training, samples/s"] = ["Medians of the rounds, with the least and the greatest; a peer that was more than "
                                     f"{HOPELESS} times slower than the best in a first run is not asked again.", "", *rows]
    tabulate_phases()
    groups = []
    for name, workload in WORKLOADS.items():
        f = FIGURES[name, *HEADLINE]
        bars = [(p, statistics.median(f.rates[p])) for p in programs if p in f.rates]
        if f.peaks:
            bars.append(("the processor's peak", 1e9 * statistics.median(f.peaks) / f.answers["descentd"]["flops_per_sample"]))
        groups.append((workload.title, bars))
    CHARTS["throughput.svg"] = ("Training on two cores", "samples/s at batch 128, on a logarithmic scale: each gridline is ten times the one before", groups)


def tabulate_phases():
    """What the threads of bench/train do, by their own clocks."""
    shown = [p for p in next(iter(FIGURES.values())).phases[0] if p != "evaluate"]
    rows, bars = [f"| workload | batch | threads | us a step | {' | '.join(shown)} |", "| --- " * (4 + len(shown)) + "|"], []
    for (name, batch, threads, precision), f in FIGURES.items():
        shares = [statistics.median(run[p] for run in f.phases) for p in shown]
        step = 1e6 * batch / statistics.median(f.rates["descentd"])
        rows.append(f"| {WORKLOADS[name].title}{', bf16' if precision == 'bf16' else ''} | {batch} | {threads} | {step:,.0f} | {' | '.join(f'{s:.1%}' for s in shares)} |")
        if (batch, precision) == (HEADLINE[0], HEADLINE[2]):
            bars.append((f"{name}, {threads} thread{'s' if threads > 1 else ''}", [s / sum(shares) for s in shares]))
    TABLES["Time of a step by phase"] = ["Shares of the threads' time, medians of the runs: the waits are those of the threads for each other.", "", *rows]
    CHARTS["phases.svg"] = ("Where the time goes", f"shares of the threads' time at batch {HEADLINE[0]}, by phase of a step", shown, bars)
