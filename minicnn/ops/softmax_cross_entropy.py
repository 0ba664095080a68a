"""Softmax, and the cross-entropy of its probabilities."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import validation
from minicnn.ops import arguments
from minicnn.ops.backend import backend, bodies, operation


@operation
def softmax(x: Any) -> np.ndarray:
    """Probabilities from logits, over the last axis: ``p = exp(x - max) / sum(exp(x - max))``.

    Subtracting the greatest logit changes nothing and keeps exp from overflowing (Goodfellow,
    Bengio and Courville 2016, *Deep Learning*, section 4.1).

    Parameters
    ----------
    x : array_like (..., C)
        Logits.

    Returns
    -------
    p : ndarray (..., C)
        Not negative; sums to 1 over the last axis. float64 if x is a wider float than float32,
        else float32.

    Raises
    ------
    TypeError, ValueError
        Where x does not hold real numbers, is empty, or is a single number.
    """
    (x,) = arguments.floats("softmax", x=x)
    if x.ndim == 0:
        raise ValueError("softmax: x must have at least one axis, got a single number")
    return bodies().softmax(x)


@dataclass(frozen=True, slots=True, eq=False)
class SoftmaxCrossEntropyCache:
    """What `softmax_cross_entropy_forward` keeps: probabilities (N, C), labels, weights.

    ``total_weight`` is the sum of the labels' weights, by which the loss was divided.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    class_weights: np.ndarray
    total_weight: float
    label_smoothing: float


@operation
def softmax_cross_entropy_forward(
    logits: Any, labels: Any, *, class_weights: Any = None, label_smoothing: float = 0.0
) -> tuple[float, SoftmaxCrossEntropyCache]:
    """Mean cross-entropy between softmax(logits) and the labels.

    With p = softmax(logits), w the class weights, ε the label smoothing and y the labels (Szegedy
    et al. 2015, arXiv:1512.00567, section 7, for ε)::

        loss = Σₙ [ (1 - ε) · w[yₙ] · (-log p[n, yₙ]) + ε/C · Σ_c w[c] · (-log p[n, c]) ] / Σₙ w[yₙ]

    Without weights this is the plain mean over the batch; with them the weighted mean, as in
    PyTorch. ``-log p`` is computed from the logits, never as the logarithm of a probability that
    may have rounded to 0, and the sum over the batch is taken in float64.

    Parameters
    ----------
    logits : array_like (N, C)
    labels : array_like (N,), integer
        Classes in ``[0, C)``.
    class_weights : array_like (C,), optional
        Finite and not negative; 1 by default.
    label_smoothing : float in [0, 1], default 0.0
        Share of the target that is spread evenly over all classes.

    Returns
    -------
    loss : float
        Python's own, whatever the dtype of the logits.
    cache : SoftmaxCrossEntropyCache
        For `softmax_cross_entropy_backward`.

    Raises
    ------
    TypeError
        Where logits or class_weights do not hold real numbers, labels no integers, or
        label_smoothing is no number.
    ValueError
        Where logits are empty, shapes do not agree, a label is outside ``[0, C)``, label_smoothing
        or a weight is out of range, or every row's weight is 0.
    """
    name = "softmax_cross_entropy"
    (logits,) = arguments.floats(name, logits=logits)
    arguments.ndim(name, "logits", logits, "(N, C)")
    labels = arguments.class_labels(name, labels, *logits.shape)
    label_smoothing = validation.number(name, "label_smoothing", label_smoothing, 0, 1)
    classes = logits.shape[1]
    class_weights = arguments.class_weights_of(
        name, np.ones(classes) if class_weights is None else class_weights, logits.dtype
    )
    arguments.vector(name, "class_weights", class_weights, classes, "one weight a class")
    total_weight = float(class_weights[labels].sum(dtype=np.float64))
    if total_weight == 0:
        raise ValueError(
            f"{name}: every row belongs to a class of weight 0, so the weighted mean is undefined"
        )
    asarray = backend().asarray
    return bodies().softmax_cross_entropy_forward(
        logits, asarray(labels, labels.dtype), asarray(class_weights, class_weights.dtype),
        total_weight, label_smoothing,
    )


@operation
def softmax_cross_entropy_backward(
    cache: SoftmaxCrossEntropyCache, dloss: float = 1.0
) -> np.ndarray:
    """Gradient of `softmax_cross_entropy_forward` with respect to the logits.

    ``dlogits[n] = dloss / Σ w[y] · ( (1 - ε) · w[yₙ] · (p[n] - onehot(yₙ))
    + ε/C · (p[n] · Σ_c w[c] - w) )``; without weights and smoothing ``(p - onehot) / N``.

    Parameters
    ----------
    cache : SoftmaxCrossEntropyCache
        From `softmax_cross_entropy_forward`.
    dloss : float, default 1.0
        Gradient of whatever follows with respect to the loss.

    Returns
    -------
    dlogits : ndarray (N, C)
        float64 if the logits were a wider float than float32, else float32.

    Raises
    ------
    TypeError
        Where the cache is another operation's, or dloss is not a number.
    ValueError
        Where dloss is not finite.
    """
    name = "softmax_cross_entropy_backward"
    cache = arguments.cache_of(name, cache, SoftmaxCrossEntropyCache)
    dloss = validation.number(name, "dloss", dloss)
    return bodies().softmax_cross_entropy_backward(cache, dloss)
