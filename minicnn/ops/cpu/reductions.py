"""Reductions over many arrays: are all numbers finite, and what is their norm."""

import numpy as np

from minicnn.compiling.kernels import parallel, worker
from minicnn.ops.cpu.linalg.blocks import BLOCKS, block_of
from minicnn.ops.reference.reductions import global_norm as global_norm  # NumPy's sum is pairwise


def all_finite(arrays):
    """Whether no number of any array is NaN or infinite."""
    found = np.zeros(BLOCKS, np.bool_)
    for array in arrays:
        _find_not_finite(BLOCKS, array.reshape(-1), found)
    return not found.any()


@worker
def _block_not_finite(x, start, stop):
    x = x[start:stop]
    found = False
    for i in range(x.size):
        found |= not np.isfinite(x[i])
    return found


@parallel
def _find_not_finite(block, x, found):
    found[block] |= _block_not_finite(x, *block_of(block, x.size))
