"""Races: two threads touch one place, one of them writes, and nothing orders them.

Of every few bytes of memory eight numbers are kept, its shadow: who made the last plain write,
atomic operation, plain read and volatile read, and when each was. The who is

    who = (number of the thread block, counted over all launches) · 2¹⁴ + strength · 2¹² + thread

and the when

    when = (barriers that the block has passed) · 2²⁴ + (bar.warp.sync that the lane has passed).

Two accesses are ordered if one thread makes both, if a barrier of their block lies between, or a
``bar.warp.sync`` whose mask names both lanes, or several that hand the order on. Each lane keeps
for that a row of `seen`: seen[j] = the when of lane j of its warp before which all that lane j did
lies before what this lane does now. Threads of different blocks are never ordered within a launch.
Atomic and volatile accesses (strong ones) do not race with each other, nor does an atomic
compare-and-swap race with a plain read: it finds out whether what was read is still there. An order
that a program makes with atomics and fences alone is not understood.

Several unordered accesses that do not race with each other are remembered together: as some threads
of their warp, of their block, or, if they come from several blocks, as ANYBODY. Those of a warp are
known by their latest: a race with another of them goes unnoticed if a ``bar.warp.sync`` of a part
of the warp puts the latest alone in order.
"""

from threading import Lock
from typing import Any

from numba import njit

from minicnn.ptx.access import COMPILED

Array = Any

THREAD, BLOCK_SHIFT, BARRIER_SHIFT = (1 << 12) - 1, 14, 24

PLAIN, STRONG, SWAP = 0, 1 << 12, 3 << 12
"""How strong an access is; a compare-and-swap is strong too."""

OF_A_WARP = 1 << 10
"""Added to the thread of `who` that was the latest of several threads of its warp."""

SOMEBODY = THREAD
"""The thread of `who` that stands for threads of several warps of one block."""

ANYBODY = -1
"""The `who` that stands for threads of several blocks; its when is a block's number."""

WRITTEN, CHANGED, READ_PLAIN, READ_STRONG = 0, 2, 4, 6
"""Where the who of each kind stands in a shadow's row; its when is the next number."""

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
def ordered(old_who: int, old_when: int, who: int, when: int, seen: Array) -> bool:
    """Whether the old access lies before the new one for certain; `seen`: of the new one's lane."""
    if old_who < 0 or old_who >> BLOCK_SHIFT != who >> BLOCK_SHIFT:
        return False
    if old_when >> BARRIER_SHIFT < when >> BARRIER_SHIFT:
        return True
    old_thread, thread = old_who & THREAD, who & THREAD
    if old_thread == SOMEBODY:
        return False
    if old_thread == thread:
        return True
    return _warp(old_thread) == _warp(thread) and old_when < seen[old_thread & 31]


@njit(**COMPILED)
def _warp(thread: int) -> int:
    """The warp of a thread, or of several that are remembered together."""
    return (thread & OF_A_WARP - 1) >> 5


@njit(**COMPILED)
def clashes(row: Array, kind: int, who: int, when: int, seen: Array, first_block: int) -> bool:
    """Whether an access races with the one that a row remembers, if one of them writes."""
    old_who, old_when = row[kind], row[kind + 1]
    return old_who != 0 and _recent(old_who, old_when, first_block) \
        and not ordered(old_who, old_when, who, when, seen)


@njit(**COMPILED)
def _recent(who: int, when: int, first_block: int) -> bool:
    """Whether an access belongs to this launch."""
    return (when if who == ANYBODY else who >> BLOCK_SHIFT) >= first_block


@njit(**COMPILED)
def remember(row: Array, kind: int, who: int, when: int, seen: Array, first_block: int) -> None:
    """Note an access that does not race with others of its kind."""
    old_who, old_when = row[kind], row[kind + 1]
    if not clashes(row, kind, who, when, seen, first_block):
        row[kind], row[kind + 1] = who, when
    elif old_who != ANYBODY:
        block, old_block = who >> BLOCK_SHIFT, old_who >> BLOCK_SHIFT
        if old_block != block:
            row[kind], row[kind + 1] = ANYBODY, max(block, old_block)
            return
        old_thread, thread = old_who & THREAD, who & THREAD
        together = SOMEBODY
        if old_thread != SOMEBODY and _warp(old_thread) == _warp(thread):
            together = OF_A_WARP | (thread if when >= old_when else old_thread)
        row[kind] = block << BLOCK_SHIFT | (old_who & who & SWAP) | together
        row[kind + 1] = max(old_when, when)


@njit(**COMPILED)
def touch(shadow: Array, granule: int, places: Array, size: int, active: Array, who: Array,
          when: Array, seen: Array, writes: bool, strength: int, first_block: int
          ) -> tuple[int, int, int, int]:
    """Note an access of every active lane; stops at the first race.

    Returns
    -------
    lane, place, who, kind
        The racing lane, or -1; the place; who touched it before; `READ` or `WRITE`.
    """
    for lane in range(active.size):
        if not active[lane]:
            continue
        me, now, known = who[lane] | strength, when[lane], seen[lane]
        for cell in range(places[lane] // granule, (places[lane] + size) // granule):
            row, place = shadow[cell], cell * granule
            if clashes(row, WRITTEN, me, now, known, first_block):
                return lane, place, row[WRITTEN], WRITE
            if strength == PLAIN and clashes(row, CHANGED, me, now, known, first_block) and (
                    writes or row[CHANGED] == ANYBODY or row[CHANGED] & SWAP != SWAP):
                return lane, place, row[CHANGED], WRITE
            if writes and strength != SWAP and clashes(
                    row, READ_PLAIN, me, now, known, first_block):
                return lane, place, row[READ_PLAIN], READ
            if writes and strength == PLAIN:
                if clashes(row, READ_STRONG, me, now, known, first_block):
                    return lane, place, row[READ_STRONG], READ
                row[WRITTEN], row[WRITTEN + 1] = me, now
                row[CHANGED] = row[READ_PLAIN] = row[READ_STRONG] = 0
            else:
                kind = CHANGED if writes else READ_PLAIN if strength == PLAIN else READ_STRONG
                remember(row, kind, me, now, known, first_block)
    return -1, 0, 0, 0


@njit(**COMPILED)
def meet(masks: Array, active: Array, when: Array, seen: Array) -> None:
    """The active lanes of each mask pass a ``bar.warp.sync``: each knows what all of them know."""
    for lane in range(active.size):
        first, own = lane - lane % 32, masks[lane]
        if not active[lane]:
            continue
        lowest = True
        for other in range(first, lane):
            lowest = lowest and not (active[other] and masks[other] == own)
        if not lowest:
            continue
        for other in range(lane, first + 32):
            if active[other] and masks[other] == own:
                when[other] += 1
                seen[other, other - first] = when[other]
        for known in range(32):
            latest = 0
            for other in range(lane, first + 32):
                if active[other] and masks[other] == own:
                    latest = max(latest, seen[other, known])
            for other in range(lane, first + 32):
                if active[other] and masks[other] == own:
                    seen[other, known] = latest
