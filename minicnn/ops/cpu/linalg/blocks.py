"""How work is shared among threads: blocks that do not depend on the machine.

Sums go into one row a block and are added up in the order of the blocks, so that a result depends
neither on timing nor on the number of threads.
"""

from numba.extending import register_jitable

from minicnn.compiling.kernels import worker

BLOCKS = 32
"""Into how many blocks the rows of an array are cut: enough for many threads to share evenly."""


@worker
def block_of(block: int, rows: int) -> tuple[int, int]:
    """First row, and the one after the last, of this block out of `BLOCKS`."""
    return block * rows // BLOCKS, (block + 1) * rows // BLOCKS


@worker
def pieces_of(block: int, rows: int, piece: int) -> tuple[int, int]:
    """As `block_of`, but only whole pieces of so many rows, except at the end of all."""
    start, stop = block_of(block, (rows + piece - 1) // piece)
    return min(start * piece, rows), min(stop * piece, rows)


@register_jitable
def round_up(number: int, step: int) -> int:
    """The smallest multiple of `step` that is not below `number`; in compiled code too."""
    return (number + step - 1) // step * step
