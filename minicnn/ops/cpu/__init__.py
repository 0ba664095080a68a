"""The cpu backend: every operation compiled by Numba and threaded.

Each file beside this one holds an operation's entry point and kernels, on what `linalg` gives.
Arguments are checked and documented by the door of the same name in `minicnn.ops`; the functions of
this package are those doors, bound to this backend.
"""

from typing import TYPE_CHECKING, Any

from minicnn.compiling.kernels import compiles
from minicnn.compiling.threads import missing_threads, most_threads, thread_count, use_threads
from minicnn.compiling.watching import nothing_compiled, on_first_compilation, watch_compilation
from minicnn.ops.backend import OPERATIONS, bound, numpy_asarray as asarray
from minicnn.ops.cpu.conv2d import convolutions
from minicnn.ops.cpu.linalg.ceiling import ceiling
from minicnn.ops.cpu.linalg.kept_kernels import (
    all_compiled,
    cache_folder,
    kernel_count,
    note_all_compiled,
)
from minicnn.ops.cpu.linalg.processor import REGISTER_BITS

__all__ = ["all_compiled", "asarray", "available", "cache_folder", "ceiling", "convolutions",
           "describe", "kernel_count", "missing", "most_threads", "note_all_compiled",
           "nothing_compiled", "on_first_compilation", "thread_count", "use_threads", "wait",
           "watch_compilation", *OPERATIONS]


def available() -> bool:
    """Whether Numba compiles: it does for every machine that it runs on, unless told not to."""
    return not missing()


def missing() -> str:
    """Numba's compiler or its threads, where an environment variable has turned them off."""
    if not compiles():
        return "NUMBA_DISABLE_JIT is set, and Numba compiles nothing; unset it"
    return missing_threads()


def describe() -> dict[str, Any]:
    """How many threads compute, and how wide the processor's vectors are."""
    return {"threads": thread_count(), "vector bits": REGISTER_BITS}


def wait() -> None:
    """Nothing: an operation returns when it is computed."""


if TYPE_CHECKING:
    from minicnn.ops import *  # noqa: F403
else:
    globals().update({name: bound(name, "cpu") for name in OPERATIONS})
