"""Convolution: its equations, with room for a fault in each."""

from collections.abc import Iterator

import numpy as np

from minicnn.checking.students.operations.case import Case

Pair = tuple[int, int]


def _output(case: Case) -> tuple[int, int, int, int]:
    """(N, OH, OW, K)."""
    n, height, width, _ = case["x"].shape
    rows, columns, _, filters = case["w"].shape
    stride, padding = case["stride"], case["padding"]
    return (
        n,
        (height + 2 * padding - rows) // stride + 1,
        (width + 2 * padding - columns) // stride + 1,
        filters,
    )


def _padded(x: np.ndarray, padding: int, shift: Pair, room: int) -> np.ndarray:
    """x in zeros, `room` rows and columns wide beyond the padding, moved by a shift."""
    around = padding + room
    rim = [(around + step, around - step) for step in shift]
    return np.pad(x, ((0, 0), *rim, (0, 0)))


def _windows(
    case: Case, shape: tuple[int, ...], stride: Pair, shift: Pair
) -> Iterator[tuple[Pair, tuple[slice, slice], int]]:
    """Each place (p, q) of the kernel, and where in the padded image its pixels lie."""
    room = 2 + max(shape) * max(stride) + max(case["w"].shape)
    for p, q in np.ndindex(case["w"].shape[:2]):
        rows = slice(room + p, room + p + shape[1] * stride[0], stride[0])
        columns = slice(room + q, room + q + shape[2] * stride[1], stride[1])
        yield (p, q), (rows, columns), room


def correlate(
    case: Case, *, shift: Pair = (0, 0), stride: Pair | None = None, w: np.ndarray | None = None,
    bias: bool = True, shape: tuple[int, ...] | None = None,
) -> np.ndarray:
    """Equation 1, with x shifted in its rim, other strides, or another kernel."""
    shape = shape or _output(case)
    stride = stride or (case["stride"],) * 2
    w = case["w"] if w is None else w
    y = np.zeros(shape)
    for (p, q), pixels, room in _windows(case, shape, stride, shift):
        y += _padded(case["x"], case["padding"], shift, room)[:, *pixels] @ w[p, q]
    return y + case["b"] if bias else y


def stride_one_everywhere(case: Case) -> np.ndarray:
    """As many windows as stride 1 gives."""
    n, height, width, _ = case["x"].shape
    rows, columns, _, filters = case["w"].shape
    padding = case["padding"]
    shape = (n, height + 2 * padding - rows + 1, width + 2 * padding - columns + 1, filters)
    return correlate(case, stride=(1, 1), shape=shape)


def weight_gradient(
    case: Case, dy: np.ndarray, *, shift: Pair = (0, 0), stride: Pair | None = None
) -> np.ndarray:
    """Equation 5, with x shifted in its rim or other strides."""
    stride = stride or (case["stride"],) * 2
    dw = np.zeros(case["w"].shape)
    for (p, q), pixels, room in _windows(case, dy.shape, stride, shift):
        window = _padded(case["x"], case["padding"], shift, room)[:, *pixels]
        dw[p, q] = np.einsum("nijc,nijk->ck", window, dy)
    return dw


def padded_gradient(
    case: Case, dy: np.ndarray, *, stride: Pair | None = None, w: np.ndarray | None = None,
    overwrite: str = "",
) -> np.ndarray:
    """Equation 3: dx with its rim; `overwrite` names what assigns instead of adding."""
    n, height, width, channels = case["x"].shape
    padding = case["padding"]
    stride = stride or (case["stride"],) * 2
    w = case["w"] if w is None else w
    rows, columns = w.shape[:2]
    dx = np.zeros((n, height + 2 * padding, width + 2 * padding, channels))
    places = list(np.ndindex(dy.shape[1:3]))
    if "first" in overwrite:
        places.reverse()
    for i, j in places:
        top, left = i * stride[0], j * stride[1]
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
    padding = case["padding"]
    for axis, how in enumerate(crop, start=1):
        size = case["x"].shape[axis]
        start = {"right": padding, "end": 0, "start": 2 * padding, "none": 0}[how]
        stop = dx.shape[axis] if how == "none" else start + size
        dx = np.take(dx, range(start, stop), axis)
    return dx


def cropped_from_the_end(case: Case, dy: np.ndarray) -> np.ndarray:
    """What the slice padding:-padding leaves of dx: nothing, where padding is 0."""
    inside = slice(case["padding"], -case["padding"])
    return padded_gradient(case, dy)[:, inside, inside]


def shifted(case: Case, dx: np.ndarray, step: Pair) -> np.ndarray:
    """dx cut out beside its place; what lies outside is 0."""
    padding = case["padding"]
    _, height, width, _ = case["x"].shape
    room = max(abs(step[0]), abs(step[1]))
    wide = np.pad(dx, ((0, 0), (room, room), (room, room), (0, 0)))
    top, left = room + padding + step[0], room + padding + step[1]
    return wide[:, top : top + height, left : left + width]
