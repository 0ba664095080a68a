"""Convolution: the cases that tell its faults apart, and what each fault would produce."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from minicnn.checking.students.conventions import Case
from minicnn.checking.students.operations.operation import Operation, Suspect

Pair = tuple[int, int]


def _case(
    rng: np.random.Generator, images: tuple[int, ...], kernel: Pair, filters: int, stride: int,
    padding: int, *, whole: bool = False, may_refuse: tuple[type[BaseException], ...] = (),
) -> Case:
    shapes = {"x": images, "w": (*kernel, images[3], filters), "b": (filters,)}
    arrays = {
        name: rng.integers(-4, 5, shape).astype(float) if whole else rng.standard_normal(shape)
        for name, shape in shapes.items()
    }
    if whole:
        arrays["b"] = np.arange(1.0, filters + 1)
    return Case(arrays, {"stride": stride, "padding": padding}, may_refuse)


def _cases() -> list[Case]:
    """All sizes different; overlapping windows, strides that do not divide, several paddings."""
    rng = np.random.default_rng(20)
    return [
        _case(rng, (3, 7, 5, 2), (3, 2), 4, 1, 0),
        _case(rng, (3, 9, 11, 2), (5, 3), 7, 2, 1),
        _case(rng, (2, 5, 7, 3), (3, 3), 4, 1, 1),
        _case(rng, (3, 5, 4, 2), (3, 5), 4, 1, 2),
        _case(rng, (2, 7, 10, 3), (1, 4), 5, 3, 0),
        _case(rng, (2, 8, 6, 3), (3, 3), 4, 2, 1, may_refuse=(AssertionError, ValueError)),
    ]


def _small() -> list[Case]:
    rng = np.random.default_rng(21)
    return [
        _case(rng, (1, 1, 1, 1), (1, 1), 1, 1, 0, whole=True),
        _case(rng, (1, 1, 3, 1), (1, 2), 1, 1, 0, whole=True),
        _case(rng, (1, 3, 3, 1), (2, 2), 1, 1, 0, whole=True),
        _case(rng, (2, 1, 3, 1), (1, 2), 1, 1, 0, whole=True),
        _case(rng, (1, 2, 2, 1), (2, 2), 1, 2, 1, whole=True),
        _case(rng, (1, 3, 3, 1), (3, 3), 1, 2, 1, whole=True),
        _case(rng, (2, 3, 4, 2), (2, 3), 3, 1, 1, whole=True),
        _case(rng, (1, 5, 5, 1), (3, 3), 1, 2, 1, whole=True),
    ]


# -- the equations with a fault in them ----------------------------------------------------------


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


def _cropped(case: Case, dx: np.ndarray, crop: tuple[str, str] = ("right", "right")) -> np.ndarray:
    """Equation 4, or the rim cut off at the wrong sides of the axes."""
    padding = case["padding"]
    for axis, how in enumerate(crop, start=1):
        size = case["x"].shape[axis]
        start = {"right": padding, "end": 0, "start": 2 * padding, "none": 0}[how]
        stop = dx.shape[axis] if how == "none" else start + size
        dx = np.take(dx, range(start, stop), axis)
    return dx


# -- suspects ----------------------------------------------------------------------------------


def _flips() -> list[tuple[slice, slice]]:
    back, forth = slice(None, None, -1), slice(None)
    return [(back, back), (back, forth), (forth, back)]


def _shifts() -> list[Callable[[Case], Pair]]:
    """Ways in which windows are off: by the padding, or by one (where there is padding)."""
    steps = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)]
    steps.sort(key=lambda step: -abs(step[0] * step[1]))
    sizes: list[Callable[[Case], int]] = [
        lambda case: case["padding"], lambda case: min(case["padding"], 1), lambda case: 1
    ]
    return [partial(_shift, step=step, size=size) for size in sizes for step in steps]


def _shift(case: Case, step: Pair, size: Callable[[Case], int]) -> Pair:
    return step[0] * size(case), step[1] * size(case)


def _forward_suspects() -> list[Suspect]:
    suspects = [
        Suspect("conv-missing-bias", lambda case: correlate(case, bias=False)),
        *(
            Suspect(
                "conv-true-convolution",
                lambda case, flip=flip: correlate(case, w=case["w"][flip]),
            )
            for flip in _flips()
        ),
        Suspect("conv-stride-ignored", lambda case: correlate(case, stride=(1, 1))),
        Suspect("conv-stride-ignored", _full_stride_one),
        *(
            Suspect(
                "conv-stride-ignored",
                lambda case, axis=axis: correlate(case, stride=_one_axis(case, axis)),
                f"Along the {'rows' if axis else 'columns'} it is right.",
            )
            for axis in (0, 1)
        ),
    ]
    return suspects + [
        Suspect("conv-padding-shifted", lambda case, shift=shift: correlate(
            case, shift=shift(case)))
        for shift in _shifts()
    ]


def _one_axis(case: Case, axis: int) -> Pair:
    """Stride 1 along one axis only."""
    return (1, case["stride"]) if axis == 0 else (case["stride"], 1)


def _full_stride_one(case: Case) -> np.ndarray:
    """As many windows as stride 1 gives."""
    n, height, width, _ = case["x"].shape
    rows, columns, _, filters = case["w"].shape
    padding = case["padding"]
    shape = (n, height + 2 * padding - rows + 1, width + 2 * padding - columns + 1, filters)
    return correlate(case, stride=(1, 1), shape=shape)


def _dx_suspects() -> list[Suspect]:
    crops = [
        crop for crop in itertools.product(("right", "end", "start", "none"), repeat=2)
        if crop != ("right", "right")
    ]
    return [
        *(
            Suspect("conv-dx-overwritten", lambda case, dy, how=how: _cropped(
                case, padded_gradient(case, dy, overwrite=how)))
            for how in ("window", "last filter", "first window", "first, last filter")
        ),
        *(
            Suspect("conv-dx-kernel-not-rotated", lambda case, dy, flip=flip: _cropped(
                case, padded_gradient(case, dy, w=case["w"][flip])))
            for flip in _flips()
        ),
        *(
            Suspect("conv-true-convolution", lambda case, dy, flip=flip: _cropped(
                case, padded_gradient(case, dy, w=case["w"][flip])))
            for flip in _flips()
        ),
        *(
            Suspect("conv-dx-not-cropped", lambda case, dy, crop=crop: _cropped(
                case, padded_gradient(case, dy), crop))
            for crop in crops
        ),
        Suspect("conv-dx-not-cropped", _cropped_from_the_end,
                "With padding 0 the slice padding:-padding is empty."),
        *(
            Suspect("conv-stride-ignored", lambda case, dy, stride=stride: _cropped(
                case, padded_gradient(case, dy, stride=stride(case))))
            for stride in (lambda case: (1, 1), lambda case: _one_axis(case, 0),
                           lambda case: _one_axis(case, 1))
        ),
        *(
            Suspect("conv-padding-shifted", lambda case, dy, shift=shift: _shifted(
                case, padded_gradient(case, dy), shift(case)))
            for shift in _shifts()
        ),
    ]


def _cropped_from_the_end(case: Case, dy: np.ndarray) -> np.ndarray:
    """What the slice padding:-padding leaves of dx: nothing, where padding is 0."""
    inside = slice(case["padding"], -case["padding"])
    return padded_gradient(case, dy)[:, inside, inside]


def _shifted(case: Case, dx: np.ndarray, step: Pair) -> np.ndarray:
    """dx cut out beside its place; what lies outside is 0."""
    padding = case["padding"]
    _, height, width, _ = case["x"].shape
    room = max(abs(step[0]), abs(step[1]))
    wide = np.pad(dx, ((0, 0), (room, room), (room, room), (0, 0)))
    top, left = room + padding + step[0], room + padding + step[1]
    return wide[:, top : top + height, left : left + width]


def _dw_suspects() -> list[Suspect]:
    return [
        *(
            Suspect("conv-dw-one-sample", lambda case, dy, at=at: weight_gradient(
                case, _only(dy, at)))
            for at in (-1, 0)
        ),
        Suspect("conv-dw-averaged", lambda case, dy: weight_gradient(case, dy) / len(dy)),
        Suspect("conv-dw-averaged", lambda case, dy: (
            weight_gradient(case, dy) / np.prod(dy.shape[:3]))),
        *(
            Suspect("conv-true-convolution", lambda case, dy, flip=flip: (
                weight_gradient(case, dy)[flip]))
            for flip in _flips()
        ),
        *(
            Suspect("conv-stride-ignored", lambda case, dy, stride=stride: weight_gradient(
                case, dy, stride=stride(case)))
            for stride in (lambda case: (1, 1), lambda case: _one_axis(case, 0),
                           lambda case: _one_axis(case, 1))
        ),
        *(
            Suspect("conv-padding-shifted", lambda case, dy, shift=shift: weight_gradient(
                case, dy, shift=shift(case)))
            for shift in _shifts()
        ),
    ]


def _only(dy: np.ndarray, at: int) -> np.ndarray:
    """dy of one sample; the others' is 0."""
    one = np.zeros_like(dy)
    one[at] = dy[at]
    return one


