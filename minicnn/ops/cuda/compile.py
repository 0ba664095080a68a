"""A kernel and the dtypes of its arguments become PTX, kept on disk, and machine code.

A kernel is a plain function of pointers and numbers, as in CUDA C. Numbers that its main loop
divides by, sizes of tiles, and choices are frozen into it: it is made inside a function of them::

    @functools.cache
    def scale_kernel(channels):
        @kernel(threads=256)
        def scale(x, factors, y, count):
            i = uint32(cuda.grid(1))
            if i < count:
                y[i] = x[i] * factors[i % uint32(channels)]
        return scale

    scale_kernel(64)[blocks](x, factors, y, count)

An array arrives as a pointer to its first value, and ``x.dtype`` is its dtype; an int arrives as
uint32, a float in the dtype of the first array of floats, a NumPy scalar as what it is.
"""

import functools
import hashlib
import importlib.metadata
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from minicnn.errors import InputError, NotCompiledError
from minicnn.files.caches import cache_folder
from minicnn.files.writing import atomic_path
from minicnn.ops.cuda import intrinsics as intrinsics  # lets kernels write x.dtype and x + count
from minicnn.ops.cuda.array import DeviceArray
from minicnn.ops.cuda.device import Grid, device
from minicnn.ptx import compiler
from minicnn.ptx.compiler import cuda, device_function, pointer, scalar, to_ptx, types
from minicnn.ptx.requirement import INSTALL

__all__ = ["Kernel", "Program", "cuda", "device_function", "kernel", "link",
           "nothing_compiled", "on_first_compilation", "uint32", "uint64", "versions",
           "watch_compilation"]

uint32, uint64 = types.uint32, types.uint64

_MOST_UINT32 = 2**32 - 1

_LINKER = "nvidia-nvjitlink"

_notices: list[Callable[[], None]] = []

_watching: list[tuple[Callable[[str], None], Callable[[], None]]] = []

_refused: ContextVar[bool] = ContextVar("whether this thread compiles nothing", default=False)


def kernel(*, threads: int, blocks: int = 1) -> Callable[[Callable[..., None]], "Kernel"]:
    """Decorate the function of a kernel.

    Parameters
    ----------
    threads : int
        How many threads a block has: always as many.
    blocks : int, default 1
        How many blocks a multiprocessor must be able to hold: it bounds the registers of a thread.
    """
    return lambda function: Kernel(function, threads, blocks)


class Kernel:
    """A kernel: ``kernel[grid](x, y, count)`` launches it.

    Parameters
    ----------
    function : callable
    threads, blocks : int
        See `kernel`.
    """

    def __init__(self, function: Callable[..., None], threads: int, blocks: int) -> None:
        self.function, self.threads, self.blocks = function, threads, blocks
        self._programs: dict[tuple[Any, ...], Program] = {}
        self.name, self.__doc__ = function.__name__, function.__doc__

    def __getitem__(self, grid: Grid) -> Callable[..., None]:
        return functools.partial(self._launch, grid)

    def _launch(self, grid: Grid, *arguments: Any) -> None:
        kinds, values = self._taken(arguments)
        program = self._programs.get(kinds) or self.program(*kinds)
        device().launch(program, grid, self.threads, values)

    def _taken(self, arguments: Sequence[Any]) -> tuple[tuple[Any, ...], list[Any]]:
        """What the arguments are, and what the device is handed for them."""
        real: Any = None
        kinds: list[Any] = []
        values: list[Any] = []
        for argument in arguments:
            if isinstance(argument, DeviceArray):
                if real is None and argument.dtype.kind == "f":
                    real = argument.dtype.type
                kinds.append(f"*{argument.dtype.char}")
                values.append(argument.pointer)
                continue
            if not isinstance(argument, int | float | np.generic):
                raise TypeError(
                    f"{self.name}: expected arrays on the device and numbers, got "
                    f"{type(argument).__name__}; minicnn.ops.cuda.asarray makes arrays"
                )
            if isinstance(argument, int):
                if not 0 <= argument <= _MOST_UINT32:
                    raise OverflowError(
                        f"{self.name}: expected numbers of 32 bits, got {argument}; "
                        "work in slices, or hand in a numpy.uint64"
                    )
                argument = np.uint32(argument)
            elif type(argument) is float:  # a numpy.float64 is one too, and stays what it is
                argument = (real or np.float64)(argument)
            kinds.append(argument.dtype.char)
            values.append(argument)
        return tuple(kinds), values

    def program(self, *kinds: str) -> "Program":
        """The kernel compiled for arguments of these kinds, from the disk if it was before.

        Parameters
        ----------
        *kinds : str
            A NumPy dtype's character for each argument, ``"*"`` before it for an array.
        """
        if kinds not in self._programs:
            argument_types = [
                pointer(kind[1]) if kind[0] == "*" else scalar(kind) for kind in kinds
            ]
            self._programs[kinds] = Program(self, argument_types)
        return self._programs[kinds]


