"""What an optimizer does to one parameter in one step: the rules as they are published.

All arrays have one shape and dtype. The parameter w and the optimizer's own arrays change in place;
the gradient g stays. Every rule sees the gradient ``scale · g + decay · w``: `scale` clips, and
`decay` is the λ of the penalty ½ λ ‖w‖².
"""

import numpy as np

from minicnn.ops import arguments


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
    arguments.update("sgd_update", g, w=w, v=v)
    g = _penalized(w, g, scale, decay)
    v *= momentum
    v += g
    w -= lr * (g + momentum * v if nesterov else v)


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
    arguments.update("rmsprop_update", g, w=w, s=s)
    g = _penalized(w, g, scale, decay)
    s *= smoothing
    s += (1 - smoothing) * np.square(g)
    w -= lr * g / (np.sqrt(s) + eps)


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
    arguments.update("adam_update", g, w=w, m=m, s=s)
    w *= 1 - shrink
    g = _penalized(w, g, scale, decay)
    m *= beta1
    m += (1 - beta1) * g
    s *= beta2
    s += (1 - beta2) * np.square(g)
    # the corrections of m̂ and ŝ are numbers: apply them to lr and eps, not to the arrays
    correction = float(np.sqrt(1 - beta2**step))
    w -= lr * correction / (1 - beta1**step) * m / (np.sqrt(s) + eps * correction)


def _penalized(w: np.ndarray, g: np.ndarray, scale: float, decay: float) -> np.ndarray:
    """The gradient, clipped, with that of the penalty added."""
    if scale != 1:
        g = scale * g
    return g + decay * w if decay else g
