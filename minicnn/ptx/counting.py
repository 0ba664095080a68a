"""What a launch costs, counted from what it does: instructions, sectors, passes.

A warp's request of global memory moves whole sectors of 32 bytes. A request of shared memory takes
one pass if no bank has to give two different words: 32 banks hold words of 4 bytes in turn. A
request of 8 (16) bytes a lane is served in two (four) parts, each by itself.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from minicnn.ptx.access import COMPILED

Array = Any

SECTOR, BANKS, WORD = 32, 32, 4

WARPS, COST, LEAST, MOVED = range(4)
"""The columns of a request's row of counts."""


@njit(**COMPILED)
def count_sectors(places: Array, size: int, active: Array, counts: Array) -> None:
    """Add a request of global memory: how many sectors its warps touch, and how few could do."""
    sectors = np.empty(32, np.int64)
    for first in range(0, active.size, 32):
        lanes, found = 0, 0
        for lane in range(first, first + 32):
            if not active[lane]:
                continue
            lanes += 1
            sector = places[lane] // SECTOR
            at = found - 1  # the lane before often touches the same
            while at >= 0 and sectors[at] != sector:
                at -= 1
            if at < 0:
                sectors[found] = sector
                found += 1
        if lanes:
            counts[WARPS] += 1
            counts[COST] += found
            counts[LEAST] += min(found, -(-lanes * size // SECTOR))
            counts[MOVED] += found * SECTOR


@njit(**COMPILED)
def count_passes(places: Array, size: int, active: Array, counts: Array) -> None:
    """Add a request of shared memory: how many passes its warps take, and how few could do."""
    at_once = min(32, 32 * WORD // size)
    words = np.empty((BANKS, 32), np.int64)
    found = np.empty(BANKS, np.int64)
    for first in range(0, active.size, at_once):
        lanes = 0
        found[:] = 0
        for lane in range(first, first + at_once):
            if not active[lane]:
                continue
            lanes += 1
            for word in range(places[lane] // WORD, (places[lane] + size - 1) // WORD + 1):
                bank = word % BANKS
                at = found[bank] - 1
                while at >= 0 and words[bank, at] != word:
                    at -= 1
                if at < 0:
                    words[bank, found[bank]] = word
                    found[bank] += 1
        if lanes:
            counts[COST] += found.max()
            counts[LEAST] += 1
            counts[MOVED] += lanes * size
    for first in range(0, active.size, 32):
        if active[first:first + 32].any():
            counts[WARPS] += 1


class Request(NamedTuple):
    """What one memory instruction asked for, in all.

    Attributes
    ----------
    line : int
        Of the PTX.
    name : str
        The instruction.
    space : str
        ``"global"``, ``"shared"`` or ``"local"``.
    write : bool
    width : int
        Bytes a lane.
    warps : int
        How many times a warp ran it.
    cost : int
        Sectors of 32 bytes (global, local) or passes (shared).
    least : int
        How few would have done for as many bytes.
    moved : int
        Bytes: whole sectors of global and local memory, what lanes asked of shared memory.
    """

    line: int
    name: str
    space: str
    write: bool
    width: int
    warps: int
    cost: int
    least: int
    moved: int


def report(name: str, grid: tuple[int, ...], block: tuple[int, ...], threads: int,
           counts: dict[str, int], requests: Iterable[Request], origin: Callable[[int], str]
           ) -> str:
    """A launch as a table that a person can read; `origin` says where a line comes from."""
    total = sum(counts.values())
    lines = [
        f"{name}: grid {grid}, block {block}, {threads:,} threads, "
        f"{total / max(1, threads):,.1f} instructions a thread",
        "", f"{'instruction':<16}{'a thread':>12}{'share':>8}",
    ]
    lines += [
        f"{kind:<16}{number / max(1, threads):>12,.1f}{number / total:>8.1%}"
        for kind, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    rows = [
        f"{request.line:>5}  {request.name:<28}{request.width:>6}{request.warps:>10,}"
        f"{request.cost / request.warps:>8.1f}{request.least / request.warps:>8.1f}"
        f"{request.moved:>14,}{'  *' if request.cost > request.least else '   '}"
        f"  {origin(request.line)}".rstrip()
        for request in sorted(requests) if request.warps
    ]
    if rows:
        lines += ["", f"{'line':>5}  {'memory':<28}{'bytes':>6}{'requests':>10}{'cost':>8}"
                  f"{'least':>8}{'bytes moved':>14}", *rows, "",
                  "bytes: a lane's. cost: sectors of 32 bytes (global, local) or passes (shared) "
                  "a request;", "least: how few would do; *: more than that."]
    return "\n".join(lines)
