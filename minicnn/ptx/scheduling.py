"""Which lanes run next: those at the lowest basic block, so that lanes that parted meet again.

Lanes stop at a barrier until all threads of their block have come, and at a shuffle or vote until
all lanes of its mask have. When nobody can go on and nobody can be let go, somebody is missing.
"""

from typing import Any

import numpy as np
from numba import njit

from minicnn.ptx import warps
from minicnn.ptx.access import COMPILED
from minicnn.ptx.errors import PTXFault
from minicnn.ptx.lowering import Instruction
from minicnn.ptx.machine import Machine
from minicnn.ptx.races import BARRIER_SHIFT

Array = Any


@njit(**COMPILED)
def lowest(at: Array, alive: Array, waiting: Array, here: Array) -> tuple[int, int]:
    """The lowest block where a lane can run; `here` becomes all living lanes at it.

    Returns the block, or -1, and how many lanes are there.
    """
    block = -1
    for lane in range(at.size):
        if alive[lane] and not waiting[lane] and (block < 0 or at[lane] < block):
            block = at[lane]
    number = 0
    for lane in range(at.size):
        here[lane] = alive[lane] and at[lane] == block
        number += here[lane]
    return block, number


@njit(**COMPILED)
def part(at: Array, active: Array, condition: Array, negated: bool, to: int, otherwise: int) -> int:
    """Send each active lane one of two ways; returns how many go the first."""
    taken = 0
    for lane in range(at.size):
        if active[lane]:
            yes = condition[lane] != negated
            at[lane] = to if yes else otherwise
            taken += yes
    return taken


@njit(**COMPILED)
def release(at: Array, alive: Array, waiting: Array, barriers: Array, padded: int, threads: int,
            when: Array) -> int:
    """Let every thread block go on whose threads all wait at one barrier; returns how many."""
    found = 0
    for first in range(0, at.size, padded):
        place, together = at[first], barriers[at[first]]
        for lane in range(first, first + threads):
            together = together and alive[lane] and waiting[lane] and at[lane] == place
        if together:
            found += 1
            for lane in range(first, first + threads):
                at[lane] += 1
                waiting[lane] = False
                when[lane] = ((when[lane] >> BARRIER_SHIFT) + 1) << BARRIER_SHIFT
    return found