def _db_suspects() -> list[Suspect]:
    some = [
        axes for count in range(5) for axes in itertools.combinations(range(4), count)
        if axes != (0, 1, 2)
    ]
    return [
        Suspect("conv-dw-averaged", lambda case, dy: dy.sum((0, 1, 2)) / len(dy)),
        Suspect("conv-dw-averaged", lambda case, dy: dy.mean((0, 1, 2))),
        *(
            Suspect("conv-db-wrong-axes", lambda case, dy, axes=axes, last=last: (
                np.moveaxis(dy, 3, last).sum(axes)))
            for axes in some for last in (3, 1)
        ),
        *(
            Suspect("conv-db-wrong-axes", lambda case, dy, kept=kept: dy[kept].sum((0, 1, 2)))
            for kept in _kept_parts()
        ),
        Suspect("conv-db-wrong-axes", lambda case, dy: dy.mean((1, 2)).sum(0)),
        *(
            Suspect("conv-db-wrong-axes", lambda case, dy, axes=axes: (
                dy.transpose(axes).reshape(dy.shape[3], -1).sum(1)),
                "dy is reshaped without moving the filters' axis first.")
            for axes in ((0, 3, 1, 2), (0, 1, 2, 3))
        ),
    ]


def _kept_parts() -> list[tuple[slice, ...]]:
    """The last or first of one or more of the axes that belong into db's sum."""
    whole = slice(None)
    parts = itertools.product((whole, slice(-1, None), slice(0, 1)), repeat=3)
    return [part for part in parts if part != (whole, whole, whole)]


CONV2D = Operation(
    "conv2d", _cases(), _small(), _forward_suspects(),
    {"dx": _dx_suspects(), "dw": _dw_suspects(), "db": _db_suspects()},
)

