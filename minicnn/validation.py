"""Checks of single settings: a number in a range, a whole number, a truth value."""

import math
from numbers import Real
from typing import Any

import numpy as np


def number(
    operation: str,
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    ends: str = "[]",
) -> float:
    """A finite real number inside an interval whose `ends` are closed ``[ ]`` or open ``( )``."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{operation}: {name} must be a number, got {value!r}")
    result = _as_float(value)
    above = result >= low if ends[0] == "[" else result > low
    below = result <= high if ends[1] == "]" else result < high
    if not (math.isfinite(result) and above and below):
        left = ends[0] if low > -math.inf else "("
        right = ends[1] if high < math.inf else ")"
        interval = f"{left}{low:g}, {high:g}{right}"
        raise ValueError(f"{operation}: {name} must lie in {interval}, got {value!r}")
    return result


def _as_float(value: Any) -> float:
    """`value` as a float; infinite where it is a whole number beyond them."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def integer(operation: str, name: str, value: Any, minimum: int) -> int:
    """A whole number of at least `minimum`, Python's or NumPy's."""
    if not is_integer(value):
        raise TypeError(f"{operation}: {name} must be an integer, got {value!r}")
    if value < minimum:
        raise ValueError(f"{operation}: {name} must be at least {minimum}, got {value!r}")
    return int(value)


def divisor(operation: str, name: str, value: Any, whole: int, of: str) -> int:
    """A whole number of at least 1 that divides `whole`, so many of what `of` says."""
    result = integer(operation, name, value, 1)
    if whole % result:
        raise ValueError(f"{operation}: {name} must divide the {whole} {of}, got {result}")
    return result


def is_integer(value: Any) -> bool:
    """Whether a value is a whole number, Python's or NumPy's; truth values are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def flag(operation: str, name: str, value: Any) -> bool:
    """True or False, Python's or NumPy's; nothing else counts as either."""
    if not isinstance(value, bool | np.bool):
        raise TypeError(f"{operation}: {name} must be True or False, got {value!r}")
    return bool(value)
