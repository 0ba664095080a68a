"""Races: two threads touch one place, one of them writes, and nothing orders them.

Of every few bytes of memory four numbers are kept, its shadow: who wrote it last and when, who read
it last and when. The who is

    who = (number of the thread block, counted over all launches) · 2¹³ + strength · 2¹¹ + thread

and the when

    when = (barriers that the block has passed) · 2²⁴ + (bar.warp.sync that the warp has passed).

Two accesses are ordered if one thread makes both, if a barrier of their block lies between, or a
``bar.warp.sync`` of their warp. Threads of different blocks are never ordered within a launch.
Atomic and volatile accesses (strong ones) do not race with each other, nor does an atomic
compare-and-swap race with a plain read: it finds out whether what was read is still there. An order
that a program makes with atomics and fences alone is not understood.

Several unordered readers are remembered together: as some thread of their block, or, if they come
from several blocks, as ANYBODY.
"""

from threading import Lock
from typing import Any

from numba import njit

from minicnn.ptx.access import COMPILED

Array = Any

THREAD, BLOCK_SHIFT, BARRIER_SHIFT = (1 << 11) - 1, 13, 24

PLAIN, STRONG, SWAP = 0, 1 << 11, 3 << 11
"""How strong an access is; a compare-and-swap is strong too."""

SOMEBODY = THREAD
"""The thread of `who` that stands for several threads of one block."""

ANYBODY = -1
"""The `who` that stands for threads of several blocks; its when is a block's number."""

READ, WRITE = 0, 1

_next = 1
_numbering = Lock()


def number_blocks(blocks: int) -> int:
    """Numbers for thread blocks that no block before had: the first of them."""
    global _next
    with _numbering:
        first, _next = _next, _next + blocks
    return first


@njit(**COMPILED)
def ordered(old_who: int, old_when: int, who: int, when: int) -> bool:
    """Whether the old access lies before the new one for certain."""
    if old_who < 0 or old_who >> BLOCK_SHIFT != who >> BLOCK_SHIFT:
        return False
    if old_when >> BARRIER_SHIFT < when >> BARRIER_SHIFT:
        return True
    old_thread, thread = old_who & THREAD, who & THREAD
    if old_thread == SOMEBODY:
        return False
    return old_thread == thread or (old_thread >> 5 == thread >> 5 and old_when < when)


@njit(**COMPILED)
def recent(who: int, when: int, first_block: int) -> bool:
    """Whether an access belongs to this launch."""
    return (when if who == ANYBODY else who >> BLOCK_SHIFT) >= first_block


@njit(**COMPILED)
def clashes(old_who: int, old_when: int, who: int, when: int, writer: int, reads: bool,
            first_block: int) -> bool:
    """Whether two accesses race, of which `writer` writes and the other one may only read."""
    if not recent(old_who, old_when, first_block) or ordered(old_who, old_when, who, when):
        return False
    if reads and writer != ANYBODY and writer & SWAP == SWAP:
        return False
    return old_who == ANYBODY or not (old_who & who & STRONG)


@njit(**COMPILED)
def touch(shadow: Array, granule: int, places: Array, size: int, active: Array, who: Array,
          when: Array, writes: bool, strength: int, first_block: int) -> tuple[int, int, int, int]:
    """Note an access of every active lane; stops at the first race.

    Returns
    -------
    lane, place, who, kind
        The racing lane, or -1; the place; who touched it before; `READ` or `WRITE`.
    """
    for lane in range(active.size):
        if not active[lane]:
            continue
        me, now = who[lane] | strength, when[lane]
        for cell in range(places[lane] // granule, (places[lane] + size) // granule):
            row = shadow[cell]
            if row[0] != 0 and clashes(
                    row[0], row[1], me, now, row[0], not writes, first_block):
                return lane, cell * granule, row[0], WRITE
            if writes:
                if row[2] != 0 and clashes(
                        row[2], row[3], me, now, me, True, first_block):
                    return lane, cell * granule, row[2], READ
                row[0], row[1], row[2], row[3] = me, now, 0, 0
            elif row[2] == 0 or not recent(row[2], row[3], first_block) \
                    or ordered(row[2], row[3], me, now):
                row[2], row[3] = me, now
            elif row[2] != ANYBODY:
                block = me >> BLOCK_SHIFT
                if row[2] >> BLOCK_SHIFT == block:
                    row[2] = block << BLOCK_SHIFT | row[2] & me & STRONG | SOMEBODY
                    row[3] = max(row[3], now)
                else:
                    row[2], row[3] = ANYBODY, max(block, row[2] >> BLOCK_SHIFT)
    return -1, 0, 0, 0