class Program:
    """One kernel for arguments of given types.

    Attributes
    ----------
    name : str
        The kernel's.
    text : str
        Its PTX.
    """

    def __init__(self, kernel: Kernel, argument_types: Sequence[Any]) -> None:
        self.name = kernel.name
        capability = device().capability
        bounds = kernel.threads, kernel.blocks
        self._key = digest(kernel.function, bounds, capability, *argument_types)

        def compiled() -> bytes:
            if _refused.get():
                raise NotCompiledError(self.name)
            while _notices:
                _notices.pop()()
            for begin, _ in _watching:
                begin(self.name)
            try:
                return to_ptx(
                    kernel.function, argument_types, capability=capability, launch_bounds=bounds
                ).encode()
            finally:
                for _, end in _watching:
                    end()

        self.text = _kept(f"{self.name}-{self._key}.ptx", compiled).decode()
        self._machine_code: Any = None

    def cubin(self, capability: tuple[int, int]) -> bytes:
        """Machine code for GPUs of this compute capability, from the disk; it takes no GPU."""
        file = f"{self.name}-{self._key}-{_version(_LINKER)}.cubin"
        return _kept(file, lambda: bytes(link(self.text, capability)[0].code))

    def machine_code(self, capability: tuple[int, int]) -> Any:
        """cuda.core's kernel for a GPU of this compute capability, the one compiled for."""
        if self._machine_code is None:
            from cuda.core import ObjectCode

            code = ObjectCode.from_cubin(self.cubin(capability), name=self.name)
            self._machine_code = code.get_kernel(entry_name(self.text))
        return self._machine_code


def _kept(file: str, make: Callable[[], bytes]) -> bytes:
    """What an earlier run left on disk; it is made, and left for the next, where nothing is.

    A seal at the end tells a file that was cut or damaged.
    """
    place = cache_folder() / "cuda" / file
    with suppress(OSError):
        kept = place.read_bytes()
        content = kept[:-_SEAL_BYTES]
        if kept[-_SEAL_BYTES:] == _seal(content):
            return content
    content = make()
    with suppress(OSError, InputError):  # it is made again next time
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(place) as temporary:
            temporary.write_bytes(content + _seal(content))
    return content


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


_SEAL_BYTES = len(_seal(b""))


def link(text: str, capability: tuple[int, int]) -> tuple[Any, str]:
    """Machine code of a PTX text, and the assembler's report; it takes no GPU and no driver.

    Parameters
    ----------
    text : str
    capability : (int, int)
        The compute capability, such as (9, 0).

    Returns
    -------
    code : cuda.core.ObjectCode
    report : str
        Registers, stack and spills, as ptxas says them.

    Raises
    ------
    InputError
        Where the installed linker cannot read the PTX that the installed compiler writes.
    """
    from cuda.core import Linker, LinkerOptions, ObjectCode

    options = LinkerOptions(arch=f"sm_{capability[0]}{capability[1]}", ptxas_options=["-v"])
    try:
        linker = Linker(ObjectCode.from_ptx(text.encode()), options=options)
        return linker.link("cubin"), linker.get_info_log()
    except Exception as error:
        reason = " ".join(str(error).replace("\0", "").split())
        version = text.partition(".version ")[2].partition("\n")[0]
        way_on = (
            f"; install it and nvidia-nvvm {_version('nvidia-nvvm')} in one version: {INSTALL}"
            if "version" in reason.lower() else ""
        )
        raise InputError(
            f"{_LINKER} {_version(_LINKER)} cannot link PTX {version} for "
            f"sm_{capability[0]}{capability[1]}: {reason}{way_on}"
        ) from error


