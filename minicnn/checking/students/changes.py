"""Arrays of the caller that a function has changed: who calls it may still need them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Change:
    """An argument before and after a call, in the student's layout."""

    name: str
    before: np.ndarray
    after: np.ndarray


class Watched:
    """Arrays that are given to a function, and copies of them.

    Parameters
    ----------
    arrays : iterable of (str, object)
        By the student's name; what is no array is passed over.
    """

    def __init__(self, arrays: Iterable[tuple[str, object]]) -> None:
        self._pairs = [
            (name, array, array.copy()) for name, array in arrays if isinstance(array, np.ndarray)
        ]

    def changed(self) -> list[Change]:
        """Those that are no longer what they were."""
        return [
            Change(name, before, array.copy()) for name, array, before in self._pairs
            if not np.array_equal(array, before, equal_nan=array.dtype.kind == "f")
        ]


class Changes:
    """The changes that each function made, the smallest array of each name."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Change]] = {}

    def note(self, function: str, watched: Watched) -> None:
        """Keep what a call has changed."""
        kept = self._of.setdefault(function, {})
        for change in watched.changed():
            known = kept.get(change.name)
            if known is None or change.before.size < known.before.size:
                kept[change.name] = change

    def of(self, function: str) -> list[Change]:
        """What a function has changed."""
        return list(self._of.get(function, {}).values())
