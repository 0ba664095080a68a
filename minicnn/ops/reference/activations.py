"""Activation functions: ReLU, leaky ReLU and ELU. All arrays have one shape, any."""

import numpy as np

from minicnn.ops.activations import ELUCache, LeakyReLUCache, ReLUCache


def relu_forward(x):
    """y = max(x, 0)."""
    y = np.where(x <= 0, x.dtype.type(0), x)  # NaN is not <= 0: it stays
    return y, ReLUCache(y)


def relu_backward(dy, cache):
    """dx = dy where x > 0, else 0; y > 0 exactly where x > 0."""
    return np.where(cache.y > 0, dy, dy.dtype.type(0))


def leaky_relu_forward(x, slope):
    """y = x where x > 0, else slope · x."""
    positive = np.asarray(x > 0)
    return np.where(positive, x, x * slope), LeakyReLUCache(positive, slope, x.dtype)


def leaky_relu_backward(dy, cache):
    """dx = dy where x > 0, else slope · dy."""
    return np.where(cache.positive, dy, dy * cache.slope)


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
