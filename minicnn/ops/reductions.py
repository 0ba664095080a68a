"""Reductions over many arrays: are all numbers finite, and what is their norm."""

from collections.abc import Iterable
from typing import Any

from minicnn.ops import arguments
from minicnn.ops.backend import bodies, operation


@operation
def all_finite(arrays: Iterable[Any]) -> bool:
    """Whether no number in any of the arrays is NaN or infinite.

    Parameters
    ----------
    arrays : iterable of array_like, any shapes
        May be none, and may be empty.

    Returns
    -------
    bool

    Raises
    ------
    TypeError
        Where an array does not hold real numbers.
    """
    return bodies().all_finite(arguments.several("all_finite", arrays))


@operation
def global_norm(arrays: Iterable[Any]) -> float:
    """Euclidean norm of all arrays taken as one vector: ``sqrt(sum of all numbers squared)``.

    Squares and sums are taken in float64, so that no square of a float32 overflows.

    Parameters
    ----------
    arrays : iterable of array_like, any shapes
        May be none, and may be empty: their norm is 0.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        Where an array does not hold real numbers.
    """
    return bodies().global_norm(arguments.several("global_norm", arrays))
