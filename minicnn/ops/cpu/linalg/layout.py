"""Where the elements of a matrix lie in a flat array: by rows, by columns, or cut into panels.

The products' kernels take matrices as these tuples. One kernel serves matrices in rows, transposed
ones, and pieces of larger ones.
"""

from typing import NamedTuple

import numpy as np

from minicnn.compiling.kernels import serial, worker
from minicnn.ops.cpu.linalg.processor import lanes
from minicnn.ops.cpu.linalg.simd import lanes_of

WIDE = 2
"""Registers that hold a row of a panel."""


class Matrix(NamedTuple):
    """Element (i, k) is ``numbers[at + i · row_step + k · column_step]``.

    A transposed matrix has the two steps exchanged.
    """

    numbers: np.ndarray
    at: int
    row_step: int
    column_step: int


class Panels(NamedTuple):
    """A matrix in panels of `panel_width` columns; each row of a panel is contiguous.

    Row k of panel p begins at ``numbers[at + p · panel_step + k · row_step]``. In a matrix that is
    not cut, the panels lie side by side: `panel_step` is the panels' width.
    """

    numbers: np.ndarray
    at: int
    row_step: int
    panel_step: int


def panel_width(dtype: np.dtype) -> int:
    """Columns of a panel, for this dtype."""
    return WIDE * lanes(dtype)


@worker
def panel_width_of(numbers):
    """Columns of a panel, for the dtype of `numbers`: `panel_width` in compiled code."""
    return WIDE * lanes_of(numbers)


def cut_into_panels(matrix: np.ndarray) -> np.ndarray:
    """A copy of (R, C), flat, in panels one after the other; the last is filled up with zeros.

    A panel's rows follow each other: what a product reads lies in one piece.
    """
    rows, columns = matrix.shape
    width = panel_width(matrix.dtype)
    count = -(-columns // width)
    whole = np.zeros((rows, count * width), matrix.dtype)
    whole[:, :columns] = matrix
    return whole.reshape(rows, count, width).swapaxes(0, 1).reshape(-1)


@serial
def panels_of(numbers, rows):
    """What `cut_into_panels` made of a matrix with so many rows."""
    width = panel_width_of(numbers)
    return Panels(numbers, 0, width, rows * width)
