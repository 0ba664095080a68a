"""Batch norm's gradients in training: what each fault would produce.

The faults of dx that its three terms tell apart stand in `batchnorm_terms`.
"""

import itertools
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from minicnn.checking.students.operations.batchnorm_cases import (
    COUNTS,
    batch_axes,
    batch_count,
    statistics,
)
from minicnn.checking.students.operations.batchnorm_forward import (
    Choose,
    axis_choices,
)
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Suspect


def dx_suspects() -> list[Suspect]:
    """What is no sum of the three terms: means over the wrong axes."""

    def over(choose: Choose, which: str) -> Callable[[Case, np.ndarray], np.ndarray]:
        def predict(case: Case, dy: np.ndarray) -> np.ndarray:
            right, axes = batch_axes(case), choose(case)
            own = axes if which == "all" else right
            mean, var = statistics(case, own)
            inverse = 1 / np.sqrt(var + case["eps"])
            normalized = (case["x"] - mean) * inverse
            second = axes if which in ("all", "both", "mean") else right
            third = axes if which in ("all", "both", "variance") else right
            return case["gamma"] * inverse * (
                dy - dy.mean(second, keepdims=True)
                - normalized * (dy * normalized).mean(third, keepdims=True)
            )

        return predict

    return [
        *_sample_by_sample(),
        *(Suspect("bn-wrong-axes", over(choose, which))
          for choose in axis_choices() for which in ("both", "all", "mean", "variance")),
    ]


def _sample_by_sample() -> list[Suspect]:
    """Each value's own share of the means of equation 7 where the mean over the batch belongs."""

    def predict(
        case: Case, dy: np.ndarray, own: Sequence[str], by_m: Sequence[bool], crossing: str,
    ) -> np.ndarray:
        axes, m = batch_axes(case), batch_count(case)
        mean, var = statistics(case, axes)
        inverse = 1 / np.sqrt(var + case["eps"])
        normalized = (case["x"] - mean) * inverse
        shares = dy, dy * normalized  # what the means of dx's second and third term run over
        second, third = (
            (share if how == "share" else share.sum(axes, keepdims=True)) / (m if divided else 1)
            for share, how, divided in zip(shares, own, by_m, strict=True)
        )
        third = normalized * third
        dx = dy - second - third
        if crossing == "share":  # the way of σ² through μ, which vanishes when all is summed
            dx = dx + third / m
        elif crossing == "sum":
            dx = dx + third.mean(axes, keepdims=True)
        return case["gamma"] * inverse * dx

    def suspect(
        fault: str, own: Sequence[str], by_m: Sequence[bool] = (True, True), crossing: str = ""
    ) -> Suspect:
        return Suspect(fault, partial(predict, own=own, by_m=by_m, crossing=crossing))

    both = ("share", "share")
    some = [both, ("share", "sum"), ("sum", "share")]
    return [
        suspect("bn-diagonal-only", both),
        *(suspect("bn-terms-not-summed", own, crossing=crossing)
          for crossing in ("", "share", "sum") for own in some),
        *(suspect("bn-terms-not-summed", own, by_m)
          for own in some for by_m in itertools.product((True, False), repeat=2) if not all(by_m)),
    ]


def reductions(values: Callable[[Case, np.ndarray], np.ndarray]) -> list[Suspect]:
    """A sum over the batch that is averaged, or not taken over every axis."""

    def divided(by: Callable[[Case], float]) -> Callable[[Case, np.ndarray], np.ndarray]:
        return lambda case, dy: values(case, dy).sum(batch_axes(case)) / by(case)

    def reduced(how: Sequence[str], features: Sequence[str], channels_first: bool) -> Suspect:
        def predict(case: Case, dy: np.ndarray) -> np.ndarray:
            array = values(case, dy)
            if array.ndim == 2:
                return _reduce(array, features)
            left = _reduce(array, how)
            return np.moveaxis(left, -1, 0) if channels_first else left

        return Suspect("bn-dgamma-wrong-reduction", predict)

    suspects = [
        Suspect("bn-dgamma-wrong-reduction", divided(count))
        for count in (batch_count, *COUNTS.values())
    ]
    right = ("sum", "sum", "sum", "keep")
    for how in itertools.product(("sum", "mean", "keep"), repeat=4):
        for features in dict.fromkeys([(right[0], right[3]), (how[0], how[3])]):
            if how != right or features != (right[0], right[3]):
                suspects += [
                    reduced(how, features, first) for first in (False, True)
                    if not first or "keep" in how
                ]
    return suspects


def _reduce(array: np.ndarray, how: Sequence[str]) -> np.ndarray:
    """An array whose axes are summed, averaged or kept."""
    for axis in reversed(range(array.ndim)):
        if how[axis] != "keep":
            array = getattr(array, how[axis])(axis)
    return array


def _normalized(case: Case) -> np.ndarray:
    mean, var = statistics(case, batch_axes(case))
    return (case["x"] - mean) / np.sqrt(var + case["eps"])


def _centred(case: Case) -> np.ndarray:
    return case["x"] - statistics(case, batch_axes(case))[0]


def dgamma_suspects() -> list[Suspect]:
    return [
        Suspect("bn-dgamma-not-normalized", lambda case, dy: (
            (dy * case["x"]).sum(batch_axes(case))), "x stands there."),
        Suspect("bn-dgamma-not-normalized", lambda case, dy: (
            (dy * _centred(case)).sum(batch_axes(case))), "x - mean stands there."),
        *reductions(lambda case, dy: dy * _normalized(case)),
    ]
