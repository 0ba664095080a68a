"""Softmax, and the cross-entropy of its probabilities."""

import numpy as np

from minicnn.ops.softmax_cross_entropy import SoftmaxCrossEntropyCache


def softmax(x):
    """p = exp(x - max) / Σ exp(x - max), over the last axis: x, p (..., C)."""
    exponentials = np.exp(x - x.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def softmax_cross_entropy_forward(logits, labels, class_weights, total_weight, label_smoothing):
    """loss = Σₙ [(1 - ε) · w[tₙ] · -log p[n, tₙ] + ε/C · Σ_c w[c] · -log p[n, c]] / Σₙ w[tₙ].

    logits (N, C), labels t (N,), class weights w (C,), Σₙ w[tₙ], label smoothing ε -> a float.
    """
    shifted = logits - logits.max(-1, keepdims=True)  # (N, C)
    nll = np.log(np.exp(shifted).sum(-1, keepdims=True)) - shifted  # -log p (N, C)
    row_weights = class_weights[labels].astype(np.float64)  # w[tₙ] (N,)
    losses = (1 - label_smoothing) * row_weights * nll[np.arange(len(labels)), labels]  # (N,)
    if label_smoothing:
        losses += label_smoothing * (class_weights * nll).mean(-1)
    loss = float(losses.sum(dtype=np.float64) / total_weight)
    return loss, SoftmaxCrossEntropyCache(
        np.exp(-nll), labels, class_weights, total_weight, label_smoothing
    )


def softmax_cross_entropy_backward(cache, dloss):
    """dlogits[n] = dloss / Σₙ w[tₙ] · (1 - ε) · w[tₙ] · (p[n] - onehot(tₙ))
                 + dloss / Σₙ w[tₙ] · ε/C · (p[n] · Σ_c w[c] - w).

    dlogits (N, C); without weights and smoothing it is (p - onehot) / N.
    """
    p, labels, w, smoothing = (
        cache.probabilities, cache.labels, cache.class_weights, cache.label_smoothing
    )
    onehot = np.zeros_like(p)  # (N, C)
    onehot[np.arange(len(labels)), labels] = 1
    row_weights = w[labels].astype(np.float64)[:, None]  # w[tₙ] (N, 1)
    dlogits = (1 - smoothing) * row_weights * (p - onehot)
    dlogits += smoothing / p.shape[1] * (p * w.sum() - w)
    return (dlogits * (dloss / cache.total_weight)).astype(p.dtype)
