"""How work is shared among threads: Numba's options, and blocks that do not depend on the machine.

Every threaded kernel is a pair: a serial worker that does one block, and a ``parallel=True``
function that holds nothing but a ``prange`` over the blocks (anything more costs seconds of
compile time). Sums go into one row a block and are added up in the order of the blocks, so that a
result depends neither on timing nor on the number of threads.

A worker with a loop over single elements takes its block as a slice first: Numba then knows that no
index is negative, and LLVM turns the loop into vector instructions.

Threads that wait for each other spin for about half a millisecond, then sleep (`GOMP_SPINCOUNT`,
where the user has not set it or `OMP_WAIT_POLICY`). Between the kernels of a training step they
stay awake, for waking one takes 0.08 ms; on a busy machine a waiting thread does not keep the core
that the others are waiting for.
"""

import os
from typing import Any

from numba import njit
from numba.extending import register_jitable

if "OMP_WAIT_POLICY" not in os.environ:  # both are read when Numba starts its threads
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

BLOCKS = 32
"""Into how many blocks the rows of an array are cut: enough for many threads to share evenly."""

SERIAL: dict[str, Any] = {
    "cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True,
}
"""Options of all. No fastmath: code must notice NaN, and sums keep their order."""

WORKER: dict[str, Any] = {**SERIAL, "no_cpython_wrapper": True}
"""Options of a worker, which only compiled code calls: no time is spent on a door for Python."""

PARALLEL: dict[str, Any] = {**SERIAL, "parallel": True}
"""Options of the function that runs workers side by side."""


@njit(**WORKER)
def block_of(block: int, rows: int) -> tuple[int, int]:
    """First row, and the one after the last, of this block out of `BLOCKS`."""
    return block * rows // BLOCKS, (block + 1) * rows // BLOCKS


@njit(**WORKER)
def pieces_of(block: int, rows: int, piece: int) -> tuple[int, int]:
    """As `block_of`, but only whole pieces of so many rows, except at the end of all."""
    start, stop = block_of(block, (rows + piece - 1) // piece)
    return min(start * piece, rows), min(stop * piece, rows)


@register_jitable
def round_up(number: int, step: int) -> int:
    """The smallest multiple of `step` that is not below `number`; in compiled code too."""
    return (number + step - 1) // step * step
