"""Pooling: what each fault would produce."""

from collections.abc import Callable

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.geometry import Pair, output_size, strides, window_size
from minicnn.checking.students.operations.geometry_in_words import size_in_words
from minicnn.checking.students.operations.observation import TOLERANCE, agree
from minicnn.checking.students.operations.operation import Operation, Suspect
from minicnn.checking.students.operations.pool2d_cases import pool2d_cases, small_cases
from minicnn.checking.students.operations.pool2d_equations import (
    equally,
    every,
    first,
    handed_on,
    is_shared_among_ties,
    last,
    masks_first,
    pooled,
    spread,
    spread_inside,
    spread_whole,
)
from minicnn.checking.students.operations.window_twins import pooling_twins


def _strides() -> list[Callable[[Case], Pair]]:
    """What stands in for the stride: the size, or 1; along both axes or one."""
    return [
        window_size,
        lambda case: (window_size(case)[0],) * 2,
        lambda case: (window_size(case)[1],) * 2,
        lambda case: (1, 1),
        lambda case: (window_size(case)[0], strides(case)[1]),
        lambda case: (strides(case)[0], window_size(case)[1]),
        lambda case: (1, strides(case)[1]),
        lambda case: (strides(case)[0], 1),
    ]


def _forward_suspects(take: Callable[..., np.ndarray]) -> list[Suspect]:
    return [
        Suspect("pool-stride-ignored", lambda case, stride=stride, own=own: pooled(
            case, stride(case), output_size(case, stride(case) if own else None), take))
        for stride in _strides() for own in (False, True)
    ]


def _dx_suspects() -> list[Suspect]:
    return [
        Suspect("pool-ties-shared", handed_on(every), "Every maximum receives all of it."),
        *(
            Suspect("pool-overlap-mask-added", masks_first(share, gather))
            for share in (every, first, last) for gather in (np.add, np.maximum)
        ),
        *(
            Suspect("pool-overlap-overwritten", handed_on(share, overwrite=how))
            for share in (first, last, every, equally)
            for how in ("maximum", "window", "maximum, first", "window, first")
        ),
        *(
            Suspect("pool-overlap-overwritten", masks_first(share, lambda mask, own: own),
                    "The masks overwrite each other before dy comes in.")
            for share in (first, last, every)
        ),
        *(
            Suspect("pool-gradient-spread", handed_on(share))
            for share in (spread, spread_inside, spread_whole)
        ),
        *(
            Suspect("pool-stride-ignored", handed_on(share, stride, maximum=maximum))
            for stride in _strides() for share in (first, every)
            for maximum in ("own", "right", "value")
        ),
    ]


def _is_subgradient(case: Case, dy: np.ndarray, dx: np.ndarray) -> bool:
    return is_shared_among_ties(case, dy, dx, TOLERANCE)


def _note_on_ties(case: Case, dy: np.ndarray, dx: np.ndarray) -> str:
    """What is said of a dx that shares dy where the maximum stands more than once."""
    shared = handed_on(equally)(case, dy)
    if agree(dx, shared) and not agree(shared, handed_on(first)(case, dy)):
        return (
            "note: equal maxima share the gradient in equal parts; that is a subgradient too, and "
            "most libraries give all of it to the first"
        )
    return ""


def _from_zero(case: Case) -> np.ndarray:
    """The right maximum where it is positive, else 0."""
    return np.maximum(pooled(case, strides(case), output_size(case), np.nanmax), 0)


MAXPOOL2D = Operation(
    "maxpool2d", pool2d_cases(), small_cases(),
    [
        *_forward_suspects(np.nanmax),
        Suspect("", _from_zero, "The maximum begins at 0, so that a window of negative values has "
                "the wrong one; it begins at the first value, or at -inf."),
    ],
    {"dx": _dx_suspects()},
    also_right={"dx": _is_subgradient}, notes={"dx": _note_on_ties},
    twins={key: pooling_twins() for key in ("y", "dx")}, size_in_words=size_in_words,
)


def _mean_dx_suspects() -> list[Suspect]:
    return [
        Suspect("", handed_on(spread_whole), "Every pixel of a window receives all of dy, where "
                "it receives dy divided by the number of the window's pixels."),
        *(
            Suspect("pool-overlap-overwritten", handed_on(spread_inside, overwrite=how))
            for how in ("window", "window, first")
        ),
        *(
            Suspect("pool-stride-ignored", handed_on(spread_inside, stride))
            for stride in _strides()
        ),
    ]


def _average_cases() -> list[Case]:
    return [
        case for case in pool2d_cases()
        if ValueError not in case.may_refuse or TypeError in case.may_refuse
    ]


AVGPOOL2D = Operation(
    "avgpool2d", _average_cases(), small_cases(), _forward_suspects(np.nanmean),
    {"dx": _mean_dx_suspects()},
    twins={key: pooling_twins() for key in ("y", "dx")}, size_in_words=size_in_words,
)

GLOBAL_AVGPOOL2D = Operation(
    "global_avgpool2d",
    [Case({"x": case["x"]}, {}) for case in _average_cases()],
    [Case({"x": case["x"]}, {}) for case in small_cases()],
)
