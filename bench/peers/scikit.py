"""scikit-learn: MLPClassifier epoch by epoch, which begins with the given parameters and takes the rows in the given order; and
LogisticRegression by lbfgs, which ends as soon as its objective is at the job's `target`."""
import time

import numpy
import threadpoolctl
from peer import serve
from sklearn.linear_model import LogisticRegression, _logistic
from sklearn.neural_network import MLPClassifier


class Given(MLPClassifier):
    """A perceptron whose parameters begin as they are given, not drawn."""

    def _init_coef(self, inputs, outputs, dtype):
        return self.given.pop(0)


def split(layers, inputs, values):
    """Weights and biases of each dense layer of the parameters in canonical order."""
    given, offset = [], 0
    for units in (layer["units"] for layer in layers if layer["type"] == "dense"):
        weights, bias = values[offset:offset + units * inputs], values[offset + units * inputs:offset + units * (inputs + 1)]
        given.append((weights.reshape(units, inputs).T.copy(), bias.copy()))
        offset, inputs = offset + units * (inputs + 1), units
    return given


def make(work, threads):
    threadpoolctl.threadpool_limits(threads)
    images = work.images.reshape(len(work.labels), -1)

    def perceptron(job):
        epochs, optimizer, layers = work.batches(job), job["optimizer"], job["model"]["layers"]
        model = Given(tuple(layer["units"] for layer in layers[:-1] if layer["type"] == "dense"), solver="sgd", alpha=0, shuffle=False,
                      batch_size=epochs.shape[2], learning_rate_init=optimizer["learning_rate"], momentum=optimizer["momentum"], nesterovs_momentum=True)
        model.given = split(layers, images.shape[1], work.parameters)
        begin = time.perf_counter()
        for rows in epochs.reshape(len(epochs), -1):
            model.partial_fit(images[rows], work.labels[rows], classes=numpy.unique(work.labels))
        return {"samples": epochs.size, "seconds": time.perf_counter() - begin, "loss": float(model.loss_), "variant": "MLPClassifier"}

    def regression(job):
        plain, reached = _logistic.optimize.minimize, []

        def stopping(*arguments, **options):
            def callback(intermediate_result):
                reached.append(intermediate_result.fun)
                if reached[-1] <= job["target"]:
                    raise StopIteration
            return plain(*arguments, **{**options, "callback": callback})

        _logistic.optimize.minimize = stopping
        model = LogisticRegression(C=1 / (job["loss"]["l2"] * len(images)), max_iter=10000, tol=1e-12)
        begin = time.perf_counter()
        model.fit(images, work.labels)
        seconds = time.perf_counter() - begin
        _logistic.optimize.minimize = plain
        return {"samples": len(images) * len(reached), "seconds": seconds, "loss": reached[-1], "variant": f"lbfgs, {len(reached)} iterations"}

    return lambda job: None, lambda job: regression(job) if "target" in job else perceptron(job)


serve(make)
