"""How far reading a data set has come, told to whoever wants to show it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watcher = Callable[[str, float], None]
"""Is told the name of what is read, and which share of it has been, from 0 to 1."""

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Within the block `watcher` is told how far reading has come.

    Parameters
    ----------
    watcher : callable
        Called with a name (str) and a share (float), many times a second while something is read
        that was not remembered from an earlier time; at its end with 1.
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def tell(name: str, share: float) -> None:
    """Tell the watcher, if there is one."""
    if (watcher := _watcher.get()) is not None:
        watcher(name, share)
