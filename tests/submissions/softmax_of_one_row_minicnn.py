"""minicnn dialect: a softmax of one row of logits, which the loss calls row by row."""

import numpy as np


def softmax(scores):
    e = np.exp(scores - max(scores))
    return e / e.sum()


def softmax_cross_entropy_forward(logits, labels):
    p = np.array([softmax(row) for row in logits])
    total = 0.0
    for row, label in zip(logits, labels):
        total += np.log(np.sum(np.exp(row - row.max()))) - (row[label] - row.max())
    return total / len(labels), (p, labels)


def softmax_cross_entropy_backward(cache):
    p, labels = cache
    d = p.copy()
    for n, label in enumerate(labels):
        d[n, label] -= 1
    return d / len(labels)
