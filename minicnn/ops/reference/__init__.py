"""The reference backend: every operation in plain NumPy, as its equations read.

Each file beside this one is mathematics alone, and the definition of right. Arguments are checked
and documented by the door of the same name in `minicnn.ops`; the functions of this package are
those doors, bound to this backend.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from minicnn.ops.backend import OPERATIONS, bound, numpy_asarray as asarray

__all__ = ["asarray", "available", "ceiling", "describe", "missing", "most_threads",
           "nothing_compiled", "on_first_compilation", "thread_count", "use_threads", "wait",
           "watch_compilation", *OPERATIONS]


def available() -> bool:
    """Always: NumPy is all that it needs."""
    return True


def missing() -> str:
    """Nothing: NumPy is there."""
    return ""


def describe() -> dict[str, Any]:
    """Nothing: NumPy and the processor, which every run notes, decide."""
    return {}


def use_threads(count: Any, name: str = "threads") -> None:
    """NumPy has its own threads; the number is left to it."""


def thread_count() -> int:
    """One, as far as this backend knows."""
    return 1


def most_threads() -> int:
    """One."""
    return 1


def on_first_compilation(say: Callable[[], None]) -> AbstractContextManager[None]:
    """Nothing is compiled."""
    return nullcontext()


def watch_compilation(
    begin: Callable[[str], None], end: Callable[[], None]
) -> AbstractContextManager[None]:
    """Nothing is compiled."""
    return nullcontext()


def nothing_compiled() -> AbstractContextManager[None]:
    """Nothing is compiled."""
    return nullcontext()


def ceiling(rounds: int) -> tuple[float, float]:
    """Unknown."""
    return math.nan, math.nan


def wait() -> None:
    """Nothing: an operation returns when it is computed."""


if TYPE_CHECKING:
    from minicnn.ops import *  # noqa: F403
else:
    globals().update({name: bound(name, "reference") for name in OPERATIONS})
