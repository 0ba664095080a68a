"""A tile of a matrix product that stays in vector registers for the whole sum.

A tile has `TILE_ROWS` rows and one panel of columns, `WIDE` registers a row. In each step of the
sum a row of B is loaded; each of eight numbers of A is spread over a register and multiplied with
it. Sixteen multiply-adds follow ten loads, so that arithmetic, not memory, sets the pace. A
processor with 16 registers has room for six rows, and twelve multiply-adds follow eight loads. Why
tiles: Goto and van de Geijn 2008, *Anatomy of high-performance matrix multiplication*.
"""


from minicnn.compiling.kernels import worker
from minicnn.ops.cpu.linalg.layout import WIDE, panel_width_of
from minicnn.ops.cpu.linalg.processor import LINE, REGISTERS
from minicnn.ops.cpu.linalg.simd import (
    load,
    load_part,
    multiply_add,
    prefetch,
    spread,
    store,
    store_part,
    zeros,
)

TILE_ROWS = 8 if REGISTERS == 32 else 6
"""Rows of C in a tile: of 16 registers they take 12, a row of B 2, and a number of A 1."""

FETCH_AHEAD = REGISTERS == 32
"""Whether a tile fetches what the next will read; six rows have no load to spare for it."""


@worker
def multiply_tile(a, b, c, row, column, rows, columns, depth, add):
    """The tile of ``C = A B``, or ``C += A B``, whose first element is (`row`, `column`).

    a, c `Matrix`, b `Panels`; rows of C are contiguous. C has `rows` and `columns` in all.
    """
    width = panel_width_of(c.numbers)
    valid, last = min(columns - column, width), min(rows - row, TILE_ROWS) - 1
    a_at = a.at + row * a.row_step
    b_at = b.at + column // width * b.panel_step
    if valid == width:
        # the second and third tile fetch the next panel, each one line of its rows
        number = row // TILE_ROWS
        ahead = b.panel_step + (number - 1) * LINE if 1 <= number <= 2 else 0
        tile = _products(a, a_at, b, b_at, depth, last, ahead)
    else:
        tile = _part_products(a, a_at, b, b_at, depth, last, valid)
    numbers, at, step = c.numbers, c.at + row * c.row_step + column, c.row_step
    _put(numbers, at, tile[0], valid, add)
    if last > 0:
        _put(numbers, at + step, tile[1], valid, add)
    if last > 1:
        _put(numbers, at + 2 * step, tile[2], valid, add)
    if last > 2:
        _put(numbers, at + 3 * step, tile[3], valid, add)
    if last > 3:
        _put(numbers, at + 4 * step, tile[4], valid, add)
    if last > 4:
        _put(numbers, at + 5 * step, tile[5], valid, add)
    if TILE_ROWS > 6 and last > 5:
        _put(numbers, at + 6 * step, tile[6], valid, add)
    if TILE_ROWS > 6 and last > 6:
        _put(numbers, at + 7 * step, tile[7], valid, add)


@worker
def _products(a, a_at, b, b_at, depth, last, ahead):
    """Up to eight rows of A times a panel of B: eight vectors. Rows after the last repeat it.

    What lies `ahead` of each row of B is fetched into the second-level cache meanwhile.
    """
    a0, a1 = a_at, a_at + min(1, last) * a.row_step
    a2, a3 = a_at + min(2, last) * a.row_step, a_at + min(3, last) * a.row_step
    a4, a5 = a_at + min(4, last) * a.row_step, a_at + min(5, last) * a.row_step
    a6, a7 = a_at + min(6, last) * a.row_step, a_at + min(7, last) * a.row_step
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = zeros(b.numbers, WIDE)
    for k in range(depth):
        place, step = b_at + k * b.row_step, k * a.column_step
        row = load(b.numbers, place, WIDE)
        if FETCH_AHEAD:
            prefetch(b.numbers, place + ahead)
        c0 = multiply_add(spread(a.numbers, a0 + step, WIDE), row, c0)
        c1 = multiply_add(spread(a.numbers, a1 + step, WIDE), row, c1)
        c2 = multiply_add(spread(a.numbers, a2 + step, WIDE), row, c2)
        c3 = multiply_add(spread(a.numbers, a3 + step, WIDE), row, c3)
        c4 = multiply_add(spread(a.numbers, a4 + step, WIDE), row, c4)
        c5 = multiply_add(spread(a.numbers, a5 + step, WIDE), row, c5)
        if TILE_ROWS > 6:
            c6 = multiply_add(spread(a.numbers, a6 + step, WIDE), row, c6)
            c7 = multiply_add(spread(a.numbers, a7 + step, WIDE), row, c7)
    return c0, c1, c2, c3, c4, c5, c6, c7


@worker
def _part_products(a, a_at, b, b_at, depth, last, valid):
    """As `_products`, of a panel's first `valid` columns."""
    a0, a1 = a_at, a_at + min(1, last) * a.row_step
    a2, a3 = a_at + min(2, last) * a.row_step, a_at + min(3, last) * a.row_step
    a4, a5 = a_at + min(4, last) * a.row_step, a_at + min(5, last) * a.row_step
    a6, a7 = a_at + min(6, last) * a.row_step, a_at + min(7, last) * a.row_step
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = zeros(b.numbers, WIDE)
    for k in range(depth):
        row = load_part(b.numbers, b_at + k * b.row_step, valid, WIDE)
        step = k * a.column_step
        c0 = multiply_add(spread(a.numbers, a0 + step, WIDE), row, c0)
        c1 = multiply_add(spread(a.numbers, a1 + step, WIDE), row, c1)
        c2 = multiply_add(spread(a.numbers, a2 + step, WIDE), row, c2)
        c3 = multiply_add(spread(a.numbers, a3 + step, WIDE), row, c3)
        c4 = multiply_add(spread(a.numbers, a4 + step, WIDE), row, c4)
        c5 = multiply_add(spread(a.numbers, a5 + step, WIDE), row, c5)
        if TILE_ROWS > 6:
            c6 = multiply_add(spread(a.numbers, a6 + step, WIDE), row, c6)
            c7 = multiply_add(spread(a.numbers, a7 + step, WIDE), row, c7)
    return c0, c1, c2, c3, c4, c5, c6, c7


@worker
def _put(c, at, row, valid, add):
    """Store or add one row of a tile."""
    if valid == panel_width_of(c):
        if add:
            row = row + load(c, at, WIDE)
        store(c, at, row)
    else:
        if add:
            row = row + load_part(c, at, valid, WIDE)
        store_part(c, at, valid, row)
