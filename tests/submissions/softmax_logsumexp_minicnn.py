"""minicnn dialect: softmax and its cross-entropy through the log of the sum of exponentials."""

import numpy as np


def softmax(x):
    x = np.asarray(x)
    top = np.max(x, axis=-1, keepdims=True)
    e = np.exp(x - top)
    return e / np.sum(e, axis=-1, keepdims=True)


def softmax_cross_entropy_forward(logits, labels, *, class_weights=None, label_smoothing=0.0):
    logits = np.asarray(logits)
    labels = np.asarray(labels)
    N, C = logits.shape
    w = np.ones(C) if class_weights is None else np.asarray(class_weights)
    rows = np.arange(N)

    z = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(z).sum(axis=1, keepdims=True))
    log_p = z - log_sum  # (N, C)
    losses = -(1 - label_smoothing) * w[labels] * log_p[rows, labels]
    losses = losses - label_smoothing / C * (log_p @ w)
    loss = losses.sum() / w[labels].sum()
    return float(loss), (log_p, labels, w, label_smoothing)


def softmax_cross_entropy_backward(cache, dloss=1.0):
    log_p, labels, w, smoothing = cache
    N, C = log_p.shape
    p = np.exp(log_p)
    hard = p.copy()
    hard[np.arange(N), labels] -= 1
    dlogits = (1 - smoothing) * hard * w[labels][:, None]
    dlogits += smoothing / C * (p * w.sum() - w)
    return dloss * dlogits / w[labels].sum()
