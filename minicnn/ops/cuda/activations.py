"""Activation functions: one pass over memory each, four values a thread."""

import math

import numpy as np

from minicnn.ops.activations import ELUCache, LeakyReLUCache, ReLUCache
from minicnn.ops.cuda.array import empty
from minicnn.ops.cuda.compile import device_function, kernel
from minicnn.ops.cuda.flat import THREADS, blocks_for, load_part, place, store_part


def relu_forward(x):
    """y = max(x, 0), x of any shape."""
    y = empty(x.shape, x.dtype)
    _relu[blocks_for(x.size)](x, y, np.uint64(x.size))
    return y, ReLUCache(y)


def relu_backward(dy, cache):
    """dx = dy where y > 0, else y, which is 0 there, or NaN where x is."""
    dx = empty(dy.shape, dy.dtype)
    _relu_gradient[blocks_for(dy.size)](dy, cache.y, dx, np.uint64(dy.size))
    return dx


def leaky_relu_forward(x, slope):
    """y = x where x > 0, else slope · x; dy/dx is kept."""
    y, derivative = empty(x.shape, x.dtype), empty(x.shape, x.dtype)
    _leaky_relu[blocks_for(x.size)](x, slope, y, derivative, np.uint64(x.size))
    return y, LeakyReLUCache(derivative)


def leaky_relu_backward(dy, cache):
    """dx = dy · dy/dx."""
    return _times(dy, cache.derivative)


def elu_forward(x, alpha):
    """y = x where x > 0, else alpha · (exp(x) - 1); dy/dx is kept."""
    y, derivative = empty(x.shape, x.dtype), empty(x.shape, x.dtype)
    _elu[blocks_for(x.size)](x, alpha, y, derivative, np.uint64(x.size))
    return y, ELUCache(derivative)


def elu_backward(dy, cache):
    """dx = dy · dy/dx."""
    return _times(dy, cache.derivative)


def _times(dy, derivative):
    """Their product, element by element."""
    dx = empty(dy.shape, dy.dtype)
    _product[blocks_for(dy.size)](dy, derivative, dx, np.uint64(dy.size))
    return dx


# In the kernels i is the place of a thread's first value; a, b, c, d are results of its four.


@kernel(threads=THREADS)
def _relu(x, y, size):
    """y = 0 where x <= 0, else x: NaN is not <= 0, it stays."""
    zero, i = x.dtype.type(0), place()
    if i >= size:
        return
    x0, x1, x2, x3 = load_part(x, i, size)
    a, b = zero if x0 <= zero else x0, zero if x1 <= zero else x1
    c, d = zero if x2 <= zero else x2, zero if x3 <= zero else x3
    store_part(y, i, size, a, b, c, d)


@kernel(threads=THREADS)
def _relu_gradient(dy, y, dx, size):
    """dx = dy where y > 0, else y."""
    zero, i = dy.dtype.type(0), place()
    if i >= size:
        return
    dy0, dy1, dy2, dy3 = load_part(dy, i, size)
    y0, y1, y2, y3 = load_part(y, i, size)
    a, b = dy0 if y0 > zero else y0, dy1 if y1 > zero else y1
    c, d = dy2 if y2 > zero else y2, dy3 if y3 > zero else y3
    store_part(dx, i, size, a, b, c, d)


@device_function
def _leaky_one(x, slope, zero, one):
    """(y, dy/dx) = (x, 1) where x > 0, else (slope · x, slope); NaN stays."""
    if x > zero:
        return x, one
    if x <= zero:
        return slope * x, slope
    return x, x


@kernel(threads=THREADS)
def _leaky_relu(x, slope, y, derivative, size):
    """y and dy/dx of every x."""
    zero, one, i = x.dtype.type(0), x.dtype.type(1), place()
    if i >= size:
        return
    slope = x.dtype.type(slope)
    x0, x1, x2, x3 = load_part(x, i, size)
    (a, slope_a), (b, slope_b) = _leaky_one(x0, slope, zero, one), _leaky_one(x1, slope, zero, one)
    (c, slope_c), (d, slope_d) = _leaky_one(x2, slope, zero, one), _leaky_one(x3, slope, zero, one)
    store_part(y, i, size, a, b, c, d)
    store_part(derivative, i, size, slope_a, slope_b, slope_c, slope_d)


@device_function
def _elu_one(x, alpha, zero, one):
    """(y, dy/dx) = (x, 1) where x > 0, else (alpha · (exp(x) - 1), alpha · exp(x))."""
    if x > zero:
        return x, one
    return alpha * math.expm1(x), alpha * math.exp(x)


@kernel(threads=THREADS)
def _elu(x, alpha, y, derivative, size):
    """y and dy/dx of every x."""
    zero, one, i = x.dtype.type(0), x.dtype.type(1), place()
    if i >= size:
        return
    x0, x1, x2, x3 = load_part(x, i, size)
    (a, slope_a), (b, slope_b) = _elu_one(x0, alpha, zero, one), _elu_one(x1, alpha, zero, one)
    (c, slope_c), (d, slope_d) = _elu_one(x2, alpha, zero, one), _elu_one(x3, alpha, zero, one)
    store_part(y, i, size, a, b, c, d)
    store_part(derivative, i, size, slope_a, slope_b, slope_c, slope_d)


@kernel(threads=THREADS)
def _product(dy, derivative, dx, size):
    """dx = dy · dy/dx."""
    i = place()
    if i >= size:
        return
    dy0, dy1, dy2, dy3 = load_part(dy, i, size)
    slope0, slope1, slope2, slope3 = load_part(derivative, i, size)
    store_part(dx, i, size, dy0 * slope0, dy1 * slope1, dy2 * slope2, dy3 * slope3)
