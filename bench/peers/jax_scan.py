"""JAX with a whole run as one compiled program: the steps are a scan, rows are gathered inside of it. XLA's convolutions and
windows are slow inside a loop on processors: products of patches, and maxima over a reshaped image, are ten times as fast."""
import os
import sys
import time

os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:int(sys.argv[3])])  # XLA makes a thread for each core that it sees
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from peer import flat, serve  # noqa: E402


def unpack(layers, shape, values):
    """What each layer has of the parameters in canonical order; running statistics are of no use to training."""
    made, inputs, image, offset = [], shape[0] * shape[1] * shape[2], list(shape), 0

    def take(*size):
        nonlocal offset
        count = 1
        for n in size:
            count *= n
        offset += count
        return jnp.asarray(values[offset - count:offset]).reshape(size)

    for layer in layers:
        kind = layer["type"]
        if kind == "dense":
            made.append((take(layer["units"], inputs).T, take(layer["units"])))
            inputs = layer["units"]
        elif kind == "conv2d":
            kernel = layer["kernel"]
            made.append((take(layer["filters"], image[0], kernel, kernel).transpose(2, 3, 1, 0), take(layer["filters"])))
            image = [layer["filters"], *(n + 2 * layer.get("padding", 0) - kernel + 1 for n in image[1:])]
        elif kind == "batch_norm":
            made.append((take(image[0]), take(image[0])))
            take(2 * image[0])
        else:
            made.append(())
            if kind == "max_pool2d":
                image[1:] = [n // layer["size"] for n in image[1:]]
            inputs = image[0] * image[1] * image[2] if kind == "flatten" else inputs
    return made


def convolution(x, weights, padding):
    """x [n][height][width][channels], weights [height][width][channels][filters]."""
    size = weights.shape[0]
    x = jnp.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    height, width = (n - size + 1 for n in x.shape[1:3])
    patches = [x[:, i:i + height, j:j + width] for i in range(size) for j in range(size)]
    return jnp.concatenate(patches, -1) @ weights.reshape(-1, weights.shape[-1])


def max_pool(x, size):
    height, width = (n // size for n in x.shape[1:3])
    return x[:, :size * height, :size * width].reshape(len(x), height, size, width, size, -1).max((2, 4))


def logits(layers, parameters, x):
    for layer, own in zip(layers, parameters):
        kind = layer["type"]
        if kind == "dense":
            x = x @ own[0] + own[1]
        elif kind == "conv2d":
            x = convolution(x, own[0], layer.get("padding", 0)) + own[1]
        elif kind == "relu":
            x = jax.nn.relu(x)
        elif kind == "max_pool2d":
            x = max_pool(x, layer["size"])
        elif kind == "batch_norm":
            mean, square = x.mean((0, 1, 2)), (x * x).mean((0, 1, 2))
            x = (x - mean) * (jax.lax.rsqrt(square - mean * mean + 1e-5) * own[0]) + own[1]
        else:
            x = x.transpose(0, 3, 1, 2).reshape(len(x), -1)  # flattened channel by channel, as the parameters are ordered
    return x


def make(work, threads):
    channels_last = jnp.asarray(work.images.transpose(0, 2, 3, 1))
    labels = jnp.asarray(work.labels.astype("int32"))
    compiled = {}

    def program(layers, optimizer, dtype):
        rate, momentum = optimizer["learning_rate"], optimizer["momentum"]
        images = channels_last.reshape(len(labels), -1) if flat(layers) else channels_last

        def loss(parameters, x, y):
            z = logits(layers, jax.tree.map(lambda p: p.astype(dtype), parameters), x.astype(dtype)).astype("float32")
            return (jax.nn.logsumexp(z, 1) - jnp.take_along_axis(z, y[:, None], 1)[:, 0]).mean()

        def step(state, rows):
            parameters, velocities = state
            value, gradients = jax.value_and_grad(loss)(parameters, images[rows], labels[rows])
            velocities = jax.tree.map(lambda v, g: momentum * v + g, velocities, gradients)
            parameters = jax.tree.map(lambda p, v, g: p - rate * (g + momentum * v), parameters, velocities, gradients)
            return (parameters, velocities), value

        return jax.jit(lambda state, epochs: jax.lax.scan(step, state, epochs.reshape(-1, epochs.shape[-1])))

    def prepared(job, epochs):
        """The compiled program of all steps, and what it takes."""
        layers = job["model"]["layers"]
        key = (epochs.shape, job.get("precision", "float32"))
        parameters = unpack(layers, work.images.shape[1:], work.parameters)
        state, rows = (parameters, jax.tree.map(jnp.zeros_like, parameters)), jnp.asarray(epochs.astype("int32"))
        if key not in compiled:
            compiled[key] = program(layers, job["optimizer"], "bfloat16" if key[1] == "bf16" else "float32").lower(state, rows).compile()
        return compiled[key], jax.block_until_ready(state), rows

    def prepare(job):
        prepared(job, work.batches(job))

    def do(job):
        epochs = work.batches(job)
        steps, state, rows = prepared(job, epochs)
        begin = time.perf_counter()
        losses = steps(state, rows)[1].block_until_ready()
        seconds = time.perf_counter() - begin
        return {"samples": epochs.size, "seconds": seconds, "loss": float(losses[-epochs.shape[1]:].mean()), "variant": "scan"}

    return prepare, do


serve(make)
