"""Multiply where a mask holds, zero elsewhere: what the backward of ReLU and of dropout share."""

import numpy as np
from numba import njit, prange

from minicnn.ops.cpu import memory
from minicnn.ops.cpu.blocks import BLOCKS, PARALLEL, SERIAL, block_of


def masked_scale(values: np.ndarray, mask: np.ndarray, factor: float) -> np.ndarray:
    """``values · factor where mask, else 0``: a new array of the shape and dtype of `values`."""
    result = memory.empty(values.shape, values.dtype)
    _masked_scale(
        values.reshape(-1), mask.reshape(-1), values.dtype.type(factor), result.reshape(-1)
    )
    return result


@njit(**SERIAL)
def _masked_scale_block(values, mask, factor, result, start, stop):
    for i in range(start, stop):
        result[i] = values[i] * factor if mask[i] else values.dtype.type(0)


@njit(**PARALLEL)
def _masked_scale(values, mask, factor, result):
    for block in prange(BLOCKS):
        _masked_scale_block(values, mask, factor, result, *block_of(block, values.size))
