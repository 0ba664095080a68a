"""Losses: a forward that gives one number, and a backward that starts the chain of gradients."""

from typing import Any

import numpy as np

from minicnn import ops, validation
from minicnn.ops import arguments


class SoftmaxCrossEntropy:
    """Mean cross-entropy between softmax(logits) and integer labels.

    See `minicnn.ops.softmax_cross_entropy_forward` for the formula.

    Parameters
    ----------
    class_weights : array_like (C,), optional
        Weight of each class in the mean, finite and not negative; 1 by default.
    label_smoothing : float in [0, 1], default 0.0
        Share of the target that is spread evenly over all classes.

    Raises
    ------
    TypeError, ValueError
        Where class_weights or label_smoothing have the wrong type or range.
    """

    def __init__(self, *, class_weights: Any = None, label_smoothing: float = 0.0) -> None:
        kind = type(self).__name__
        self.class_weights = (
            None if class_weights is None
            else arguments.class_weights_of(kind, class_weights).copy()
        )
        self.label_smoothing = validation.number(kind, "label_smoothing", label_smoothing, 0, 1)
        self._cache: Any = None

    def forward(self, logits: Any, labels: Any) -> float:
        """The loss of a batch.

        Parameters
        ----------
        logits : array_like (N, C)
        labels : array_like (N,), integer
            Classes in ``[0, C)``.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            As `minicnn.ops.softmax_cross_entropy_forward`: shapes that do not agree, labels out of
            range, another number of class weights.
        """
        loss, self._cache = ops.softmax_cross_entropy_forward(
            logits, labels,
            class_weights=self.class_weights, label_smoothing=self.label_smoothing,
        )
        return loss

    def backward(self, dloss: float = 1.0) -> np.ndarray:
        """Gradient with respect to the logits of the last forward.

        Parameters
        ----------
        dloss : float, default 1.0
            Gradient of whatever follows with respect to the loss.

        Returns
        -------
        ndarray (N, C)
            Of the logits' dtype.

        Raises
        ------
        RuntimeError
            Where no forward came before.
        """
        if self._cache is None:
            raise RuntimeError("SoftmaxCrossEntropy: backward needs a forward before it")
        return ops.softmax_cross_entropy_backward(self._cache, dloss)
