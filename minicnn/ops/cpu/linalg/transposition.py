"""Transposed copies of matrices."""

import numpy as np

from minicnn.compiling.kernels import parallel
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, pieces_of
from minicnn.ops.cpu.linalg.processor import LINE


def transposed(matrix: np.ndarray) -> np.ndarray:
    """A transposed copy, (R, C) to (C, R), in threads."""
    result = memory.empty(matrix.shape[::-1], matrix.dtype)
    transpose(BLOCKS, matrix, result)
    return result


@parallel
def transpose(block, matrix, result):
    """``result = matrixᵀ``."""
    start, stop = pieces_of(block, matrix.shape[0], LINE)
    for first in range(start, stop, LINE):
        for column in range(matrix.shape[1]):
            for row in range(first, min(first + LINE, stop)):
                result[column, row] = matrix[row, column]
