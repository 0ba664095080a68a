"""Convolution: what each fault would produce."""

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np

from minicnn.checking.students.operations import conv2d_matrices
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.conv2d_cases import conv2d_cases, small_cases
from minicnn.checking.students.operations.conv2d_equations import (
    correlate,
    cropped,
    cropped_as_if_unpadded,
    cropped_by,
    cropped_from_the_end,
    padded_gradient,
    shifted,
    weight_gradient,
)
from minicnn.checking.students.operations.geometry import Pair, Rim, output_size, rim, strides
from minicnn.checking.students.operations.geometry_in_words import size_in_words
from minicnn.checking.students.operations.operation import Operation, Suspect
from minicnn.checking.students.operations.window_twins import EMPTY_SLICE, convolution_twins


def _flips() -> list[tuple[slice, slice]]:
    back, forth = slice(None, None, -1), slice(None)
    return [(back, back), (back, forth), (forth, back)]


def _flipped(case: Case, flip: tuple[slice, slice]) -> Case:
    """The case with a kernel that is read backwards."""
    return case.with_arrays(w=case["w"][flip])


def _shifts() -> list[Callable[[Case], Pair]]:
    """Ways in which windows are off: by the padding, or by one (where there is padding)."""
    steps = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)]
    steps.sort(key=lambda step: -abs(step[0] * step[1]))
    sizes: list[Callable[[int], int]] = [
        lambda side: side, lambda side: min(side, 1), lambda side: 1
    ]
    return [partial(_shift, step=step, size=size) for size in sizes for step in steps]


def _shift(case: Case, step: Pair, size: Callable[[int], int]) -> Pair:
    """How far the image moves: down and right by what belongs after it, or back to the corner."""
    down, across = (
        (size(after) if sign > 0 else -size(before)) if sign else 0
        for sign, (before, after) in zip(step, rim(case), strict=True)
    )
    return down, across


def _forward_suspects() -> list[Suspect]:
    suspects = [
        Suspect("conv-missing-bias", lambda case: correlate(case, bias=False)),
        *(
            Suspect(
                "conv-true-convolution",
                lambda case, flip=flip: correlate(case, w=case["w"][flip]),
                reads=partial(_flipped, flip=flip),
            )
            for flip in _flips()
        ),
        Suspect("conv-stride-ignored", lambda case: correlate(case, stride=(1, 1))),
        Suspect("conv-stride-ignored", lambda case: correlate(
            case, stride=(1, 1), size=output_size(case, (1, 1)))),
        *(
            Suspect(
                "conv-stride-ignored",
                lambda case, axis=axis: correlate(case, stride=_one_axis(case, axis)),
                f"Along the {'rows' if axis else 'columns'} it is right.",
            )
            for axis in (0, 1)
        ),
        *(
            Suspect("conv-padding-fixed", lambda case, fixed=fixed: correlate(
                case, around=_fixed(fixed)), _fixed_in_words(fixed))
            for fixed in (1, 2, 3)
        ),
        *(
            Suspect("conv-padding-fixed", lambda case, fixed=fixed: correlate(
                case, around=_fixed(fixed), size=output_size(case, around=_fixed(fixed))),
                _fixed_in_words(fixed))
            for fixed in (0, 1, 2, 3)
        ),
    ]
    return [
        *suspects,
        *(
            Suspect("conv-padding-shifted", lambda case, shift=shift: correlate(
                case, shift=shift(case)))
            for shift in _shifts()
        ),
        *(
            Suspect("conv-padding-shifted", lambda case, other=other: correlate(
                case, around=other(case), size=output_size(case, around=other(case))), text)
            for other, text in _other_rims()
        ),
        Suspect("conv-padding-fixed", lambda case: correlate(case, around=_fixed(0)),
                _fixed_in_words(0)),
        Suspect("", _bias_in_every_product,
                "b is added to every product before they are summed; it belongs behind the sum, "
                "once."),
    ]


def _bias_in_every_product(case: Case) -> np.ndarray:
    rows, columns, channels, _ = case["w"].shape
    return correlate(case, bias=False) + case["b"] * (rows * columns * channels)


def _fixed(number: int) -> Rim:
    """One padding on every side, whatever the setting."""
    return (number, number), (number, number)


def _fixed_in_words(number: int) -> str:
    return f"The padding is {number} whatever the setting says." if number else (
        "The image is not padded at all."
    )


