"""Softmax and its cross-entropy: a row at a time, on one thread, for logits are few."""

import numpy as np

from minicnn.compiling.kernels import serial, worker
from minicnn.ops.softmax_cross_entropy import SoftmaxCrossEntropyCache


def softmax(x):
    """p = exp(x - max) / Σ exp(x - max), over the last axis: x, p (..., C)."""
    p = np.empty_like(x)
    _softmax(x.reshape(-1, x.shape[-1]), p.reshape(-1, x.shape[-1]))
    return p


def softmax_cross_entropy_forward(logits, labels, class_weights, total_weight, label_smoothing):
    """Mean cross-entropy of logits (N, C) and labels (N,), a float: the reference's formula."""
    p = np.empty_like(logits)
    losses = np.empty(len(logits))
    _cross_entropy(logits, labels, class_weights, label_smoothing, p, losses)
    loss = float(losses.sum() / total_weight)
    return loss, SoftmaxCrossEntropyCache(p, labels, class_weights, total_weight, label_smoothing)


def softmax_cross_entropy_backward(cache, dloss):
    """Gradient with respect to the logits, (N, C)."""
    dlogits = np.empty_like(cache.probabilities)
    _cross_entropy_gradient(
        cache.probabilities, cache.labels, cache.class_weights, cache.label_smoothing,
        dloss / cache.total_weight, dlogits,
    )
    return dlogits


@worker
def _log_sum_exp(row):
    """Greatest logit m of a row, and log(sum(exp(row - m)))."""
    greatest = row[0]
    for c in range(1, row.size):
        if not row[c] <= greatest:  # also where row[c] is NaN
            greatest = row[c]
    total = 0.0
    for c in range(row.size):
        total += np.exp(row[c] - greatest)
    return greatest, np.log(total)


@serial
def _softmax(x, p):
    for n in range(len(p)):
        greatest, log_total = _log_sum_exp(x[n])
        for c in range(x.shape[1]):
            p[n, c] = np.exp(x[n, c] - greatest - log_total)


@serial
def _cross_entropy(logits, labels, weights, smoothing, p, losses):
    classes = logits.shape[1]
    for n in range(len(p)):
        greatest, log_total = _log_sum_exp(logits[n])
        spread = 0.0
        for c in range(classes):
            nll = log_total - (logits[n, c] - greatest)  # -log p[n, c]
            p[n, c] = np.exp(-nll)
            spread += weights[c] * nll
            if c == labels[n]:
                losses[n] = (1 - smoothing) * weights[c] * nll
        if smoothing > 0:
            losses[n] += smoothing / classes * spread


@serial
def _cross_entropy_gradient(p, labels, weights, smoothing, scale, dlogits):
    classes = p.shape[1]
    total = 0.0
    for c in range(classes):
        total += weights[c]
    for n in range(len(p)):
        weight = weights[labels[n]]
        for c in range(classes):
            onehot = 1 if c == labels[n] else 0
            sharp = (1 - smoothing) * weight * (p[n, c] - onehot)
            even = smoothing / classes * (p[n, c] * total - weights[c])
            dlogits[n, c] = scale * (sharp + even)
