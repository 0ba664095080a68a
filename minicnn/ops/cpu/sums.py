"""Sums of columns, in float64, block by block."""

import numpy as np
from numba import njit, prange

from minicnn.ops.cpu.blocks import BLOCKS, PARALLEL, SERIAL, block_of


def column_sums(rows: np.ndarray) -> np.ndarray:
    """The sum of each column of (R, C), float64 (C,)."""
    sums = np.empty((BLOCKS, rows.shape[1]))
    _column_sums(rows, sums)
    return sums.sum(0)


@njit(**SERIAL)
def _column_sums_block(rows, sums, start, stop):
    for c in range(rows.shape[1]):
        sums[c] = 0
    for r in range(start, stop):
        for c in range(rows.shape[1]):
            sums[c] += rows[r, c]


@njit(**PARALLEL)
def _column_sums(rows, sums):
    for block in prange(BLOCKS):
        _column_sums_block(rows, sums[block], *block_of(block, rows.shape[0]))
