"""What the machine can do at most, and how near training comes to it where it is not one product."""
import statistics

from common import FOLDER, ROUNDS, TABLES, line, peak, say, spread, train
from data import prepare
from workloads import THREADS, WORKLOADS

BATCH = 128
DIRECTIONS = ("forward", "data", "weights")


def convolutions(workload):
    """Channels, filters, height, width, kernel, padding of each; then the inputs and units of each dense layer."""
    channels, height, width = (1, 28, 28) if workload.images == "fashion" else (3, 32, 32)
    found, dense, inputs = [], [], 0
    for layer in workload.layers:
        if layer["type"] == "conv2d":
            padding, kernel = layer.get("padding", 0), layer["kernel"]
            found.append((channels, layer["filters"], height, width, kernel, padding))
            channels, height, width = layer["filters"], height + 2 * padding - kernel + 1, width + 2 * padding - kernel + 1
        elif layer["type"] == "max_pool2d":
            height, width = height // layer["size"], width // layer["size"]
        elif layer["type"] == "flatten":
            inputs = channels * height * width
        elif layer["type"] == "dense":
            dense.append((inputs, layer["units"]))
            inputs = layer["units"]
    return found, dense


def seconds_of(shape, rates, first):
    """Of a convolution's three directions for one sample at these rates; the first layer needs no gradient of its inputs."""
    channels, filters, height, width, kernel, padding = shape
    flops = 2 * (height + 2 * padding - kernel + 1) * (width + 2 * padding - kernel + 1) * filters * channels * kernel * kernel
    return sum(1e-9 * flops / rates[d] for d in DIRECTIONS if not (first and d == "data"))


def limits():
    """Products, convolutions and memory of all cores at once; the CNNs' training beside the sum of what they are made of."""
    rows = ["| what | GFLOP/s, GB/s of 2 threads |", "| --- | --- |"]
    with peak(THREADS[-1]) as most:
        for question, unit in (("sgemm 1024 1024 1024", "gflops"), ("triad", "gbytes")):
            rows.append(f"| `{question}` | {spread([most.ask(question)[unit] for _ in range(ROUNDS)], '{:.1f}')} |")
        for name in ("cnn", "cifar"):
            workload = WORKLOADS[name]
            shapes, dense = convolutions(workload)
            questions = [f"convolution {BATCH // THREADS[-1]} {' '.join(map(str, s))}" for s in shapes]
            bounds, rates = [], []
            answers = {q: [] for q in questions}
            with train(prepare(FOLDER / name, workload), THREADS[-1]) as program:
                program.ask(workload.job(BATCH))
                for _ in range(ROUNDS):
                    product = most.ask("sgemm 1024 1024 1024")["gflops"]
                    for q in questions:
                        answers[q].append(most.ask(q))
                    seconds = sum(seconds_of(s, answers[q][-1], i == 0) for i, (s, q) in enumerate(zip(shapes, questions)))
                    bounds.append(1 / (seconds + sum(6e-9 * inputs * units / product for inputs, units in dense)))
                    answer = program.ask(workload.job(BATCH))
                    rates.append(answer["samples"] / answer["seconds"])
            for q in questions:
                rows.append(f"| `{q}` | " + ", ".join(f"{d} {statistics.median(a[d] for a in answers[q]):.0f}" for d in DIRECTIONS) + " |")
            share = statistics.median(r / b for r, b in zip(rates, bounds))
            line(f"{workload.title}, batch {BATCH}: against oneDNN's convolutions and products alone", "told",
                 f"{share:.2f} x ({spread(rates)} samples/s; theirs alone: {spread(bounds)})", True,
                 f"the layers' own shapes one after the other, nothing between them, {ROUNDS} times in turn")
    TABLES["The machine's own limit"] = ["`bench/peak`: oneDNN's rates on all cores at once, one call a core. Convolutions: images a core, channels, filters, "
                                         "height, width, kernel, padding; forward, backward to the data, backward to the weights.", "", *rows]
