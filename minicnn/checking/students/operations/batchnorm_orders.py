"""Batch norm of images as rows (N·H·W, C): what comes of other orders of the axes."""

import itertools
from collections.abc import Iterator

import numpy as np

from minicnn.checking.students.operations.batchnorm_cases import BY_CHANNEL, batch_axes
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.normalisation_terms import terms
from minicnn.checking.students.operations.operation import Suspect

ORDERS = ("NHWC", "NCHW", "NWHC")
"""In which images may be cut into rows of length C; the second has not moved its channels."""


def _rows(array: np.ndarray, order: str) -> np.ndarray:
    """Images (N, H, W, C) cut into rows in an order of their axes; features as they are."""
    if array.ndim == 4:
        array = array.transpose(["NHWC".index(letter) for letter in order])
        array = array.reshape(-1, array.shape[order.index("C")])
    return array


def _images(rows: np.ndarray, shape: tuple[int, ...], order: str) -> np.ndarray:
    """Rows put together to images (N, H, W, C) as if they had been cut in this order."""
    if len(shape) != 4:
        return rows
    axes = ["NHWC".index(letter) for letter in order]
    return np.moveaxis(rows.reshape([shape[axis] for axis in axes]), range(4), axes)


_NOT_MOVED = "(N, C, H, W) is reshaped to (N·H·W, C) without moving C to the end first."
_NOT_MOVED_BACK = "Rows (N·H·W, C) are reshaped to (N, C, H, W) without moving C back first."
_OTHERWISE_BACK = "The axes are moved to the rows in another order than back."


def _wrong_orders() -> Iterator[tuple[str, str, str, str]]:
    """The order before and after, the fault, and how it is told."""
    for before, after in itertools.product(ORDERS, repeat=2):
        if before == "NCHW":
            yield before, after, "bn-wrong-axes", _NOT_MOVED
        elif after == "NCHW":
            yield before, after, "", _NOT_MOVED_BACK
        elif before != after:
            yield before, after, "height-width-exchanged", _OTHERWISE_BACK


def forward_order_suspects() -> Iterator[Suspect]:
    """Of y."""

    def predict(case: Case, before: str, after: str) -> np.ndarray:
        cut = Case({**case.arrays, "x": _rows(case["x"], before)}, case.settings)
        return _images(BY_CHANNEL.y_with(cut), case["x"].shape, after)

    for before, after, fault, told in _wrong_orders():
        yield Suspect(fault, lambda case, before=before, after=after: (
            predict(case, before, after)), told, in_pairs=False)


def backward_order_suspects() -> dict[str, list[Suspect]]:
    """Of the gradients, where forward's rows are right."""

    def moved(dy: np.ndarray, before: str) -> np.ndarray:
        return _images(_rows(dy, before), dy.shape, "NHWC")

    def dx(case: Case, dy: np.ndarray, before: str, after: str) -> np.ndarray:
        parts = terms(BY_CHANNEL, case, moved(dy, before))  # rows in the order N, H, W
        return _images(parts[..., 0] - parts[..., 1] - parts[..., 2], dy.shape, after)

    def dgamma(case: Case, dy: np.ndarray) -> np.ndarray:
        return (moved(dy, "NCHW") * BY_CHANNEL.normalized(case)).sum(batch_axes(case))

    def dbeta(case: Case, dy: np.ndarray) -> np.ndarray:
        return moved(dy, "NCHW").sum(batch_axes(case))

    return {
        "dx": [
            Suspect(fault, lambda case, dy, before=before, after=after: (
                dx(case, dy, before, after)), told, in_pairs=False)
            for before, after, fault, told in _wrong_orders()
        ],
        "dgamma": [Suspect("bn-wrong-axes", dgamma, _NOT_MOVED)],
        "dbeta": [Suspect("bn-wrong-axes", dbeta, _NOT_MOVED)],
    }
