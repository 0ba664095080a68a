"""Kernels that do one thing as fast as it goes, for what a GPU reaches at best."""

import functools
from typing import Any

from minicnn.ops.cuda.compile import cuda, kernel, uint32
from minicnn.ops.cuda.intrinsics import clock, load4, store4

THREADS = 256

SHARED = 8 * THREADS
"""Numbers in the shared memory of a block: 16 rows of 32 pieces of 16 bytes."""

ROWS = 8
"""Loads from one address."""

CHAINS = 16
"""Sums of a thread that do not wait for each other."""

LOADS = 256
"""Loads of a thread between two looks at the clock."""


@kernel(threads=THREADS)
def copy(x, y, quarters):
    """y = x, 16 bytes a thread."""
    i = uint32(cuda.grid(1))
    if i < quarters:
        place = uint32(i * uint32(4))
        a, b, c, d = load4(x, place)
        store4(y, place, a, b, c, d)


@functools.cache
def multiply_add_kernel(steps: int) -> Any:
    """Every thread makes ``steps · CHAINS`` multiply-adds in registers."""

    @kernel(threads=THREADS)
    def multiply_add(y, factor):
        i = uint32(cuda.grid(1))
        sums = cuda.local.array(CHAINS, y.dtype)
        for k in range(CHAINS):
            sums[k] = y.dtype.type(k)
        for _ in range(steps):
            for k in range(CHAINS):
                sums[k] = sums[k] * factor + factor
        total = sums[0]
        for k in range(1, CHAINS):
            total += sums[k]
        y[i] = total

    return multiply_add


@functools.cache
def shared_load_kernel(pieces: int) -> Any:
    """Each warp reads so many different pieces of 16 bytes a load; lanes that share one, together.

    The block notes its cycles: the last clock of its warps less the first.
    """

    @kernel(threads=THREADS)
    def shared_load(y, first, last, step):
        i = uint32(cuda.threadIdx.x)
        shared = cuda.shared.array(SHARED, y.dtype, alignment=16)
        zero = y.dtype.type(0)
        for k in range(2):
            store4(shared, uint32(uint32(k * THREADS + i) * uint32(4)), zero, zero, zero, zero)
        cuda.syncthreads()
        piece = uint32(uint32(i % uint32(32)) // uint32(32 // pieces))
        start, total = uint32(piece * uint32(4)), zero
        began = clock()
        for _ in range(LOADS // ROWS):
            for row in range(ROWS):  # from one address, as the unrolled main loops of products
                a, b, c, d = load4(shared, uint32(start + uint32(row * 128)))
                total += (a + b) + (c + d)
            start = uint32(uint32(start + step) % uint32(8 * 128))  # nobody knows it beforehand
        ended = clock()
        place = uint32(uint32(cuda.blockIdx.x) * uint32(THREADS) + i)
        y[place] = total
        first[place] = began
        last[place] = ended

    return shared_load


@kernel(threads=32)
def nothing(x):
    """Only a launch."""
