"""Sums over rows: right to the last digit, the same bits every time, planned for any shape."""

import math

import numpy as np
import pytest
from lean_kernels import assert_lean

from minicnn.ops.cuda import sums
from minicnn.ops.cuda.array import asarray
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.sums import BLOCKS_EACH, THREADS, column_sums, plan, sum_parts

SHAPES = [(1, 1), (1, 7), (5, 4), (37, 3), (300, 64), (129, 132), (3, 1000), (2000, 17), (9000, 8)]


def rows_of(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.random.default_rng(len(shape) + shape[-1]).standard_normal(shape).astype(dtype)


def exact(rows: np.ndarray) -> np.ndarray:
    """Each column's sum, rounded once."""
    flat = rows.reshape(len(rows), -1)
    return np.array([math.fsum(column) for column in flat.T.tolist()]).reshape(rows.shape[1:])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_column_sums_are_exact_to_the_last_digit(shape: tuple[int, int], dtype: type) -> None:
    rows = rows_of(shape, dtype)
    found = np.asarray(column_sums(asarray(rows, rows.dtype)))
    assert found.dtype == dtype
    scale = np.abs(rows).sum(0)
    assert (np.abs(found - exact(rows)) <= scale * 1e-14 + np.spacing(np.abs(found)) / 2).all()


@pytest.mark.parametrize("shape", [(1, 3, 5), (7, 4, 4), (300, 2, 3, 2)])
def test_parts_are_added_along_their_first_axis(shape: tuple[int, ...]) -> None:
    parts = rows_of(shape, np.float64)
    found = np.asarray(sum_parts(asarray(parts, parts.dtype)))
    np.testing.assert_allclose(found, exact(parts), rtol=0, atol=1e-12)


def test_parts_in_float64_can_be_rounded_to_float32() -> None:
    parts = rows_of((5, 6), np.float64)
    found = np.asarray(sum_parts(asarray(parts, parts.dtype), np.dtype(np.float32)))
    np.testing.assert_array_equal(found, exact(parts).astype(np.float32))


def test_float32_loses_nothing_beside_a_large_term() -> None:
    rows = np.ones((9000, 4), np.float32)
    rows[0], rows[-1] = 1e9, -1e9
    assert np.asarray(column_sums(asarray(rows, rows.dtype))).tolist() == [8998.0] * 4


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_column(value: float) -> None:
    rows = np.ones((40, 5), np.float32)
    rows[17, 2] = value
    found = np.asarray(column_sums(asarray(rows, rows.dtype)))
    np.testing.assert_array_equal(found, [40, 40, value, 40, 40])


def test_no_rows_sum_to_zero() -> None:
    rows = np.ones((0, 5), np.float32)
    assert np.asarray(column_sums(asarray(rows, rows.dtype))).tolist() == [0.0] * 5


@pytest.mark.parametrize("rows", [0, 1, 15, 4095, 294912, 2**31, 2**33])
@pytest.mark.parametrize("columns", [1, 3, 4, 10, 64, 65, 256, 2304 * 256])
@pytest.mark.parametrize("itemsize", [4, 8])
def test_a_plan_covers_every_row_and_column_once(rows: int, columns: int, itemsize: int) -> None:
    if rows * columns > 2**33:
        rows = 2**33 // columns
    found = plan(rows, columns, itemsize, 132)
    assert THREADS % found.across == 0
    assert columns % found.width == 0
    assert (found.strips - 1) * found.across * found.width < columns
    assert found.strips * found.across * found.width >= columns
    assert (found.pieces - 1) * found.rows <= rows <= found.pieces * found.rows
    assert found.rows + THREADS < 2**32  # what a thread counts in 32 bits
    assert found.strips < 2**31
    assert found.pieces <= max(BLOCKS_EACH * 132, 1) <= 65535


def test_the_papers_layers_fill_the_device() -> None:
    for pixels, filters in [(48**2, 64), (24**2, 128), (12**2, 256)]:
        found = plan(128 * pixels, filters, 4, 132)
        assert found.strips * found.pieces >= BLOCKS_EACH // 2 * 132
    assert plan(128, 10, 4, 132).pieces == 1


@pytest.mark.parametrize(("width", "kinds"), [
    (4, "fd"), (4, "ff"), (1, "ff"), (2, "dd"), (1, "dd"),
])
def test_the_kernel_keeps_everything_in_registers(width: int, kinds: str) -> None:
    pointers = [f"*{kind}" for kind in kinds]
    assert assert_lean(sums._sum_kernel(width), *pointers, "L", "I", "I", "I") <= 32


@pytest.mark.parametrize("shape", [(300, 64), (9000, 8), (40, 5 * 32)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_bank_conflicts_and_no_sector_too_many(shape: tuple[int, int], dtype: type) -> None:
    rows = asarray(rows_of(shape, dtype), dtype)
    with device().recorded() as launches:  # type: ignore[attr-defined]
        column_sums(rows)
    for launch in launches:
        for request in launch.requests:
            assert request.cost == request.least, launch.report()
