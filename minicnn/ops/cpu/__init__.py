"""The cpu backend: every operation compiled by Numba and threaded.

Each file beside this one holds an operation's entry point and kernels, on what `linalg` gives.
Arguments are checked and documented by the door of the same name in `minicnn.ops`; the functions of
this package are those doors, bound to this backend.
"""

from collections.abc import Callable
from typing import Any

from minicnn.ops.backend import OPERATIONS, bound, numpy_asarray as asarray
from minicnn.ops.cpu.conv2d import convolutions
from minicnn.ops.cpu.linalg.ceiling import ceiling
from minicnn.ops.cpu.linalg.compilation import on_first_compilation
from minicnn.ops.cpu.linalg.processor import REGISTER_BITS
from minicnn.ops.cpu.linalg.threads import most_threads, thread_count, use_threads

__all__ = ["asarray", "available", "ceiling", "convolutions", "describe", "most_threads",
           "on_first_compilation", "thread_count", "use_threads"]


def available() -> bool:
    """Always: Numba compiles for the machine that it runs on."""
    return True


def describe() -> dict[str, Any]:
    """How many threads compute, and how wide the processor's vectors are."""
    return {"threads": thread_count(), "vector bits": REGISTER_BITS}


def __getattr__(name: str) -> Callable[..., Any]:
    return bound(name, "cpu")


def __dir__() -> list[str]:
    return sorted([*globals(), *OPERATIONS])
