"""The environment of a run, which decides its last bits: versions, threads, processor."""

from contextlib import suppress
from typing import Any

import numba
import numpy as np
from llvmlite.binding import get_host_cpu_name

from minicnn import __version__
from minicnn.errors import InputError
from minicnn.ops import backend_name
from minicnn.ops.cpu.linalg import simd
from minicnn.ops.cpu.linalg.threads import thread_count, use_threads


def now() -> dict[str, Any]:
    """The environment of this process, JSON-ready."""
    return {
        "backend": backend_name(),
        "threads": thread_count(),
        "vector bits": simd.REGISTER_BITS,
        "processor": get_host_cpu_name(),
        "minicnn": __version__,
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def go_on_with(before: Any, keep_threads: bool) -> list[str]:
    """Take over the number of threads of a run, and say what else differs.

    Parameters
    ----------
    before : dict
        The environment that a checkpoint was saved in.
    keep_threads : bool
        Leave the number of threads as it is.

    Returns
    -------
    list of str
        A note for each difference that may show in the last bits.
    """
    if not isinstance(before, dict):
        return []
    if not keep_threads and before.get("threads") != thread_count():
        with suppress(InputError):  # a machine that has fewer is noted below
            use_threads(before.get("threads"))
    return [
        f"note: the run was last saved with {name} {before[name]!r}, now it is {value!r}: from "
        "here on its last bits may differ from those of an uninterrupted run"
        for name, value in now().items() if name in before and before[name] != value
    ]
