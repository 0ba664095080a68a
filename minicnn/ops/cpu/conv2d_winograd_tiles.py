"""Winograd's transforms of tiles: from the arrays of a convolution to 36 frequencies, and back.

In two directions each matrix of `conv2d_winograd_matrices` is applied twice, along rows and along
columns::

    transform_input       V = Bᵀ d B        6×6 pixels d of x
    transform_filters     U = G g Gᵀ        3×3 weights g
    transform_output      y = Aᵀ M A        4×4 pixels of y, where M = U ⊙ V, summed over channels
    transform_gradient    M = A dy Aᵀ       4×4 pixels of dy
    filter_gradient       dw = Gᵀ dU G      3×3 weights, where dU = V ⊙ M, summed over tiles

Each does as many channels or filters at a time as a register holds, with all pixels in flight.
"""

from typing import NamedTuple

import numpy as np

from minicnn.compiling.kernels import worker
from minicnn.ops.cpu.conv2d_winograd_matrices import a_times, at_times, bt_times, g_times, gt_times
from minicnn.ops.cpu.linalg.blocks import round_up
from minicnn.ops.cpu.linalg.layout import panel_width_of
from minicnn.ops.cpu.linalg.simd import lanes_of, load, load_part, store, store_part

FREQUENCIES = 36

SKEW = 16
"""Elements between the matrices of two frequencies, which would begin in the same places of a cache
otherwise."""


class Frequencies(NamedTuple):
    """A matrix for each of the 36 frequencies; each row of a panel is contiguous.

    Element (i, k) of frequency f is ``numbers[f · step + i · row_step + k]``. Where columns are cut
    into panels, k counts in its panel, and ``p · panel_step`` is added for panel p.
    """

    numbers: np.ndarray
    step: int
    row_step: int
    panel_step: int


class Corner(NamedTuple):
    """The first pixel of a tile: image, row and column. It may lie outside the image."""

    image: int
    top: int
    left: int


