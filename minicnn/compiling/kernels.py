"""How a kernel is compiled, kept and started: the decorators of all compiled functions.

Every threaded kernel is a pair: a `worker` that does one block, and a `parallel` function that
holds nothing but a ``prange`` over the blocks (anything more costs seconds of compile time).

A worker with a loop over single elements takes its block as a slice first: Numba then knows that no
index is negative, and LLVM turns the loop into vector instructions.

Threads that wait for each other spin for about half a millisecond, then sleep (`GOMP_SPINCOUNT`,
where the user has not set it or `OMP_WAIT_POLICY`). Between the kernels of a training step they
stay awake, for waking one takes 0.08 ms; on a busy machine a waiting thread does not keep the core
that the others are waiting for.
"""

import functools
import os
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba
from numba import njit

from minicnn.compiling.kernel_cache import cache_of
from minicnn.compiling.threads import settle

if "OMP_WAIT_POLICY" not in os.environ:  # both are read when Numba starts its threads
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    """Numba's dispatcher of a function, with our cache.

    No fastmath: code must notice NaN, and sums keep their order.
    """
    dispatcher = njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True, **options)(function)
    if dispatcher is not function:  # with NUMBA_DISABLE_JIT it is the function itself
        dispatcher._cache = cache_of(function) or dispatcher._cache
    return dispatcher


def serial(function: Callable[..., Any]) -> Any:
    """Compile a function that runs in one thread, and that Python may call."""
    return _compiled(function)


def worker(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled code calls: no time is spent on a door for Python."""
    return _compiled(function, no_cpython_wrapper=True)


class parallel:
    """Compile a function whose ``prange`` runs workers side by side.

    Where threads cannot run, its blocks are computed one after another, to the same bits: in a
    process that was forked after the threads had started, which GNU OpenMP does not survive.
    Python threads that compute at once take turns where Numba's threads serve one at a time.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.threaded = _compiled(function, parallel=True)

    @functools.cached_property
    def alone(self) -> Any:
        """The same without threads, compiled where it is needed, and kept under another name."""
        function = self.__wrapped__  # type: ignore[attr-defined]
        alone = FunctionType(function.__code__, function.__globals__, closure=function.__closure__)
        alone.__qualname__ = f"{function.__qualname__}_alone"
        return _compiled(alone)

    def __call__(self, *arguments: Any) -> Any:
        settle()
        if _team.serves_all:
            return self.threaded(*arguments)
        if _team.lost:
            return self.alone(*arguments)
        with _team.turn:
            result = self.threaded(*arguments)
            _team.meet()
            return result


class _Team:
    """What is known of Numba's threads, which start with the first parallel function.

    Attributes
    ----------
    serves_all : bool
        Whether several Python threads may start parallel functions at once.
    lost : bool
        Whether they stayed behind in the process that this one was forked from.
    turn : lock
        Whose turn it is, where they serve one at a time.
    """

    def __init__(self) -> None:
        self.serves_all = self.lost = self._met = False
        self.turn = threading.RLock()

    def meet(self) -> None:
        """Find out which threads Numba has started: "workqueue" serves one Python thread."""
        if not self._met:
            self._met = True
            self.serves_all = numba.threading_layer() != "workqueue"

    def stay_behind(self) -> None:
        """What a fork leaves of them, in the new process."""
        self.turn = threading.RLock()
        self.lost = self.lost or self._met
        self.serves_all = False


_team = _Team()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_team.stay_behind)
