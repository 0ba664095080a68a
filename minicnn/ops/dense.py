"""The dense (fully connected) operation."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.ops import arguments
from minicnn.ops.backend import bodies, operation


@dataclass(frozen=True, slots=True, eq=False)
class DenseCache:
    """What `dense_forward` keeps: x (N, in), w (in, out), and whether there was a b."""

    x: np.ndarray
    w: np.ndarray
    has_bias: bool

    @property
    def y_shape(self) -> tuple[int, ...]:
        """(N, out)."""
        return (self.x.shape[0], self.w.shape[1])

    @property
    def dtype(self) -> np.dtype:
        """Of y."""
        return self.x.dtype


@operation
def dense_forward(x: Any, w: Any, b: Any = None) -> tuple[np.ndarray, DenseCache]:
    """Multiply by a matrix and add a bias: ``y = x w + b``.

    Parameters
    ----------
    x : array_like (N, in)
        Features.
    w : array_like (in, out)
        Weights.
    b : array_like (out,), optional
        Biases.

    Returns
    -------
    y : ndarray (N, out)
        float64 if an input is a wider float than float32, else float32.
    cache : DenseCache
        For `dense_backward`.

    Raises
    ------
    TypeError
        Where an input does not hold real numbers.
    ValueError
        Where an input is empty, or shapes do not agree.
    """
    x, w, b = arguments.floats("dense", optional=("b",), x=x, w=w, b=b)
    arguments.ndim("dense", "x", x, "(N, in)")
    arguments.ndim("dense", "w", w, "(in, out)")
    if x.shape[1] != w.shape[0]:
        raise ValueError(
            f"dense: x has {x.shape[1]} features but w expects {w.shape[0]} "
            f"(x {x.shape}, w {w.shape})"
        )
    arguments.vector("dense", "b", b, w.shape[1], "one bias an output")
    return bodies().dense_forward(x, w, b)


@operation
def dense_backward(
    dy: Any, cache: DenseCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Gradients of `dense_forward`: ``dx = dy wᵀ``, ``dw = xᵀ dy``, ``db = sum over n of dy``.

    Parameters
    ----------
    dy : array_like (N, out)
        Gradient of the loss with respect to y.
    cache : DenseCache
        From `dense_forward`.

    Returns
    -------
    dx : ndarray (N, in), y's dtype
    dw : ndarray (in, out), y's dtype
    db : ndarray (out,), y's dtype, or None where forward had no b

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    dy, cache = arguments.upstream("dense_backward", dy, cache, DenseCache)
    return bodies().dense_backward(dy, cache)


@operation
def dense_weight_gradients(dy: Any, cache: DenseCache) -> tuple[np.ndarray, np.ndarray | None]:
    """Two of the gradients of `dense_backward`, without dx: all that a first layer needs.

    Parameters
    ----------
    dy : array_like (N, out)
        Gradient of the loss with respect to y.
    cache : DenseCache
        From `dense_forward`.

    Returns
    -------
    dw : ndarray (in, out), y's dtype
    db : ndarray (out,), y's dtype, or None where forward had no b

    Raises
    ------
    TypeError, ValueError
        As `dense_backward`.
    """
    dy, cache = arguments.upstream("dense_weight_gradients", dy, cache, DenseCache)
    return bodies().dense_weight_gradients(dy, cache)
