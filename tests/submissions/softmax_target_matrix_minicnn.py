"""minicnn dialect: cross-entropy against a matrix of weighted target probabilities."""

import numpy as np


def make_targets(labels, classes, weights, smoothing):
    """One row a sample: the one-hot label, smoothed, times the weights."""
    onehot = np.eye(classes)[labels]
    hard = (1 - smoothing) * onehot * weights
    soft = smoothing * weights / classes
    return hard + soft


def log_softmax(logits):
    shifted = logits - np.amax(logits, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def softmax_cross_entropy_forward(logits, labels, *, class_weights=None, label_smoothing=0.0):
    logits = np.asarray(logits, dtype=float)
    labels = np.asarray(labels)
    classes = logits.shape[1]
    weights = np.ones(classes) if class_weights is None else np.asarray(class_weights, dtype=float)
    targets = make_targets(labels, classes, weights, label_smoothing)
    total_weight = np.sum(weights[labels])
    logp = log_softmax(logits)
    loss = -np.sum(targets * logp)
    loss = loss / total_weight
    return float(loss), {"logp": logp, "targets": targets, "total": total_weight}


def softmax_cross_entropy_backward(cache, dloss=1.0):
    probabilities = np.exp(cache["logp"])
    targets = cache["targets"]
    mass = targets.sum(axis=1, keepdims=True)
    grad = mass * probabilities - targets
    grad = grad / cache["total"]
    return grad * dloss
