"""The environment of a run, which decides its last bits: versions, threads, processor."""

from contextlib import suppress
from typing import Any

import numba
import numpy as np
from llvmlite.binding import get_host_cpu_name

from minicnn import __version__
from minicnn.errors import InputError
from minicnn.ops import backend, backend_name


def now() -> dict[str, Any]:
    """The environment of this process, JSON-ready."""
    return {
        "backend": backend_name(),
        **backend().describe(),
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
    threads = before.get("threads", backend().thread_count())
    if not keep_threads and threads != backend().thread_count():
        with suppress(InputError):  # a machine that has fewer is noted below
            backend().use_threads(threads)
    return [
        f"note: the run was last saved with {name} {before[name]!r}, now it is {value!r}: from "
        "here on its last bits may differ from those of an uninterrupted run"
        for name, value in now().items() if name in before and before[name] != value
    ]
