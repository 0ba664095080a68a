"""Matrices in flat arrays: where their elements lie."""

import numpy as np
import pytest
from numeric import DTYPES

from minicnn.ops.cpu.linalg.layout import Matrix, cut_into_panels, panel_width, panels_of


def element(matrix: Matrix, i: int, k: int) -> float:
    """Element (i, k), as the docstring says."""
    return matrix.numbers[matrix.at + i * matrix.row_step + k * matrix.column_step]


def test_rows_and_their_transpose() -> None:
    numbers = np.random.default_rng(0).standard_normal((3, 5))
    rows = Matrix(numbers.reshape(-1), 0, 5, 1)
    transposed = rows._replace(row_step=rows.column_step, column_step=rows.row_step)
    for i, k in np.ndindex(3, 5):
        assert element(rows, i, k) == numbers[i, k]
        assert element(transposed, k, i) == numbers[i, k]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_panels(dtype: type, more: int) -> None:
    width = panel_width(dtype)
    matrix = np.random.default_rng(0).standard_normal((4, 2 * width + more)).astype(dtype)
    panels = panels_of(cut_into_panels(matrix), 4)
    count = -(-matrix.shape[1] // width)
    assert panels.numbers.size == count * 4 * width
    assert panels.numbers.dtype == dtype
    whole = np.zeros((4, count * width), dtype)
    whole[:, : matrix.shape[1]] = matrix
    for k, panel in np.ndindex(4, count):
        begin = panels.at + panel * panels.panel_step + k * panels.row_step
        np.testing.assert_array_equal(
            panels.numbers[begin : begin + width], whole[k, panel * width : (panel + 1) * width]
        )
