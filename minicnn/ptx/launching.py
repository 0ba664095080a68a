"""A launch: thread blocks in turns, each turn until all its threads have ended."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.ptx import counting, races as race_detection
from minicnn.ptx.arguments import Arguments, three
from minicnn.ptx.errors import PTXError
from minicnn.ptx.machine import SPACES, Machine
from minicnn.ptx.memory import Memory
from minicnn.ptx.scheduling import Scheduler

if TYPE_CHECKING:
    from minicnn.ptx.kernels import Kernel

_SILENT: dict[str, Any] = {"over": "ignore", "invalid": "ignore", "divide": "ignore",
                           "under": "ignore"}

MOST_BLOCKS = 1 << 24
"""A launch runs at most so many, unless the caller chooses them."""


class Launch:
    """A kernel that has run, and what it cost.

    Attributes
    ----------
    kernel : Kernel
    grid, block : tuple of int
    threads : int
        How many threads ran.
    """

    def __init__(self, kernel: "Kernel", grid: Any, block: Any, args: Sequence[Any],
                 memory: Memory | None, shared: int, blocks: Iterable[int] | None, races: bool,
                 counting: bool, limit: int) -> None:
        self.kernel = kernel
        self.grid = three(grid, "grid", (2**31 - 1, 65535, 65535))
        self.block = three(block, "block", (1024, 1024, 64))
        each = self.block[0] * self.block[1] * self.block[2]
        if each > kernel.most_threads:
            raise PTXError(f"{kernel.title} takes blocks of at most {kernel.most_threads} threads, "
                           f"got {each}")
        total = self.grid[0] * self.grid[1] * self.grid[2]
        if blocks is None and total > MOST_BLOCKS:
            raise PTXError(f"a grid of {total} blocks would not end in days: choose some of them "
                           "with blocks=")
        chosen = np.arange(total) if blocks is None else whole_numbers(blocks)
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < total:
            raise PTXError(f"blocks: expected numbers from 0 to {total - 1}, got "
                           f"{chosen.min()} to {chosen.max()}")
        self.threads = each * chosen.size
        self._runs, self._jumps = np.zeros((2, len(kernel.lowered.blocks)), np.int64)
        self._requests = np.zeros((len(kernel.translation.accesses), len(SPACES), 4), np.int64)
        store = Memory() if memory is None else memory
        arguments = Arguments(kernel.title, kernel.parameters, args, store,
                              kernel.argument_names)
        try:
            self._run(arguments, chosen, shared, races, counting, limit)
            arguments.bring_back()
        finally:
            if memory is not None:
                arguments.free()

    def _run(self, arguments: Arguments, chosen: Any, shared: int, races: bool, counting: bool,
             limit: int) -> None:
        kernel, memory = self.kernel, arguments.memory
        symbols = _symbols(kernel, memory)
        first = race_detection.number_blocks(chosen.size)
        padded = -(-(self.block[0] * self.block[1] * self.block[2]) // 32) * 32
        at_once = kernel.groups_at_once(padded)
        with np.errstate(**_SILENT):
            for start in range(0, chosen.size, at_once):
                some = chosen[start:start + at_once]
                machine = kernel.machine(self.block, some.size, shared)
                _fill(machine, arguments, symbols)
                machine.begin(some, chosen, self.grid, first + start, first, memory, races,
                              self._requests if counting else None)
                scheduler = Scheduler(machine, limit, self._runs, self._jumps)
                try:
                    scheduler.run()
                finally:
                    machine.end()
                    kernel.keep(machine, shared)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Instructions by kind, summed over threads; a kind is an opcode and its type."""
        found: Counter[str] = Counter()
        for block, runs in zip(self.kernel.lowered.blocks, self._runs.tolist(), strict=True):
            for instruction in (*block.body, block.barrier, block.end):
                if instruction is not None and instruction.line and runs:
                    found[kind_of(instruction.parts)] += runs
        return dict(found)

    @cached_property
    def lines(self) -> dict[int, int]:
        """How many threads ran each line of the text; a thread may have run it many times."""
        found: Counter[int] = Counter()
        for block, runs in zip(self.kernel.lowered.blocks, self._runs.tolist(), strict=True):
            for instruction in (*block.body, block.barrier, block.end):
                if instruction is not None and instruction.line and runs:
                    found[instruction.line] += runs
        return dict(found)

    @cached_property
    def ways(self) -> set[tuple[int, int]]:
        """Basic blocks that a thread ran one after the other, by their numbers."""
        found = set()
        for block, runs, jumps in zip(self.kernel.lowered.blocks, self._runs.tolist(),
                                      self._jumps.tolist(), strict=True):
            end = block.end
            if end is not None and end.parts[0] == "bra" and (jumps or (runs and not end.guard)):
                found.add((block.number, self.kernel.lowered.labels[end.operands[0]]))
            if runs > jumps and (end is None or end.guard):
                found.add((block.number, block.number + 1))
        return found

    @property
    def instructions_per_thread(self) -> float:
        """On average."""
        return sum(self.counts.values()) / max(1, self.threads)

    @cached_property
    def requests(self) -> list[counting.Request]:
        """What every memory instruction that ran asked for, by line."""
        return sorted(
            counting.Request(instruction.line, instruction.name, space, writes, width,
                             *self._requests[number, place].tolist())
            for number, (instruction, writes, width) in
            enumerate(self.kernel.translation.accesses)
            for place, space in enumerate(SPACES) if self._requests[number, place, 0]
        )

    def report(self) -> str:
        """A table of instructions, and of what memory instructions cost."""
        return counting.report(self.kernel.title, self.grid, self.block, self.threads, self.counts,
                               self.requests, self.kernel.origin.of)


def whole_numbers(blocks: Iterable[int]) -> Any:
    """The chosen blocks as an array."""
    chosen = np.array(list(blocks))
    if chosen.size and (chosen.ndim != 1 or chosen.dtype.kind not in "iu"):
        raise PTXError(f"blocks: expected whole numbers, got {chosen.tolist()!r:.60}")
    if np.unique(chosen).size < chosen.size:
        raise PTXError("blocks: every block runs once, got one of them twice")
    return chosen.astype(np.int64)


def kind_of(parts: list[str]) -> str:
    """An instruction's kind: its opcode and its type, or its space where it has one."""
    last = next((part for part in parts[1:] if part in (*SPACES, "const", "param")), parts[-1])
    return parts[0] if last == parts[0] or len(parts) == 1 else f"{parts[0]}.{last}"


def _symbols(kernel: "Kernel", memory: Memory) -> dict[str, int]:
    """The addresses of a kernel's global variables: placed at its first launch on a memory."""
    addresses = {}
    for name, own in kernel.translation.symbols.items():
        key = (kernel, name)
        if key not in memory.symbols:
            item = kernel.lowered.variables[name]
            address = memory.symbols[key] = memory.allocate(item.size, name)
            memory.write(address, np.frombuffer(item.values.ljust(item.size, b"\0"), np.uint8))
        addresses[own] = memory.symbols[key]
    return addresses


def _fill(machine: Machine, arguments: Arguments, symbols: dict[str, int]) -> None:
    """Hand the arguments to the machine's compiled text."""
    for parameter, value in zip(machine.kernel.parameters, arguments.values, strict=True):
        at = machine.kernel.parameter_offsets[parameter.name]
        machine.parameters[at:at + len(value)] = np.frombuffer(value, np.uint8)
    for own, address in symbols.items():
        machine.symbols[own][...] = address


