"""The matrix products of the CPU backend, against NumPy in float64."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numeric import DTYPES

from minicnn.ops.cpu.linalg.gemm import multiply, product
from minicnn.ops.cpu.linalg.layout import Matrix, Panels, cut_into_panels, panel_width, panels_of

SIZE = st.integers(1, 90)
DTYPE = st.sampled_from(DTYPES)
SEED = st.integers(0, 2**32 - 1)


def assert_close(got: np.ndarray, a: np.ndarray, b: np.ndarray, start: float | np.ndarray) -> None:
    """Require ``got = start + a b`` up to the rounding of its sums."""
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    magnitude = np.abs(start) + np.abs(wide_a) @ np.abs(wide_b)
    bound = (a.shape[1] + 2) * np.finfo(got.dtype).eps * magnitude
    assert (np.abs(got - (start + wide_a @ wide_b)) <= bound).all()


@given(SIZE, SIZE, SIZE, DTYPE, SEED, st.booleans(), st.booleans(), st.booleans())
def test_multiply(
    rows: int, columns: int, depth: int, dtype: type, seed: int, transposed: bool, cut: bool,
    add: bool,
) -> None:
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((rows, depth)).astype(dtype)
    b = rng.standard_normal((depth, columns)).astype(dtype)
    start = rng.standard_normal((rows, columns)).astype(dtype)
    left = (
        Matrix(a.T.ravel(), 0, 1, rows) if transposed else Matrix(a.ravel(), 0, depth, 1)
    )
    right = (
        panels_of(cut_into_panels(b), depth) if cut
        else Panels(b.ravel(), 0, columns, panel_width(dtype))
    )
    around = np.full(rows * columns + 12, 7, dtype)  # c begins at place 5; the rest stays
    around[5 : 5 + rows * columns] = start.ravel()
    multiply(left, right, Matrix(around, 5, columns, 1), rows, columns, depth, add)
    c = around[5 : 5 + rows * columns].reshape(rows, columns)
    assert_close(c, a, b, start if add else 0.0)
    assert (around[:5] == 7).all()
    assert (around[5 + rows * columns :] == 7).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "columns", "depth"), [
    (1, 1, 1), (1, 7, 600), (63, 31, 257), (64, 33, 256), (130, 64, 3), (65, 100, 700),
])
@pytest.mark.parametrize("transposed", [False, True])
def test_product(dtype: type, rows: int, columns: int, depth: int, transposed: bool) -> None:
    rng = np.random.default_rng(rows + columns + depth)
    a = rng.standard_normal((rows, depth)).astype(dtype)
    b = rng.standard_normal((depth, columns)).astype(dtype)
    got = product(np.asfortranarray(a) if transposed else a, b)
    assert got.shape == (rows, columns)
    assert got.dtype == dtype
    assert_close(got, a, b, 0.0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("place", [(0, 0), (5, 20), (12, 36)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_shows_in_its_row_alone(
    dtype: type, place: tuple[int, int], value: float
) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((13, 37)).astype(dtype), rng.standard_normal((37, 41)).astype(dtype)
    a[place] = value
    result = product(a, b)
    broken = (np.arange(13) == place[0])[:, None] & np.ones(41, bool)
    np.testing.assert_array_equal(~np.isfinite(result), broken)
    np.testing.assert_array_equal(np.isnan(result), broken & np.isnan(value))
