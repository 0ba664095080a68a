"""Dropout (Srivastava et al. 2014, *JMLR* 15, 1929-1958), inverted: scaled in training.

All arrays have the same shape, which may be any.
"""

import numpy as np

from minicnn.ops.dropout import DropoutCache


def dropout_forward(x, rate, training, rng):
    """In training y = x · kept / (1 - rate), else y = x.

    An element is dropped with probability `rate`, else it is kept: kept is 0 or 1.
    """
    if not training or rate == 0:
        return x.copy(), DropoutCache(None, 1.0, x.shape, x.dtype)
    kept = np.asarray(rng.random(x.shape, dtype=np.float32) >= rate)
    cache = DropoutCache(kept, 1 / (1 - rate), x.shape, x.dtype)
    return np.where(kept, x * cache.scale, x.dtype.type(0)), cache


def dropout_backward(dy, cache):
    """dx = dy · kept / (1 - rate) in training, else dx = dy."""
    if cache.kept is None:
        return dy.copy()
    return np.where(cache.kept, dy * cache.scale, dy.dtype.type(0))
