"""Dropout: the generator draws a seed, and every group of four values its own random numbers."""

import math

import numpy as np

from minicnn.ops.cuda.array import empty
from minicnn.ops.cuda.compile import kernel, uint32, uint64
from minicnn.ops.cuda.flat import THREADS, blocks_for, load_part, place, store_part
from minicnn.ops.cuda.philox import philox, words
from minicnn.ops.dropout import DropoutCache


def dropout_forward(x, rate, training, rng):
    """y = x · kept / (1 - rate) in training, else y = x."""
    if not training or rate == 0:
        return x.copy(), DropoutCache(None, 1.0, x.shape, x.dtype)
    seed = rng.integers(0, 2**64, dtype=np.uint64)
    cache = DropoutCache(empty(x.shape, bool), 1 / (1 - rate), x.shape, x.dtype)
    y = empty(x.shape, x.dtype)
    _drop[blocks_for(x.size)](
        x, y, cache.kept, seed, threshold(rate), cache.scale, np.uint64(x.size)
    )
    return y, cache


def dropout_backward(dy, cache):
    """dx = dy · kept / (1 - rate) in training, else dx = dy."""
    if cache.kept is None:
        return dy.copy()
    dx = empty(dy.shape, dy.dtype)
    _scale_kept[blocks_for(dy.size)](dy, cache.kept, cache.scale, dx, np.uint64(dy.size))
    return dx


def threshold(rate: float) -> int:
    """The least number of 32 random bits u that keeps an element: u / 2³² >= rate."""
    return min(math.ceil(rate * 2**32), 2**32 - 1)


@kernel(threads=THREADS)
def _drop(x, y, kept, seed, threshold, scale, size):
    """kept = u >= threshold, a byte each; y = x · scale where kept, else 0.

    The four numbers u of a thread come from the counter (group of four, 0) and the key `seed`.
    """
    zero, i = x.dtype.type(0), place()
    if i >= size:
        return
    group, nought = words(i >> uint64(2)), uint32(0)
    u0, u1, u2, u3 = philox((group[0], group[1], nought, nought), words(seed))
    k0, k1, k2, k3 = u0 >= threshold, u1 >= threshold, u2 >= threshold, u3 >= threshold
    x0, x1, x2, x3 = load_part(x, i, size)
    a, b = x0 * scale if k0 else zero, x1 * scale if k1 else zero
    c, d = x2 * scale if k2 else zero, x3 * scale if k3 else zero
    store_part(y, i, size, a, b, c, d)
    store_part(kept, i, size, k0, k1, k2, k3)


@kernel(threads=THREADS)
def _scale_kept(dy, kept, scale, dx, size):
    """dx = dy · scale where kept, else 0."""
    zero, i = dy.dtype.type(0), place()
    if i >= size:
        return
    dy0, dy1, dy2, dy3 = load_part(dy, i, size)
    k0, k1, k2, k3 = load_part(kept, i, size)
    a, b = dy0 * scale if k0 else zero, dy1 * scale if k1 else zero
    c, d = dy2 * scale if k2 else zero, dy3 * scale if k3 else zero
    store_part(dx, i, size, a, b, c, d)
