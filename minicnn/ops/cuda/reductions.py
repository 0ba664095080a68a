"""Reductions over many arrays: one launch leaves a sum for each block, and the host adds those."""

import functools
import math

import numpy as np

from minicnn.ops.cuda.array import empty
from minicnn.ops.cuda.compile import cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.flat import THREADS, VALUES, load_or_zeros
from minicnn.ops.cuda.intrinsics import pointer_to
from minicnn.ops.cuda.tables import ARRAY, COLUMNS, COUNT, START, by_dtype, table_of
from minicnn.ops.cuda.warps import WARP, block_sum

WARPS = THREADS // WARP
MOST_BLOCKS = 1024
"""Blocks that share all pieces: their sums are downloaded."""


def all_finite(arrays):
    """Whether no number of any array is NaN or infinite: then the sum of all x - x is 0."""
    return all(not np.isnan(sums).any() for sums in _sums(arrays, _difference))


def global_norm(arrays):
    """sqrt(Σ over all arrays of Σ a²), in float64."""
    return math.sqrt(sum(float(sums.sum()) for sums in _sums(arrays, _square)))


def _sums(arrays, term):
    """Σ term(a) of each block, for all arrays of one dtype at a time."""
    for real, (some,) in by_dtype(arrays):
        table = table_of(some)
        pieces = len(table.pieces)
        if pieces:
            sums = empty((min(pieces, MOST_BLOCKS),), np.float64)
            _sum_kernel(real, term)[len(sums)](*table, pieces, sums)
            yield np.asarray(sums)


@device_function
def _difference(x):
    """0, or NaN where x is NaN or infinite."""
    return np.float64(x - x)


@device_function
def _square(x):
    return np.float64(x) * np.float64(x)


@functools.cache
def _sum_kernel(real, term):
    @kernel(threads=THREADS)
    def sum_terms(pieces, addresses, count_of_pieces, sums):
        """sums[block] = Σ term(x) over the block's pieces: block, block + blocks, ..."""
        shared = cuda.shared.array(WARPS, np.float64)
        total, block = 0.0, uint32(cuda.blockIdx.x)
        number = block
        while number < count_of_pieces:
            piece = pieces + uint64(number) * uint64(COLUMNS)
            x = pointer_to(addresses[piece[ARRAY]], real) + piece[START]
            count = uint32(piece[COUNT])
            i = uint32(uint32(4) * uint32(cuda.threadIdx.x))
            while i < count:
                a, b, c, d = load_or_zeros(x, i, count)
                total += (term(a) + term(b)) + (term(c) + term(d))
                i = uint32(i + uint32(VALUES))
            number = uint32(number + uint32(cuda.gridDim.x))
        total = block_sum(total, shared, WARPS)
        if uint32(cuda.threadIdx.x) == uint32(0):
            sums[block] = total

    return sum_terms
