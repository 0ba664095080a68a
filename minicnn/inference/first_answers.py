"""Answers before the kernels are compiled: few pictures do not wait for the compiler.

The kernels of the cpu backend take half a minute to compile, once a machine. The reference backend
compiles nothing, and computes a picture in the time of a blink. So where nobody has chosen a
backend and a kernel is missing, it answers, with the same numbers but for rounding.
"""

from collections.abc import Callable
from typing import TypeVar

from minicnn import ops
from minicnn.errors import NotCompiledError
from minicnn.ops.backend import backend_here

FEW = 256
"""How many views of pictures a process leaves to the reference backend, which takes about 0.03 s
for each; whoever has more waits less for the compiler."""

_left = FEW

Answer = TypeVar("Answer")


def without_waiting(compute: Callable[[], Answer], views: int) -> Answer:
    """What `compute` returns, by the reference backend where kernels would have to be compiled.

    Whether they have to be is asked of Numba, by computing: the first kernel that its cache does
    not hold, for this source, this version and this processor, ends the attempt.

    Parameters
    ----------
    compute : callable
        Calls operations; may be called twice.
    views : int
        How many inputs of the network it computes.

    Notes
    -----
    It is the chosen backend that computes, compiled or not, where one was chosen (`use_backend`,
    ``MINICNN_BACKEND``), and from the 257th view of a process on.
    """
    global _left
    if ops.backend_is_chosen() or views > _left:
        return compute()
    try:
        with ops.backend().nothing_compiled():
            return compute()
    except NotCompiledError:
        _left -= views
        with backend_here("reference"):  # other Python threads go on with theirs
            return compute()
