"""Convolution as a product of matrices: axes that are read in another order than they stand.

The catalogue has no name for it, so that it is said in words.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.conv2d_equations import (
    correlate,
    cropped,
    padded_gradient,
    weight_gradient,
)
from minicnn.checking.students.operations.operation import Suspect

Order = tuple[int, ...]

IMAGES = ("N", "H′", "W′", "F")
"""The axes of y and dy."""

FILTERS = ("HH", "WW", "C", "F")
"""The axes of w and dw."""

IMAGE_ORDERS: tuple[Order, ...] = ((0, 3, 1, 2), (0, 1, 2, 3), (3, 0, 1, 2), (3, 1, 2, 0))
"""In which y's axes stand in a file, or in a matrix that has the filters first or last."""

FILTER_ORDERS: tuple[Order, ...] = ((3, 2, 0, 1), (0, 1, 2, 3), (2, 0, 1, 3), (3, 0, 1, 2))
"""Likewise of w's."""


def misread(array: np.ndarray, stored: Order, read: Order) -> np.ndarray:
    """An array whose axes stand in one order in memory and are reshaped as if in another."""
    sizes = [array.shape[axis] for axis in read]
    return array.transpose(stored).reshape(sizes).transpose(np.argsort(read))


def forward_suspects() -> list[Suspect]:
    """y, or w before it is used, in the wrong order."""
    return [
        *(
            Suspect("", lambda case, orders=orders: correlate(_with_misread_w(case, orders)),
                    _in_words("w", FILTERS, orders), partial(_with_misread_w, orders=orders))
            for orders in _pairs(FILTER_ORDERS)
        ),
        *(
            Suspect("", lambda case, orders=orders: misread(correlate(case), *orders),
                    _in_words("the product", IMAGES, orders))
            for orders in _pairs(IMAGE_ORDERS)
        ),
    ]


def backward_suspects(key: str) -> list[Suspect]:
    """dx or dw from a w or dy in the wrong order, and dw put back in the wrong order."""

    def gradient(case: Case, dy: np.ndarray) -> np.ndarray:
        if key == "dx":
            return cropped(case, padded_gradient(case, dy))
        return weight_gradient(case, dy)

    def of_dy(case: Case, dy: np.ndarray, orders: tuple[Order, Order]) -> np.ndarray:
        return gradient(case, misread(dy, *orders))

    def of_w(case: Case, dy: np.ndarray, orders: tuple[Order, Order]) -> np.ndarray:
        if key == "dx":
            return gradient(_with_misread_w(case, orders), dy)
        return misread(gradient(case, dy), *orders)

    what = "w" if key == "dx" else "dw's product"
    return [
        *(
            Suspect("", lambda case, dy, orders=orders: of_dy(case, dy, orders),
                    _in_words("the upstream gradient", IMAGES, orders))
            for orders in _pairs(IMAGE_ORDERS)
        ),
        *(
            Suspect("", lambda case, dy, orders=orders: of_w(case, dy, orders),
                    _in_words(what, FILTERS, orders))
            for orders in _pairs(FILTER_ORDERS)
        ),
    ]


def _with_misread_w(case: Case, orders: tuple[Order, Order]) -> Case:
    return case.with_arrays(w=misread(case["w"], *orders))


def _pairs(orders: Sequence[Order]) -> Iterator[tuple[Order, Order]]:
    """How the axes stand, and how they are read."""
    return ((stored, read) for stored in orders for read in orders if stored != read)


def _in_words(what: str, names: Sequence[str], orders: tuple[Order, Order]) -> str:
    stored, read = ("(" + ", ".join(names[axis] for axis in order) + ")" for order in orders)
    return (
        f"In memory the axes of {what} stand as {stored}, but they are reshaped as {read}: "
        "reshape moves no axis, transpose does."
    )
