"""Convolution: what each fault would produce."""

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.conv2d_cases import conv2d_cases, small_cases
from minicnn.checking.students.operations.conv2d_equations import (
    Pair,
    correlate,
    cropped,
    cropped_from_the_end,
    padded_gradient,
    shifted,
    stride_one_everywhere,
    weight_gradient,
)
from minicnn.checking.students.operations.operation import Operation, Suspect


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
        Suspect("conv-stride-ignored", stride_one_everywhere),
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


def _dx_suspects() -> list[Suspect]:
    crops = [
        crop for crop in itertools.product(("right", "end", "start", "none"), repeat=2)
        if crop != ("right", "right")
    ]
    return [
        *(
            Suspect("conv-dx-overwritten", lambda case, dy, how=how: cropped(
                case, padded_gradient(case, dy, overwrite=how)))
            for how in ("window", "last filter", "first window", "first, last filter")
        ),
        *(
            Suspect("conv-dx-kernel-not-rotated", lambda case, dy, flip=flip: cropped(
                case, padded_gradient(case, dy, w=case["w"][flip])))
            for flip in _flips()
        ),
        *(
            Suspect("conv-true-convolution", lambda case, dy, flip=flip: cropped(
                case, padded_gradient(case, dy, w=case["w"][flip])))
            for flip in _flips()
        ),
        *(
            Suspect("conv-dx-not-cropped", lambda case, dy, crop=crop: cropped(
                case, padded_gradient(case, dy), crop))
            for crop in crops
        ),
        Suspect("conv-dx-not-cropped", cropped_from_the_end,
                "With padding 0 the slice padding:-padding is empty."),
        *(
            Suspect("conv-stride-ignored", lambda case, dy, stride=stride: cropped(
                case, padded_gradient(case, dy, stride=stride(case))))
            for stride in (lambda case: (1, 1), lambda case: _one_axis(case, 0),
                           lambda case: _one_axis(case, 1))
        ),
        *(
            Suspect("conv-padding-shifted", lambda case, dy, shift=shift: shifted(
                case, padded_gradient(case, dy), shift(case)))
            for shift in _shifts()
        ),
    ]


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
    "conv2d", conv2d_cases(), small_cases(), _forward_suspects(),
    {"dx": _dx_suspects(), "dw": _dw_suspects(), "db": _db_suspects()},
)
