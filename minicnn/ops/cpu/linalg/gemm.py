"""Matrix products: a tile of C in vector registers, rows of B streaming past it.

`multiply` is serial and general in its three sizes; `product` shares its work among threads. Both
cut C into tiles of eight rows and one panel of columns, as many as `WIDE` registers hold, and give
each tile a loop over the depth: a row of B is loaded, each of eight numbers of A is spread over a
register and multiplied with it. Sixteen multiply-adds follow ten loads, so that arithmetic, not
memory, sets the pace. A processor with 16 registers has room for six rows, and twelve multiply-adds
follow eight loads. Why tiles: Goto and van de Geijn 2008, *Anatomy of high-performance matrix
multiplication*.
"""

import numpy as np
from numba import get_num_threads, njit, prange

from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, PARALLEL, SERIAL, WORKER, pieces_of
from minicnn.ops.cpu.linalg.simd import (
    REGISTERS,
    lanes,
    load,
    load_part,
    multiply_add,
    prefetch,
    spread,
    store,
    store_part,
    zeros,
)

WIDE = 2
"""Registers that hold a row of a tile."""

TILE_ROWS = 8 if REGISTERS == 32 else 6
"""Rows of C in a tile: of 16 registers they take 12, a row of B 2, and a number of A 1."""

FETCH_AHEAD = REGISTERS == 32
"""Whether a tile fetches what the next will read; six rows have no load to spare for it."""

LINE = 16
"""Numbers in a line of the cache, of float32."""

