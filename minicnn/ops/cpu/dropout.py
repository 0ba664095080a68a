"""Dropout: the generator draws, one threaded pass applies."""

import numpy as np

from minicnn.compiling.kernels import parallel
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, block_of
from minicnn.ops.dropout import DropoutCache


def dropout_forward(x, rate, training, rng):
    """y = x · kept / (1 - rate) in training, else y = x; the reference keeps the same elements."""
    if not training or rate == 0:
        return x.copy(), DropoutCache(None, 1.0, x.shape, x.dtype)
    kept = np.asarray(rng.random(x.shape, dtype=np.float32) >= rate)
    cache = DropoutCache(kept, 1 / (1 - rate), x.shape, x.dtype)
    return _keep(x, cache), cache


def dropout_backward(dy, cache):
    """dx = dy · kept / (1 - rate) in training, else dx = dy."""
    return dy.copy() if cache.kept is None else _keep(dy, cache)


def _keep(values, cache):
    """`values` · scale where they are kept, 0 elsewhere: forward and backward alike."""
    result = memory.empty(values.shape, values.dtype)
    _scale_kept(
        BLOCKS, values.reshape(-1), cache.kept.reshape(-1), values.dtype.type(cache.scale),
        result.reshape(-1),
    )
    return result


@parallel
def _scale_kept(block, values, kept, scale, result):
    start, stop = block_of(block, values.size)
    values, kept, result = values[start:stop], kept[start:stop], result[start:stop]
    for i in range(values.size):
        result[i] = values[i] * scale if kept[i] else values.dtype.type(0)
