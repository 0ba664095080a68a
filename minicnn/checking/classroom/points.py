"""What each function of a submission is worth."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from minicnn.checking.students.dialects import CONVENTIONS
from minicnn.checking.students.exercises import EXERCISES
from minicnn.errors import InputError

MOST = 1e6
"""More points than any function is worth."""


@dataclass(frozen=True)
class Points:
    """How many points a right function gives; a wrong one gives none.

    Attributes
    ----------
    each : float
        For every function, where none is named.
    named : dict
        By function. Where there are any, these are what is asked: others do not count, and one
        that is missing gives none.
    """

    each: float = 1
    named: dict[str, float] = field(default_factory=dict)

    def asked(self, found: Iterable[str]) -> dict[str, float]:
        """The points of every function that counts, given those that a submission has."""
        return self.named or dict.fromkeys(found, self.each)


def known_functions() -> set[str]:
    """The names of all functions that one of the dialects knows."""
    return {name for each in CONVENTIONS for name in (each.forward, *each.backwards)}


def functions_of(names: Iterable[str], argument: str) -> list[str]:
    """The functions that names stand for: an exercise for all of its own, a function for itself.

    Parameters
    ----------
    names : iterable of str
    argument : str
        What the caller's argument is called, for the error.

    Raises
    ------
    InputError
        Where a name is neither.
    """
    functions: dict[str, None] = {}
    known = known_functions()
    for name in names:
        if name not in EXERCISES and name not in known and "." not in name:
            near = get_close_matches(name, [*EXERCISES, *known], n=3)
            meant = f"did you mean {', '.join(near)}?" if near else (
                f"the exercises are {', '.join(EXERCISES)}")
            raise InputError(
                f"expected names of exercises or of functions, got {name!r}; {meant}",
                argument=argument,
            )
        own = EXERCISES[name].functions if name in EXERCISES else (name,)
        functions.update(dict.fromkeys(own))
    return list(functions)


def read_points(text: str) -> Points:
    """What ``"10"``, or ``"batchnorm_backward=5,conv2d=2"``, says.

    A number alone is for every function. A name is a function's, or an exercise's for each of its
    functions; a function with a dot, such as ``BatchNorm.backward``, is a method of a class.

    Parameters
    ----------
    text : str

    Returns
    -------
    Points

    Raises
    ------
    InputError
        Where a number is none, negative or larger than a million, a name is unknown, or two
        numbers are given for one function.
    """
    if "=" not in text:
        return Points(each=_number(text))
    named: dict[str, float] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, number = (each.strip() for each in part.partition("="))
        for function in functions_of([name], "points"):
            if function in named:
                raise InputError(f"{function} is given points twice", argument="points")
            named[function] = _number(number)
    return Points(named=named)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= MOST:
        raise InputError(
            f"expected a number of points from 0 to 1,000,000, or NAME=NUMBER with commas between, "
            f"got {text.strip()!r}", argument="points",
        )
    return int(value) if value == int(value) else value
