"""Sums of columns: of a few rows in their own dtype, of those in float64, block by block."""

import numpy as np
from numba import njit, prange

from minicnn.ops.cpu.blocks import BLOCKS, PARALLEL, WORKER, pieces_of
from minicnn.ops.cpu.simd import lanes, load_part, store, zeros

FEW_ROWS = 16
"""How many rows are summed in their own dtype: few enough to round like a single one."""


def column_sums(rows: np.ndarray) -> np.ndarray:
    """The sum of each column of (R, C), float64 (C,)."""
    sums = np.zeros((BLOCKS, rows.shape[1]))
    _column_sums(rows.reshape(-1), rows.shape[1], sums, lanes(rows.dtype))
    return sums.sum(0)


@njit(**WORKER)
def _column_sums_block(rows, columns, sums, lane_count, start, stop):
    few = np.empty(columns + lane_count, rows.dtype)
    for begin in range(start, stop, FEW_ROWS):
        for c in range(0, columns, lane_count):
            total = zeros(rows, 1)
            for r in range(begin, min(begin + FEW_ROWS, stop)):
                total = total + load_part(rows, r * columns + c, columns - c, 1)
            store(few, c, total)
        for c in range(columns):
            sums[c] += few[c]


@njit(**PARALLEL)
def _column_sums(rows, columns, sums, lane_count):
    for block in prange(BLOCKS):
        _column_sums_block(
            rows, columns, sums[block], lane_count,
            *pieces_of(block, rows.size // columns, FEW_ROWS),
        )
