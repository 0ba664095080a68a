"""Convolution with 3×3 filters at stride 1 by Winograd's F(4×4, 3×3): 36 multiplications, not 144.

A tile of 4×4 outputs needs 6×6 inputs d. Seen as polynomials, filtering is a product, and a product
of polynomials can be taken value by value: evaluate both at six points, multiply, interpolate::

    y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A          (Lavin and Gray 2015, arXiv:1509.09308, equation 8)

Summed over channels, the products at each of the 36 frequencies are one matrix product: tiles by
channels times channels by filters. The points are 0, ±1, ½, -2 and ∞, which round about three times
less than 0, ±1, ±2 and ∞ (Barabasz et al. 2020, arXiv:1803.10986, on the choice of points).

Each thread takes a few tiles at a time, so that their transforms stay in its second-level cache.
"""

import numpy as np
from numba import get_num_threads, njit, prange

from minicnn.ops.conv2d import Conv2DCache
from minicnn.ops.cpu.conv2d_im2col import bias_gradient
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import PARALLEL, WORKER
from minicnn.ops.cpu.linalg.gemm import TILE_ROWS, multiply, panel_width, transpose
from minicnn.ops.cpu.linalg.simd import lanes, load, load_part, store, store_part

FREQUENCIES = 36

MOST_TILES = 48
"""Tiles that a thread takes at a time at most: their transforms fit into a second-level cache."""

SKEW = 16
"""Elements between the matrices of two frequencies, which would begin in the same places of a cache
otherwise."""


def convolve(cache: Conv2DCache, bias: np.ndarray, y: np.ndarray) -> None:
    """``y = x * w + bias``: x (N, H, W, C), w (3, 3, C, K), bias (K,), into y (N, OH, OW, K)."""
    (top, _), (left, _) = cache.window.padding
    _into(y, cache.x, cache.w, bias, (top, left))


def input_gradient(cache: Conv2DCache, dy: np.ndarray) -> np.ndarray:
    """dx (N, H, W, C) of dy (N, OH, OW, K): a convolution of dy with w turned round.

    The pixel (h, v) of x went into the outputs (h + top - i, v + left - j).
    """
    (top, _), (left, _) = cache.window.padding
    dx = memory.empty(cache.x.shape, cache.x.dtype)
    turned = memory.empty((3, 3, dy.shape[3], dx.shape[3]), dx.dtype)
    for i, j in np.ndindex(3, 3):  # (C, K) to (K, C)
        transpose(cache.w[2 - i, 2 - j], turned[i, j])
    _into(dx, dy, turned, np.zeros(dx.shape[3], dx.dtype), (2 - top, 2 - left))
    return dx