def _other_rims() -> list[tuple[Callable[[Case], Rim], str]]:
    """What the four numbers of an unequal padding may be taken for."""
    return [
        (lambda case: _sides(case)(1, 0, 3, 2), "before and after are exchanged"),
        (lambda case: _sides(case)(0, 0, 2, 2), "after has what belongs before"),
        (lambda case: _sides(case)(1, 1, 3, 3), "before has what belongs after"),
        (lambda case: _sides(case)(0, 2, 1, 3), "padding is read as (top, left), (bottom, right)"),
    ]


def _sides(case: Case) -> Callable[[int, int, int, int], Rim]:
    """Top, bottom, left and right, in another order."""
    (top, bottom), (left, right) = rim(case)
    every = (top, bottom, left, right)
    return lambda a, b, c, d: ((every[a], every[b]), (every[c], every[d]))


def _one_axis(case: Case, axis: int) -> Pair:
    """Stride 1 along one axis only."""
    down, across = strides(case)
    return (1, across) if axis == 0 else (down, 1)


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
                case, padded_gradient(case, dy, w=case["w"][flip])),
                reads=partial(_flipped, flip=flip))
            for flip in _flips()
        ),
        *(
            Suspect("conv-true-convolution", lambda case, dy, flip=flip: cropped(
                case, padded_gradient(case, dy, w=case["w"][flip])),
                reads=partial(_flipped, flip=flip))
            for flip in _flips()
        ),
        *(
            Suspect("conv-dx-not-cropped", lambda case, dy, crop=crop: cropped(
                case, padded_gradient(case, dy), crop))
            for crop in crops
        ),
        Suspect("conv-dx-not-cropped", cropped_from_the_end, EMPTY_SLICE),
        Suspect("conv-dx-not-cropped", cropped_as_if_unpadded,
                "A slice pad:H ends too early; it is pad:pad+H."),
        *(
            Suspect("conv-dx-not-cropped", lambda case, dy, number=number: cropped_by(
                case, dy, number), f"{number} is cut off every side whatever the padding is.")
            for number in (1, 2, 3)
        ),
        *(
            Suspect("conv-stride-ignored", lambda case, dy, stride=stride: cropped(
                case, padded_gradient(case, dy, stride=stride(case))))
            for stride in (lambda case: (1, 1), lambda case: _one_axis(case, 0),
                           lambda case: _one_axis(case, 1))
        ),
        *(
            Suspect(fault, lambda case, dy, shift=shift: shifted(
                case, padded_gradient(case, dy), shift(case)), text)
            for fault, shift, text in _displacements()
        ),
    ]


def _displacements() -> list[tuple[str, Callable[[Case], Pair], str]]:
    """How far the image is off its place where backward pads otherwise, and the fault's name."""
    fixed = [
        ("conv-padding-fixed", partial(_beside, other=partial(_fixed_for, number=number)),
         _fixed_in_words(number))
        for number in (1, 2, 3, 0)
    ]
    return [
        *fixed[:3],
        *(("conv-padding-shifted", shift, "") for shift in _shifts()),
        *(
            ("conv-padding-shifted", partial(_beside, other=other), text)
            for other, text in _other_rims()
        ),
        fixed[3],
    ]


def _beside(case: Case, other: Callable[[Case], Rim]) -> Pair:
    """From the image's right place to where it stands in another rim."""
    (top, _), (left, _) = rim(case)
    (other_top, _), (other_left, _) = other(case)
    return other_top - top, other_left - left


def _fixed_for(_: Case, number: int) -> Rim:
    return _fixed(number)


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
            Suspect(fault, lambda case, dy, shift=shift: weight_gradient(
                case, dy, shift=shift(case)), text)
            for fault, shift, text in _displacements()
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
    "conv2d", conv2d_cases(), small_cases(),
    [*_forward_suspects(), *conv2d_matrices.forward_suspects()],
    {
        "dx": [*_dx_suspects(), *conv2d_matrices.backward_suspects("dx")],
        "dw": [*_dw_suspects(), *conv2d_matrices.backward_suspects("dw")],
        "db": _db_suspects(),
    },
    twins={key: convolution_twins(key) for key in ("y", "dx", "dw", "db")},
    size_in_words=size_in_words,
)
