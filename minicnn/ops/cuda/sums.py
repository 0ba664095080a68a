"""Sums over rows in a fixed order: two runs give the same bits, which atomic adds do not.

Blocks that share the terms of a sum leave one part each, and a second kernel adds the parts. Both
are one kernel: it sums the columns of a matrix, its rows cut into pieces. Sums are float64, so that
a million terms cost no digits, and are rounded once at the end.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from minicnn.ops.cuda.array import DeviceArray, empty
from minicnn.ops.cuda.compile import cuda, kernel, uint32, uint64
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.register_tile import load_into

THREADS = 256
WARP = 32
BLOCKS_EACH = 8
"""Blocks of `THREADS` that one multiprocessor holds: so many loads hide the memory's latency."""
FEWEST_ROWS = 8
"""Rows that a thread sums at least, where there are so many: a piece costs a second look at it."""


@dataclass(frozen=True)
class Plan:
    """How the columns of a matrix are summed.

    Attributes
    ----------
    width : int
        Neighbouring columns a thread: 16 bytes of them, or 1 where rows do not begin on 16 bytes.
    across : int
        Threads side by side in a row, at most a warp; the others of the block take the next rows.
    strips : int
        Blocks side by side.
    pieces : int
        Blocks one below the other.
    rows : int
        Rows of a piece; the last may have fewer.
    """

    width: int
    across: int
    strips: int
    pieces: int
    rows: int


def plan(rows: int, columns: int, itemsize: int, multiprocessors: int) -> Plan:
    """The plan for a matrix of so many rows and columns; one piece where that fills the device."""
    width = 1 if columns * itemsize % 16 else 16 // itemsize
    across = min(2 ** math.ceil(math.log2(max(columns // width, 1))), WARP)
    strips = -(-columns // (across * width))
    wanted = BLOCKS_EACH * multiprocessors // strips
    possible = rows // (THREADS // across * FEWEST_ROWS)
    piece = -(-rows // max(1, min(wanted, possible)))
    return Plan(width, across, strips, max(1, -(-rows // max(piece, 1))), piece)


def column_sums(rows: DeviceArray, dtype: np.dtype | None = None) -> DeviceArray:
    """s[c] = Σ over r of rows[r, c]: (R, C) -> (C,), rounded to a dtype; at most two launches."""
    length, columns = rows.shape
    first = plan(length, columns, rows.dtype.itemsize, device().multiprocessors)
    if first.pieces == 1:
        return sum_parts(rows, dtype)
    parts = empty((first.pieces, columns), np.float64)
    _launch(first, rows, parts)
    return sum_parts(parts, dtype or rows.dtype)


def sum_parts(parts: DeviceArray, dtype: np.dtype | None = None) -> DeviceArray:
    """s[...] = Σ over z of parts[z, ...]: (Z, ...) -> (...), rounded to a dtype; one launch."""
    sums = empty(parts.shape[1:], dtype or parts.dtype)
    sum_into(parts, sums)
    return sums


def sum_into(parts: DeviceArray, sums: DeviceArray) -> None:
    """sums[...] = Σ over z of parts[z, ...]: parts (Z, ...), sums (...); one launch."""
    if sums.size:
        _launch(plan(parts.shape[0], sums.size, parts.dtype.itemsize, 0), parts, sums)


def _launch(plan: Plan, rows: DeviceArray, sums: DeviceArray) -> None:
    columns = sums.size // plan.pieces
    _sum_kernel(plan.width)[plan.strips, plan.pieces](
        rows, sums, np.uint64(rows.shape[0]), columns, plan.rows, plan.across
    )


@functools.cache
def _sum_kernel(width):
    load = load_into(width)
    pitch = THREADS + 16 // width  # between a thread's columns in shared memory: no bank conflicts
    values = pitch * width

    @kernel(threads=THREADS, blocks=BLOCKS_EACH)
    def sum_columns(rows, sums, length, columns, piece, across):
        """sums[z, c] = Σ of rows[r, c] over the rows r of piece z: (R, C) -> (Z, C)."""
        shared = cuda.shared.array(values, np.float64)
        totals = cuda.local.array(width, np.float64)
        numbers = cuda.local.array(width, rows.dtype)
        thread, z = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.y)
        lane, row = uint32(thread % across), uint32(thread // across)
        height = uint32(uint32(THREADS) // across)  # rows that the block reads at a time
        column = uint32((uint32(cuda.blockIdx.x) * across + lane) * uint32(width))
        inside = column < columns
        for e in range(width):
            totals[e] = 0.0

        # each thread: the rows r, r + height, ... of its piece
        first = uint64(z) * uint64(piece)
        rest = length - first
        count = piece if rest > uint64(piece) else uint32(rest)
        place = rows + ((first + uint64(row)) * uint64(columns) + uint64(column))
        step = uint64(height) * uint64(columns)
        r = row
        while inside and r < count:
            load(place, 0, numbers, 0)
            for e in range(width):
                totals[e] += np.float64(numbers[e])
            r = uint32(r + height)
            place = place + step

        # the block: the lower half of its rows onto the upper, until one is left
        for e in range(width):
            shared[uint32(e * pitch) + thread] = totals[e]
        while height > uint32(1):
            height = uint32(height // uint32(2))
            cuda.syncthreads()
            if row < height:
                for e in range(width):
                    here = uint32(uint32(e * pitch) + thread)
                    shared[here] += shared[here + uint32(height * across)]

        # one thread a column stores the sum, which another may have added up
        if width > 1:
            cuda.syncthreads()
        column = uint32(uint32(cuda.blockIdx.x) * across * uint32(width) + thread)
        if thread < across * uint32(width) and column < columns:
            total = shared[thread % uint32(width) * uint32(pitch) + thread // uint32(width)]
            (sums + uint64(z) * uint64(columns))[column] = sums.dtype.type(total)

    return sum_columns