class Scheduler:
    """The run of a machine from its first instruction to its last.

    Parameters
    ----------
    machine : Machine
    limit : int
        The most steps.
    runs, jumps : ndarray of int64
        For each basic block, how many lanes ran it, and how many took the branch at its end:
        counted up.
    """

    def __init__(self, machine: Machine, limit: int, runs: Array, jumps: Array) -> None:
        self.machine, self.limit, self.steps = machine, limit, 0
        self.runs, self.jumps = runs, jumps
        self.blocks, self.labels = machine.kernel.lowered.blocks, machine.kernel.lowered.labels
        # Lanes stand at the beginning of blocks. While _together is a number, all living lanes
        # stand there, nobody waits, and _at means nothing. While it is None, a living lane stands
        # at _at[lane], and _waiting[lane] says that it has come to the barrier or shuffle of that
        # block and goes on only with others: `_release` and `_gather` let it, `_leave` when some
        # end. Who has ended counts nowhere.
        self._barriers = np.array([block.barrier is not None for block in self.blocks])
        self._at = np.zeros(machine.lanes, np.int64)
        self._waiting = np.zeros(machine.lanes, bool)
        self._here = np.zeros(machine.lanes, bool)
        self._ready = np.zeros(machine.lanes, bool)
        self._living = machine.groups * machine.threads
        self._together: int | None = 0
        """The block where all living lanes stand; None if they are not together."""

    def run(self) -> None:
        """Until all lanes have ended."""
        machine = self.machine
        while self._living:
            self.steps += 1
            machine.tick()
            if self.steps > self.limit:
                raise self._endless()
            number, lanes = self._choose()
            if number < 0:
                continue
            block = self.blocks[number]
            active = machine.alive if lanes == self._living else self._here
            sync = block.barrier or block.warp
            if sync is not None and sync.guard:
                active, lanes = self._pass_by(number, sync, active, lanes)
                if not lanes:
                    continue
            if block.barrier is not None:
                self._arrive(number, active)
                continue
            everybody = lanes == self._living
            if block.warp is not None and machine.masks[number] is not None:
                active, lanes = self._gather(number, active, lanes)
                if not lanes:
                    continue
                everybody = lanes == self._living
                active = machine.alive if everybody else active
            machine.functions[number](True if everybody else active, active)
            self.runs[number] += lanes
            self._leave(number, active, lanes)

    def _choose(self) -> tuple[int, int]:
        """The block that runs next, and how many lanes stand there."""
        if self._together is not None:
            return self._together, self._living
        number, lanes = lowest(self._at, self.machine.alive, self._waiting, self._here)
        if number < 0 and not self._release():
            raise self._stuck()
        if lanes == self._living:
            self._together = number
        return number, lanes

    def _spread(self) -> None:
        """Write down where the lanes stand, as they part."""
        if self._together is not None:
            self._at.fill(self._together)
            self._together = None

    # --------------------------------------------------------------------------------- going on

    def _leave(self, number: int, active: Array, lanes: int) -> None:
        """Send the lanes of a block to where its end says."""
        end = self.blocks[number].end
        if end is None:
            self._go(number + 1, active, lanes)
            return
        if end.parts[0] == "bra" and not end.guard:
            self._go(self.labels[end.operands[0]], active, lanes)
            return
        condition = self.machine.arrays[f"{end.guard[1:]}_pred"] if end.guard else None
        if end.parts[0] == "bra":
            to = self.labels[end.operands[0]]
            self._branch(number, active, condition, end.negated, to, lanes)
            return
        leaving = active if condition is None else active & (condition != end.negated)
        count = int(np.count_nonzero(leaving))
        if end.parts[0] == "trap" and count:
            raise self.machine.fault(end.line, "trap", int(np.flatnonzero(leaving)[0]))
        if count < lanes:
            self._go(number + 1, active, lanes)
        if count:
            if active is self.machine.alive:
                leaving = leaving.copy()
            self.machine.alive[leaving] = False
            self._living -= count
            if self._together is None:  # a warp waits for none of them any more
                self._waiting &= self._barriers[self._at]

    def _go(self, number: int, active: Array, lanes: int) -> None:
        if lanes == self._living:
            self._together = number
            self._waiting.fill(False)
        else:
            self._spread()
            self._at[active] = number
            self._waiting[active] = False

    def _branch(self, number: int, active: Array, condition: Array, negated: bool, to: int,
                lanes: int) -> None:
        self._spread()
        taken = part(self._at, active, condition, negated, to, number + 1)
        self._waiting[active] = False
        self.jumps[number] += taken
        if lanes == self._living and taken in (0, lanes):
            self._together = to if taken else number + 1

    # ---------------------------------------------------------------------------------- waiting

    def _pass_by(self, number: int, sync: Instruction, active: Array, lanes: int
                 ) -> tuple[Array, int]:
        """Lanes that a guard holds back go on: who waits for them waits in vain."""
        condition = self.machine.arrays[f"{sync.guard[1:]}_pred"] != sync.negated
        held = active & ~condition
        if held.any():
            self._spread()
            self._at[held], self._waiting[held] = number + 1, False
            active = active & condition
            lanes = int(np.count_nonzero(active))
        return active, lanes

    def _arrive(self, number: int, active: Array) -> None:
        """Lanes come to a barrier."""
        machine = self.machine
        self.runs[number] += np.count_nonzero(active & ~self._waiting)
        if self._together is not None and self._living == machine.groups * machine.threads:
            self._together = number + 1
            machine.when[:] = ((machine.when >> BARRIER_SHIFT) + 1) << BARRIER_SHIFT
            return
        self._spread()
        self._waiting |= active

    def _release(self) -> int:
        machine = self.machine
        return release(self._at, machine.alive, self._waiting, self._barriers, machine.padded,
                       machine.threads, machine.when)

    def _gather(self, number: int, active: Array, lanes: int) -> tuple[Array, int]:
        """Those of a shuffle's lanes whose whole mask is there; the others wait."""
        machine = self.machine
        masks = self._mask_of(number)
        if masks is None:
            return active, lanes
        sync = self.blocks[number].warp
        assert sync is not None
        lane = warps.missing(masks, active, machine.alive, self._ready)
        if lane >= 0:
            raise machine.fault(sync.line, f"{sync.name} with the mask {int(masks[lane]):#x}, to "
                                           "which the lane itself does not belong", lane)
        ready = int(np.count_nonzero(self._ready))
        if ready < lanes:
            self._spread()
            self._waiting |= active & ~self._ready
        return self._ready, ready

    def _mask_of(self, number: int) -> Array:
        """The lanes that each lane's instruction names; None if it takes whoever is there."""
        masks: Any = self.machine.masks[number]
        return masks()

    def _line_of(self, number: int) -> int:
        """The line of the first instruction of a block, or of those after it."""
        return next(instruction.line for block in self.blocks[number:]
                    for instruction in (block.barrier, *block.body, block.end)
                    if instruction is not None)

    def _endless(self) -> PTXFault:
        """Where the lanes run that come to no end, and where the others stand meanwhile."""
        machine = self.machine
        self._spread()
        standing = self._at[machine.alive]
        running = self._at[machine.alive & ~self._waiting]
        number = int((running if running.size else standing).min())
        lane = int(np.flatnonzero(machine.alive & (self._at == number))[0])
        others = sorted({self._line_of(place) for place in set(standing.tolist()) - {number}})
        where = ", ".join(machine.kernel.origin.named(line) for line in others[:8])
        elsewhere = f", {np.count_nonzero(standing != number)} at {where}" * bool(others)
        return machine.fault(
            self._line_of(number), f"no end after {self.limit} steps: an endless loop? "
            f"{np.count_nonzero(standing == number)} threads are here{elsewhere}; limit= allows "
            "more steps", lane)

    def _stuck(self) -> PTXFault:
        """Who waits, and for whom."""
        machine = self.machine
        waiting = np.flatnonzero(machine.alive & self._waiting)
        group = int(machine.group[waiting[0]])
        own = waiting[machine.group[waiting] == group]
        places = sorted(set(self._at[own].tolist()))
        block = self.blocks[places[0]]
        sync = block.barrier or block.warp
        assert sync is not None
        there = own[self._at[own] == places[0]]
        lane = int(there[0])
        if block.warp is not None:
            warp = lane // 32
            masks = self._mask_of(places[0])
            mine = there[there // 32 == warp]
            same = mine[masks[mine] == masks[lane]]
            others = f", and by {mine.size - same.size} with another mask" * (same.size < mine.size)
            return machine.fault(
                sync.line, f"{sync.name} with the mask {int(masks[lane]):#x} reached by "
                f"{same.size} lanes of the warp{others}: lanes are missing, and what they wait for "
                "never comes", lane)
        others = [self.blocks[place].barrier or self.blocks[place].warp for place in places[1:]]
        named = machine.kernel.origin.named
        lines = ", ".join(named(other.line) for other in others if other is not None)
        reason = f"others wait at {lines}" if lines else "others have ended"
        return machine.fault(
            sync.line, f"{sync.name} is a barrier that {there.size} of {machine.threads} threads "
            f"of the block reach: {reason}", lane)
