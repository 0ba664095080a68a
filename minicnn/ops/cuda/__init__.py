"""The cuda backend: every operation as kernels for an NVIDIA GPU, written in Numba CUDA.

Each file beside this one holds an operation's entry point and kernels; what they stand on is in
`compile`, `device`, `array`, `memory` and `intrinsics`. Numba compiles the kernels to PTX, and
cuda.core runs them, or the interpreter `minicnn.ptx` on a machine without a GPU. Nothing of that is
imported before it is needed. Arguments are checked and documented by the door of the same name in
`minicnn.ops`; the functions of this package are those doors, bound to this backend.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from minicnn.ops.backend import OPERATIONS, bound

__all__ = ["asarray", "available", "ceiling", "convolutions", "describe", "missing", "most_threads",
           "nothing_compiled", "on_first_compilation", "thread_count", "use_threads", "wait",
           "watch_compilation", *OPERATIONS]


def asarray(value: Any, dtype: Any = None) -> Any:
    """`Backend.asarray`: with a dtype, an array on the device."""
    from minicnn.ops.cuda.array import asarray

    return asarray(value, dtype)


def missing() -> str:
    """What this machine lacks, and the way on, in one sentence; "" where it lacks nothing."""
    from minicnn.ops.cuda.support import missing

    return missing()


def available() -> bool:
    """Whether the compiler is installed, and a GPU is there or the interpreter is asked for."""
    return not missing()


def describe() -> dict[str, Any]:
    """The GPU, its driver, and the compiler's versions."""
    from minicnn.ops.cuda.compile import versions
    from minicnn.ops.cuda.device import device

    return {**device().describe(), **versions()}


def use_threads(count: Any, name: str = "threads") -> None:
    """The device has its own threads; the number is left to it."""


def thread_count() -> int:
    """One, on the host."""
    return 1


def most_threads() -> int:
    """One."""
    return 1


def on_first_compilation(say: Callable[[], None]) -> AbstractContextManager[None]:
    """Within the block, call `say` once, at the first kernel that has to be compiled."""
    from minicnn.ops.cuda.compile import on_first_compilation

    return on_first_compilation(say)


def watch_compilation(
    begin: Callable[[str], None], end: Callable[[], None]
) -> AbstractContextManager[None]:
    """Within the block, call `begin` with the name of each kernel that is compiled, then `end`."""
    from minicnn.ops.cuda.compile import watch_compilation

    return watch_compilation(begin, end)


def nothing_compiled() -> AbstractContextManager[None]:
    """Within the block, raise `NotCompiledError` where a kernel would have to be compiled."""
    from minicnn.ops.cuda.compile import nothing_compiled

    return nothing_compiled()


def wait() -> None:
    """Until the device has done all that was launched."""
    from minicnn.ops.cuda.device import device

    device().synchronize()


def ceiling(rounds: int) -> tuple[float, float]:
    """Unknown: ``benchmarks/gpu.py`` measures what a GPU reaches."""
    return math.nan, math.nan


def convolutions(algorithm: str, *, tf32: bool = False) -> AbstractContextManager[None]:
    """`minicnn.ops.cuda.conv2d.convolutions`: one algorithm for every convolution in the block."""
    from minicnn.ops.cuda.conv2d import convolutions

    return convolutions(algorithm, tf32=tf32)


if TYPE_CHECKING:
    from minicnn.ops import *  # noqa: F403
else:
    globals().update({name: bound(name, "cuda") for name in OPERATIONS})
