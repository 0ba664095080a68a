"""How work is shared among threads: Numba's options, and blocks that do not depend on the machine.

Every threaded kernel is a pair: a serial worker that does one block, and a ``parallel=True``
function that holds nothing but a ``prange`` over the blocks (anything more costs seconds of
compile time). Sums go into one row a block and are added up in the order of the blocks, so that a
result depends neither on timing nor on the number of threads.

Threads that wait for each other sleep instead of spinning (`OMP_WAIT_POLICY`, where the user has
not set it): a few percent slower on an idle machine, but not several times slower on a busy one,
where a spinning thread takes the core that the others are waiting for.
"""

import os
from typing import Any

import numpy as np
from numba import njit

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when Numba starts its threads

BLOCKS = 32
"""Into how many blocks the rows of an array are cut: enough for many threads to share evenly."""

SERIAL: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
"""Options of a worker. No fastmath: code must notice NaN, and sums keep their order."""

PARALLEL: dict[str, Any] = {**SERIAL, "parallel": True}
"""Options of the function that runs workers side by side."""


@njit(**SERIAL)
def block_of(block: int, rows: int) -> tuple[int, int]:
    """First row, and the one after the last, of this block out of `BLOCKS`."""
    return block * rows // BLOCKS, (block + 1) * rows // BLOCKS


def block_sizes(rows: int) -> np.ndarray:
    """How many rows each block has, int64 (BLOCKS,)."""
    return np.diff(np.arange(BLOCKS + 1) * rows // BLOCKS)
