"""How many threads the kernels use: as many as the machine has cores, unless told otherwise."""

import os
from typing import Any

import numba

from minicnn.errors import InputError

VARIABLE = "MINICNN_NUM_THREADS"
"""The environment variable that says how many, read when the cpu backend is imported."""


def use_threads(count: Any, name: str = "threads") -> None:
    """Let the kernels that this thread calls use so many threads from now on.

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
    most = most_threads()
    try:
        number = int(str(count))
    except ValueError:
        number = 0
    if not 1 <= number <= most:
        raise InputError(
            f"expected a number of threads from 1 to {most}, got {count!r}", argument=name
        )
    numba.set_num_threads(number)


def thread_count() -> int:
    """How many threads the kernels use."""
    return numba.get_num_threads()


def most_threads() -> int:
    """How many there can be: the machine's cores, or ``NUMBA_NUM_THREADS``."""
    return int(numba.config.NUMBA_NUM_THREADS)


if os.environ.get(VARIABLE):
    use_threads(os.environ[VARIABLE], VARIABLE)
