"""Activation functions: ReLU, leaky ReLU and ELU."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import validation
from minicnn.ops import arguments
from minicnn.ops.backend import bodies, operation


@dataclass(frozen=True, slots=True, eq=False)
class ReLUCache:
    """What `relu_forward` keeps: y, which is positive where x was."""

    y: np.ndarray

    @property
    def y_shape(self) -> tuple[int, ...]:
        """Any."""
        return self.y.shape

    @property
    def dtype(self) -> np.dtype:
        """Of y."""
        return self.y.dtype


@operation
def relu_forward(x: Any) -> tuple[np.ndarray, ReLUCache]:
    """Rectify: ``y = max(x, 0)`` (Nair and Hinton 2010); NaN stays NaN.

    Parameters
    ----------
    x : array_like, any shape

    Returns
    -------
    y : ndarray of x's shape
        float64 if x is a wider float than float32, else float32.
    cache : ReLUCache
        For `relu_backward`.

    Raises
    ------
    TypeError, ValueError
        Where x does not hold real numbers, or is empty.
    """
    (x,) = arguments.floats("relu", x=x)
    return bodies().relu_forward(x)


@operation
def relu_backward(dy: Any, cache: ReLUCache) -> np.ndarray:
    """Gradient of `relu_forward`: ``dx = dy where x > 0, else 0``; NaN where x is.

    Parameters
    ----------
    dy : array_like of y's shape
        Gradient of the loss with respect to y.
    cache : ReLUCache
        From `relu_forward`.

    Returns
    -------
    dx : ndarray of x's shape, y's dtype

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    dy, cache = arguments.upstream("relu_backward", dy, cache, ReLUCache)
    return bodies().relu_backward(dy, cache)


@dataclass(frozen=True, slots=True, eq=False)
class LeakyReLUCache:
    """What `leaky_relu_forward` keeps: the slope at each x."""

    derivative: np.ndarray

    @property
    def y_shape(self) -> tuple[int, ...]:
        """Any."""
        return self.derivative.shape

    @property
    def dtype(self) -> np.dtype:
        """Of y."""
        return self.derivative.dtype


@operation
def leaky_relu_forward(x: Any, *, slope: float = 0.01) -> tuple[np.ndarray, LeakyReLUCache]:
    """Rectify, but let a little through: ``y = x where x > 0, else slope · x`` (Maas et al. 2013).

    Parameters
    ----------
    x : array_like, any shape
    slope : float >= 0, default 0.01
        Factor of the negative values.

    Returns
    -------
    y : ndarray of x's shape
        float64 if x is a wider float than float32, else float32.
    cache : LeakyReLUCache
        For `leaky_relu_backward`.

    Raises
    ------
    TypeError, ValueError
        Where x does not hold real numbers or is empty, or slope is no finite number >= 0.
    """
    (x,) = arguments.floats("leaky_relu", x=x)
    slope = validation.number("leaky_relu", "slope", slope, 0)
    return bodies().leaky_relu_forward(x, slope)


@operation
def leaky_relu_backward(dy: Any, cache: LeakyReLUCache) -> np.ndarray:
    """Gradient of `leaky_relu_forward`: ``dx = dy where x > 0, else slope · dy``; NaN where x is.

    Parameters
    ----------
    dy : array_like of y's shape
        Gradient of the loss with respect to y.
    cache : LeakyReLUCache
        From `leaky_relu_forward`.

    Returns
    -------
    dx : ndarray of x's shape, y's dtype

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    dy, cache = arguments.upstream("leaky_relu_backward", dy, cache, LeakyReLUCache)
    return bodies().leaky_relu_backward(dy, cache)


@dataclass(frozen=True, slots=True, eq=False)
class ELUCache:
    """What `elu_forward` keeps: the slope of ELU at each x."""

    derivative: np.ndarray

    @property
    def y_shape(self) -> tuple[int, ...]:
        """Any."""
        return self.derivative.shape

    @property
    def dtype(self) -> np.dtype:
        """Of y."""
        return self.derivative.dtype


@operation
def elu_forward(x: Any, *, alpha: float = 1.0) -> tuple[np.ndarray, ELUCache]:
    """Exponential linear unit: ``y = x where x > 0, else alpha · (exp(x) - 1)``.

    Clevert, Unterthiner and Hochreiter 2015, arXiv:1511.07289, equation 15.

    Parameters
    ----------
    x : array_like, any shape
    alpha : float >= 0, default 1.0
        Minus the value that large negative x approach.

    Returns
    -------
    y : ndarray of x's shape
        float64 if x is a wider float than float32, else float32.
    cache : ELUCache
        For `elu_backward`.

    Raises
    ------
    TypeError, ValueError
        Where x does not hold real numbers or is empty, or alpha is no finite number >= 0.
    """
    (x,) = arguments.floats("elu", x=x)
    alpha = validation.number("elu", "alpha", alpha, 0)
    return bodies().elu_forward(x, alpha)


@operation
def elu_backward(dy: Any, cache: ELUCache) -> np.ndarray:
    """Gradient of `elu_forward`: ``dx = dy where x > 0, else dy · alpha · exp(x)``; NaN where
    x is.

    Parameters
    ----------
    dy : array_like of y's shape
        Gradient of the loss with respect to y.
    cache : ELUCache
        From `elu_forward`.

    Returns
    -------
    dx : ndarray of x's shape, y's dtype

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    dy, cache = arguments.upstream("elu_backward", dy, cache, ELUCache)
    return bodies().elu_backward(dy, cache)