def entry_name(text: str) -> str:
    """The name of the only kernel in a PTX text."""
    _, _, rest = text.partition(".entry ")
    return rest.partition("(")[0].strip()


def versions() -> dict[str, Any]:
    """The versions of what turns a kernel into PTX."""
    packages = {"numba-cuda": "numba-cuda", "nvvm": "nvidia-nvvm", "linker": _LINKER}
    return {name: _version(package) for name, package in packages.items()}


@functools.cache
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # another distribution brings it
        return "unknown"


@contextmanager
def on_first_compilation(say: Callable[[], None]) -> Iterator[None]:
    """Within the block, call `say` once, at the first kernel that has to be compiled."""
    _notices.append(say)
    try:
        yield
    finally:
        if say in _notices:
            _notices.remove(say)


@contextmanager
def watch_compilation(begin: Callable[[str], None], end: Callable[[], None]) -> Iterator[None]:
    """Within the block, call `begin` with the name of each kernel that is compiled, then `end`."""
    watcher = (begin, end)
    _watching.append(watcher)
    try:
        yield
    finally:
        _watching.remove(watcher)


@contextmanager
def nothing_compiled() -> Iterator[None]:
    """Within the block, raise `NotCompiledError` where a kernel would have to be compiled."""
    before = _refused.set(True)
    try:
        yield
    finally:
        _refused.reset(before)


def digest(function: Callable[..., Any], *more: Any) -> str:
    """A hash of what a kernel does: its code, all that it calls, what is frozen into it, versions.

    Comments and the places of lines do not count, but those of the compiler and the intrinsics.
    """
    parts = [
        repr(_meaning(function, ())), *map(str, more), str(versions()), _version("numba"),
        *map(inspect.getsource, (compiler, intrinsics)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _meaning(value: Any, above: tuple[Any, ...]) -> Any:
    """What a name of a kernel stands for, as something that prints the same in every process."""
    value = getattr(value, "py_func", value)  # a device function
    if any(value is one for one in above):
        return "itself"
    above = (*above, value)
    if isinstance(value, FunctionType):
        code = value.__code__
        looked_up = sorted(_names(code))
        names = {
            name: _meaning_of_global(value.__globals__[name], looked_up, above)
            for name in looked_up
            if name in value.__globals__
        }
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        frozen = {
            name: _meaning(cell, above)
            for name, cell in zip(code.co_freevars, cells, strict=True)
        }
        return _code(code), value.__defaults__, names, frozen
    if isinstance(value, type) or callable(value):
        return getattr(value, "__name__", str(value))
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tolist()
    return re.sub(r" at 0x\w+", "", repr(value))


def _meaning_of_global(value: Any, looked_up: Sequence[str], above: tuple[Any, ...]) -> Any:
    """Of a module what may be looked up in it, such as SIZE in ``sizes.SIZE``."""
    if isinstance(value, ModuleType):
        return value.__name__, {
            name: _meaning(vars(value)[name], above)
            for name in looked_up
            if name in vars(value) and not isinstance(vars(value)[name], ModuleType)
        }
    return _meaning(value, above)


def _names(code: CodeType) -> set[str]:
    """The names that a function and those inside it look up outside."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _code(code: CodeType) -> tuple[Any, ...]:
    """A function's instructions and constants."""
    constants = tuple(
        _code(constant) if isinstance(constant, CodeType) else constant
        for constant in code.co_consts
    )
    return code.co_code.hex(), constants, code.co_names, code.co_varnames, code.co_freevars