PART_ROWS, PART_DEPTH = -(-64 // TILE_ROWS) * TILE_ROWS, 256
"""What of a large product a thread does at a time: a panel of B this deep stays in the first cache.
"""


def panel_width(dtype: np.dtype) -> int:
    """Columns of C in a tile, for this dtype."""
    return WIDE * lanes(dtype)


def panels(b: np.ndarray) -> tuple[np.ndarray, int]:
    """B (depth, columns) cut into panels, flat, filled up with zeros; and their width.

    A panel's rows follow each other: what `multiply` reads lies in one piece.
    """
    depth, columns = b.shape
    width = panel_width(b.dtype)
    count = -(-columns // width)
    whole = np.zeros((depth, count * width), b.dtype)
    whole[:, :columns] = b
    return whole.reshape(depth, count, width).swapaxes(0, 1).reshape(-1), width


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``A B``, in threads: a (M, K), perhaps transposed, and b (K, N), C-contiguous, to (M, N)."""
    rows, depth = a.shape
    c = memory.empty((rows, b.shape[1]), b.dtype)
    if a.flags.c_contiguous:
        flat, a_row, a_column = a.reshape(-1), depth, 1
    else:
        flat, a_row, a_column = a.T.reshape(-1), 1, rows
    width = panel_width(b.dtype)
    panel_count, row_parts = -(-b.shape[1] // width), -(-rows // PART_ROWS)
    groups = min(panel_count, -(-get_num_threads() // row_parts))  # of panels: work for all threads
    _product(
        flat, a_row, a_column, b.reshape(-1), c.reshape(-1), rows, b.shape[1], depth, width,
        lanes(b.dtype), groups,
    )
    return c


@njit(**WORKER)
def _pack_rows(a, a_at, a_column, rows, depth, packed, lane_count):
    """Columns of A, each contiguous, cut into tiles of rows: (tiles, depth, TILE_ROWS).

    Whole vectors are stored; what goes beyond a tile's rows, the next ones write over.
    """
    for row in range(0, rows, TILE_ROWS):
        for k in range(depth):
            to, source = row * depth + k * TILE_ROWS, a_at + row + k * a_column
            for i in range(0, TILE_ROWS, lane_count):
                store(packed, to + i, load_part(a, source + i, rows - row - i, 1))


@njit(**WORKER)
def _pack_panels(b, b_at, b_row, columns, depth, width, packed):
    """Rows of B, each contiguous, cut into panels: (panels, depth, width)."""
    for k in range(depth):
        source, to = b_at + k * b_row, k * width
        for first in range(0, columns, width):
            if first + width <= columns:
                store(packed, to, load(b, source + first, WIDE))
            else:
                store(packed, to, load_part(b, source + first, columns - first, WIDE))
            to += depth * width


@njit(**WORKER)
def _product_part(
    a, a_row, a_column, b, c, rows, columns, depth, width, lane_count, first_row, first, last
):
    """`PART_ROWS` rows of columns `first` to `last` of C.

    B, and a transposed A, are copied a piece at a time into the order in which tiles read them: in
    a large matrix a column's numbers lie so far apart that they share few places of a cache.
    """
    count = min(PART_ROWS, rows - first_row)
    panel_count = (last - first + width - 1) // width
    panels = np.empty(panel_count * PART_DEPTH * width, b.dtype)
    turned = a_row == 1 and a_column > 1
    tiles = np.empty(PART_ROWS * PART_DEPTH + lane_count if turned else 0, a.dtype)
    for k in range(0, depth, PART_DEPTH):
        deep = min(PART_DEPTH, depth - k)
        _pack_panels(b, k * columns + first, columns, last - first, deep, width, panels)
        if turned:
            _pack_rows(a, first_row + k * a_column, a_column, count, deep, tiles, lane_count)
            source, at, next_row, down, across = tiles, 0, deep, 1, TILE_ROWS
        else:
            source, at = a, first_row * a_row + k * a_column
            next_row, down, across = a_row, a_row, a_column
        for row in range(0, count, TILE_ROWS):
            multiply(
                source, at + row * next_row, down, across, panels, 0, width, deep * width,
                c, (first_row + row) * columns + first, columns,
                min(TILE_ROWS, count - row), last - first, deep, width, k > 0,
            )


@njit(**PARALLEL)
def _product(a, a_row, a_column, b, c, rows, columns, depth, width, lane_count, groups):
    row_parts = (rows + PART_ROWS - 1) // PART_ROWS
    panel_count = (columns + width - 1) // width
    for part in prange(row_parts * groups):
        group = part % groups
        _product_part(
            a, a_row, a_column, b, c, rows, columns, depth, width, lane_count,
            part // groups * PART_ROWS, group * panel_count // groups * width,
            min((group + 1) * panel_count // groups * width, columns),
        )


def transposed(matrix: np.ndarray) -> np.ndarray:
    """A transposed copy, (R, C) to (C, R), in threads."""
    result = memory.empty(matrix.shape[::-1], matrix.dtype)
    transpose(matrix, result)
    return result


@njit(**WORKER)
def _transpose_rows(matrix, result, start, stop):
    """Rows start to stop of the matrix, as many at a time as fill a line of the result's cache."""
    for first in range(start, stop, LINE):
        for column in range(matrix.shape[1]):
            for row in range(first, min(first + LINE, stop)):
                result[column, row] = matrix[row, column]


@njit(**PARALLEL)
def transpose(matrix, result):
    """``result = matrixᵀ``."""
    for block in prange(BLOCKS):
        _transpose_rows(matrix, result, *pieces_of(block, matrix.shape[0], LINE))


@njit(**SERIAL)
def multiply(
    a, a_at, a_row, a_column, b, b_at, b_row, b_panel, c, c_at, c_row, rows, columns, depth,
    width, add,
):
    """``C = A B``, or ``C += A B`` where `add`.

    Matrices lie in flat arrays: element (i, k) of A (rows, depth) is
    ``a[a_at + i · a_row + k · a_column]``, which serves transposed matrices too; rows of
    B (depth, columns) and C (rows, columns) are contiguous, `b_row` and `c_row` apart. B may be cut
    into panels of `width` columns, kept one after the other, `b_panel` apart; where it is not cut,
    `b_panel` is `width`.
    """
    # constants of a caller become plain numbers, so that a tile is compiled once for all callers
    a_row, a_column, add = np.intp(a_row), np.intp(a_column), bool(add)
    for first in range(0, columns, width):
        valid = min(columns - first, width)
        for row in range(0, rows, TILE_ROWS):
            # the second and third tile fetch the next panel, each one line of its rows
            tile = row // TILE_ROWS
            ahead = b_panel + (tile - 1) * LINE if 1 <= tile <= 2 else 0
            _tile(
                a, a_at + row * a_row, a_row, a_column,
                b, b_at + first // width * b_panel, b_row,
                c, c_at + row * c_row + first, c_row,
                min(rows - row, TILE_ROWS), valid, depth, width, add, ahead,
            )


@njit(**WORKER)
def _tile(
    a, a_at, a_row, a_column, b, b_at, b_row, c, c_at, c_row, rows, valid, depth, width, add, ahead
):
    """One tile of C: at most `TILE_ROWS` rows, the first `valid` columns of a panel."""
    last = rows - 1
    if valid == width:
        tile = _products(a, a_at, a_row, a_column, b, b_at, b_row, depth, last, ahead)
    else:
        tile = _part_products(a, a_at, a_row, a_column, b, b_at, b_row, depth, last, valid)
    _put(c, c_at, tile[0], valid, width, add)
    if rows > 1:
        _put(c, c_at + c_row, tile[1], valid, width, add)
    if rows > 2:
        _put(c, c_at + 2 * c_row, tile[2], valid, width, add)
    if rows > 3:
        _put(c, c_at + 3 * c_row, tile[3], valid, width, add)
    if rows > 4:
        _put(c, c_at + 4 * c_row, tile[4], valid, width, add)
    if rows > 5:
        _put(c, c_at + 5 * c_row, tile[5], valid, width, add)
    if TILE_ROWS > 6 and rows > 6:
        _put(c, c_at + 6 * c_row, tile[6], valid, width, add)
    if TILE_ROWS > 6 and rows > 7:
        _put(c, c_at + 7 * c_row, tile[7], valid, width, add)


@njit(**WORKER)
def _products(a, a_at, a_row, a_column, b, b_at, b_row, depth, last, ahead):
    """Up to eight rows of A times a panel of B: eight vectors. Rows after the last repeat it.

    What lies `ahead` of each row of B is fetched into the second-level cache meanwhile.
    """
    a0, a1 = a_at, a_at + min(1, last) * a_row
    a2, a3 = a_at + min(2, last) * a_row, a_at + min(3, last) * a_row
    a4, a5 = a_at + min(4, last) * a_row, a_at + min(5, last) * a_row
    a6, a7 = a_at + min(6, last) * a_row, a_at + min(7, last) * a_row
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = zeros(b, WIDE)
    for k in range(depth):
        row, step = load(b, b_at + k * b_row, WIDE), k * a_column
        if FETCH_AHEAD:
            prefetch(b, b_at + k * b_row + ahead)
        c0 = multiply_add(spread(a, a0 + step, WIDE), row, c0)
        c1 = multiply_add(spread(a, a1 + step, WIDE), row, c1)
        c2 = multiply_add(spread(a, a2 + step, WIDE), row, c2)
        c3 = multiply_add(spread(a, a3 + step, WIDE), row, c3)
        c4 = multiply_add(spread(a, a4 + step, WIDE), row, c4)
        c5 = multiply_add(spread(a, a5 + step, WIDE), row, c5)
        if TILE_ROWS > 6:
            c6 = multiply_add(spread(a, a6 + step, WIDE), row, c6)
            c7 = multiply_add(spread(a, a7 + step, WIDE), row, c7)
    return c0, c1, c2, c3, c4, c5, c6, c7


@njit(**WORKER)
def _part_products(a, a_at, a_row, a_column, b, b_at, b_row, depth, last, valid):
    """As `_products`, of a panel's first `valid` columns."""
    a0, a1 = a_at, a_at + min(1, last) * a_row
    a2, a3 = a_at + min(2, last) * a_row, a_at + min(3, last) * a_row
    a4, a5 = a_at + min(4, last) * a_row, a_at + min(5, last) * a_row
    a6, a7 = a_at + min(6, last) * a_row, a_at + min(7, last) * a_row
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = zeros(b, WIDE)
    for k in range(depth):
        row, step = load_part(b, b_at + k * b_row, valid, WIDE), k * a_column
        c0 = multiply_add(spread(a, a0 + step, WIDE), row, c0)
        c1 = multiply_add(spread(a, a1 + step, WIDE), row, c1)
        c2 = multiply_add(spread(a, a2 + step, WIDE), row, c2)
        c3 = multiply_add(spread(a, a3 + step, WIDE), row, c3)
        c4 = multiply_add(spread(a, a4 + step, WIDE), row, c4)
        c5 = multiply_add(spread(a, a5 + step, WIDE), row, c5)
        if TILE_ROWS > 6:
            c6 = multiply_add(spread(a, a6 + step, WIDE), row, c6)
            c7 = multiply_add(spread(a, a7 + step, WIDE), row, c7)
    return c0, c1, c2, c3, c4, c5, c6, c7


@njit(**WORKER)
def _put(c, c_at, row, valid, width, add):
    """Store or add one row of a tile."""
    if valid == width:
        if add:
            row = row + load(c, c_at, WIDE)
        store(c, c_at, row)
    else:
        if add:
            row = row + load_part(c, c_at, valid, WIDE)
        store_part(c, c_at, valid, row)
