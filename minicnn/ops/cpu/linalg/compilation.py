"""Noticing that Numba compiles, so that a user need not wonder why nothing moves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core import event


class _FirstCompilation(event.Listener):
    """Calls back once, when a kernel is compiled that the disk cache does not hold."""

    def __init__(self, say: Callable[[], None]) -> None:
        self._say: Callable[[], None] | None = say

    def on_start(self, event: event.Event) -> None:
        """A compilation begins."""
        if self._say is not None:
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