@worker
def first_output(tile, y):
    """Where this tile of y (N, OH, OW, K) begins."""
    down, across = (y.shape[1] + 3) // 4, (y.shape[2] + 3) // 4
    return Corner(tile // (down * across), tile // across % down * 4, tile % across * 4)


@worker
def _store_six(numbers, at, step, values):
    store(numbers, at, values[0])
    store(numbers, at + step, values[1])
    store(numbers, at + 2 * step, values[2])
    store(numbers, at + 3 * step, values[3])
    store(numbers, at + 4 * step, values[4])
    store(numbers, at + 5 * step, values[5])


@worker
def _row_of_inputs(x, at, step, row_valid, left, width):
    """Bᵀ along one row of a tile: six pixels from column `left` on, zeros outside the image."""
    v0 = row_valid if 0 <= left < width else 0
    v1 = row_valid if 0 <= left + 1 < width else 0
    v2 = row_valid if 0 <= left + 2 < width else 0
    v3 = row_valid if 0 <= left + 3 < width else 0
    v4 = row_valid if 0 <= left + 4 < width else 0
    v5 = row_valid if 0 <= left + 5 < width else 0
    return bt_times(
        load_part(x, at, v0, 1), load_part(x, at + step, v1, 1),
        load_part(x, at + 2 * step, v2, 1), load_part(x, at + 3 * step, v3, 1),
        load_part(x, at + 4 * step, v4, 1), load_part(x, at + 5 * step, v5, 1),
    )


@worker
def transform_input(x, corner, v, row):
    """V = Bᵀ d B of the 6×6 pixels from a corner on, all channels, to a row of `Frequencies` v."""
    _, height, width, channels = x.shape
    top, left, step = corner.top, corner.left, v.step
    row_step = width * channels
    origin = (corner.image * height + top) * row_step + left * channels
    for c in range(0, channels, lanes_of(x)):
        valid = channels - c
        n0 = valid if 0 <= top < height else 0
        n1 = valid if 0 <= top + 1 < height else 0
        n2 = valid if 0 <= top + 2 < height else 0
        n3 = valid if 0 <= top + 3 < height else 0
        n4 = valid if 0 <= top + 4 < height else 0
        n5 = valid if 0 <= top + 5 < height else 0
        at = origin + c
        r0 = _row_of_inputs(x, at, channels, n0, left, width)
        r1 = _row_of_inputs(x, at + row_step, channels, n1, left, width)
        r2 = _row_of_inputs(x, at + 2 * row_step, channels, n2, left, width)
        r3 = _row_of_inputs(x, at + 3 * row_step, channels, n3, left, width)
        r4 = _row_of_inputs(x, at + 4 * row_step, channels, n4, left, width)
        r5 = _row_of_inputs(x, at + 5 * row_step, channels, n5, left, width)
        to, down = row * v.row_step + c, 6 * step
        _store_six(v.numbers, to, down, bt_times(r0[0], r1[0], r2[0], r3[0], r4[0], r5[0]))
        to += step
        _store_six(v.numbers, to, down, bt_times(r0[1], r1[1], r2[1], r3[1], r4[1], r5[1]))
        to += step
        _store_six(v.numbers, to, down, bt_times(r0[2], r1[2], r2[2], r3[2], r4[2], r5[2]))
        to += step
        _store_six(v.numbers, to, down, bt_times(r0[3], r1[3], r2[3], r3[3], r4[3], r5[3]))
        to += step
        _store_six(v.numbers, to, down, bt_times(r0[4], r1[4], r2[4], r3[4], r4[4], r5[4]))
        to += step
        _store_six(v.numbers, to, down, bt_times(r0[5], r1[5], r2[5], r3[5], r4[5], r5[5]))


@worker
def _row_of_weights(w, at, step, valid):
    """G along one row of a filter."""
    return g_times(
        load_part(w, at, valid, 1), load_part(w, at + step, valid, 1),
        load_part(w, at + 2 * step, valid, 1),
    )


@worker
def transform_filters(w, c, first, last, u):
    """U = G g Gᵀ of filters first to last of channel c, to row c of `Frequencies` u, by panels."""
    _, _, channels, filters = w.shape
    step, width = channels * filters, panel_width_of(w)
    for k in range(first, last, lanes_of(w)):
        at, valid = c * filters + k, filters - k
        r0 = _row_of_weights(w, at, step, valid)
        r1 = _row_of_weights(w, at + 3 * step, step, valid)
        r2 = _row_of_weights(w, at + 6 * step, step, valid)
        to, down = k // width * u.panel_step + c * u.row_step + k % width, 6 * u.step
        _store_six(u.numbers, to, down, g_times(r0[0], r1[0], r2[0]))
        _store_six(u.numbers, to + u.step, down, g_times(r0[1], r1[1], r2[1]))
        _store_six(u.numbers, to + 2 * u.step, down, g_times(r0[2], r1[2], r2[2]))
        _store_six(u.numbers, to + 3 * u.step, down, g_times(r0[3], r1[3], r2[3]))
        _store_six(u.numbers, to + 4 * u.step, down, g_times(r0[4], r1[4], r2[4]))
        _store_six(u.numbers, to + 5 * u.step, down, g_times(r0[5], r1[5], r2[5]))


@worker
def _column_of_outputs(m, at, step):
    """Aᵀ along one column of frequencies."""
    return at_times(
        load(m, at, 1), load(m, at + step, 1), load(m, at + 2 * step, 1),
        load(m, at + 3 * step, 1), load(m, at + 4 * step, 1), load(m, at + 5 * step, 1),
    )


@worker
def _store_four(y, at, step, values, shift, valid, count):
    """At most four pixels of a row of y, `shift` added."""
    store_part(y, at, valid, values[0] + shift)
    if count > 1:
        store_part(y, at + step, valid, values[1] + shift)
    if count > 2:
        store_part(y, at + 2 * step, valid, values[2] + shift)
    if count > 3:
        store_part(y, at + 3 * step, valid, values[3] + shift)


@worker
def transform_output(m, row, bias, y, corner, first, last):
    """y = Aᵀ M A + bias from a row of `Frequencies` m, for the outputs that lie in the image.

    M holds filters `first` to `last` alone.
    """
    _, height, width, filters = y.shape
    row_step, numbers, step = width * filters, m.numbers, m.step
    rows, columns = min(height - corner.top, 4), min(width - corner.left, 4)
    origin = (corner.image * height + corner.top) * row_step + corner.left * filters
    for k in range(first, last, lanes_of(y)):
        at, valid = row * m.row_step + k - first, last - k
        c0 = _column_of_outputs(numbers, at, 6 * step)
        c1 = _column_of_outputs(numbers, at + step, 6 * step)
        c2 = _column_of_outputs(numbers, at + 2 * step, 6 * step)
        c3 = _column_of_outputs(numbers, at + 3 * step, 6 * step)
        c4 = _column_of_outputs(numbers, at + 4 * step, 6 * step)
        c5 = _column_of_outputs(numbers, at + 5 * step, 6 * step)
        shift, to = load(bias, k, 1), origin + k
        values = at_times(c0[0], c1[0], c2[0], c3[0], c4[0], c5[0])
        _store_four(y, to, filters, values, shift, valid, columns)
        if rows > 1:
            values = at_times(c0[1], c1[1], c2[1], c3[1], c4[1], c5[1])
            _store_four(y, to + row_step, filters, values, shift, valid, columns)
        if rows > 2:
            values = at_times(c0[2], c1[2], c2[2], c3[2], c4[2], c5[2])
            _store_four(y, to + 2 * row_step, filters, values, shift, valid, columns)
        if rows > 3:
            values = at_times(c0[3], c1[3], c2[3], c3[3], c4[3], c5[3])
            _store_four(y, to + 3 * row_step, filters, values, shift, valid, columns)


@worker
def _row_of_gradients(dy, at, step, valid, columns):
    """A along one row of at most four output gradients, zeros outside the image."""
    return a_times(
        load_part(dy, at, valid, 1),
        load_part(dy, at + step, valid if columns > 1 else 0, 1),
        load_part(dy, at + 2 * step, valid if columns > 2 else 0, 1),
        load_part(dy, at + 3 * step, valid if columns > 3 else 0, 1),
    )


@worker
def transform_gradient(dy, corner, m, row):
    """M = A dy Aᵀ of the 4×4 output gradients from a corner on, to a row of `Frequencies` m.

    Filters are cut into panels; the last one is filled up with zeros.
    """
    _, height, width, filters = dy.shape
    row_step, panel_width, step = width * filters, panel_width_of(dy), m.step
    rows, columns = min(height - corner.top, 4), min(width - corner.left, 4)
    origin = (corner.image * height + corner.top) * row_step + corner.left * filters
    whole = round_up(filters, panel_width)
    for k in range(0, whole, lanes_of(dy)):
        at, valid = origin + k, filters - k
        r0 = _row_of_gradients(dy, at, filters, valid, columns)
        r1 = _row_of_gradients(dy, at + row_step, filters, valid if rows > 1 else 0, columns)
        r2 = _row_of_gradients(dy, at + 2 * row_step, filters, valid if rows > 2 else 0, columns)
        r3 = _row_of_gradients(dy, at + 3 * row_step, filters, valid if rows > 3 else 0, columns)
        to = row * m.row_step + k // panel_width * m.panel_step + k % panel_width
        down = 6 * step
        _store_six(m.numbers, to, down, a_times(r0[0], r1[0], r2[0], r3[0]))
        _store_six(m.numbers, to + step, down, a_times(r0[1], r1[1], r2[1], r3[1]))
        _store_six(m.numbers, to + 2 * step, down, a_times(r0[2], r1[2], r2[2], r3[2]))
        _store_six(m.numbers, to + 3 * step, down, a_times(r0[3], r1[3], r2[3], r3[3]))
        _store_six(m.numbers, to + 4 * step, down, a_times(r0[4], r1[4], r2[4], r3[4]))
        _store_six(m.numbers, to + 5 * step, down, a_times(r0[5], r1[5], r2[5], r3[5]))


@worker
def _sum_of_threads(du, at):
    """What the threads, a row of du each, have gathered at one place."""
    threads, size = du.shape
    total = load(du, at, 1)
    for thread in range(1, threads):
        total = total + load(du, at + thread * size, 1)
    return total


@worker
def _column_of_weights(du, at, step):
    """Gᵀ along one column of frequencies."""
    return gt_times(
        _sum_of_threads(du, at), _sum_of_threads(du, at + step),
        _sum_of_threads(du, at + 2 * step), _sum_of_threads(du, at + 3 * step),
        _sum_of_threads(du, at + 4 * step), _sum_of_threads(du, at + 5 * step),
    )


@worker
def _store_three(dw, at, step, valid, values):
    store_part(dw, at, valid, values[0])
    store_part(dw, at + step, valid, values[1])
    store_part(dw, at + 2 * step, valid, values[2])


@worker
def filter_gradient(du, c, dw):
    """dw = Gᵀ dU G of all filters of channel c; dU is the threads' sum, row c of `Frequencies` du.
    """
    _, _, channels, filters = dw.shape
    step, down, numbers = channels * filters, 6 * du.step, du.numbers
    for k in range(0, filters, lanes_of(dw)):
        at, valid = c * du.row_step + k, filters - k
        c0 = _column_of_weights(numbers, at, down)
        c1 = _column_of_weights(numbers, at + du.step, down)
        c2 = _column_of_weights(numbers, at + 2 * du.step, down)
        c3 = _column_of_weights(numbers, at + 3 * du.step, down)
        c4 = _column_of_weights(numbers, at + 4 * du.step, down)
        c5 = _column_of_weights(numbers, at + 5 * du.step, down)
        to = c * filters + k
        _store_three(dw, to, step, valid, gt_times(c0[0], c1[0], c2[0], c3[0], c4[0], c5[0]))
        to += 3 * step
        _store_three(dw, to, step, valid, gt_times(c0[1], c1[1], c2[1], c3[1], c4[1], c5[1]))
        to += 3 * step
        _store_three(dw, to, step, valid, gt_times(c0[2], c1[2], c2[2], c3[2], c4[2], c5[2]))
