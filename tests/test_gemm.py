"""The two matrix products of the CPU backend, against NumPy in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicnn.ops.cpu.gemm import add_dots, add_outer_products

SIZE = st.integers(1, 40)
DTYPE = st.sampled_from([np.float32, np.float64])
SEED = st.integers(0, 2**32 - 1)


def assert_close(got: np.ndarray, start: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Require ``got = start + a b`` up to the rounding of its sums."""
    a, b, start = (array.astype(np.float64) for array in (a, b, start))
    magnitude = np.abs(start) + np.abs(a) @ np.abs(b)
    bound = (a.shape[1] + 2) * np.finfo(got.dtype).eps * magnitude
    assert (np.abs(got - (start + a @ b)) <= bound).all()


@settings(deadline=None)
@given(SIZE, SIZE, SIZE, DTYPE, SEED)
def test_add_dots(m: int, n: int, k: int, dtype: type, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, start = (rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (n, k), (m, n)))
    c = start.copy()
    add_dots(a, b, c)
    assert_close(c, start, a, b.T)


@settings(deadline=None)
@given(SIZE, SIZE, SIZE, DTYPE, SEED, st.data())
def test_add_outer_products(
    m: int, n: int, k: int, dtype: type, seed: int, data: st.DataObject
) -> None:
    first, last = sorted(data.draw(st.tuples(st.integers(0, m), st.integers(0, m))))
    rng = np.random.default_rng(seed)
    a, b, start = (rng.standard_normal(shape).astype(dtype) for shape in ((k, m), (k, n), (m, n)))
    c = start.copy()
    add_outer_products(a, b, c, first, last)
    assert_close(c[first:last], start[first:last], a[:, first:last].T, b)
    np.testing.assert_array_equal(c[:first], start[:first])
    np.testing.assert_array_equal(c[last:], start[last:])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("place", [(0, 0), (5, 20), (6, 36)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_shows_in_its_row_alone(
    dtype: type, place: tuple[int, int], value: float
) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((7, 37)).astype(dtype), rng.standard_normal((6, 37)).astype(dtype)
    a[place] = value
    dots, outer = np.zeros((7, 6), dtype), np.zeros((7, 6), dtype)
    add_dots(a, b, dots)
    add_outer_products(a.T.copy(), b.T.copy(), outer, 0, 7)
    broken = (np.arange(7) == place[0])[:, None] & np.ones(6, bool)
    for result in (dots, outer):
        np.testing.assert_array_equal(~np.isfinite(result), broken)
        np.testing.assert_array_equal(np.isnan(result), broken & np.isnan(value))
