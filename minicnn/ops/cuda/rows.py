"""Rows of channels on blocks of threads: who owns which channel, and how a block adds up.

An array (..., C) is seen as (m, C): m rows of C channels. A thread owns some neighbouring
channels, its lanes, and steps down the rows; the threads beside it own the next channels, so that
neighbours read neighbouring addresses. ``strip`` threads stand side by side along a row, and a
block of threads takes ``at_once`` rows at a time, ``rows`` rows in all.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.ops.cuda.compile import cuda, device_function, uint32, uint64
from minicnn.ops.cuda.intrinsics import load4, store4

THREADS = 256
"""Threads a block."""

FEW_ROWS = 16
"""How many rows are summed in their own dtype: few enough to round like a single one."""

_MOST_PLACES = 2**31
"""Numbers in the rows of a block: they are counted in 32 bits."""


@dataclass(frozen=True)
class Tiling:
    """How (m, C) is shared out: a grid of ``blocks`` blocks down the rows and ``strips`` across.

    All but the last block down have the same number of rows, a multiple of ``FEW_ROWS · at_once``.
    """

    lanes: int
    strip: int
    at_once: int
    rows: int
    blocks: int
    strips: int

    @property
    def grid(self) -> tuple[int, int]:
        """(down, across)."""
        return self.blocks, self.strips


def tiling_of(m: int, channels: int, dtype: np.dtype, blocks: int) -> Tiling:
    """The tiling of m rows of channels, by so many blocks if the rows suffice.

    Parameters
    ----------
    m, channels : int
    dtype : numpy.dtype
        Of x.
    blocks : int
        How many the device runs at once.
    """
    lanes = lanes_of(channels, dtype)
    groups = channels // lanes
    strips = -(-groups // THREADS)
    strip = -(-groups // strips)
    at_once = THREADS // strip
    step = at_once * FEW_ROWS
    wanted = max(blocks // strips, -(-m * channels // _MOST_PLACES), 1)
    rows = -(-m // (wanted * step)) * step
    return Tiling(lanes, strip, at_once, rows, -(-m // rows), strips)


def lanes_of(channels: int, dtype: np.dtype) -> int:
    """Channels a thread: 4 of float32 where every row begins on 16 bytes, else one.

    Of float64, which is there to check with, always one: that halves its kernels.
    """
    return 4 if dtype.itemsize == 4 and channels % 4 == 0 else 1


@device_function
def rows_of_block(rows, m):
    """The first row of this block, and how many it has."""
    start = uint64(cuda.blockIdx.x) * uint64(rows)
    return start, uint32(min(uint64(rows), m - start))


@device_function
def place_of_thread(lanes, strip):
    """A thread's first row of the block, its place in the strip, and the strip's first channel."""
    thread = uint32(cuda.threadIdx.x)
    row = uint32(thread // strip)
    c_of_strip = uint32(uint32(cuda.blockIdx.y) * strip * uint32(lanes))
    return row, uint32((thread - row * strip) * uint32(lanes)), c_of_strip


@functools.cache
def moves(lanes: int) -> tuple[Callable[..., Any], Callable[..., None]]:
    """``load(x, i)``, a tuple of so many lanes from x[i] on, and ``store(y, i, lanes)``."""

    @device_function
    def load(x, i):
        if lanes == 4:
            return load4(x, i)
        return (x[i],)

    @device_function
    def store(y, i, values):
        if lanes == 4:
            store4(y, i, values[0], values[1], values[2], values[3])
        else:
            y[i] = values[0]

    return load, store


@functools.cache
def block_sums(entries: int) -> Callable[..., None]:
    """``add_up(values, shared, strip, rows)``: sums over the threads that own the same channels.

    Each thread brings as many values as there are entries. After it ``shared[entry · THREADS + t]``
    is the sum of the threads t, t + strip, t + 2 · strip and so on, for each t below strip. Thread
    t itself may read it at once, the others after a barrier.
    """

    @device_function
    def add_up(values, shared, strip, rows):
        thread = uint32(cuda.threadIdx.x)
        for entry in range(entries):
            shared[entry * THREADS + thread] = values[entry]
        while rows > uint32(1):  # the second half of the rows is added to the first
            cuda.syncthreads()
            half = uint32((rows + uint32(1)) // uint32(2))
            if thread < uint32((rows - half) * strip):
                partner = uint32(thread + half * strip)
                for entry in range(entries):
                    shared[entry * THREADS + thread] += shared[entry * THREADS + partner]
            rows = half

    return add_up


@device_function
def total_of_block(shared, s, k, lanes):
    """A block's sum s, 0 or 1, of channel k of its strip, where `block_sums` left it."""
    entry = uint32(s * lanes + k % uint32(lanes))
    return shared[entry * uint32(THREADS) + k // uint32(lanes)]
