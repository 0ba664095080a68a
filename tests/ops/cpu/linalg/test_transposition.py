"""Transposed copies, against NumPy's."""

import numpy as np
import pytest
from numeric import DTYPES

from minicnn.ops.cpu.linalg.transposition import transposed


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 100), (100, 1), (17, 33), (64, 512), (700, 13)])
def test_transposed(dtype: type, shape: tuple[int, int]) -> None:
    matrix = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    result = transposed(matrix)
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, matrix.T)
