"""What the 32 lanes of a warp do together: shuffles, votes, matrix products.

A lane whose value another one takes has to take part: on a GPU the value is undefined otherwise,
which is told by the lane's number in the results of `shuffle`.
"""

from typing import Any

import numpy as np
from numba import njit

from minicnn.ptx.access import COMPILED

Array = Any

UP, DOWN, BUTTERFLY, INDEXED = range(4)

SHUFFLES = {"up": UP, "down": DOWN, "bfly": BUTTERFLY, "idx": INDEXED}
VOTES = ("all", "any", "uni", "ballot")


@njit(**COMPILED)
def shuffle(values: Array, by: Array, clamps: Array, masks: Array, mode: int, active: Array,
            taken: Array, inside: Array) -> int:
    """taken[lane] = the value of another lane, or the own one where that lies outside a segment.

    Returns the first lane that takes from a lane that takes no part, or -1.
    """
    for lane in range(active.size):
        if not active[lane]:
            continue
        own = lane % 32
        clamp, segment = clamps[lane] & 31, clamps[lane] >> 8 & 31
        step = by[lane] & 31
        lowest = own & segment
        highest = lowest | (clamp & ~segment & 31)
        if mode == UP:
            other = np.int64(own) - np.int64(step)
            good = other >= np.int64(highest)
        else:
            if mode == DOWN:
                other = np.int64(own) + np.int64(step)
            elif mode == BUTTERFLY:
                other = np.int64(own) ^ np.int64(step)
            else:
                other = np.int64(lowest) | (np.int64(step) & ~np.int64(segment) & 31)
            good = other <= np.int64(highest)
        source = lane - own + other if good else lane
        if not (active[source] and masks[lane] >> source % 32 & 1):
            return lane
        taken[lane], inside[lane] = values[source], good
    return -1


@njit(**COMPILED)
def ballot(votes: Array, active: Array, masks: Array, result: Array) -> None:
    """result[lane] = a bit for each lane of the mask that votes yes."""
    for lane in range(active.size):
        if active[lane]:
            first, bits = lane - lane % 32, 0
            for other in range(32):
                if active[first + other] and votes[first + other] and masks[lane] >> other & 1:
                    bits |= 1 << other
            result[lane] = bits


@njit(**COMPILED)
def match(values: Array, active: Array, masks: Array, result: Array) -> None:
    """result[lane] = a bit for each lane of the mask that has the same value."""
    for lane in range(active.size):
        if active[lane]:
            first, bits = lane - lane % 32, 0
            for other in range(32):
                if active[first + other] and values[first + other] == values[lane] \
                        and masks[lane] >> other & 1:
                    bits |= 1 << other
            result[lane] = bits


@njit(**COMPILED)
def missing(masks: Array, here: Array, alive: Array, ready: Array) -> int:
    """ready[lane] = whether all living lanes of the lane's mask are here with the same mask.

    Returns the first lane that is here and not in its own mask, or -1.
    """
    for first in range(0, here.size, 32):
        living, mask, present = np.int64(0), np.int64(-1), np.int64(0)
        for lane in range(32):
            living |= np.int64(alive[first + lane]) << lane
        for lane in range(32):
            if here[first + lane] and masks[first + lane] != mask:
                mask, present = np.int64(masks[first + lane]), np.int64(0)
                for other in range(32):
                    same = here[first + other] and masks[first + other] == mask
                    present |= np.int64(same) << other
            ready[first + lane] = here[first + lane] and not (mask & living & ~present)
            if here[first + lane] and not mask >> lane & 1:
                return first + lane
    return -1


def reduce(operation: str, values: Array, active: Array, masks: Array) -> Array:
    """redux.sync: the sum, minimum and so on over the lanes of each mask."""
    function = {"add": np.add, "min": np.minimum, "max": np.maximum, "and": np.bitwise_and,
                "or": np.bitwise_or, "xor": np.bitwise_xor}[operation]
    result = values.copy()
    for lane in np.flatnonzero(active):
        first = lane - lane % 32
        chosen = active[first:first + 32] & (masks[lane] >> np.arange(32, dtype=np.uint32) & 1 != 0)
        result[lane] = function.reduce(values[first:first + 32][chosen], dtype=values.dtype)
    return result


def matrix_product(name: str, a: list[Array], b: list[Array], c: list[Array]) -> list[Array]:
    """mma.sync: D (16, 8) = A (16, k) B (k, 8) + C (16, 8), a fragment of each in every lane.

    Products are exact and summed in float64; a chip sums them in an order and a precision of its
    own. TF32 operands lose their lower 13 bits; lane 4g + q holds row g and columns of q.
    """
    lanes = np.arange(32)
    group, quarter = lanes >> 2, lanes & 3
    warps = c[0].size // 32

    def spread(matrix: Array, rows: Array, columns: Array, register: Array) -> None:
        matrix[:, rows, columns] = register.reshape(warps, 32)

    if "tf32" in name:
        depth = 8
        left, right = np.zeros((warps, 16, depth)), np.zeros((warps, depth, 8))
        a, b = ([(bits & np.uint32(0xFFFFE000)).view(np.float32) for bits in x] for x in (a, b))
        for number, (row, column) in enumerate(((0, 0), (8, 0), (0, 4), (8, 4))):
            spread(left, group + row, quarter + column, a[number])
        for number, row in enumerate((0, 4)):
            spread(right, quarter + row, group, b[number])
    else:
        depth = 16
        left, right = np.zeros((warps, 16, depth)), np.zeros((warps, depth, 8))
        for half in (0, 1):  # two numbers of 16 bits in each register
            for number, (row, column) in enumerate(((0, 0), (8, 0), (0, 8), (8, 8))):
                spread(left, group + row, 2 * quarter + column + half, _half(a[number], half, name))
            for number, row in enumerate((0, 8)):
                spread(right, 2 * quarter + row + half, group, _half(b[number], half, name))
    start = np.zeros((warps, 16, 8))
    places = [(group + row, 2 * quarter + column) for row in (0, 8) for column in (0, 1)]
    for (rows, columns), register in zip(places, c, strict=True):
        spread(start, rows, columns, register)
    product = (left @ right + start).astype(np.float32)
    return [product[:, rows, columns].reshape(-1) for rows, columns in places]


def _half(bits: Array, upper: int, name: str) -> Array:
    """One of the two numbers of a register: bfloat16 or float16."""
    chosen = (bits >> np.uint32(16 * upper)) & np.uint32(0xFFFF)
    if "bf16" in name:
        return (chosen << np.uint32(16)).view(np.float32)
    return chosen.astype(np.uint16).view(np.float16)
