"""The loops of normalisation against NumPy: any number of channels, and some of the rows alone."""

from typing import Any

import numpy as np
import pytest

from minicnn.compiling.kernels import serial
from minicnn.ops.cpu.linalg import channels

ROWS = 41
DTYPES = [np.float32, np.float64]

each_shape = pytest.mark.parametrize("columns", [1, 3, 16, 17, 33, 70])
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_part = pytest.mark.parametrize(("start", "stop"), [(0, ROWS), (3, 20), (5, 5), (40, 41)])


@serial
def moments(x: Any, start: Any, stop: Any, near: Any, sums: Any) -> None:
    channels.add_moments(x, start, stop, near, sums[0], sums[1])


@serial
def products(x: Any, dy: Any, start: Any, stop: Any, near: Any, sums: Any) -> None:
    channels.add_products(x, dy, start, stop, near, sums[0], sums[1])


@serial
def mapped(x: Any, start: Any, stop: Any, numbers: Any, y: Any, large: Any) -> None:
    channels.map_rows(x, start, stop, numbers[0], numbers[1], numbers[2], y, large)


@serial
def gradients(x: Any, dy: Any, start: Any, stop: Any, numbers: Any, dx: Any, large: Any) -> None:
    channels.map_gradients(
        x, dy, start, stop, numbers[0], numbers[1], numbers[2], numbers[3], dx, large)


def problem(columns: int, dtype: type) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, dy, and four numbers a channel."""
    rng = np.random.default_rng(columns)
    x, dy = rng.standard_normal((2, ROWS, columns)).astype(dtype)
    return x, dy, rng.standard_normal((4, columns)).astype(dtype)


@each_part
@each_dtype
@each_shape
def test_sums_are_added_to_what_is_there(columns: int, dtype: type, start: int, stop: int) -> None:
    x, dy, (near, *_) = problem(columns, dtype)
    exact, rows = x.astype(np.float64) - near, slice(start, stop)
    of_moments, of_products = np.ones((2, 2, columns))
    moments(x.reshape(-1), start, stop, near, of_moments)
    products(x.reshape(-1), dy.reshape(-1), start, stop, near, of_products)
    tolerance = 1e3 * np.finfo(dtype).eps
    for got, wanted in (
        (of_moments, (exact[rows].sum(0), np.square(exact[rows]).sum(0))),
        (of_products, (dy[rows].sum(0, dtype=np.float64), (dy[rows] * exact[rows]).sum(0))),
    ):
        np.testing.assert_allclose(got - 1, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("large", [False, True])
@each_part
@each_dtype
@each_shape
def test_maps_leave_the_other_rows(
    columns: int, dtype: type, start: int, stop: int, large: bool
) -> None:
    x, dy, numbers = problem(columns, dtype)
    near, scale, slope, offset = numbers
    y, dx = np.full((2, ROWS, columns), 7, dtype)
    mapped(x.reshape(-1), start, stop, numbers, y.reshape(-1), large)
    gradients(x.reshape(-1), dy.reshape(-1), start, stop, numbers, dx.reshape(-1), large)
    inside = np.zeros((ROWS, 1), bool)
    inside[start:stop] = True
    wanted_y = np.where(inside, (x - near) * scale + slope, 7)
    wanted_dx = np.where(inside, scale * dy - offset - (x - near) * slope, 7)
    tolerance = 16 * np.finfo(dtype).eps
    np.testing.assert_allclose(y, wanted_y, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(dx, wanted_dx, rtol=tolerance, atol=tolerance)
