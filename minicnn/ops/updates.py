"""What an optimizer does to one parameter in one step: the rules as they are published.

All arrays have one shape and dtype. The parameter w and the optimizer's own arrays change in place;
the gradient g stays. Every rule sees the gradient ``scale · g + decay · w``: `scale` clips, and
`decay` is the λ of the penalty ½ λ ‖w‖².
"""

from typing import Any

import numpy as np

from minicnn import validation
from minicnn.ops import arguments
from minicnn.ops.backend import bodies, operation


@operation
def sgd_update(
    w: np.ndarray, g: np.ndarray, v: np.ndarray, *, lr: float, momentum: float = 0.0,
    nesterov: bool = False, scale: float = 1.0, decay: float = 0.0,
) -> None:
    """``v = momentum · v + g``, ``w -= lr · v``; Nesterov's ``w -= lr · (g + momentum · v)``.

    Sutskever et al. 2013, *On the importance of initialization and momentum in deep learning*,
    section 2, as PyTorch writes it.

    Parameters
    ----------
    w, v : ndarray, float32 or float64, C-contiguous
        The parameter and its velocity, changed in place.
    g : ndarray
        The gradient.
    lr, momentum, nesterov
        See `minicnn.optimizers.SGD`.
    scale, decay : float, default 1.0 and 0.0
        Make the gradient ``scale · g + decay · w``.

    Raises
    ------
    TypeError, ValueError
        Where the arrays do not agree, or those that change cannot be changed in place.
    """
    g = arguments.update("sgd_update", {"w": w, "v": v}, g=g)
    bodies().sgd_update(
        w, g, v, lr=lr, momentum=momentum, nesterov=bool(nesterov), scale=scale, decay=decay
    )


@operation
def rmsprop_update(
    w: np.ndarray, g: np.ndarray, s: np.ndarray, *, lr: float, smoothing: float, eps: float,
    scale: float = 1.0, decay: float = 0.0,
) -> None:
    """``s = smoothing · s + (1 - smoothing) · g²``, ``w -= lr · g / (sqrt(s) + eps)``.

    Tieleman and Hinton 2012, *Lecture 6.5: rmsprop*.

    Parameters
    ----------
    w, s : ndarray, float32 or float64, C-contiguous
        The parameter and the mean of its squared gradients, changed in place.
    g : ndarray
        The gradient.
    lr, smoothing, eps : float
        See `minicnn.optimizers.RMSprop`, where smoothing is called decay.
    scale, decay : float, default 1.0 and 0.0
        Make the gradient ``scale · g + decay · w``.

    Raises
    ------
    TypeError, ValueError
        Where the arrays do not agree, or those that change cannot be changed in place.
    """
    g = arguments.update("rmsprop_update", {"w": w, "s": s}, g=g)
    bodies().rmsprop_update(w, g, s, lr=lr, smoothing=smoothing, eps=eps, scale=scale, decay=decay)


@operation
def adam_update(
    w: np.ndarray, g: np.ndarray, m: np.ndarray, s: np.ndarray, *, lr: float, beta1: float,
    beta2: float, eps: float, step: int, scale: float = 1.0, decay: float = 0.0,
    shrink: float = 0.0,
) -> None:
    """``m`` and ``s`` follow g and g²; corrected for their start at 0 they give the step.

    ``m = beta1 · m + (1 - beta1) · g``, ``s = beta2 · s + (1 - beta2) · g²``,
    ``w -= lr · m̂ / (sqrt(ŝ) + eps)`` with ``m̂ = m / (1 - beta1ᵗ)``, ``ŝ = s / (1 - beta2ᵗ)``
    (Kingma and Ba 2014, arXiv:1412.6980, algorithm 1). Before that ``w -= shrink · w``, which
    decouples the decay (Loshchilov and Hutter 2017, arXiv:1711.05101, algorithm 2).

    Parameters
    ----------
    w, m, s : ndarray, float32 or float64, C-contiguous
        The parameter and the means of its gradients and of their squares, changed in place.
    g : ndarray
        The gradient.
    lr, beta1, beta2, eps : float
        See `minicnn.optimizers.Adam`.
    step : int >= 1
        t, counted from 1.
    scale, decay : float, default 1.0 and 0.0
        Make the gradient ``scale · g + decay · w``.
    shrink : float, default 0.0
        Share that w loses first.

    Raises
    ------
    TypeError, ValueError
        Where the arrays do not agree, or those that change cannot be changed in place.
    """
    g = arguments.update("adam_update", {"w": w, "m": m, "s": s}, g=g)
    bodies().adam_update(
        w, g, m, s, lr=lr, beta1=beta1, beta2=beta2, eps=eps, step=step, scale=scale, decay=decay,
        shrink=shrink,
    )


@operation
def average_update(average: np.ndarray, weights: Any, rate: float) -> None:
    """Move an average towards new weights: ``average += rate · (weights - average)``.

    Parameters
    ----------
    average : ndarray, float32 or float64, C-contiguous
        Changed in place.
    weights : array_like of average's shape
    rate : float in [0, 1]
        1 minus the decay of the average.

    Raises
    ------
    TypeError, ValueError
        Where the arrays do not agree, `average` cannot be changed in place, or rate is out of
        range.
    """
    weights = arguments.update("average_update", {"average": average}, weights=weights)
    rate = validation.number("average_update", "rate", rate, 0, 1)
    bodies().average_update(average, weights, rate)
