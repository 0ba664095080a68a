"""Activation functions: one pass over memory each."""

import numpy as np

from minicnn.compiling.kernels import parallel
from minicnn.ops.activations import ELUCache, LeakyReLUCache, ReLUCache
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, block_of, pieces_of
from minicnn.ops.cpu.linalg.simd import (
    is_large,
    lanes_of,
    load,
    load_part,
    positive_part,
    put,
    settle,
    store_part,
    where_positive,
)


def relu_forward(x):
    """y = max(x, 0), x of any shape."""
    y = memory.empty(x.shape, x.dtype)
    _relu(BLOCKS, x.reshape(-1), y.reshape(-1), is_large(y))
    return y, ReLUCache(y)


def relu_backward(dy, cache):
    """dx = dy where y > 0, else y, which is 0 there, or NaN where x is."""
    dx = memory.empty(dy.shape, dy.dtype)
    _relu_gradient(BLOCKS, dy.reshape(-1), cache.y.reshape(-1), dx.reshape(-1), is_large(dx))
    return dx


def leaky_relu_forward(x, slope):
    """y = x where x > 0, else slope · x; dy/dx is kept."""
    y, derivative = memory.empty(x.shape, x.dtype), memory.empty(x.shape, x.dtype)
    _leaky(BLOCKS, x.reshape(-1), x.dtype.type(slope), y.reshape(-1), derivative.reshape(-1))
    return y, LeakyReLUCache(derivative)


def leaky_relu_backward(dy, cache):
    """dx = dy · dy/dx."""
    return _times(dy, cache.derivative)


def elu_forward(x, alpha):
    """y = x where x > 0, else alpha · (exp(x) - 1); dy/dx is kept."""
    y, derivative = memory.empty(x.shape, x.dtype), memory.empty(x.shape, x.dtype)
    _elu(BLOCKS, x.reshape(-1), x.dtype.type(alpha), y.reshape(-1), derivative.reshape(-1))
    return y, ELUCache(derivative)


def elu_backward(dy, cache):
    """dx = dy · dy/dx."""
    return _times(dy, cache.derivative)


def _times(dy, derivative):
    """Their product, element by element."""
    dx = memory.empty(dy.shape, dy.dtype)
    _product(BLOCKS, dy.reshape(-1), derivative.reshape(-1), dx.reshape(-1))
    return dx


@parallel
def _relu(block, x, y, large):
    start, stop = pieces_of(block, x.size, lanes_of(x))
    rest = (stop - start) % lanes_of(x)
    for i in range(start, stop - rest, lanes_of(x)):
        put(y, i, positive_part(load(x, i, 1)), large)
    i = stop - rest
    store_part(y, i, rest, positive_part(load_part(x, i, rest, 1)))
    settle()


@parallel
def _relu_gradient(block, dy, y, dx, large):
    start, stop = pieces_of(block, dy.size, lanes_of(dy))
    rest = (stop - start) % lanes_of(dy)
    for i in range(start, stop - rest, lanes_of(dy)):
        put(dx, i, where_positive(load(y, i, 1), load(dy, i, 1)), large)
    i = stop - rest
    store_part(dx, i, rest, where_positive(load_part(y, i, rest, 1), load_part(dy, i, rest, 1)))
    settle()


@parallel
def _leaky(block, x, slope, y, derivative):
    start, stop = block_of(block, x.size)
    x, y, derivative = x[start:stop], y[start:stop], derivative[start:stop]
    for i in range(x.size):
        value = x[i]
        y[i] = value if value > 0 else slope * value
        derivative[i] = 1 if value > 0 else slope if value <= 0 else value  # NaN stays


@parallel
def _elu(block, x, alpha, y, derivative):
    start, stop = block_of(block, x.size)
    x, y, derivative = x[start:stop], y[start:stop], derivative[start:stop]
    for i in range(x.size):
        value = x[i]
        if value > 0:
            y[i] = value
            derivative[i] = 1
        else:
            y[i] = alpha * np.expm1(value)
            derivative[i] = alpha * np.exp(value)


@parallel
def _product(block, dy, derivative, dx):
    start, stop = block_of(block, dy.size)
    dy, derivative, dx = dy[start:stop], derivative[start:stop], dx[start:stop]
    for i in range(dy.size):
        dx[i] = dy[i] * derivative[i]
