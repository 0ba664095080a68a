"""Some thread blocks that run at once: their registers, and what their instructions ask for.

The Python functions of a kernel's blocks call the methods below through the name ``X``. A machine
is used again by launches of as many threads, so that a small launch does not pay for it.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.ptx import access, arithmetic, counting, memory as device, races, rounding, warps
from minicnn.ptx.copies import Copies
from minicnn.ptx.errors import PTXFault
from minicnn.ptx.lowering import Instruction
from minicnn.ptx.operands import array_name, dtype_of, views_of
from minicnn.ptx.parsing import WIDTH

if TYPE_CHECKING:
    from minicnn.ptx.kernels import Kernel

Array = np.ndarray[Any, Any]

UNKNOWN = 0xCD
"""The byte that registers are full of before they are written."""

VERDICTS = {
    access.OUTSIDE: "out of bounds", access.MISALIGNED: "misaligned",
    access.UNWRITTEN: "memory that nobody wrote",
    access.UNFINISHED: "data of a cp.async that nobody has waited for",
}

SPACES = ("global", "shared", "local")


class Space:
    """One space of memory as its lanes see it.

    Attributes
    ----------
    data, known : ndarray of uint8
        The bytes, and what is known of them.
    starts, ends : ndarray of int64
        Of the arrays, counted from a lane's base.
    base : ndarray of int64
        Where each lane's addresses begin in `data`.
    window : int
        The first generic address, minus the first address of the space's own.
    """

    def __init__(self, name: str, data: Array, known: Array, base: Array, window: int) -> None:
        self.name, self.data, self.known, self.base, self.window = name, data, known, base, window
        self.starts = self.ends = np.zeros(0, np.int64)
        self.names: list[str] = []
        self.shadow: Array | None = None
        self._cells: dict[str, Array] = {"|u1": data}

    def cells(self, kind: str) -> Array:
        """The bytes as numbers of a type."""
        if kind not in self._cells:
            self._cells[kind] = self.data.view(kind)
        return self._cells[kind]

    def set_table(self, starts: list[int], sizes: list[int], names: list[str]) -> None:
        """Which arrays there are."""
        self.starts = np.array(starts, np.int64)
        self.ends = self.starts + np.array(sizes, np.int64)
        self.names = names

    def describe(self, place: int) -> str:
        """A byte as a reader knows it."""
        return device.describe(place, self.starts.tolist(), (self.ends - self.starts).tolist(),
                               self.names)


class Machine:
    """Registers and memory of `groups` thread blocks of a kernel.

    Parameters
    ----------
    kernel : Kernel
    block : tuple of int
        The threads of a thread block in x, y and z.
    groups : int
    dynamic : int
        Bytes of dynamic shared memory.
    """

    def __init__(self, kernel: "Kernel", block: tuple[int, ...], groups: int, dynamic: int) -> None:
        self.kernel, self.block, self.groups, self.dynamic = kernel, block, groups, dynamic
        self.threads = block[0] * block[1] * block[2]
        self.padded = -(-self.threads // 32) * 32
        self.lanes = lanes = groups * self.padded
        self.lane = np.arange(lanes)
        self.thread, self.group = self.lane % self.padded, self.lane // self.padded
        self.carry = np.zeros(lanes, bool)
        self.alive = np.zeros(lanes, bool)
        self.who, self.when = np.zeros(lanes, np.int64), np.zeros(lanes, np.int64)
        self.seen = np.zeros((lanes, 32), np.int64)
        self._nowhere = np.zeros(lanes, np.int64)
        self._places = np.zeros(lanes, np.int64)
        self._own_spaces(kernel, dynamic)
        self._registers(kernel)
        self._link(kernel)

    def _own_spaces(self, kernel: "Kernel", dynamic: int) -> None:
        """Shared memory by thread block, local memory by lane."""
        self.spaces: dict[str, Space] = {}
        for name, window, each, count in (
            ("shared", device.SHARED, self.group, self.groups),
            ("local", device.LOCAL, self.lane, self.lanes),
        ):
            starts, sizes, names, size = kernel.layout(name, dynamic)
            space = Space(name, np.zeros(count * size, np.uint8), np.zeros(count * size, np.uint8),
                          each * np.int64(size), window)
            space.set_table(starts, sizes, names)
            if name == "shared":
                space.shadow = np.zeros((space.data.size // kernel.granule, 8), np.int64)
            self.spaces[name] = space

    def _registers(self, kernel: "Kernel") -> None:
        """A row of bits each, seen as every type that fits."""
        self.arrays: dict[str, Array] = {}
        self._buffers: list[Array] = []
        for width in (1, 2, 4, 8):
            found = [(name, kind) for name, kind in kernel.lowered.registers.items()
                     if WIDTH[kind] == width and kind != "pred"]
            buffer = np.zeros((len(found), self.lanes), f"u{width}")
            self._buffers.append(buffer)
            for seen in views_of(f"b{8 * width}"):
                rows = buffer.view(dtype_of(seen))
                self.arrays.update(
                    (array_name(name, seen), row)
                    for (name, _), row in zip(found, rows, strict=True))
        predicates = [name for name, kind in kernel.lowered.registers.items() if kind == "pred"]
        self._predicates = np.zeros((len(predicates), self.lanes), bool)
        self.arrays.update((array_name(name, "pred"), row)
                           for name, row in zip(predicates, self._predicates, strict=True))

    def _link(self, kernel: "Kernel") -> None:
        """Give the compiled text its arrays."""
        translation = kernel.translation
        self.parameters = np.zeros(kernel.parameter_bytes, np.uint8)
        inputs = {
            own: self.parameters[at:at + WIDTH[kind]].view(dtype_of(kind)).reshape(())
            for own, (name, offset, kind) in translation.parameters.items()
            for at in (kernel.parameter_offsets[name] + offset,)
        }
        self.symbols = {own: np.zeros((), np.uint64) for own in translation.symbols.values()}
        self.specials = {name: self._special(name) for name in translation.specials}
        space = {
            **translation.constants, **self.arrays, **inputs, **self.symbols,
            **{f"special_{name.replace('.', '_')}": x for name, x in self.specials.items()},
            "np": np, "fma": rounding.fma, "rounding": rounding, "arithmetic": arithmetic,
            "warps": warps, "X": self, "lanes_of": self.lanes_of,
        }
        exec(kernel.code, space)
        self.functions = [space[f"block_{block.number}"] for block in kernel.lowered.blocks]
        self.masks = [space.get(f"mask_{block.number}") for block in kernel.lowered.blocks]

    def _special(self, name: str) -> Array:
        """A special register that depends on the lane alone; `begin` fills in the others."""
        x, y, _ = self.block
        in_warp = self.lane.astype(np.uint64) % np.uint64(32)
        bit = np.uint64(1) << in_warp
        values = {
            "tid.x": self.thread % x, "tid.y": self.thread // x % y,
            "tid.z": self.thread // (x * y),
            "ntid.x": self.block[0], "ntid.y": self.block[1], "ntid.z": self.block[2],
            "laneid": in_warp, "warpid": self.thread // 32, "nwarpid": self.padded // 32,
            "dynamic_smem_size": self.dynamic,
            "lanemask_eq": bit, "lanemask_lt": bit - np.uint64(1),
            "lanemask_le": 2 * bit - np.uint64(1),
            "lanemask_gt": np.uint64(0xFFFFFFFF) & ~(2 * bit - np.uint64(1)),
            "lanemask_ge": np.uint64(0xFFFFFFFF) & ~(bit - np.uint64(1)),
        }
        if name.startswith("clock"):
            return np.zeros((), np.uint64 if name == "clock64" else np.uint32)
        if name in values:
            return np.asarray(values[name]).astype(np.uint32)
        return np.zeros(self.lanes if name.startswith("ctaid") else (), np.uint32)

    def begin(self, blocks: Array, launched: Array, grid: tuple[int, ...], first_block: int,
              first_of_launch: int, memory: device.Memory, check_races: bool,
              counts: Array | None) -> None:
        """Make ready for some of the launched blocks: nothing of those before is left."""
        self.launched = launched
        self.blocks, self.grid, self.memory = blocks, grid, memory
        self.first_block, self.first_of_launch = first_block, first_of_launch
        self.check_races, self.counts = check_races, counts
        for buffer in self._buffers:
            buffer.view(np.uint8).fill(UNKNOWN)
        self._predicates.fill(bool(UNKNOWN & 0x80))
        np.less(self.thread, self.threads, out=self.alive)
        np.add(self.group + first_block << races.BLOCK_SHIFT, self.thread, out=self.who)
        self.when.fill(0)
        self.seen.fill(0)
        block = blocks[self.group]
        gx, gy, _ = grid
        for name, value in (("ctaid.x", block % gx), ("ctaid.y", block // gx % gy),
                            ("ctaid.z", block // (gx * gy)), ("nctaid.x", grid[0]),
                            ("nctaid.y", grid[1]), ("nctaid.z", grid[2])):
            if name in self.specials:
                self.specials[name][...] = value
        for space in (self.spaces["shared"], self.spaces["local"]):
            space.known.fill(device.NOBODY)
        self._join_global(memory)
        self.copies = Copies(self)

    def _join_global(self, memory: device.Memory) -> None:
        space = self.spaces["global"] = Space(
            "global", memory.data, memory.known, self._nowhere, device.GLOBAL)
        space.starts, space.ends = memory.table()
        space.shadow = memory.shadow(self.kernel.granule) if self.check_races else None

    def end(self) -> None:
        """Let go of the device's memory."""
        del self.memory, self.spaces["global"]
        self.counts = None

    def lanes_of(self, value: Array) -> Array:
        """A value for every lane, from one for all or one each."""
        return value if np.ndim(value) else np.full(self.lanes, value)

    def tick(self) -> None:
        """Time goes on, for kernels that look at the clock."""
        for name in ("clock", "clock64"):
            if name in self.specials:
                self.specials[name] += 1

    # ------------------------------------------------------------------------------------ faults

    def fault(self, line: int, what: str, lane: int) -> PTXFault:
        """The error of a lane."""
        return PTXFault(f"{self.kernel.origin.named(line)}: {what}; {self.name_of(lane)}")

    def name_of(self, lane: int) -> str:
        """A lane as its kernel knows it."""
        return self._name(int(self.thread[lane]), int(self.blocks[self.group[lane]]))

    def _name(self, thread: int, block: int) -> str:
        def spread(number: int, shape: tuple[int, ...]) -> str:
            return str((number % shape[0], number // shape[0] % shape[1],
                        number // (shape[0] * shape[1])))
        return f"thread {spread(thread, self.block)} of block {spread(block, self.grid)}"

    def _somebody(self, who: int) -> str:
        """Who made an earlier access, from its number in a shadow."""
        if who == races.ANYBODY:
            return "threads of several blocks"
        number = (who >> races.BLOCK_SHIFT) - self.first_of_launch
        block = int(self.launched[number])
        if who & races.THREAD >= races.OF_A_WARP:
            x, y, _ = self.grid
            return f"several threads of block {(block % x, block // x % y, block // (x * y))}"
        return self._name(who & races.THREAD, block)

    # ------------------------------------------------------------------------------------ memory

    def reach(self, space: Space, addresses: Array, offset: int, number: int, active: Array,
               writes: bool, reads: bool, strength: int = races.PLAIN, part: int = 0) -> Array:
        """The places of an access, when all is well with it; of its bytes maybe only a part."""
        instruction, _, width = self.kernel.translation.accesses[number]
        size = part or width
        places = self._places
        verdict, lane, address = access.find(
            addresses, offset, active, space.base, space.starts, space.ends, space.known, size,
            width, reads, places)
        if verdict:
            raise self._bad_access(instruction, space, verdict, lane, address, size, writes)
        self.touch(instruction, space, places, size, active, writes, strength)
        if self.counts is not None:
            row = self.counts[number, SPACES.index(space.name)]
            if space.name == "shared":
                counting.count_passes(places, size, active, row)
            else:
                counting.count_sectors(places, size, active, row)
        return places

    def touch(self, instruction: Instruction, space: Space, places: Array, size: int, active: Array,
              writes: bool, strength: int = races.PLAIN) -> None:
        """Note who was where, if that is asked for: two who clash race."""
        if not self.check_races or space.shadow is None:
            return
        first = self.first_of_launch if space.name == "global" else self.first_block
        lane, place, who, kind = races.touch(
            space.shadow, self.kernel.granule, places, size, active, self.who, self.when, self.seen,
            writes, strength, first)
        if lane >= 0:
            raise self._race(instruction, space, lane, place, who, kind, writes)

    def _bad_access(self, instruction: Instruction, space: Space, verdict: int, lane: int,
                    address: int, size: int, writes: bool) -> PTXFault:
        where = self.memory.describe(address) if space.name == "global" else \
            f"{space.describe(address)} in {space.name} memory"
        verb = "writes" if writes else "reads"
        return self.fault(instruction.line, f"{instruction.name} {verb} {size} bytes at {where}: "
                                            f"{VERDICTS[verdict]}", lane)

    def _race(self, instruction: Instruction, space: Space, lane: int, place: int, who: int,
              kind: int, writes: bool) -> PTXFault:
        own = place - int(space.base[lane])
        where = self.memory.describe(own) if space.name == "global" else \
            f"{space.describe(own)} in {space.name} memory"
        return self.fault(
            instruction.line, f"{instruction.name} {'writes' if writes else 'reads'} {where}, "
            f"which {self._somebody(who)} {'wrote' if kind == races.WRITE else 'read'} with "
            "nothing between to order them: a race", lane)

    def by_space(self, name: str, addresses: Array, offset: int, active: Array
                  ) -> list[tuple[Space, int, Array]]:
        """The spaces that an access goes to: a generic address tells by its size."""
        if name != "generic":
            space = self.spaces[name]
            return [(space, offset - (device.GLOBAL if name == "global" else 0), active)]
        found = []
        high = addresses.astype(np.int64) + offset >> 44
        for name, kind in (("global", 0), ("shared", 1), ("local", 2)):
            chosen = active & (high == kind) if kind else active & (high != 1) & (high != 2)
            if chosen.any():
                space = self.spaces[name]
                found.append((space, offset - space.window, chosen))
        return found

    def load(self, name: str, addresses: Array, offset: int, number: int, kind: str,
             targets: tuple[Array | None, ...], active: Array, strength: int) -> None:
        """Registers = memory."""
        for space, start, chosen in self.by_space(name, addresses, offset, active):
            places = self.reach(space, addresses, start, number, chosen, False, True, strength)
            cells = space.cells(kind)
            for place, target in enumerate(targets):
                if target is not None:
                    access.gather(cells, places, place * cells.itemsize, chosen, target)

    def store(self, name: str, addresses: Array, offset: int, number: int, kind: str,
              values: tuple[Array, ...], active: Array, strength: int) -> None:
        """Memory = registers."""
        for space, start, chosen in self.by_space(name, addresses, offset, active):
            places = self.reach(space, addresses, start, number, chosen, True, False, strength)
            cells = space.cells(kind)
            for place, value in enumerate(values):
                access.scatter(cells, places, place * cells.itemsize, chosen, self.lanes_of(value))
            access.mark(space.known, places, len(values) * cells.itemsize, chosen, device.WRITTEN)

    def atomic(self, name: str, addresses: Array, offset: int, number: int, kind: str,
               operation: str, target: Array | None, values: tuple[Array, ...], active: Array
               ) -> None:
        """Register = memory, memory = operation(memory, registers), lane by lane."""
        old = np.zeros(self.lanes, kind) if target is None else target
        code = access.ATOMICS[operation]
        first, second = (self.lanes_of(values[0]), self.lanes_of(values[-1]))
        strength = races.SWAP if operation == "cas" else races.STRONG
        for space, start, chosen in self.by_space(name, addresses, offset, active):
            places = self.reach(space, addresses, start, number, chosen, True, True, strength)
            if operation in ("and", "or", "xor"):
                access.exchange_bits(space.cells(kind), places, chosen, code, first, old)
            else:
                access.exchange(space.cells(kind), places, chosen, code, first, second, old)

    # ------------------------------------------------------------------------------------- warps

    def shuffle(self, values: Array, by: Array, clamps: Array, masks: Array, mode: int,
                active: Array, line: int) -> tuple[Array, Array]:
        """Values of other lanes, and whether they lie in the segment."""
        taken, inside = np.zeros(self.lanes, np.uint32), np.zeros(self.lanes, bool)
        lane = warps.shuffle(self.lanes_of(values), self.lanes_of(by), self.lanes_of(clamps),
                             self.lanes_of(masks), mode, active, taken, inside)
        if lane >= 0:
            raise self.fault(line, "shfl takes the value of a lane that takes no part", lane)
        return taken, inside

    def vote(self, votes: Array, masks: Array, what: str, active: Array) -> Array:
        """The votes of the mask's lanes: their bits, or whether all, any, or all alike say yes."""
        masks = self.lanes_of(masks)
        yes = np.zeros(self.lanes, np.uint32)
        warps.ballot(self.lanes_of(votes), active, masks, yes)
        if what == "ballot":
            return yes
        if what == "any":
            return yes != 0
        everybody = np.zeros(self.lanes, np.uint32)
        warps.ballot(active, active, masks, everybody)
        return yes == everybody if what == "all" else (yes == everybody) | (yes == 0)

    def match(self, values: Array, masks: Array, what: str, active: Array) -> tuple[Array, Array]:
        """The lanes of the mask that have the same value; for ``all``, whether all have."""
        masks = self.lanes_of(masks)
        equal, everybody = np.zeros(self.lanes, np.uint32), np.zeros(self.lanes, np.uint32)
        warps.match(self.lanes_of(values), active, masks, equal)
        warps.ballot(active, active, masks, everybody)
        same = equal == everybody
        return np.where(same | (what == "any"), equal, np.uint32(0)), same

    def pass_warp_barrier(self, masks: Array, active: Array) -> None:
        """What the lanes of a mask did before lies before what they do from now on."""
        races.meet(self.lanes_of(masks), active, self.when, self.seen)

    def require_whole_warps(self, active: Array, line: int) -> None:
        """All lanes of a warp compute a matrix product: none may have ended."""
        whole = active.reshape(-1, 32)
        partly = whole.any(axis=1) & ~whole.all(axis=1)
        if partly.any():
            warp = int(np.flatnonzero(partly)[0])
            lane = 32 * warp + int(np.flatnonzero(whole[warp])[0])
            raise self.fault(line, f"mma reached by {np.count_nonzero(whole[warp])} lanes of the "
                                   "warp: it needs all 32", lane)

    def block_vote(self, votes: Array, what: str, active: Array) -> Array:
        """The votes of a block's threads, which all stand here."""
        yes = (self.lanes_of(votes) & active).reshape(self.groups, self.padded)
        number = yes.sum(axis=1)
        result = {"popc": number.astype(np.uint32), "and": number == self.threads,
                  "or": number > 0}[what]
        return np.repeat(result, self.padded)
