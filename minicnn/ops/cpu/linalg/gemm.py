"""Matrix products, cut into tiles that vector registers hold.

`multiply` is serial and general in its three sizes: the convolutions' products. `product` shares a
product's work among threads.
"""

import numpy as np

from minicnn.compiling.kernels import parallel, serial, worker
from minicnn.compiling.threads import thread_count
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import round_up
from minicnn.ops.cpu.linalg.layout import WIDE, Matrix, Panels, panel_width, panel_width_of
from minicnn.ops.cpu.linalg.register_tile import TILE_ROWS, multiply_tile
from minicnn.ops.cpu.linalg.simd import lanes_of, load, load_part, store

PART_ROWS, PART_DEPTH = round_up(64, TILE_ROWS), 256
"""What of a large product a thread does at a time: a panel of B this deep stays in the first cache.
"""


@serial
def multiply(a, b, c, rows, columns, depth, add):
    """``C = A B``, or ``C += A B`` where `add`.

    a `Matrix` (rows, depth), b `Panels` (depth, columns), c `Matrix` (rows, columns) whose rows are
    contiguous.
    """
    add = bool(add)  # no constant of the caller: a tile is compiled once for all callers
    for column in range(0, columns, panel_width_of(c.numbers)):
        for row in range(0, rows, TILE_ROWS):
            multiply_tile(a, b, c, row, column, rows, columns, depth, add)


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``A B``, in threads: a (M, K), perhaps transposed, and b (K, N), C-contiguous, to (M, N)."""
    c = memory.empty((a.shape[0], b.shape[1]), b.dtype)
    transposed = not a.flags.c_contiguous
    panel_count, row_parts = -(-b.shape[1] // panel_width(b.dtype)), -(-a.shape[0] // PART_ROWS)
    groups = min(panel_count, -(-thread_count() // row_parts))  # of panels: work for all threads
    _product(row_parts * groups, a.T if transposed else a, transposed, b, c, row_parts, groups)
    return c


@worker
def _pack_rows(a, k, first, rows, depth, packed):
    """Some rows of A from column k on, cut into tiles: (tiles, depth, TILE_ROWS). a is Aᵀ.

    Whole vectors are stored; what goes beyond a tile's rows, the next ones write over.
    """
    for row in range(0, rows, TILE_ROWS):
        for d in range(depth):
            to, source = row * depth + d * TILE_ROWS, (k + d) * a.shape[1] + first + row
            for i in range(0, TILE_ROWS, lanes_of(packed)):
                store(packed, to + i, load_part(a, source + i, rows - row - i, 1))


@worker
def _pack_panels(b, k, first, columns, depth, packed):
    """Some columns of B from row k on, cut into panels: (panels, depth, width)."""
    width = panel_width_of(packed)
    for d in range(depth):
        source, to = (k + d) * b.shape[1] + first, d * width
        for column in range(0, columns, width):
            if column + width <= columns:
                store(packed, to, load(b, source + column, WIDE))
            else:
                store(packed, to, load_part(b, source + column, columns - column, WIDE))
            to += depth * width


@parallel
def _product(part, a, transposed, b, c, row_parts, groups):
    """`PART_ROWS` rows of C from the first on, and of its panels one group out of `groups`.

    B, and a transposed A, are copied a piece at a time into the order in which tiles read them: in
    a large matrix a column's numbers lie so far apart that they share few places of a cache.
    """
    first_row, group = part // groups * PART_ROWS, part % groups
    (c_rows, c_columns), depth, width = c.shape, b.shape[0], panel_width_of(b)
    panel_count = round_up(c_columns, width) // width
    first = group * panel_count // groups * width
    columns = min((group + 1) * panel_count // groups * width, c_columns) - first
    rows = min(PART_ROWS, c_rows - first_row)
    flat_a, flat_c = a.reshape(-1), c.reshape(-1)
    panels = np.empty(round_up(columns, width) * PART_DEPTH, b.dtype)
    tiles = np.empty(PART_ROWS * PART_DEPTH + lanes_of(a) if transposed else 0, a.dtype)
    for k in range(0, depth, PART_DEPTH):
        deep = min(PART_DEPTH, depth - k)
        _pack_panels(b, k, first, columns, deep, panels)
        if transposed:
            _pack_rows(a, k, first_row, rows, deep, tiles)
        for row in range(0, rows, TILE_ROWS):
            if transposed:
                left = Matrix(tiles, row * deep, 1, TILE_ROWS)
            else:
                left = Matrix(flat_a, (first_row + row) * depth + k, depth, 1)
            to = Matrix(flat_c, (first_row + row) * c_columns + first, c_columns, 1)
            multiply(
                left, Panels(panels, 0, width, deep * width), to,
                min(TILE_ROWS, rows - row), columns, deep, k > 0,
            )
