"""How a kernel is compiled, kept and started: the decorators of all compiled functions.

A `parallel` function does one block of a kernel, and may call `worker` functions. Blocks are
shared among threads by `launch`: Numba's own ``parallel=True`` compiles for a second a kernel.

A loop over single elements takes its block as a slice first: Numba then knows that no index is
negative, and LLVM turns the loop into vector instructions.

Threads that wait for each other spin for about half a millisecond, then sleep (`GOMP_SPINCOUNT`,
where the user has not set it or `OMP_WAIT_POLICY`). Between the kernels of a training step they
stay awake, for waking one takes 0.08 ms; on a busy machine a waiting thread does not keep the core
that the others are waiting for.
"""

import functools
import multiprocessing
import os
import threading
from collections.abc import Callable
from typing import Any

import numba
from numba import njit
from numba.core.compiler_lock import global_compiler_lock

from minicnn.compiling.kernel_cache import cache_of
from minicnn.compiling.launch import start_of
from minicnn.compiling.threads import settle

if "OMP_WAIT_POLICY" not in os.environ:  # both are read when Numba starts its threads
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def compiles() -> bool:
    """Whether Numba compiles at all: ``NUMBA_DISABLE_JIT`` turns it off."""
    return not numba.config.DISABLE_JIT


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
    """Compile a function that does one block of a kernel; calling it does all, side by side.

    The function's first argument is the number of a block; the caller says how many there are.
    Where threads cannot run, the blocks are computed one after another, to the same bits: in a
    process that was forked after the threads had started, which GNU OpenMP does not survive.
    Python threads that compute at once take turns where Numba's threads serve one at a time.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.body = worker(function)
        compiled = self.body is not function
        self.start = _compiled(start_of(self.body)) if compiled else self._start_in_turn

    def _start_in_turn(self, blocks: int, threaded: bool, *arguments: Any) -> None:
        for block in range(blocks):
            self.body(block, *arguments)

    def __call__(self, blocks: int, *arguments: Any) -> None:
        settle()
        if _team.serves_all:
            self.start(blocks, True, *arguments)
        elif _team.lost:
            self.start(blocks, False, *arguments)
        else:
            with _team.turn:
                self.start(blocks, True, *arguments)
                _team.meet()


def _threads_have_started() -> bool:
    try:
        return bool(numba.threading_layer())
    except ValueError:  # how Numba says no
        return False


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
        self.serves_all = False
        # in a worker that imports this late, whose threads they are cannot be told
        self.lost = _threads_have_started() and multiprocessing.parent_process() is not None
        self.turn = threading.RLock()

    def meet(self) -> None:
        """Find out which threads Numba has started: "workqueue" serves one Python thread."""
        self.serves_all = numba.threading_layer() != "workqueue"

    def stay_behind(self) -> None:
        """What a fork leaves of them, in the new process.

        They may have started without any kernel of ours: Numba starts them where it counts them,
        where it compiles a parallel function, and for the user's own.
        """
        self.turn = threading.RLock()
        self.lost = self.lost or _threads_have_started()
        self.serves_all = False


_team = _Team()

if hasattr(os, "register_at_fork"):
    # a fork waits for who compiles: the new process would wait for ever for a lock that its
    # holder, a thread that stayed behind, cannot give back
    os.register_at_fork(before=global_compiler_lock.acquire,
                        after_in_parent=global_compiler_lock.release,
                        after_in_child=global_compiler_lock.release)
    os.register_at_fork(after_in_child=_team.stay_behind)
