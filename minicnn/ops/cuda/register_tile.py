"""A tile of a matrix product that stays in a thread's registers for the whole sum.

A block computes a part of C = A B. In each step of the sum it needs one column of its part of A and
one row of its part of B, which lie in shared memory, A transposed so that the column is contiguous.
A thread loads a few numbers of each and multiplies every one with every other: 8 + 8 loaded numbers
make 64 multiply-adds, 8 + 16 make 128. It loads 16 bytes at a time, a *piece*; its pieces lie as
far apart as all threads' pieces are long, so that neighbouring threads read neighbouring places::

    columns of the block   0   1   2   3 | 4   5   6   7 | ...    a piece has 4 float32
    thread across          0   0   0   0   1   1   1   1   ...    its next piece: 4 * across on

The same idea in vector registers: `minicnn.ops.cpu.linalg.register_tile`.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minicnn.ops.cuda.compile import cuda, device_function, uint32
from minicnn.ops.cuda.intrinsics import load2, load4, store2, store4


@dataclass(frozen=True)
class Tile:
    """What a thread and a block compute.

    Attributes
    ----------
    rows, columns : int
        Of a thread; divisible by `piece`.
    down, across : int
        Threads of a block, down and across its part of C.
    piece : int
        Numbers in 16 bytes: 4 of float32, 2 of float64.
    """

    rows: int
    columns: int
    down: int
    across: int
    piece: int

    @property
    def threads(self) -> int:
        """Of a block."""
        return self.down * self.across

    @property
    def results(self) -> int:
        """Of a thread."""
        return self.rows * self.columns

    @property
    def block_rows(self) -> int:
        """Rows of C of a block."""
        return self.rows * self.down

    @property
    def block_columns(self) -> int:
        """Columns of C of a block."""
        return self.columns * self.across

    def row(self, i: int) -> int:
        """The row of C, in the block, of a thread's row i; `piece` more for each thread down."""
        return i // self.piece * self.piece * self.down + i % self.piece

    def column(self, j: int) -> int:
        """The column of C, in the block, of a thread's column j; likewise."""
        return j // self.piece * self.piece * self.across + j % self.piece


@functools.cache
def outer_product(tile: Tile) -> Callable[..., Any]:
    """The device function ``add_outer_product(a, a_at, b, b_at, results)``.

    results[i, j] += a[i] · b[j] for a thread's numbers of a column of A and of a row of B: a and b
    are arrays in shared memory, a_at and b_at the places of the thread's first numbers in them.
    """
    rows, columns, piece = tile.rows, tile.columns, tile.piece
    down_step, across_step = piece * tile.down, piece * tile.across
    load = load_into(piece)

    @device_function
    def add_outer_product(a, a_at, b, b_at, results):
        column = cuda.local.array(rows, a.dtype)
        row = cuda.local.array(columns, b.dtype)
        for p in range(rows // piece):
            load(a, a_at + uint32(p * down_step), column, p * piece)
        for p in range(columns // piece):
            load(b, b_at + uint32(p * across_step), row, p * piece)
        for i in range(rows):
            for j in range(columns):
                results[i * columns + j] += column[i] * row[j]

    return add_outer_product


@functools.cache
def products(tile: Tile, steps: int, a_step: int, b_step: int) -> Callable[..., Any]:
    """The device function ``add_products(a, a_at, b, b_at, results)`` of some steps of the sum.

    Parameters
    ----------
    tile : Tile
    steps : int
        A power of 2.
    a_step, b_step : int
        How far the next column of A, and row of B, is in shared memory.
    """
    if steps == 1:
        return outer_product(tile)
    # a loop of so long a body stays a loop; halves that call their halves become straight code
    half = products(tile, steps // 2, a_step, b_step)
    a_half, b_half = steps // 2 * a_step, steps // 2 * b_step

    @device_function
    def add_products(a, a_at, b, b_at, results):
        half(a, a_at, b, b_at, results)
        half(a, a_at + uint32(a_half), b, b_at + uint32(b_half), results)

    return add_products


@device_function
def clear(results):
    """results[...] = 0, as a sum begins."""
    for i in range(len(results)):
        results[i] = results.dtype.type(0)


@functools.cache
def bias_adder(tile: Tile, piece: int) -> Callable[..., Any]:
    """The device function ``add_bias(results, bias, column, columns)``: C += bias.

    `column` is the thread's first in C, which has `columns`; the bias is read `piece` at a time.
    """
    rows_each, columns_each, side = tile.rows, tile.columns, tile.piece
    across_step = side * tile.across
    load, add = load_or_zeros(piece), _add_to_rows(rows_each, columns_each)

    @device_function
    def add_bias(results, bias, column, columns):
        numbers = cuda.local.array(columns_each, bias.dtype)
        for j in range(0, columns_each, piece):
            here = uint32(column + uint32(j // side * across_step + j % side))
            load(bias, here, here < columns, numbers, j)
        add(results, 0, numbers)

    return add_bias


@functools.cache
def _add_to_rows(rows: int, columns: int) -> Callable[..., Any]:
    """results[at:] += numbers, once for each row; straight code, as in `products`."""
    if rows == 1:
        @device_function
        def add_to_row(results, at, numbers):
            for j in range(columns):
                results[at + j] += numbers[j]

        return add_to_row

    half, further = _add_to_rows(rows // 2, columns), rows // 2 * columns

    @device_function
    def add_to_rows(results, at, numbers):
        half(results, at, numbers)
        half(results, at + further, numbers)

    return add_to_rows


# -- pieces ---------------------------------------------------------------------------------------


@functools.cache
def load_into(piece: int) -> Callable[..., Any]:
    """The device function ``load(array, i, numbers, j)``: numbers[j:] = a piece of array[i:].

    A piece may be a single number, as where rows do not begin on 16 bytes.
    """

    @device_function
    def load(array, i, numbers, j):
        if piece == 4:
            numbers[j], numbers[j + 1], numbers[j + 2], numbers[j + 3] = load4(array, i)
        elif piece == 2:
            numbers[j], numbers[j + 1] = load2(array, i)
        else:
            numbers[j] = array[i]

    return load


@functools.cache
def load_or_zeros(piece: int) -> Callable[..., Any]:
    """The device function ``load(array, i, inside, numbers, j)``: numbers[j:] = 0 if not inside."""
    load_inside = load_into(piece)

    @device_function
    def load(array, i, inside, numbers, j):
        for e in range(piece):
            numbers[j + e] = array.dtype.type(0)
        if inside:
            load_inside(array, i, numbers, j)

    return load


@functools.cache
def store_piece(piece: int) -> Callable[..., Any]:
    """The device function ``store(array, i, numbers, j)``: array[i:] = a piece of numbers[j:]."""

    @device_function
    def store(array, i, numbers, j):
        if piece == 4:
            store4(array, i, numbers[j], numbers[j + 1], numbers[j + 2], numbers[j + 3])
        elif piece == 2:
            store2(array, i, numbers[j], numbers[j + 1])
        else:
            array[i] = numbers[j]

    return store
