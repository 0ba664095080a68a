"""A forward and its backwards, as a student's file has them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minicnn.checking.students.convention import Convention


@dataclass(frozen=True)
class Pair:
    """A forward and its backwards as a file has them; either may be missing.

    Attributes
    ----------
    convention : Convention
    forward : callable or None
    backwards : dict
        By name.
    settle : callable or None
        Gives the pair that is judged, where the student's code has to run for it to be known.
    note : str
        What a right forward is told; empty for most.
    """

    convention: Convention
    forward: Callable[..., Any] | None
    backwards: dict[str, Callable[..., Any]]
    settle: "Callable[[], Pair] | None" = None
    note: str = ""

    @property
    def names(self) -> list[str]:
        """The functions' names, forward first."""
        return [self.convention.forward] * (self.forward is not None) + list(self.backwards)


def parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter] | None:
    """A function's parameters by name; None where Python cannot tell.

    A decorator that hides them behind ``*args, **kwargs`` keeps the function it wraps in its
    closure.
    """
    try:
        found = dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None
    if {each.kind for each in found.values()} <= {
        inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    }:
        for cell in getattr(function, "__closure__", None) or ():
            if inspect.isfunction(cell.cell_contents):
                return parameters(cell.cell_contents)
    return found
