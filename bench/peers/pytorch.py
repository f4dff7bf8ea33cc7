"""PyTorch as an expert would tune it for these cores: tensors in memory and no DataLoader, fused optimizer, no gradient that is
zeroed, no loss that is read before the end. Of torch.compile, channels-last and images kept as bytes, the fastest is taken."""
import itertools
import time

import torch
from peer import flat, serve
from torch import nn


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


class Variant:
    """One way to train the model; compiled, it is so for one size of a minibatch."""

    def __init__(self, work, layers, bfloat16, compiled, channels_last, name):
        self.work, self.bfloat16, self.name = work, bfloat16, name
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

    def train(self, epochs, optimizer):
        """Seconds, and the last epoch's mean loss."""
        fill(self.model, torch.from_numpy(self.work.parameters))
        sgd = torch.optim.SGD(self.model.parameters(), lr=optimizer["learning_rate"], momentum=optimizer["momentum"], nesterov=True, fused=True)
        begin = time.perf_counter()
        for batches in torch.from_numpy(epochs):
            total = torch.zeros(())
            for rows in batches:
                loss = self.loss(self.images[rows], self.labels[rows])
                loss.backward()
                sgd.step()
                sgd.zero_grad(set_to_none=True)
                total += loss.detach()
        mean = total.item() / len(batches)
        return time.perf_counter() - begin, mean


def make(work, threads):
    torch.set_num_threads(threads)
    kept = {}  # by shape of the job: the fastest variant, and what all of them reached

    def fastest(layers, bfloat16, epochs, optimizer):
        trial, times = epochs[:1, :max(3, len(epochs[0]) // 4)], {}
        for compiled, channels_last in itertools.product((False, True), (False,) if flat(layers) else (False, True)):
            name = "+".join([n for n, on in (("compile", compiled), ("channels_last", channels_last)) if on] or ["eager"])
            variant = Variant(work, layers, bfloat16, compiled, channels_last, name)
            variant.train(trial[:, :3], optimizer)
            times[variant] = min(variant.train(trial, optimizer)[0] for _ in range(2))
        return min(times, key=times.get), {v.name: round(trial.size / t) for v, t in times.items()}

    def do(job):
        epochs, optimizer = work.batches(job), job["optimizer"]
        shape = (job["training"]["batch_size"], job.get("precision", "float32"))
        if shape not in kept:
            kept[shape] = fastest(job["model"]["layers"], shape[1] == "bf16", epochs, optimizer)
        variant, variants = kept[shape]
        seconds, loss = variant.train(epochs, optimizer)
        return {"samples": epochs.size, "seconds": seconds, "loss": loss, "variant": variant.name, "variants": variants}

    return do


serve(make)
