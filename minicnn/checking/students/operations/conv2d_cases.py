"""Convolution: the cases that tell its faults apart."""

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.geometry import Pair, Rim


def _case(
    rng: np.random.Generator, images: tuple[int, ...], kernel: tuple[int, int], filters: int,
    stride: int | Pair, padding: int | Rim, *, whole: bool = False,
    may_refuse: tuple[type[BaseException], ...] = (),
) -> Case:
    shapes = {"x": images, "w": (*kernel, images[3], filters), "b": (filters,)}
    arrays = {
        name: rng.integers(-4, 5, shape).astype(float) if whole else rng.standard_normal(shape)
        for name, shape in shapes.items()
    }
    if whole:
        arrays["b"] = np.arange(1.0, filters + 1)
    if isinstance(padding, tuple):
        may_refuse = (Exception,)  # many a right implementation takes integers only
    wider = any(np.greater(kernel, images[1:3]))
    strange = "a kernel that is larger than the image without its padding" if wider else ""
    return Case(arrays, {"stride": stride, "padding": padding}, may_refuse, strange)


def conv2d_cases() -> list[Case]:
    """All sizes different; overlapping windows, strides that do not divide, several paddings.

    A kernel may be wider than the image is without its padding. Windows of one size serve dialects
    that know no others.
    """
    rng = np.random.default_rng(20)
    return [
        _case(rng, (3, 7, 5, 2), (3, 2), 4, 1, 0),
        _case(rng, (3, 9, 11, 2), (5, 3), 7, 2, 1),
        _case(rng, (2, 5, 7, 3), (3, 3), 4, 1, 1),
        _case(rng, (3, 5, 4, 2), (3, 5), 4, 1, 2),
        _case(rng, (2, 7, 10, 3), (1, 4), 5, 3, 0),
        _case(rng, (2, 8, 6, 3), (3, 3), 4, 2, 1, may_refuse=(AssertionError, ValueError)),
        _case(rng, (3, 7, 5, 2), (2, 2), 4, 1, 0),
        _case(rng, (2, 9, 7, 3), (3, 3), 4, 2, 0),
        _case(rng, (3, 4, 5, 2), (3, 3), 4, 1, 2),
        _case(rng, (2, 6, 4, 2), (3, 2), 3, (2, 1), ((1, 0), (2, 1))),
        _case(rng, (2, 5, 7, 3), (2, 3), 4, (1, 3), ((0, 2), (1, 1))),
    ]


def small_cases() -> list[Case]:
    """Tiny images, in which a fault can be followed by hand."""
    rng = np.random.default_rng(21)
    return [
        _case(rng, (1, 1, 1, 1), (1, 1), 1, 1, 0, whole=True),
        _case(rng, (1, 1, 3, 1), (1, 2), 1, 1, 0, whole=True),
        _case(rng, (1, 4, 2, 1), (2, 2), 1, 1, 0, whole=True),
        _case(rng, (1, 3, 3, 1), (2, 2), 1, 1, 0, whole=True),
        _case(rng, (2, 1, 3, 1), (1, 2), 1, 1, 0, whole=True),
        _case(rng, (1, 2, 2, 1), (2, 2), 1, 2, 1, whole=True),
        _case(rng, (1, 3, 3, 1), (3, 3), 1, 2, 1, whole=True),
        _case(rng, (2, 3, 4, 2), (2, 3), 3, 1, 1, whole=True),
        _case(rng, (1, 5, 5, 1), (3, 3), 1, 2, 1, whole=True),
        _case(rng, (1, 2, 1, 1), (1, 2), 1, (1, 1), ((0, 1), (1, 1)), whole=True),
    ]