def weight_gradients(
    cache: Conv2DCache, dy: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """dw (3, 3, C, K) and db (K,), or None, of dy (N, OH, OW, K)."""
    x, channels, filters = cache.x, *cache.w.shape[2:]
    (top, _), (left, _) = cache.window.padding
    step, width = lanes(x.dtype), panel_width(x.dtype)
    columns = _up(filters, width)
    block = _tiles_at_a_time(_count_tiles(dy.shape))
    scratch = _scratch(get_num_threads(), block, _up(channels, step) + columns, x.dtype)
    du = memory.empty((len(scratch), FREQUENCIES * (channels * columns + SKEW)), x.dtype)
    _correlate(
        x.reshape(-1), dy.reshape(-1), du, scratch, x.shape, dy.shape, (top, left), step, width,
        block,
    )
    dw = memory.empty((3, 3, channels, filters), x.dtype)
    _gather_gradient(
        du.reshape(-1), len(scratch), dw.reshape(-1), channels, filters, columns, step
    )
    return dw, bias_gradient(cache, dy)


def _into(
    y: np.ndarray, x: np.ndarray, w: np.ndarray, bias: np.ndarray, origin: tuple[int, int]
) -> None:
    """y (N, OH, OW, K) from x (N, H, W, C) and w (3, 3, C, K).

    Output (p, q) sees the pixels from (p, q) - origin on; pixels outside x are 0.
    """
    channels, filters = w.shape[2:]
    step, width = lanes(x.dtype), panel_width(x.dtype)
    u = memory.empty((FREQUENCIES * (_up(filters, width) * channels + SKEW),), x.dtype)
    padded_bias = np.zeros(_up(filters, step), x.dtype)
    padded_bias[:filters] = bias
    given = x.reshape(-1), u, padded_bias, y.reshape(-1)
    sizes = x.shape, y.shape, origin, step, width
    tiles = _count_tiles(y.shape)
    if tiles <= MOST_TILES:  # the filters are the large part of the work
        scratch = _scratch(-(-filters // width), tiles, _up(channels, step) + width, x.dtype)
        _convolve_by_panels(w.reshape(-1), *given, scratch, *sizes, tiles)
    else:
        _transform_filters(w.reshape(-1), u, channels, filters, step, width)
        block = _tiles_at_a_time(tiles)
        scratch = _scratch(
            get_num_threads(), block, _up(channels, step) + _up(filters, step), x.dtype
        )
        _convolve_by_tiles(*given, scratch, *sizes, block)


def _count_tiles(y_shape: tuple[int, ...]) -> int:
    """How many 4×4 tiles the outputs have."""
    return y_shape[0] * -(-y_shape[1] // 4) * -(-y_shape[2] // 4)


def _tiles_at_a_time(tiles: int) -> int:
    """Into what blocks to cut the tiles, so that all threads get as many."""
    threads = get_num_threads()
    rounds = -(-tiles // (threads * MOST_TILES))
    return _up(-(-tiles // (threads * rounds)), TILE_ROWS)


def _scratch(count: int, block: int, channels: int, dtype: np.dtype) -> np.ndarray:
    """So many times room for a block of tiles at all frequencies."""
    return memory.empty((count, FREQUENCIES * (block * channels + 2 * SKEW)), dtype)


def _up(number: int, step: int) -> int:
    """The next multiple of `step` from `number` on."""
    return -(-number // step) * step


@njit(**WORKER)
def _bt(x0, x1, x2, x3, x4, x5):
    """Bᵀ x: six inputs to six frequencies."""
    odd, even = x3 - x1, x4 - x2
    return (
        x0 - x2 - x2 + x4 + 1.5 * odd,
        (x4 + 0.5 * x2) + (2.5 * x3 - x1),
        (x4 - 2.5 * x2) + (0.5 * x3 + x1),
        even + 2.0 * odd,
        even - 0.5 * odd,
        x1 - x3 - x3 + x5 + 1.5 * even,
    )


@njit(**WORKER)
def _at(m0, m1, m2, m3, m4, m5):
    """Aᵀ m: six frequencies to four outputs."""
    even, odd = m1 + m2, m1 - m2
    return (
        m0 + even + m3 + m4,
        odd + 0.5 * m3 - 2.0 * m4,
        even + 0.25 * m3 + 4.0 * m4,
        odd + 0.125 * m3 - 8.0 * m4 + m5,
    )


@njit(**WORKER)
def _a(y0, y1, y2, y3):
    """A y: four output gradients to six frequencies, the transpose of `_at`."""
    even, odd = y0 + y2, y1 + y3
    return (
        y0, even + odd, even - odd,
        y0 + 0.5 * y1 + 0.25 * y2 + 0.125 * y3,
        y0 - 2.0 * y1 + 4.0 * y2 - 8.0 * y3,
        y3,
    )


@njit(**WORKER)
def _g(g0, g1, g2):
    """G g: three weights to six frequencies."""
    even = g0 + g2
    return (
        g0, (even + g1) * (1 / 3), (g1 - even) * (1 / 3),
        (g0 + 0.5 * g1 + 0.25 * g2) * (-16 / 15), (g0 - 2.0 * g1 + 4.0 * g2) * (1 / 15), g2,
    )


@njit(**WORKER)
def _gt(u0, u1, u2, u3, u4, u5):
    """Gᵀ u: six frequencies to three weights' gradients, the transpose of `_g`."""
    even, odd = (u1 + u2) * (1 / 3), (u1 - u2) * (1 / 3)
    half, two = u3 * (-16 / 15), u4 * (1 / 15)
    return u0 + odd + half + two, even + 0.5 * half - 2.0 * two, odd + 0.25 * half + 4.0 * two + u5


# -- tiles ------------------------------------------------------------------------------------


@njit(**WORKER)
def _corner(tile, y_shape):
    """Image, and first output down and across, of a tile."""
    down, across = (y_shape[1] + 3) // 4, (y_shape[2] + 3) // 4
    return tile // (down * across), tile // across % down * 4, tile % across * 4


@njit(**WORKER)
def _row_of_inputs(x, at, step, row_valid, left, width):
    """Bᵀ along one row of a tile: six pixels from column `left` on, zeros outside the image."""
    v0 = row_valid if 0 <= left < width else 0
    v1 = row_valid if 0 <= left + 1 < width else 0
    v2 = row_valid if 0 <= left + 2 < width else 0
    v3 = row_valid if 0 <= left + 3 < width else 0
    v4 = row_valid if 0 <= left + 4 < width else 0
    v5 = row_valid if 0 <= left + 5 < width else 0
    return _bt(
        load_part(x, at, v0, 1), load_part(x, at + step, v1, 1),
        load_part(x, at + 2 * step, v2, 1), load_part(x, at + 3 * step, v3, 1),
        load_part(x, at + 4 * step, v4, 1), load_part(x, at + 5 * step, v5, 1),
    )


@njit(**WORKER)
def _store_six(v, at, step, values):
    store(v, at, values[0])
    store(v, at + step, values[1])
    store(v, at + 2 * step, values[2])
    store(v, at + 3 * step, values[3])
    store(v, at + 4 * step, values[4])
    store(v, at + 5 * step, values[5])


@njit(**WORKER)
def _transform_input(x, x_shape, image, top, left, v, v_at, v_step, lane_count):
    """V = Bᵀ d B of the 6×6 pixels from (top, left) on: channel c of frequency f goes to
    ``v[v_at + f · v_step + c]``."""
    _, height, width, channels = x_shape
    row_step = width * channels
    origin = (image * height + top) * row_step + left * channels
    for c in range(0, channels, lane_count):
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
        to, down = v_at + c, 6 * v_step
        _store_six(v, to, down, _bt(r0[0], r1[0], r2[0], r3[0], r4[0], r5[0]))
        _store_six(v, to + v_step, down, _bt(r0[1], r1[1], r2[1], r3[1], r4[1], r5[1]))
        _store_six(v, to + 2 * v_step, down, _bt(r0[2], r1[2], r2[2], r3[2], r4[2], r5[2]))
        _store_six(v, to + 3 * v_step, down, _bt(r0[3], r1[3], r2[3], r3[3], r4[3], r5[3]))
        _store_six(v, to + 4 * v_step, down, _bt(r0[4], r1[4], r2[4], r3[4], r4[4], r5[4]))
        _store_six(v, to + 5 * v_step, down, _bt(r0[5], r1[5], r2[5], r3[5], r4[5], r5[5]))


@njit(**WORKER)
def _column_of_outputs(m, at, step):
    """Aᵀ along one column of frequencies."""
    return _at(
        load(m, at, 1), load(m, at + step, 1), load(m, at + 2 * step, 1),
        load(m, at + 3 * step, 1), load(m, at + 4 * step, 1), load(m, at + 5 * step, 1),
    )


@njit(**WORKER)
def _store_four(y, at, step, values, shift, valid, count):
    """At most four pixels of a row of y, `shift` added."""
    store_part(y, at, valid, values[0] + shift)
    if count > 1:
        store_part(y, at + step, valid, values[1] + shift)
    if count > 2:
        store_part(y, at + 2 * step, valid, values[2] + shift)
    if count > 3:
        store_part(y, at + 3 * step, valid, values[3] + shift)


@njit(**WORKER)
def _transform_output(
    m, m_at, m_step, bias, y, y_shape, image, top, left, first, last, lane_count
):
    """y = Aᵀ M A + bias, for the outputs from (top, left) on that lie in the image.

    M holds filters `first` to `last` alone.
    """
    _, height, width, filters = y_shape
    row_step = width * filters
    rows, columns = min(height - top, 4), min(width - left, 4)
    origin = (image * height + top) * row_step + left * filters
    for k in range(first, last, lane_count):
        at, valid = m_at + k - first, last - k
        c0 = _column_of_outputs(m, at, 6 * m_step)
        c1 = _column_of_outputs(m, at + m_step, 6 * m_step)
        c2 = _column_of_outputs(m, at + 2 * m_step, 6 * m_step)
        c3 = _column_of_outputs(m, at + 3 * m_step, 6 * m_step)
        c4 = _column_of_outputs(m, at + 4 * m_step, 6 * m_step)
        c5 = _column_of_outputs(m, at + 5 * m_step, 6 * m_step)
        shift, to = load(bias, k, 1), origin + k
        row = _at(c0[0], c1[0], c2[0], c3[0], c4[0], c5[0])
        _store_four(y, to, filters, row, shift, valid, columns)
        if rows > 1:
            row = _at(c0[1], c1[1], c2[1], c3[1], c4[1], c5[1])
            _store_four(y, to + row_step, filters, row, shift, valid, columns)
        if rows > 2:
            row = _at(c0[2], c1[2], c2[2], c3[2], c4[2], c5[2])
            _store_four(y, to + 2 * row_step, filters, row, shift, valid, columns)
        if rows > 3:
            row = _at(c0[3], c1[3], c2[3], c3[3], c4[3], c5[3])
            _store_four(y, to + 3 * row_step, filters, row, shift, valid, columns)


@njit(**WORKER)
def _row_of_gradients(dy, at, step, valid, columns):
    """A along one row of at most four output gradients, zeros outside the image."""
    return _a(
        load_part(dy, at, valid, 1),
        load_part(dy, at + step, valid if columns > 1 else 0, 1),
        load_part(dy, at + 2 * step, valid if columns > 2 else 0, 1),
        load_part(dy, at + 3 * step, valid if columns > 3 else 0, 1),
    )


@njit(**WORKER)
def _transform_gradient(
    dy, y_shape, image, top, left, m, m_at, m_step, m_panel, width_of_panel, lane_count
):
    """M = A dy Aᵀ of the 4×4 output gradients from (top, left) on; filters by panels."""
    _, height, width, filters = y_shape
    row_step = width * filters
    rows, columns = min(height - top, 4), min(width - left, 4)
    origin = (image * height + top) * row_step + left * filters
    whole = (filters + width_of_panel - 1) // width_of_panel * width_of_panel
    for k in range(0, whole, lane_count):
        at, valid = origin + k, filters - k
        r0 = _row_of_gradients(dy, at, filters, valid, columns)
        r1 = _row_of_gradients(dy, at + row_step, filters, valid if rows > 1 else 0, columns)
        r2 = _row_of_gradients(dy, at + 2 * row_step, filters, valid if rows > 2 else 0, columns)
        r3 = _row_of_gradients(dy, at + 3 * row_step, filters, valid if rows > 3 else 0, columns)
        to = m_at + k // width_of_panel * m_panel + k % width_of_panel
        down = 6 * m_step
        _store_six(m, to, down, _a(r0[0], r1[0], r2[0], r3[0]))
        _store_six(m, to + m_step, down, _a(r0[1], r1[1], r2[1], r3[1]))
        _store_six(m, to + 2 * m_step, down, _a(r0[2], r1[2], r2[2], r3[2]))
        _store_six(m, to + 3 * m_step, down, _a(r0[3], r1[3], r2[3], r3[3]))
        _store_six(m, to + 4 * m_step, down, _a(r0[4], r1[4], r2[4], r3[4]))
        _store_six(m, to + 5 * m_step, down, _a(r0[5], r1[5], r2[5], r3[5]))


# -- filters ----------------------------------------------------------------------------------


@njit(**WORKER)
def _transform_channel(w, u, c, channels, filters, first, last, lane_count, width):
    """U = G g Gᵀ of filters first to last of channel c, by panels: (36, panels, C, width)."""
    step = channels * filters
    panels = (filters + width - 1) // width
    u_step = panels * channels * width + SKEW
    for k in range(first, last, lane_count):
        at, valid = c * filters + k, filters - k
        r0 = _row_of_weights(w, at, step, valid)
        r1 = _row_of_weights(w, at + 3 * step, step, valid)
        r2 = _row_of_weights(w, at + 6 * step, step, valid)
        to, down = (k // width * channels + c) * width + k % width, 6 * u_step
        _store_six(u, to, down, _g(r0[0], r1[0], r2[0]))
        _store_six(u, to + u_step, down, _g(r0[1], r1[1], r2[1]))
        _store_six(u, to + 2 * u_step, down, _g(r0[2], r1[2], r2[2]))
        _store_six(u, to + 3 * u_step, down, _g(r0[3], r1[3], r2[3]))
        _store_six(u, to + 4 * u_step, down, _g(r0[4], r1[4], r2[4]))
        _store_six(u, to + 5 * u_step, down, _g(r0[5], r1[5], r2[5]))


@njit(**WORKER)
def _row_of_weights(w, at, step, valid):
    """G along one row of a filter."""
    return _g(
        load_part(w, at, valid, 1), load_part(w, at + step, valid, 1),
        load_part(w, at + 2 * step, valid, 1),
    )


@njit(**PARALLEL)
def _transform_filters(w, u, channels, filters, lane_count, width):
    for c in prange(channels):
        _transform_channel(
            w, u, np.intp(c), channels, filters, 0, (filters + width - 1) // width * width,
            lane_count, width,
        )


@njit(**WORKER)
def _gather_channel(du, threads, dw, c, channels, filters, columns, lane_count):
    """dw = Gᵀ dU G of all filters of channel c; dU, the threads' sum, is (36, C, columns)."""
    step, u_step = channels * filters, channels * columns + SKEW
    for k in range(0, filters, lane_count):
        at, valid = c * columns + k, filters - k
        c0 = _column_of_weights(du, at, u_step, threads)
        c1 = _column_of_weights(du, at + u_step, u_step, threads)
        c2 = _column_of_weights(du, at + 2 * u_step, u_step, threads)
        c3 = _column_of_weights(du, at + 3 * u_step, u_step, threads)
        c4 = _column_of_weights(du, at + 4 * u_step, u_step, threads)
        c5 = _column_of_weights(du, at + 5 * u_step, u_step, threads)
        to = c * filters + k
        _store_three(dw, to, step, valid, _gt(c0[0], c1[0], c2[0], c3[0], c4[0], c5[0]))
        to += 3 * step
        _store_three(dw, to, step, valid, _gt(c0[1], c1[1], c2[1], c3[1], c4[1], c5[1]))
        to += 3 * step
        _store_three(dw, to, step, valid, _gt(c0[2], c1[2], c2[2], c3[2], c4[2], c5[2]))


@njit(**WORKER)
def _column_of_weights(du, at, u_step, threads):
    """Gᵀ along one column of frequencies."""
    step, size = 6 * u_step, FREQUENCIES * u_step
    return _gt(
        _sum_of_threads(du, at, size, threads), _sum_of_threads(du, at + step, size, threads),
        _sum_of_threads(du, at + 2 * step, size, threads),
        _sum_of_threads(du, at + 3 * step, size, threads),
        _sum_of_threads(du, at + 4 * step, size, threads),
        _sum_of_threads(du, at + 5 * step, size, threads),
    )


@njit(**WORKER)
def _sum_of_threads(du, at, size, threads):
    """What the threads have gathered at one place, `size` apart."""
    total = load(du, at, 1)
    for thread in range(1, threads):
        total = total + load(du, at + thread * size, 1)
    return total


@njit(**WORKER)
def _store_three(dw, at, step, valid, values):
    store_part(dw, at, valid, values[0])
    store_part(dw, at + step, valid, values[1])
    store_part(dw, at + 2 * step, valid, values[2])


@njit(**PARALLEL)
def _gather_gradient(du, threads, dw, channels, filters, columns, lane_count):
    for c in prange(channels):
        _gather_channel(du, threads, dw, np.intp(c), channels, filters, columns, lane_count)


# -- whole convolutions -----------------------------------------------------------------------


@njit(**WORKER)
def _share(thread, threads, y_shape, block):
    """First tile of a thread's share, and one past the last: whole blocks."""
    tiles = y_shape[0] * ((y_shape[1] + 3) // 4) * ((y_shape[2] + 3) // 4)
    blocks = (tiles + block - 1) // block
    start, stop = thread * blocks // threads, (thread + 1) * blocks // threads
    return start * block, min(stop * block, tiles)


@njit(**WORKER)
def _convolve_tiles(
    x, u, bias, y, scratch, x_shape, y_shape, origin, lane_count, width, block, start, stop, first,
    last,
):
    """Filters `first` to `last` of the outputs of tiles start to stop, a block at a time."""
    channels, filters = x_shape[3], y_shape[3]
    rows = (channels + lane_count - 1) // lane_count * lane_count
    columns = (last - first + lane_count - 1) // lane_count * lane_count
    v_step, m_step = block * rows + SKEW, block * columns + SKEW
    u_panel = channels * width
    u_step = (filters + width - 1) // width * u_panel + SKEW
    u_at = first // width * u_panel
    v, m = scratch[: 36 * v_step], scratch[36 * v_step :]
    for begin in range(start, stop, block):
        count = min(block, stop - begin)
        for t in range(count):
            image, p, q = _corner(begin + t, y_shape)
            _transform_input(
                x, x_shape, image, p - origin[0], q - origin[1], v, t * rows, v_step, lane_count
            )
        for f in range(36):  # M[f] (tiles, K) = V[f] (tiles, C) U[f] (C, K)
            multiply(
                v, f * v_step, rows, 1, u, u_at + f * u_step, width, u_panel, m, f * m_step,
                columns, count, columns, channels, width, False,
            )
        for t in range(count):
            image, p, q = _corner(begin + t, y_shape)
            _transform_output(
                m, t * columns, m_step, bias, y, y_shape, image, p, q, first, last, lane_count
            )


@njit(**PARALLEL)
def _convolve_by_tiles(
    x, u, bias, y, scratch, x_shape, y_shape, origin, lane_count, width, block
):
    """Each thread takes some of the tiles, with all filters."""
    for thread in prange(scratch.shape[0]):
        _convolve_tiles(
            x, u, bias, y, scratch[thread], x_shape, y_shape, origin, lane_count, width, block,
            *_share(thread, scratch.shape[0], y_shape, block), 0, y_shape[3],
        )


@njit(**WORKER)
def _convolve_panel(
    w, x, u, bias, y, scratch, x_shape, y_shape, origin, lane_count, width, tiles, first
):
    """A panel of filters, of all tiles: what is transformed here is used while it is near."""
    channels, filters = x_shape[3], y_shape[3]
    for c in range(channels):
        _transform_channel(
            w, u, c, channels, filters, first, first + width, lane_count, width
        )
    _convolve_tiles(
        x, u, bias, y, scratch, x_shape, y_shape, origin, lane_count, width, tiles, 0, tiles,
        first, min(first + width, filters),
    )


@njit(**PARALLEL)
def _convolve_by_panels(
    w, x, u, bias, y, scratch, x_shape, y_shape, origin, lane_count, width, tiles
):
    """Each thread takes some of the filters, with all tiles."""
    for panel in prange(scratch.shape[0]):
        _convolve_panel(
            w, x, u, bias, y, scratch[panel], x_shape, y_shape, origin, lane_count, width, tiles,
            panel * width,
        )


@njit(**WORKER)
def _correlate_tiles(
    x, dy, du, scratch, x_shape, y_shape, origin, lane_count, width, block, start, stop
):
    """dU (36, C, K) of tiles start to stop, a block at a time; filters by panels."""
    channels, filters = x_shape[3], y_shape[3]
    rows = (channels + lane_count - 1) // lane_count * lane_count
    columns = (filters + width - 1) // width * width
    v_step, m_step, m_panel = block * rows + SKEW, block * columns + SKEW, block * width
    v, m = scratch[: 36 * v_step], scratch[36 * v_step :]
    if start == stop:
        du[:] = 0
    for first in range(start, stop, block):
        count = min(block, stop - first)
        for t in range(count):
            image, p, q = _corner(first + t, y_shape)
            _transform_input(
                x, x_shape, image, p - origin[0], q - origin[1], v, t * rows, v_step, lane_count
            )
            _transform_gradient(
                dy, y_shape, image, p, q, m, t * width, m_step, m_panel, width, lane_count
            )
        for f in range(36):  # dU[f] (C, K) += V[f]ᵀ (C, tiles) M[f] (tiles, K)
            multiply(
                v, f * v_step, 1, rows, m, f * m_step, width, m_panel,
                du, f * (channels * columns + SKEW), columns, channels, columns, count, width,
                first > start,
            )


@njit(**PARALLEL)
def _correlate(x, dy, du, scratch, x_shape, y_shape, origin, lane_count, width, block):
    for thread in prange(scratch.shape[0]):
        _correlate_tiles(
            x, dy, du[thread], scratch[thread], x_shape, y_shape, origin, lane_count, width,
            block, *_share(thread, scratch.shape[0], y_shape, block),
        )
