"""Noticing that Numba compiles, so that a user need not wonder why nothing moves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from numba.core import event

from minicnn.errors import NotCompiledError

_refused: ContextVar[bool] = ContextVar("whether this thread compiles nothing", default=False)


class _FirstCompilation(event.Listener):
    """Calls back once, when a kernel is compiled that the disk cache does not hold."""

    def __init__(self, say: Callable[[], None]) -> None:
        self._say: Callable[[], None] | None = say

    def on_start(self, event: event.Event) -> None:
        """A compilation begins."""
        if self._say is not None and not _refused.get():
            say, self._say = self._say, None
            say()

    def on_end(self, event: event.Event) -> None:
        """A compilation has ended."""


@contextmanager
def on_first_compilation(say: Callable[[], None]) -> Iterator[None]:
    """Call `say` once, at the first kernel that has to be compiled inside the block.

    A kernel that the disk cache holds is loaded, which is no compilation.
    """
    with event.install_listener("numba:compile", _FirstCompilation(say)):
        yield


class _Watch(event.Listener):
    """Tells of each kernel that is compiled, and when it is."""

    def __init__(self, begin: Callable[[str], None], end: Callable[[], None]) -> None:
        self._begin, self._end = begin, end

    def on_start(self, event: event.Event) -> None:
        """A compilation begins."""
        if not _refused.get():
            function = event.data["dispatcher"].py_func
            self._begin(f"{function.__module__.rpartition('.')[2]}.{function.__name__}")

    def on_end(self, event: event.Event) -> None:
        """A compilation has ended."""
        if not _refused.get():
            self._end()


@contextmanager
def watch_compilation(begin: Callable[[str], None], end: Callable[[], None]) -> Iterator[None]:
    """Within the block, call `begin` with the name of each kernel that is compiled, then `end`."""
    with event.install_listener("numba:compile", _Watch(begin, end)):
        yield


class _Refusal(event.Listener):
    """Raises where a kernel is to be compiled and this thread compiles nothing.

    Numba asks its cache on disk first, so that what is right for this source, this Numba and this
    processor is known to Numba alone.
    """

    def on_start(self, event: event.Event) -> None:
        """A compilation begins: not here."""
        if _refused.get():
            raise NotCompiledError(event.data["dispatcher"].__name__)

    def on_end(self, event: event.Event) -> None:
        """A compilation has ended, or was refused."""


@contextmanager
def nothing_compiled() -> Iterator[None]:
    """Within the block, raise `NotCompiledError` where a kernel would have to be compiled."""
    before = _refused.set(True)
    try:
        with event.install_listener("numba:compile", _Refusal()):
            yield
    finally:
        _refused.reset(before)
