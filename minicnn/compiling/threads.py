"""How many threads the kernels use: as many as the machine has cores, unless told otherwise."""

import os
import threading
from importlib import import_module
from typing import Any

import numba

from minicnn.errors import InputError

VARIABLE = "MINICNN_NUM_THREADS"
"""The environment variable that says how many, read when the cpu backend is imported."""


LAYERS = ("default", "safe", "threadsafe", "forksafe", "tbb", "omp", "workqueue")
"""What ``NUMBA_THREADING_LAYER`` may ask for."""

_chosen: int | None = None
_settled = threading.local()


def use_threads(count: Any, name: str = "threads") -> None:
    """Let the kernels use so many threads from now on, whichever Python thread calls them.

    Sums over a batch are cut into one part a thread, so that results of another number of threads
    may differ in their last digits; for one number they are the same in every run.

    Parameters
    ----------
    count : int or str
        From 1 to what Numba was started with: the machine's cores, or ``NUMBA_NUM_THREADS``.
    name : str, default "threads"
        What error messages call it.

    Raises
    ------
    InputError
        For anything else.
    """
    global _chosen
    most = most_threads()
    try:
        number = int(str(count))
    except ValueError:
        number = 0
    if not 1 <= number <= most:
        raise InputError(
            f"expected a number of threads from 1 to {most}, got {count!r}", argument=name
        )
    _chosen = number
    settle()


def settle() -> None:
    """Start Numba's threads, and bring the number that was chosen to this Python thread.

    Numba keeps one number for each Python thread.

    Raises
    ------
    InputError
        If ``NUMBA_THREADING_LAYER`` asks for threads that cannot be started here.
    """
    if getattr(_settled, "number", 0) == _chosen:
        return
    try:
        if _chosen is None:
            numba.get_num_threads()  # starts them
        else:
            numba.set_num_threads(_chosen)
    except ValueError as error:
        raise InputError(
            "expected default, or a layer that Numba can load here, got "
            f"{numba.config.THREADING_LAYER!r}: {' '.join(str(error).split())}",
            argument="NUMBA_THREADING_LAYER",
        ) from error
    _settled.number = _chosen


def thread_count() -> int:
    """How many threads the kernels use."""
    settle()
    return numba.get_num_threads()


def missing_threads() -> str:
    """What the threads that ``NUMBA_THREADING_LAYER`` asks for lack; empty if nothing."""
    layer = str(numba.config.THREADING_LAYER).lower()
    if layer not in LAYERS:
        known = ", ".join(LAYERS)
        return f"NUMBA_THREADING_LAYER asks for {layer!r}, and Numba knows {known}; unset it"
    if layer in ("tbb", "safe"):
        try:
            import_module("numba.np.ufunc.tbbpool")
        except ImportError:
            return f"NUMBA_THREADING_LAYER asks for {layer!r}; install tbb, or unset it"
    return ""


def most_threads() -> int:
    """How many there can be: the machine's cores, or ``NUMBA_NUM_THREADS``."""
    return int(numba.config.NUMBA_NUM_THREADS)


if os.environ.get(VARIABLE):
    use_threads(os.environ[VARIABLE], VARIABLE)
