"""minicnn dialect: softmax and cross-entropy one sample at a time."""

import math

import numpy as np


def softmax(x):
    x = np.asarray(x, dtype=float)
    flat = x.reshape(-1, x.shape[-1])
    result = np.zeros(flat.shape)
    for i, row in enumerate(flat):
        biggest = max(row)
        exps = [math.exp(value - biggest) for value in row]
        result[i] = np.array(exps) / sum(exps)
    return result.reshape(x.shape)


def softmax_cross_entropy_forward(logits, labels, *, class_weights=None, label_smoothing=0.0):
    logits = np.asarray(logits, dtype=float)
    N, C = logits.shape
    weights = [1.0] * C if class_weights is None else list(class_weights)
    loss, norm = 0.0, 0.0
    probs = np.zeros((N, C))
    for n in range(N):
        row = logits[n]
        m = row.max()
        denominator = np.exp(row - m).sum()
        probs[n] = np.exp(row - m) / denominator
        surprise = math.log(denominator) + m - row  # -log p of every class
        label = labels[n]
        loss += (1 - label_smoothing) * weights[label] * surprise[label]
        for c in range(C):
            loss += label_smoothing / C * weights[c] * surprise[c]
        norm += weights[label]
    loss = loss / norm
    return loss, (probs, labels, weights, label_smoothing, norm)


def softmax_cross_entropy_backward(cache, dloss=1.0):
    probs, labels, weights, eps, norm = cache
    N, C = probs.shape
    dlogits = np.zeros((N, C))
    for n in range(N):
        for c in range(C):
            target = 1.0 if c == labels[n] else 0.0
            sharp = weights[labels[n]] * (probs[n, c] - target)
            smooth = (probs[n, c] * sum(weights) - weights[c]) / C
            dlogits[n, c] = (1 - eps) * sharp + eps * smooth
    return dlogits * dloss / norm
