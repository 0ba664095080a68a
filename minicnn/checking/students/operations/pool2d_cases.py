"""Pooling: the cases that tell its faults apart."""

from dataclasses import replace

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.geometry import Pair, Rim, divides


def _case(
    x: np.ndarray, size: int | Pair, stride: int | Pair, *, padding: int | Rim = 0,
) -> Case:
    """A window of two sizes may be refused, for not everybody's takes pairs, and so may a stride
    that does not divide."""
    case = Case({"x": x.astype(float)}, {"size": size, "stride": stride, "padding": padding})
    if isinstance(padding, tuple):
        return replace(case, may_refuse=(Exception,))
    if isinstance(size, tuple):
        return replace(case, may_refuse=(TypeError, ValueError, AssertionError))
    return case if divides(case) else replace(case, may_refuse=(ValueError, AssertionError))


def distinct(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Values of both signs without ties."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) - size / 2) / 4).reshape(shape)


def pool2d_cases() -> list[Case]:
    """Windows that overlap, tile and leave gaps; without ties, and with many."""
    rng = np.random.default_rng(30)
    return [
        _case(distinct(rng, 3, 4, 6, 5), 2, 2),
        _case(distinct(rng, 3, 7, 5, 2), 3, 2),
        _case(distinct(rng, 2, 4, 5, 3), 2, 1),
        _case(distinct(rng, 2, 8, 11, 3), 2, 3),
        _case(rng.integers(0, 2, (3, 6, 4, 5)), 2, 2),
        _case(rng.integers(-1, 1, (2, 7, 5, 3)), 3, 2),
        _case(distinct(rng, 2, 5, 7, 3), (3, 2), 1),
        _case(distinct(rng, 3, 6, 8, 2), (2, 4), 2),
        _case(distinct(rng, 3, 5, 7, 2) - 40, 3, 2, padding=1),
        _case(distinct(rng, 2, 6, 4, 3) - 40, 2, 2, padding=1),
        _case(distinct(rng, 2, 8, 6, 3), 3, 2),
        _case(distinct(rng, 2, 6, 5, 3) - 40, (3, 2), (1, 2), padding=((2, 0), (0, 1))),
        _case(distinct(rng, 2, 5, 4, 2) - 40, (2, 3), (2, 1), padding=((0, 1), (2, 1))),
    ]


def small_cases() -> list[Case]:
    """Tiny images, in which a fault can be followed by hand."""
    rng = np.random.default_rng(31)
    line = np.array([1.0, 3, 2, 5, 4]).reshape(1, 1, 5, 1)
    return [
        _case(line[:, :, :2], (1, 2), 1),
        _case(np.ones((1, 1, 2, 1)), (1, 2), 1),
        _case(line[:, :, :3], (1, 2), 1),
        _case(line[:, :, :4], (1, 2), 2),
        _case(line, (1, 2), 3),
        _case(distinct(rng, 1, 2, 2, 1) * 4, 2, 2),
        _case(np.ones((1, 2, 2, 1)), 2, 2),
        _case(distinct(rng, 1, 2, 3, 1) * 4, 2, 1),
        _case(distinct(rng, 1, 2, 4, 1) * 4, 2, 2),
        _case(distinct(rng, 1, 3, 3, 1) * 4, 2, 1),
        _case(-np.ones((1, 2, 2, 1)), 2, 2, padding=1),
        _case(distinct(rng, 2, 5, 5, 2) * 4, 2, 3),
        _case(distinct(rng, 2, 5, 7, 2) * 4, 3, 2),
        _case(distinct(rng, 1, 1, 2, 1) * 4 - 9, (2, 2), (1, 1), padding=((0, 1), (1, 0))),
    ]
