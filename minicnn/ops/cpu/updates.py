"""One step of an optimizer on all parameters: each rule in one pass over a parameter's arrays."""

import numpy as np

from minicnn.compiling.kernels import parallel
from minicnn.ops.cpu.linalg.blocks import BLOCKS, block_of


def sgd_update(weights, gradients, velocities, *, lr, momentum, nesterov, scale, decays):
    """v = momentum · v + g; w -= lr · v, or with Nesterov w -= lr · (g + momentum · v)."""
    for w, g, v, decay in zip(weights, gradients, velocities, decays, strict=True):
        numbers = _numbers(w, lr, momentum, scale, decay)
        _sgd(BLOCKS, w.reshape(-1), g.reshape(-1), v.reshape(-1), numbers, nesterov)


def rmsprop_update(weights, gradients, squares, *, lr, smoothing, eps, scale, decays):
    """s = smoothing · s + (1 - smoothing) · g²; w -= lr · g / (sqrt(s) + eps)."""
    for w, g, s, decay in zip(weights, gradients, squares, decays, strict=True):
        numbers = _numbers(w, lr, smoothing, 1 - smoothing, eps, scale, decay)
        _rmsprop(BLOCKS, w.reshape(-1), g.reshape(-1), s.reshape(-1), numbers)


def adam_update(
    weights, gradients, means, squares, *, lr, beta1, beta2, eps, step, scale, decays, shrinks
):
    """w -= lr · m̂ / (sqrt(ŝ) + eps); the corrections of m̂ and ŝ are applied to lr and eps."""
    correction = float(np.sqrt(1 - beta2**step))
    rows = zip(weights, gradients, means, squares, decays, shrinks, strict=True)
    for w, g, m, s, decay, shrink in rows:
        numbers = _numbers(
            w, lr * correction / (1 - beta1**step), beta1, 1 - beta1, beta2, 1 - beta2,
            eps * correction, scale, decay, 1 - shrink,
        )
        _adam(BLOCKS, w.reshape(-1), g.reshape(-1), m.reshape(-1), s.reshape(-1), numbers)


def average_update(averages, weights, rate):
    """average += rate · (w - average)."""
    for average, w in zip(averages, weights, strict=True):
        _average(BLOCKS, average.reshape(-1), w.reshape(-1), average.dtype.type(rate))


def _numbers(w, *values):
    """The numbers of a rule in the dtype of its arrays."""
    return tuple(w.dtype.type(value) for value in values)


@parallel
def _sgd(block, w, g, v, numbers, nesterov):
    start, stop = block_of(block, w.size)
    lr, momentum, scale, decay = numbers
    w, g, v = w[start:stop], g[start:stop], v[start:stop]
    for i in range(w.size):
        gradient = scale * g[i] + decay * w[i]
        v[i] = momentum * v[i] + gradient
        w[i] -= lr * (gradient + momentum * v[i] if nesterov else v[i])


@parallel
def _rmsprop(block, w, g, s, numbers):
    start, stop = block_of(block, w.size)
    lr, smoothing, rest, eps, scale, decay = numbers
    w, g, s = w[start:stop], g[start:stop], s[start:stop]
    for i in range(w.size):
        gradient = scale * g[i] + decay * w[i]
        s[i] = smoothing * s[i] + rest * gradient * gradient
        w[i] -= lr * gradient / (np.sqrt(s[i]) + eps)


@parallel
def _adam(block, w, g, m, s, numbers):
    start, stop = block_of(block, w.size)
    rate, beta1, rest1, beta2, rest2, eps, scale, decay, kept = numbers
    w, g, m, s = w[start:stop], g[start:stop], m[start:stop], s[start:stop]
    for i in range(w.size):
        value = kept * w[i]
        gradient = scale * g[i] + decay * value
        m[i] = beta1 * m[i] + rest1 * gradient
        s[i] = beta2 * s[i] + rest2 * gradient * gradient
        w[i] = value - rate * m[i] / (np.sqrt(s[i]) + eps)


@parallel
def _average(block, average, weights, rate):
    start, stop = block_of(block, average.size)
    average, weights = average[start:stop], weights[start:stop]
    for i in range(average.size):
        average[i] += rate * (weights[i] - average[i])
