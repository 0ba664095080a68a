"""Activation functions: one pass over memory each."""

from typing import Any

import numpy as np
from numba import njit, prange

from minicnn import validation
from minicnn.ops import arguments
from minicnn.ops.caches import ELUCache, LeakyReLUCache, ReLUCache
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, PARALLEL, WORKER, block_of, pieces_of
from minicnn.ops.cpu.linalg.simd import (
    is_large,
    lanes,
    load,
    load_part,
    positive_part,
    put,
    settle,
    store_part,
    where_positive,
)


def relu_forward(x: Any) -> tuple[np.ndarray, ReLUCache]:
    """``y = max(x, 0)``, x of any shape. As `minicnn.ops.relu_forward`."""
    (x,) = arguments.floats("relu", x=x)
    y = memory.empty(x.shape, x.dtype)
    _relu(x.reshape(-1), y.reshape(-1), is_large(y), lanes(x.dtype))
    return y, ReLUCache(y)


def relu_backward(dy: Any, cache: ReLUCache) -> np.ndarray:
    """``dx = dy where x > 0, else 0``. As `minicnn.ops.relu_backward`."""
    cache = arguments.cache_of("relu_backward", cache, ReLUCache)
    dy = arguments.upstream("relu_backward", dy, cache.y.shape, cache.y.dtype)
    dx = memory.empty(dy.shape, dy.dtype)
    _relu_gradient(
        dy.reshape(-1), cache.y.reshape(-1), dx.reshape(-1), is_large(dx), lanes(dx.dtype)
    )
    return dx


def leaky_relu_forward(x: Any, *, slope: float = 0.01) -> tuple[np.ndarray, LeakyReLUCache]:
    """``y = x where x > 0, else slope · x``. As `minicnn.ops.leaky_relu_forward`."""
    (x,) = arguments.floats("leaky_relu", x=x)
    slope = validation.number("leaky_relu", "slope", slope, 0)
    positive = np.asarray(x > 0)
    return _leaky(x, positive, slope), LeakyReLUCache(positive, slope, x.dtype)


def leaky_relu_backward(dy: Any, cache: LeakyReLUCache) -> np.ndarray:
    """``dx = dy where x > 0, else slope · dy``. As `minicnn.ops.leaky_relu_backward`."""
    cache = arguments.cache_of("leaky_relu_backward", cache, LeakyReLUCache)
    dy = arguments.upstream("leaky_relu_backward", dy, cache.positive.shape, cache.dtype)
    return _leaky(dy, cache.positive, cache.slope)


def elu_forward(x: Any, *, alpha: float = 1.0) -> tuple[np.ndarray, ELUCache]:
    """``y = x where x > 0, else alpha · (exp(x) - 1)``. As `minicnn.ops.elu_forward`."""
    (x,) = arguments.floats("elu", x=x)
    alpha = validation.number("elu", "alpha", alpha, 0)
    y, derivative = memory.empty(x.shape, x.dtype), memory.empty(x.shape, x.dtype)
    _elu(x.reshape(-1), x.dtype.type(alpha), y.reshape(-1), derivative.reshape(-1))
    return y, ELUCache(derivative)


def elu_backward(dy: Any, cache: ELUCache) -> np.ndarray:
    """``dx = dy · dy/dx``, the derivative kept by forward. As `minicnn.ops.elu_backward`."""
    derivative = arguments.cache_of("elu_backward", cache, ELUCache).derivative
    dy = arguments.upstream("elu_backward", dy, derivative.shape, derivative.dtype)
    return np.asarray(dy * derivative)


def _leaky(values: np.ndarray, positive: np.ndarray, slope: float) -> np.ndarray:
    """``values where positive, else slope · values``: forward and backward alike."""
    result = memory.empty(values.shape, values.dtype)
    _leaky_select(
        values.reshape(-1), positive.reshape(-1), values.dtype.type(slope), result.reshape(-1)
    )
    return result


@njit(**WORKER)
def _relu_block(x, y, large, lane_count, start, stop):
    rest = (stop - start) % lane_count
    for i in range(start, stop - rest, lane_count):
        put(y, i, positive_part(load(x, i, 1)), large)
    i = stop - rest
    store_part(y, i, rest, positive_part(load_part(x, i, rest, 1)))
    settle()


@njit(**PARALLEL)
def _relu(x, y, large, lane_count):
    for block in prange(BLOCKS):
        _relu_block(x, y, large, lane_count, *pieces_of(block, x.size, lane_count))


@njit(**WORKER)
def _relu_gradient_block(dy, y, dx, large, lane_count, start, stop):
    rest = (stop - start) % lane_count
    for i in range(start, stop - rest, lane_count):
        put(dx, i, where_positive(load(y, i, 1), load(dy, i, 1)), large)
    i = stop - rest
    store_part(dx, i, rest, where_positive(load_part(y, i, rest, 1), load_part(dy, i, rest, 1)))
    settle()


@njit(**PARALLEL)
def _relu_gradient(dy, y, dx, large, lane_count):
    for block in prange(BLOCKS):
        _relu_gradient_block(
            dy, y, dx, large, lane_count, *pieces_of(block, dy.size, lane_count)
        )


@njit(**WORKER)
def _leaky_select_block(values, positive, slope, result, start, stop):
    values, positive, result = values[start:stop], positive[start:stop], result[start:stop]
    for i in range(values.size):
        result[i] = values[i] if positive[i] else slope * values[i]


@njit(**PARALLEL)
def _leaky_select(values, positive, slope, result):
    for block in prange(BLOCKS):
        _leaky_select_block(values, positive, slope, result, *block_of(block, values.size))


@njit(**WORKER)
def _elu_block(x, alpha, y, derivative, start, stop):
    x, y, derivative = x[start:stop], y[start:stop], derivative[start:stop]
    for i in range(x.size):
        value = x[i]
        if value > 0:
            y[i] = value
            derivative[i] = 1
        else:
            y[i] = alpha * np.expm1(value)
            derivative[i] = alpha * np.exp(value)


@njit(**PARALLEL)
def _elu(x, alpha, y, derivative):
    for block in prange(BLOCKS):
        _elu_block(x, alpha, y, derivative, *block_of(block, x.size))
