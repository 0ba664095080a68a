"""Transposed copies of matrices."""

import numpy as np
from numba import prange

from minicnn.compiling.kernels import parallel, worker
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, pieces_of
from minicnn.ops.cpu.linalg.processor import LINE


def transposed(matrix: np.ndarray) -> np.ndarray:
    """A transposed copy, (R, C) to (C, R), in threads."""
    result = memory.empty(matrix.shape[::-1], matrix.dtype)
    transpose(matrix, result)
    return result


@worker
def _transpose_rows(matrix, result, start, stop):
    """Rows start to stop of the matrix, as many at a time as fill a line of the result's cache."""
    for first in range(start, stop, LINE):
        for column in range(matrix.shape[1]):
            for row in range(first, min(first + LINE, stop)):
                result[column, row] = matrix[row, column]


@parallel
def transpose(matrix, result):
    """``result = matrixᵀ``."""
    for block in prange(BLOCKS):
        _transpose_rows(matrix, result, *pieces_of(block, matrix.shape[0], LINE))
