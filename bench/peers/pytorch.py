"""PyTorch as an expert would tune it for these cores: tensors in memory and no DataLoader, a fused optimizer, no gradient that is
zeroed, no loss that is read before an epoch's end. Of torch.compile and channels-last the fastest combination is taken: a short trial
of each at the first size of a minibatch decides for all."""
import time

import torch
from peer import flat, learning_rates, load, serve
from torch import nn

TRIAL_STEPS = 30


def module(layers, shape):
    """The model, layer by layer; shape: of an image."""
    made, inputs, image = [], shape[0] * shape[1] * shape[2], list(shape)
    for layer in layers:
        kind = layer["type"]
        if kind == "dense":
            made.append(nn.Linear(inputs, layer["units"]))
            inputs = layer["units"]
        elif kind == "conv2d":
            padding = layer.get("padding", 0)
            made.append(nn.Conv2d(image[0], layer["filters"], layer["kernel"], padding=padding))
            image = [layer["filters"], *(n + 2 * padding - layer["kernel"] + 1 for n in image[1:])]
        elif kind == "max_pool2d":
            made.append(nn.MaxPool2d(layer["size"]))
            image[1:] = [n // layer["size"] for n in image[1:]]
        elif kind == "flatten":
            made.append(nn.Flatten())
            inputs = image[0] * image[1] * image[2]
        else:
            made.append({"relu": nn.ReLU, "batch_norm": lambda: nn.BatchNorm2d(image[0])}[kind]())
    return nn.Sequential(*made)


def fill(model, parameters):
    """Parameters in canonical order: each layer's, then its running statistics."""
    offset = 0
    with torch.no_grad():
        for part in model:
            for tensor in (*part.parameters(), *(b for b in part.buffers() if b.is_floating_point())):
                tensor.copy_(parameters[offset:offset + tensor.numel()].view_as(tensor))
                offset += tensor.numel()
    assert offset == len(parameters)


def optimizer_of(model, spec):
    if spec["type"] == "adam":
        return torch.optim.Adam(model.parameters(), lr=spec["learning_rate"], fused=True)
    return torch.optim.SGD(model.parameters(), lr=spec["learning_rate"], momentum=spec["momentum"], nesterov=True, fused=True)


class Variant:
    """One way to train the model; where it is compiled, for one size of a minibatch."""

    def __init__(self, work, job, compiled, channels_last):
        layers = job["model"]["layers"]
        self.work, self.bfloat16 = work, job.get("precision") == "bf16"
        self.images, self.labels = torch.from_numpy(work.images), torch.from_numpy(work.labels)
        self.model = module(layers, work.images.shape[1:])
        if flat(layers):
            self.images = self.images.flatten(1)
        if channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.images = self.images.contiguous(memory_format=torch.channels_last)
        self.loss = torch.compile(self.plain_loss) if compiled else self.plain_loss

    def plain_loss(self, x, y):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            return nn.functional.cross_entropy(self.model(x), y)

    def train(self, job, epochs):
        """Seconds, and the last epoch's mean loss."""
        fill(self.model, torch.from_numpy(self.work.parameters))
        optimizer = optimizer_of(self.model, job["optimizer"])
        rates = learning_rates(job, epochs.shape[0] * epochs.shape[1]) if "schedule" in job else None
        begin = time.perf_counter()
        for batches in torch.from_numpy(epochs):
            total = torch.zeros(())
            for rows in batches:
                if rates:
                    optimizer.param_groups[0]["lr"] = next(rates)
                loss = self.loss(self.images[rows], self.labels[rows])
                loss.backward()
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                total += loss.detach()
        mean = total.item() / len(batches)
        return time.perf_counter() - begin, mean

    def accuracy(self, folder):
        images, labels = (torch.from_numpy(values) for values in load(folder + "/images", folder + "/labels"))
        self.model.eval()
        with torch.no_grad():
            right = sum((self.model(x).argmax(1) == y).sum().item() for x, y in zip(images.split(500), labels.split(500)))
        self.model.train()
        return right / len(labels)


VARIANTS = {"eager": (False, False), "channels_last": (False, True), "compile": (True, False), "compile+channels_last": (True, True)}
TRIED = {True: ("eager", "compile"), False: ("eager", "channels_last", "compile+channels_last")}  # of models that are flat, or see images


def make(work, threads):
    torch.set_num_threads(threads)
    kept = {}    # by name, precision and size of a minibatch: a variant that has run
    chosen = {}  # by precision: the variant's name, and what all of them reached in the trial

    def variant_of(job, epochs, name):
        key = name, job.get("precision"), job["training"]["batch_size"]
        if key not in kept:
            kept[key] = Variant(work, job, *VARIANTS[name])
            kept[key].train(job, epochs[:1, :3])
        return kept[key]

    def candidates(job):
        """A job may name its variant: then no other is tried."""
        if job.get("precision") in chosen:
            return [chosen[job.get("precision")][0]]
        return [job["variant"]] if "variant" in job else TRIED[flat(job["model"]["layers"])]

    def prepare(job):
        for name in candidates(job):
            variant_of(job, work.batches(job), name)

    def choose(job, epochs):
        trial, names = epochs[:1, :TRIAL_STEPS], candidates(job)
        seconds = {name: min(variant_of(job, epochs, name).train(job, trial)[0] for _ in range(2)) for name in names}
        return min(seconds, key=seconds.get), {name: round(trial.size / s) for name, s in seconds.items()}

    def do(job):
        epochs, precision = work.batches(job), job.get("precision")
        if precision not in chosen:
            chosen[precision] = choose(job, epochs)
        name, trials = chosen[precision]
        variant = variant_of(job, epochs, name)
        seconds, loss = variant.train(job, epochs)
        answer = {"samples": epochs.size, "seconds": seconds, "loss": loss, "variant": name, "trials": trials}
        return {**answer, "accuracy": variant.accuracy(job["test"])} if "test" in job else answer

    return prepare, do


serve(make)
