"""The sums of one thread against NumPy: few rows and many, every row or every third."""

from typing import Any

import numpy as np
import pytest

from minicnn.ops import cuda

ROWS, CHANNELS = 70, 8


def added(which: str, lanes: int, c: int, row: int, at_once: int, *arrays: Any) -> np.ndarray:
    """What one thread adds to sums that are 1."""
    from minicnn.ops.cuda.array import empty
    from minicnn.ops.cuda.channels import moment_sums, product_sums
    from minicnn.ops.cuda.compile import cuda as device, kernel, uint32
    from minicnn.ops.cuda.rows import moves

    (load, _), entries = moves(lanes), 2 * lanes
    add_moments, add_products = moment_sums(lanes), product_sums(lanes)

    @kernel(threads=32)
    def moments(x, near, c, row, at_once, sums):
        if uint32(device.threadIdx.x) == uint32(0):
            mine = device.local.array(entries, np.float64)
            few = device.local.array(entries, x.dtype)
            for entry in range(entries):
                mine[entry] = 1.0
            add_moments(
                x, c, row, uint32(ROWS), at_once, uint32(CHANNELS), load(near, 0), few, mine)
            for entry in range(entries):
                sums[entry] = mine[entry]

    @kernel(threads=32)
    def products(x, dy, near, c, row, at_once, sums):
        if uint32(device.threadIdx.x) == uint32(0):
            mine = device.local.array(entries, np.float64)
            few = device.local.array(entries, x.dtype)
            for entry in range(entries):
                mine[entry] = 1.0
            add_products(
                x, dy, c, row, uint32(ROWS), at_once, uint32(CHANNELS), load(near, 0), few, mine)
            for entry in range(entries):
                sums[entry] = mine[entry]

    sums = empty((entries,), np.float64)
    there = [cuda.asarray(array, array.dtype) for array in arrays]
    {"moments": moments, "products": products}[which][1](*there, c, row, at_once, sums)
    return np.asarray(sums).reshape(2, lanes)


@pytest.mark.parametrize(("row", "at_once"), [(0, 1), (2, 3), (0, 5), (69, 1), (70, 4)])
@pytest.mark.parametrize(("dtype", "lanes", "c"), [
    (np.float32, 4, 4), (np.float32, 1, 3), (np.float64, 1, 7)])
def test_the_rows_of_a_thread(dtype: type, lanes: int, c: int, row: int, at_once: int) -> None:
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, ROWS, CHANNELS)).astype(dtype)
    near = rng.standard_normal(4).astype(dtype)
    own = slice(row, None, at_once), slice(c, c + lanes)
    exact, upstream = x[own].astype(np.float64) - near[:lanes], dy[own].astype(np.float64)
    tolerance = 1e3 * np.finfo(dtype).eps
    for which, arrays, wanted in (
        ("moments", (x, near), (exact.sum(0), np.square(exact).sum(0))),
        ("products", (x, dy, near), (upstream.sum(0), (upstream * exact).sum(0))),
    ):
        got = added(which, lanes, c, row, at_once, *arrays)
        np.testing.assert_allclose(got - 1, wanted, rtol=tolerance, atol=tolerance)


def test_squares_beyond_the_range_of_float32() -> None:
    x = (np.random.default_rng(0).standard_normal((ROWS, CHANNELS)) * 1e25).astype(np.float32)
    got = added("moments", 4, 0, 0, 1, x, np.zeros(4, np.float32))
    np.testing.assert_allclose(got[1], np.square(x[:, :4].astype(np.float64)).sum(0), rtol=1e-6)
