"""What an optimizer does to the parameters in one step: the rules as they are published.

All arrays of a parameter have one shape and dtype. The parameter w and the optimizer's own arrays
change in place; the gradient g stays. Every rule sees the gradient ``scale · g + decay · w``:
`scale` clips, and `decay` is the λ of the penalty ½ λ ‖w‖².

Each rule takes one parameter, or many at once: where w is a list of arrays, so are the other
arrays, and `decay` may be a list of numbers. A backend can then take one step for all of them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import validation
from minicnn.ops import arguments
from minicnn.ops.backend import bodies, operation

Arrays = np.ndarray | Sequence[np.ndarray]
"""The array of one parameter, or those of many."""

Numbers = float | Sequence[float]
"""A number for all parameters, or one for each."""


@operation
def sgd_update(
    w: Arrays, g: Any, v: Arrays, *, lr: float, momentum: float = 0.0, nesterov: bool = False,
    scale: float = 1.0, decay: Numbers = 0.0,
) -> None:
    """``v = momentum · v + g``, ``w -= lr · v``; Nesterov's ``w -= lr · (g + momentum · v)``.

    Sutskever et al. 2013, *On the importance of initialization and momentum in deep learning*,
    section 2, as PyTorch writes it.

    Parameters
    ----------
    w, v : ndarray, float32 or float64, C-contiguous, or a list of them
        The parameter and its velocity, changed in place.
    g : array_like of w's shape, or a list of as many
        The gradient.
    lr, momentum, nesterov
        See `minicnn.optimizers.SGD`.
    scale, decay : float, default 1.0 and 0.0
        Make the gradient ``scale · g + decay · w``; of many parameters `decay` may be a list.

    Raises
    ------
    TypeError, ValueError
        Where the arrays do not agree, or those that change cannot be changed in place.
    """
    with arguments.update("sgd_update", {"w": w, "v": v}, g=g) as (weights, velocities, gradients):
        bodies().sgd_update(
            weights, gradients, velocities, lr=lr, momentum=momentum, nesterov=bool(nesterov),
            scale=scale, decays=arguments.each("sgd_update", "decay", decay, len(weights)),
        )


@operation
def rmsprop_update(
    w: Arrays, g: Any, s: Arrays, *, lr: float, smoothing: float, eps: float, scale: float = 1.0,
    decay: Numbers = 0.0,
) -> None:
    """``s = smoothing · s + (1 - smoothing) · g²``, ``w -= lr · g / (sqrt(s) + eps)``.

    Tieleman and Hinton 2012, *Lecture 6.5: rmsprop*.

    Parameters
    ----------
    w, s : ndarray, float32 or float64, C-contiguous, or a list of them
        The parameter and the mean of its squared gradients, changed in place.
    g : array_like of w's shape, or a list of as many
        The gradient.
    lr, smoothing, eps : float
        See `minicnn.optimizers.RMSprop`, where smoothing is called decay.
    scale, decay : float, default 1.0 and 0.0
        Make the gradient ``scale · g + decay · w``; of many parameters `decay` may be a list.

    Raises
    ------
    TypeError, ValueError
        Where the arrays do not agree, or those that change cannot be changed in place.
    """
    with arguments.update("rmsprop_update", {"w": w, "s": s}, g=g) as (weights, squares, gradients):
        bodies().rmsprop_update(
            weights, gradients, squares, lr=lr, smoothing=smoothing, eps=eps, scale=scale,
            decays=arguments.each("rmsprop_update", "decay", decay, len(weights)),
        )


@operation
def adam_update(
    w: Arrays, g: Any, m: Arrays, s: Arrays, *, lr: float, beta1: float, beta2: float, eps: float,
    step: int, scale: float = 1.0, decay: Numbers = 0.0, shrink: Numbers = 0.0,
) -> None:
    """``m`` and ``s`` follow g and g²; corrected for their start at 0 they give the step.

    ``m = beta1 · m + (1 - beta1) · g``, ``s = beta2 · s + (1 - beta2) · g²``,
    ``w -= lr · m̂ / (sqrt(ŝ) + eps)`` with ``m̂ = m / (1 - beta1ᵗ)``, ``ŝ = s / (1 - beta2ᵗ)``
    (Kingma and Ba 2014, arXiv:1412.6980, algorithm 1). Before that ``w -= shrink · w``, which
    decouples the decay (Loshchilov and Hutter 2017, arXiv:1711.05101, algorithm 2).

    Parameters
    ----------
    w, m, s : ndarray, float32 or float64, C-contiguous, or a list of them
        The parameter and the means of its gradients and of their squares, changed in place.
    g : array_like of w's shape, or a list of as many
        The gradient.
    lr, beta1, beta2, eps : float
        See `minicnn.optimizers.Adam`.
    step : int >= 1
        t, counted from 1.
    scale, decay : float, default 1.0 and 0.0
        Make the gradient ``scale · g + decay · w``; of many parameters `decay` may be a list.
    shrink : float, default 0.0
        Share that w loses first; of many parameters may be a list, as `decay`.

    Raises
    ------
    TypeError, ValueError
        Where the arrays do not agree, or those that change cannot be changed in place.
    """
    name, changed = "adam_update", {"w": w, "m": m, "s": s}
    with arguments.update(name, changed, g=g) as (weights, means, squares, gradients):
        bodies().adam_update(
            weights, gradients, means, squares, lr=lr, beta1=beta1, beta2=beta2, eps=eps,
            step=step, scale=scale, decays=arguments.each(name, "decay", decay, len(weights)),
            shrinks=arguments.each(name, "shrink", shrink, len(weights)),
        )


@operation
def average_update(average: Arrays, weights: Any, rate: float) -> None:
    """Move an average towards new weights: ``average += rate · (weights - average)``.

    Parameters
    ----------
    average : ndarray, float32 or float64, C-contiguous, or a list of them
        Changed in place.
    weights : array_like of average's shape, or a list of as many
    rate : float in [0, 1]
        1 minus the decay of the average.

    Raises
    ------
    TypeError, ValueError
        Where the arrays do not agree, `average` cannot be changed in place, or rate is out of
        range.
    """
    rate = validation.number("average_update", "rate", rate, 0, 1)
    changed = {"average": average}
    with arguments.update("average_update", changed, weights=weights) as (averages, towards):
        bodies().average_update(averages, towards, rate)
