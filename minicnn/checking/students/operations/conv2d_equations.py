"""Convolution: its equations, with room for a fault in each."""

from collections.abc import Iterator

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.geometry import Pair, Rim, output_size, rim, strides


def correlate(
    case: Case, *, shift: Pair = (0, 0), stride: Pair | None = None, w: np.ndarray | None = None,
    bias: bool = True, size: Pair | None = None, around: Rim | None = None,
) -> np.ndarray:
    """Equation 1, with x shifted in its rim, other strides or paddings, or another kernel.

    There are `size` windows; by default as many as the right stride and padding give.
    """
    shape = (len(case["x"]), *(size or output_size(case)), case["w"].shape[3])
    around = around or rim(case)
    w = case["w"] if w is None else w
    y = np.zeros(shape)
    for (p, q), pixels, room in _windows(case, shape, stride or strides(case), shift):
        y += _padded(case["x"], around, shift, room)[:, *pixels] @ w[p, q]
    return y + case["b"] if bias else y


def weight_gradient(
    case: Case, dy: np.ndarray, *, shift: Pair = (0, 0), stride: Pair | None = None
) -> np.ndarray:
    """Equation 5, with x shifted in its rim or other strides."""
    dw = np.zeros(case["w"].shape)
    for (p, q), pixels, room in _windows(case, dy.shape, stride or strides(case), shift):
        window = _padded(case["x"], rim(case), shift, room)[:, *pixels]
        dw[p, q] = np.einsum("nijc,nijk->ck", window, dy)
    return dw


def _padded(x: np.ndarray, around: Rim, shift: Pair, room: int) -> np.ndarray:
    """x in zeros, `room` rows and columns wide beyond the padding, moved by a shift."""
    sides = [
        (room + before + step, room + after - step)
        for (before, after), step in zip(around, shift, strict=True)
    ]
    return np.pad(x, ((0, 0), *sides, (0, 0)))


def _windows(
    case: Case, shape: tuple[int, ...], stride: Pair, shift: Pair
) -> Iterator[tuple[Pair, tuple[slice, slice], int]]:
    """Each place (p, q) of the kernel, and where in the padded image its pixels lie."""
    room = 2 + max(shape) * max(stride) + max(case["w"].shape) + max(map(abs, shift))
    for p, q in np.ndindex(case["w"].shape[:2]):
        rows = slice(room + p, room + p + shape[1] * stride[0], stride[0])
        columns = slice(room + q, room + q + shape[2] * stride[1], stride[1])
        yield (p, q), (rows, columns), room


def padded_gradient(
    case: Case, dy: np.ndarray, *, stride: Pair | None = None, w: np.ndarray | None = None,
    overwrite: str = "",
) -> np.ndarray:
    """Equation 3: dx with its rim; `overwrite` names what assigns instead of adding."""
    n, height, width, channels = case["x"].shape
    vertical, horizontal = rim(case)
    down, across = stride or strides(case)
    w = case["w"] if w is None else w
    rows, columns = w.shape[:2]
    dx = np.zeros((n, height + sum(vertical), width + sum(horizontal), channels))
    places = list(np.ndindex(dy.shape[1:3]))
    if "first" in overwrite:
        places.reverse()
    for i, j in places:
        top, left = i * down, j * across
        if "last filter" in overwrite:
            patch = dy[:, i, j, None, None, None, -1] * w[None, ..., -1]
        else:
            patch = np.einsum("nk,pqck->npqc", dy[:, i, j], w)
        target = dx[:, top : top + rows, left : left + columns]
        patch = patch[:, : target.shape[1], : target.shape[2]]
        target[...] = patch if overwrite else target + patch
    return dx


def cropped(case: Case, dx: np.ndarray, crop: tuple[str, str] = ("right", "right")) -> np.ndarray:
    """Equation 4, or the rim cut off at the wrong sides of the axes."""
    for axis, (how, (before, after)) in enumerate(zip(crop, rim(case), strict=True), start=1):
        size = case["x"].shape[axis]
        start = {"right": before, "end": 0, "start": before + after, "none": 0}[how]
        stop = dx.shape[axis] if how == "none" else start + size
        dx = np.take(dx, range(start, stop), axis)
    return dx


def cropped_from_the_end(case: Case, dy: np.ndarray) -> np.ndarray:
    """What the slice padding:-padding leaves of dx: nothing, where padding is 0."""
    inside = [slice(before, -after) for before, after in rim(case)]
    return padded_gradient(case, dy)[:, *inside]


def cropped_by(case: Case, dy: np.ndarray, number: int) -> np.ndarray:
    """dx where a rim of a number of its own is cut off, whatever the padding is."""
    inside = slice(number, -number)
    return padded_gradient(case, dy)[:, inside, inside]


def cropped_as_if_unpadded(case: Case, dy: np.ndarray) -> np.ndarray:
    """What the slice padding:height leaves of dx, whose height is that of the padded image."""
    inside = [
        slice(before, length)
        for (before, _), length in zip(rim(case), case["x"].shape[1:3], strict=True)
    ]
    return padded_gradient(case, dy)[:, *inside]


def shifted(case: Case, dx: np.ndarray, step: Pair) -> np.ndarray:
    """dx cut out beside its place; what lies outside is 0."""
    (top, _), (left, _) = rim(case)
    _, height, width, _ = case["x"].shape
    room = max(abs(step[0]), abs(step[1]))
    wide = np.pad(dx, ((0, 0), (room, room), (room, room), (0, 0)))
    top, left = room + top + step[0], room + left + step[1]
    return wide[:, top : top + height, left : left + width]
