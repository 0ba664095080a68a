"""Winograd's transforms of tiles, against the matrices' products in NumPy, at the images' edges."""

from typing import Any

import numpy as np
import pytest

from minicnn.compiling.kernels import serial
from minicnn.ops.cpu.conv2d_winograd_matrices import at_times, bt_times, g_times
from minicnn.ops.cpu.conv2d_winograd_tiles import (
    FREQUENCIES,
    SKEW,
    Corner,
    Frequencies,
    filter_gradient,
    first_output,
    transform_filters,
    transform_gradient,
    transform_input,
    transform_output,
)
from minicnn.ops.cpu.linalg.blocks import round_up
from minicnn.ops.cpu.linalg.layout import panel_width
from minicnn.ops.cpu.linalg.processor import lanes

WIDTH, LANES = panel_width(np.float64), lanes(np.float64)
CHANNELS, FILTERS, ROWS = WIDTH + 3, 2 * WIDTH + 5, 3
RNG = np.random.default_rng(0)

BT, G, AT = (
    np.array([function.py_func(*unit) for unit in np.eye(columns)]).T
    for function, columns in ((bt_times, 6), (g_times, 3), (at_times, 6))
)


@serial
def input_of(x: Any, corner: Any, v: Any, row: Any) -> None:
    transform_input(x, corner, v, row)


@serial
def filters_of(w: Any, c: Any, first: Any, last: Any, u: Any) -> None:
    transform_filters(w, c, first, last, u)


@serial
def output_of(m: Any, row: Any, bias: Any, y: Any, corner: Any, first: Any, last: Any) -> None:
    transform_output(m, row, bias, y, corner, first, last)


@serial
def gradient_of(dy: Any, corner: Any, m: Any, row: Any) -> None:
    transform_gradient(dy, corner, m, row)


@serial
def filter_gradient_of(du: Any, c: Any, dw: Any) -> None:
    filter_gradient(du, c, dw)


def in_rows(numbers: np.ndarray) -> tuple[Frequencies, np.ndarray]:
    """The 36 matrices (6, 6, rows, columns) in a flat array, skewed; and a view of them."""
    _, _, rows, columns = numbers.shape
    flat = np.full((FREQUENCIES, rows * columns + SKEW), np.nan)
    view = flat[:, : rows * columns].reshape(6, 6, rows, columns)
    view[:] = numbers
    return Frequencies(flat.reshape(-1), flat.shape[1], columns, WIDTH), view


