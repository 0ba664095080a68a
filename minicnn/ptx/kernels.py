"""Modules and kernels: what `load` gives, ready to be launched."""

import re
from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from types import CodeType
from typing import TYPE_CHECKING, Any

from minicnn.ptx import lowering, parsing
from minicnn.ptx.errors import PTXError
from minicnn.ptx.machine import Machine
from minicnn.ptx.memory import Memory
from minicnn.ptx.origin import Origin
from minicnn.ptx.translation import Translation

if TYPE_CHECKING:
    from minicnn.ptx.launching import Launch

AT_ONCE = 4096
"""Lanes that run together: enough to pay for Python, few enough for the processor's cache."""

MOST_LOCAL = 1 << 27
"""Bytes of local memory of all lanes together."""

KEPT = 4
"""Machines that a kernel keeps for its next launches."""

SHARED_RED_ZONE = 128
"""Bytes between two shared arrays, a multiple of all banks: where conflicts are stays the same."""

_KEEPING = Lock()


class Kernel:
    """One ``.entry`` of a PTX text.

    Attributes
    ----------
    name : str
    title : str
        The name as its author wrote it.
    parameters : list of Variable
    text : str
        The Python functions that its basic blocks have become.
    origin : Origin
        Where the lines of its PTX come from.
    argument_names : tuple of str
        For messages; empty where only the numbers of the arguments are known.
    """

    def __init__(
        self, function: parsing.Function, lowered: lowering.Lowered, origin: Origin
    ) -> None:
        self.origin = origin
        self.argument_names: tuple[str, ...] = ()
        self.name, self.title = function.name, readable(function.name)
        self.parameters = function.parameters
        self.most_threads, self.lowered = function.most_threads, lowered
        used = {
            name for block in lowered.blocks for instruction in _all_of(block)
            for operand in instruction.operands for name in re.findall(r"[\w$]+", operand)
        }
        self.variables = [x for x in lowered.variables.values() if x.name in used]
        self._layouts = {space: self._arrange(space) for space in ("shared", "local")}
        self._check_shared(0)
        offsets = {name: at for layout in self._layouts.values()
                   for name, at in zip(layout[2], layout[0], strict=True)}
        self.translation = Translation(lowered, offsets)
        self.text = self.translation.text
        self.granule = self.translation.narrowest
        self.parameter_offsets: dict[str, int] = {}
        end = 0
        for parameter in self.parameters:
            step = max(parameter.alignment, 8)
            self.parameter_offsets[parameter.name] = end = -(-end // step) * step
            end += parameter.size
        self.parameter_bytes = -(-end // 16) * 16
        self._code: CodeType | None = None
        self._machines: dict[tuple[Any, ...], Machine] = {}

    def __repr__(self) -> str:
        return f"<kernel {self.title} of {len(self.parameters)} parameters>"

    def launch(
        self, grid: int | tuple[int, ...], block: int | tuple[int, ...], *args: Any,
        memory: Memory | None = None, shared: int = 0, blocks: Iterable[int] | None = None,
        races: bool = True, counting: bool = True, limit: int = 2 * 10**6,
    ) -> "Launch":
        """Run the kernel.

        Parameters
        ----------
        grid, block : int or tuple of int
            Blocks of the grid and threads of a block, in one to three directions.
        *args : ndarray, number or bytes
            An array is copied to the device and back. A number becomes the parameter's type; for a
            64-bit parameter it may be an address of `memory`. If there are as many arguments as
            parameters, an array is a pointer; otherwise it is the 5 + 2n parameters that Numba
            makes of an array of n axes.
        memory : Memory, optional
            The device's memory; a new one by default.
        shared : int, default 0
            Bytes of dynamic shared memory.
        blocks : iterable of int, optional
            The linear numbers of the blocks that run; all by default.
        races : bool, default True
            Whether to look for races.
        counting : bool, default True
            Whether to count what memory instructions cost.
        limit : int, default 2,000,000
            Steps (basic blocks that ran) after which the kernel counts as endless. Thread blocks
            that run at once, which is up to 4096 threads, take their steps together.

        Returns
        -------
        Launch
            What it cost.

        Raises
        ------
        PTXFault
            If the kernel does what a GPU would do wrong.
        PTXError
            If it cannot be launched so.
        """
        from minicnn.ptx.launching import Launch
        return Launch(self, grid, block, args, memory, shared, blocks, races, counting, limit)

    @property
    def code(self) -> CodeType:
        """The compiled Python functions; compiled once."""
        if self._code is None:
            self._code = compile(self.text, f"<ptx {self.name}>", "exec")
        return self._code

    def layout(self, space: str, dynamic: int) -> tuple[list[int], list[int], list[str], int]:
        """Where the arrays of shared or local memory begin, their sizes and names, and the end."""
        starts, sizes, names = self._layouts[space]
        own = list(sizes)
        if space == "shared" and dynamic:
            self._check_shared(dynamic)
            if not names or sizes[-1]:
                raise PTXError(f"{self.title} has no dynamic shared memory")
            own = [size or dynamic for size in sizes]
        end = max((start + size for start, size in zip(starts, own, strict=True)), default=0)
        return starts, own, names, -(-(end + SHARED_RED_ZONE) // 256) * 256 if names else 0

    def groups_at_once(self, padded: int) -> int:
        """How many thread blocks of so many lanes run together."""
        local = self.layout("local", 0)[3]
        return max(1, min(AT_ONCE, MOST_LOCAL // max(1, local)) // padded)

    def machine(self, block: tuple[int, ...], groups: int, dynamic: int) -> Machine:
        """A machine for so many thread blocks: one that was used before, if there is one.

        It belongs to the caller alone, who gives it back by `keep`: a kernel may be launched by
        several threads at once.
        """
        key = (block, groups, dynamic)
        return self._machines.pop(key, None) or Machine(self, block, groups, dynamic)

    def keep(self, machine: Machine, dynamic: int) -> None:
        """Keep a machine that has ended for the next launch, and not too many of them."""
        with _KEEPING:
            while len(self._machines) >= KEPT:
                del self._machines[next(iter(self._machines))]
            self._machines[machine.block, machine.groups, dynamic] = machine

    def _arrange(self, space: str) -> tuple[list[int], list[int], list[str]]:
        """Places for a space's variables, those of dynamic size at the end."""
        found = sorted((x for x in self.variables if x.space == space), key=lambda x: not x.size)
        starts, end = [], SHARED_RED_ZONE if space == "shared" else 0
        for item in found:
            step = max(item.alignment, SHARED_RED_ZONE if space == "shared" else 16)
            end = -(-end // step) * step
            starts.append(end)
            end += item.size + (SHARED_RED_ZONE if space == "shared" and item.size else 0)
        return starts, [item.size for item in found], [item.name for item in found]

    def _check_shared(self, dynamic: int) -> None:
        static = sum(self._layouts["shared"][1])
        if static > parsing.MOST["shared"]:
            raise PTXError(f"{self.title} declares {static} bytes of shared memory, at most "
                           f"{parsing.MOST['shared']} are possible: take more as dynamic shared "
                           "memory")
        if not 0 <= dynamic <= parsing.MOST_WITH_DYNAMIC - static:
            raise PTXError(f"{self.title} uses {static + dynamic} bytes of shared memory, a block "
                           f"has {parsing.MOST_WITH_DYNAMIC}")


def readable(name: str) -> str:
    """The function's name in one that a compiler made: ``_ZN4work5scaleB2v1...`` → ``scale``."""
    rest, found = name.removeprefix("_ZN"), name
    while rest != name and (length := re.match(r"\d+", rest)):
        end = length.end() + int(length[0])
        found, rest = rest[length.end():end] or name, rest[end:]
    return found


def _all_of(block: lowering.Block) -> Iterator[lowering.Instruction]:
    yield from block.body
    yield from (x for x in (block.barrier, block.end) if x is not None)


class Module(Mapping[str, Kernel]):
    """The kernels of a PTX text, by name."""

    def __init__(self, text: str) -> None:
        origin = Origin(text)
        self._kernels = {
            function.name: Kernel(function, lowered, origin)
            for function, lowered in lowering.lower(parsing.parse(text))
        }

    def __getitem__(self, name: str) -> Kernel:
        if name not in self._kernels:
            raise KeyError(f"no kernel {name!r}; there are {', '.join(self._kernels) or 'none'}")
        return self._kernels[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kernels)

    def __len__(self) -> int:
        return len(self._kernels)

    def single(self) -> Kernel:
        """The only kernel."""
        if len(self) != 1:
            raise PTXError(f"expected one kernel, got {len(self)}")
        return next(iter(self._kernels.values()))


def load(text: str) -> Module:
    """Read a PTX text, such as ``numba.cuda.compile_ptx`` gives.

    Parameters
    ----------
    text : str

    Returns
    -------
    Module
        Its kernels by name.

    Raises
    ------
    PTXError
        If anything in it is unknown, or it ends too early: names the line.
    """
    if not isinstance(text, str):
        raise PTXError(f"expected PTX as str, got {type(text).__name__}")
    return Module(text)


