"""A memory instruction, lane by lane: where it leads, whether it may, and the move itself.

Compiled by Numba: each function is the plain loop over the lanes that NumPy could only spread over
many temporary arrays.
"""

from typing import Any

import numpy as np
from numba import njit

from minicnn.ptx.memory import ON_ITS_WAY, WRITTEN

Array = Any

FINE, OUTSIDE, MISALIGNED, UNWRITTEN, UNFINISHED = 0, 1, 2, 3, 4
"""What an access can be: in its array, or not, and so on."""

ADD, MINIMUM, MAXIMUM, EXCHANGE, COMPARE_AND_SWAP, INCREMENT, DECREMENT, AND, OR, XOR = range(10)

ATOMICS = {
    "add": ADD, "min": MINIMUM, "max": MAXIMUM, "exch": EXCHANGE, "cas": COMPARE_AND_SWAP,
    "inc": INCREMENT, "dec": DECREMENT, "and": AND, "or": OR, "xor": XOR,
}
"""The atomic operations by the words of PTX."""

COMPILED: dict[str, Any] = {"cache": True, "nogil": True, "no_cfunc_wrapper": True}


@njit(**COMPILED)
def find(addresses: Array, offset: int, active: Array, base: Array, starts: Array, ends: Array,
         known: Array, size: int, alignment: int, reads: bool, places: Array
         ) -> tuple[int, Any, Any]:
    """Fill in `places` with where each lane's `size` bytes lie; or say which lane may not.

    A lane's address, plus `offset`, counts from ``base[lane]``. Returns the verdict, the lane and
    its address.
    """
    array = 0
    for lane in range(active.size):
        if not active[lane]:
            continue
        address = np.int64(addresses[lane]) + offset
        if array >= starts.size or not (
                starts[array] <= address <= ends[array] - size):
            low, high = 0, starts.size
            while low < high:  # the first array that begins after the address
                middle = (low + high) // 2
                if starts[middle] <= address:
                    low = middle + 1
                else:
                    high = middle
            array = max(low - 1, 0)
            if array >= starts.size or not (
                    starts[array] <= address <= ends[array] - size):
                return OUTSIDE, lane, address
        if address % alignment:
            return MISALIGNED, lane, address
        place = base[lane] + address
        places[lane] = place
        if reads:
            for byte in range(place, place + size):
                if known[byte] != WRITTEN:
                    unfinished = known[byte] == ON_ITS_WAY
                    return UNFINISHED if unfinished else UNWRITTEN, lane, address + byte - place
    return FINE, 0, 0


@njit(**COMPILED)
def gather(cells: Array, places: Array, at: int, active: Array, target: Array) -> None:
    """target[lane] = the cell `at` bytes after the lane's place."""
    width = cells.itemsize
    for lane in range(active.size):
        if active[lane]:
            target[lane] = cells[(places[lane] + at) // width]


@njit(**COMPILED)
def scatter(cells: Array, places: Array, at: int, active: Array, values: Array) -> None:
    """The cell `at` bytes after the lane's place = values[lane], in the order of the lanes."""
    width = cells.itemsize
    for lane in range(active.size):
        if active[lane]:
            cells[(places[lane] + at) // width] = values[lane]


@njit(**COMPILED)
def mark(known: Array, places: Array, size: int, active: Array, state: int) -> None:
    """Note what is known of the bytes from now on."""
    for lane in range(active.size):
        if active[lane]:
            known[places[lane]:places[lane] + size] = state


@njit(**COMPILED)
def exchange(cells: Array, places: Array, active: Array, operation: int, a: Array, b: Array,
             old: Array) -> None:
    """An atomic operation: one lane after the other, in their order."""
    width = cells.itemsize
    for lane in range(active.size):
        if not active[lane]:
            continue
        place = places[lane] // width
        was, value = cells[place], a[lane]
        old[lane] = was
        if operation == ADD:
            cells[place] = was + value
        elif operation == MINIMUM:
            cells[place] = value if value < was else was
        elif operation == MAXIMUM:
            cells[place] = value if value > was else was
        elif operation == EXCHANGE:
            cells[place] = value
        elif operation == COMPARE_AND_SWAP:
            if was == value:
                cells[place] = b[lane]
        elif operation == INCREMENT:
            cells[place] = was - was if was >= value else was + 1
        elif operation == DECREMENT:
            cells[place] = value if was == 0 or was > value else was - 1


@njit(**COMPILED)
def exchange_bits(cells: Array, places: Array, active: Array, operation: int, a: Array, old: Array
                  ) -> None:
    """An atomic operation on bits."""
    width = cells.itemsize
    for lane in range(active.size):
        if active[lane]:
            place = places[lane] // width
            was = cells[place]
            old[lane] = was
            if operation == AND:
                cells[place] = was & a[lane]
            elif operation == OR:
                cells[place] = was | a[lane]
            else:
                cells[place] = was ^ a[lane]
