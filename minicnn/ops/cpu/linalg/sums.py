"""Sums of columns: of a few rows in their own dtype, of those in float64, block by block."""

import numpy as np

from minicnn.compiling.kernels import parallel, worker
from minicnn.ops.cpu.linalg.blocks import BLOCKS, pieces_of
from minicnn.ops.cpu.linalg.simd import lanes_of, load, load_part, store

FEW_ROWS = 16
"""How many rows are summed in their own dtype: few enough to round like a single one."""

STRIP = 2
"""Registers side by side that are added at a time, along a row: memory is read in one sweep."""


@worker
def strip_of(rows):
    """Columns that are summed at a time, for the dtype of `rows`."""
    return STRIP * lanes_of(rows)


def column_sums(rows: np.ndarray) -> np.ndarray:
    """The sum of each column of (R, C), float64 (C,)."""
    sums = np.zeros((BLOCKS, rows.shape[1]))
    _column_sums(BLOCKS, rows.reshape(-1), rows.shape[1], sums)
    return sums.sum(0)


@parallel
def _column_sums(block, rows, columns, sums):
    sums = sums[block]
    start, stop = pieces_of(block, rows.size // columns, FEW_ROWS)
    strip = strip_of(rows)
    few = np.empty(columns + strip, rows.dtype)
    for begin in range(start, stop, FEW_ROWS):
        few[:] = 0
        for row in range(begin * columns, min(begin + FEW_ROWS, stop) * columns, columns):
            for c in range(0, columns, strip):
                added = load_part(rows, row + c, columns - c, STRIP)
                store(few, c, load(few, c, STRIP) + added)
        for c in range(columns):
            sums[c] += few[c]
