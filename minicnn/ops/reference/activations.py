"""Activation functions: ReLU, leaky ReLU and ELU. All arrays have one shape, any."""

import numpy as np

from minicnn.ops.activations import ELUCache, LeakyReLUCache, ReLUCache


def relu_forward(x):
    """y = max(x, 0)."""
    y = np.where(x <= 0, x.dtype.type(0), x)  # NaN is not <= 0: it stays
    return y, ReLUCache(y)


def relu_backward(dy, cache):
    """dx = dy where y > 0, else y, which is 0 there, or NaN where x is."""
    return np.where(cache.y > 0, dy, cache.y)


def leaky_relu_forward(x, slope):
    """y = x where x > 0, else slope · x; its slope y′ = 1 where x > 0, else slope, NaN where x is.
    """
    slope = x.dtype.type(slope)
    y = np.where(x > 0, x, slope * x)
    derivative = np.where(x > 0, x.dtype.type(1), np.where(x <= 0, slope, x))
    return y, LeakyReLUCache(derivative)


def leaky_relu_backward(dy, cache):
    """dx = dy · y′."""
    return np.asarray(dy * cache.derivative)


def elu_forward(x, alpha):
    """y = x where x > 0, else α · (exp(x) - 1); its slope y′ = 1 where x > 0, else α · exp(x)."""
    positive = np.asarray(x > 0)
    negative = np.minimum(x, 0)  # where x > 0, exp(x) could overflow
    y = np.where(positive, x, alpha * np.expm1(negative))
    derivative = np.where(positive, x.dtype.type(1), alpha * np.exp(negative))
    return y, ELUCache(derivative)


def elu_backward(dy, cache):
    """dx = dy · y′."""
    return np.asarray(dy * cache.derivative)