def in_panels(rows: int, columns: int) -> tuple[Frequencies, np.ndarray]:
    """Room for 36 matrices in panels, filled with NaN; and a view (6, 6, rows, panels, width)."""
    panels = -(-columns // WIDTH)
    flat = np.full((FREQUENCIES, panels * rows * WIDTH + SKEW), np.nan)
    view = flat[:, : panels * rows * WIDTH].reshape(6, 6, panels, rows, WIDTH)
    frequencies = Frequencies(flat.reshape(-1), flat.shape[1], WIDTH, rows * WIDTH)
    return frequencies, np.moveaxis(view, 2, 3)


def under(images: np.ndarray, corner: Corner, size: int) -> np.ndarray:
    """The pixels (size, size, channels) from a corner on, zeros outside the image."""
    padded = np.pad(images[corner.image], ((9, 9), (9, 9), (0, 0)))
    return padded[corner.top + 9 :, corner.left + 9 :][:size, :size]


def test_tiles_are_counted_along_rows() -> None:
    y = np.empty((2, 5, 9, 1))
    corners = [first_output.py_func(tile, y) for tile in range(12)]
    assert corners == [(n, p, q) for n in range(2) for p in (0, 4) for q in (0, 4, 8)]


@pytest.mark.parametrize("corner", [
    (0, 0, 0), (1, -1, -1), (1, 2, 3), (0, -2, 4), (1, 5, 5), (0, -6, 0), (0, 9, 9), (1, 0, -5),
], ids=str)
def test_input(corner: tuple[int, int, int]) -> None:
    x = RNG.standard_normal((2, 7, 8, CHANNELS))
    v, view = in_rows(np.full((6, 6, ROWS, round_up(CHANNELS, LANES)), np.nan))
    input_of(x, Corner(*corner), v, 1)
    expected = np.einsum("ai,ijc,bj->abc", BT, under(x, Corner(*corner), 6), BT)
    np.testing.assert_allclose(view[:, :, 1, :CHANNELS], expected, rtol=0, atol=1e-13)
    assert np.isnan(view[:, :, [0, 2]]).all()
    assert np.isnan(v.numbers.reshape(FREQUENCIES, -1)[:, -SKEW:]).all()


def test_filters() -> None:
    w = RNG.standard_normal((3, 3, CHANNELS, FILTERS))
    u, view = in_panels(CHANNELS, FILTERS)
    for c in range(CHANNELS):
        filters_of(w, c, 0, round_up(FILTERS, WIDTH), u)
    expected = np.einsum("ai,ijck,bj->abck", G, w, G)
    whole = view.reshape(6, 6, CHANNELS, -1)
    np.testing.assert_allclose(whole[..., :FILTERS], expected, rtol=0, atol=1e-14)
    assert (whole[..., FILTERS:] == 0).all()


def test_a_panel_of_filters_alone() -> None:
    w = RNG.standard_normal((3, 3, CHANNELS, FILTERS))
    whole, all_panels = in_panels(CHANNELS, FILTERS)
    part, one_panel = in_panels(CHANNELS, FILTERS)
    filters_of(w, 2, 0, round_up(FILTERS, WIDTH), whole)
    filters_of(w, 2, WIDTH, 2 * WIDTH, part)
    np.testing.assert_array_equal(one_panel[:, :, 2, 1], all_panels[:, :, 2, 1])
    assert np.isnan(one_panel[:, :, :, [0, 2]]).all()


@pytest.mark.parametrize("corner", [(0, 0, 0), (1, 4, 4), (1, 0, 8), (0, 4, 8)], ids=str)
@pytest.mark.parametrize(("first", "last"), [(0, FILTERS), (WIDTH, 2 * WIDTH)], ids=str)
def test_output(corner: tuple[int, int, int], first: int, last: int) -> None:
    numbers = RNG.standard_normal((6, 6, ROWS, round_up(last - first, LANES)))
    m, _ = in_rows(numbers)
    bias = RNG.standard_normal(round_up(FILTERS, LANES))
    y = np.full((2, 6, 9, FILTERS), np.nan)
    output_of(m, 1, bias, y, Corner(*corner), first, last)
    tile = np.einsum("ia,abk,jb->ijk", AT, numbers[:, :, 1, : last - first], AT)
    expected = np.full_like(y, np.nan)
    image, top, left = corner
    place = expected[image, top : top + 4, left : left + 4, first:last]
    place[:] = (tile + bias[first:last])[: place.shape[0], : place.shape[1]]
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("corner", [(0, 0, 0), (1, 4, 4), (1, 0, 8), (0, 4, 8)], ids=str)
def test_gradient(corner: tuple[int, int, int]) -> None:
    dy = RNG.standard_normal((2, 6, 9, FILTERS))
    m, view = in_panels(ROWS, FILTERS)
    gradient_of(dy, Corner(*corner), m, 1)
    expected = np.einsum("ia,ijk,jb->abk", AT, under(dy, Corner(*corner), 4), AT)
    row = view[:, :, 1].reshape(6, 6, -1)
    np.testing.assert_allclose(row[..., :FILTERS], expected, rtol=0, atol=1e-12)
    assert (row[..., FILTERS:] == 0).all()
    assert np.isnan(view[:, :, [0, 2]]).all()


@pytest.mark.parametrize("threads", [1, 3])
def test_filter_gradient(threads: int) -> None:
    columns = round_up(FILTERS, WIDTH)
    numbers = RNG.standard_normal((threads, 6, 6, CHANNELS, columns))
    parts = [in_rows(part)[0] for part in numbers]
    du = parts[0]._replace(numbers=np.stack([part.numbers for part in parts]))
    dw = np.full((3, 3, CHANNELS, FILTERS), np.nan)
    for c in range(CHANNELS):
        filter_gradient_of(du, c, dw)
    expected = np.einsum("ai,abck,bj->ijck", G, numbers.sum(0)[..., :FILTERS], G)
    np.testing.assert_allclose(dw, expected, rtol=0, atol=1e-12)
