"""Gradients of a normalisation: what each fault would produce.

The faults of dx that its three terms tell apart stand in `normalisation_terms`.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.normalisation import Normalisation, inverse_std
from minicnn.checking.students.operations.normalisation_forward import INVERSES
from minicnn.checking.students.operations.observation import TOLERANCE
from minicnn.checking.students.operations.operation import Suspect


def vary_within(normalisation: Normalisation, case: Case, factors: np.ndarray) -> bool:
    """Whether factors, of x's shape, differ between values that are normalised together, by more
    than gamma does."""
    for each in (factors, factors / case["gamma"]):
        columns = normalisation.split(case, each)
        if (np.ptp(columns, axis=0) <= TOLERANCE * np.abs(columns).max()).all():
            return False
    return True


View = Callable[[Case, np.ndarray], np.ndarray]
"""An array of x's shape with axes of its own."""

Choose = Callable[[Case], Sequence[int]]
"""Axes of a case's view."""


def value_by_value_suspects(normalisation: Normalisation) -> Iterator[Suspect]:
    """Of dx: each value's own share of the means where the mean over its column belongs."""

    def predict(
        case: Case, dy: np.ndarray, own: Sequence[str], by_m: Sequence[bool], crossing: str,
    ) -> np.ndarray:
        split, m = partial(normalisation.split, case), normalisation.count(case)
        g, normalized = split(case["gamma"] * dy), split(normalisation.normalized(case))
        shares = g, g * normalized  # what the means of dx's second and third term run over
        second, third = (
            (share if how == "share" else share.sum(0)) / (m if divided else 1)
            for share, how, divided in zip(shares, own, by_m, strict=True)
        )
        third = normalized * third
        dx = g - second - third
        if crossing == "share":  # the way of σ² through μ, which vanishes when all is summed
            dx = dx + third / m
        elif crossing == "sum":
            dx = dx + third.mean(0)
        inverse = inverse_std(normalisation.statistics(case)[1], case["eps"])
        return normalisation.join(case, inverse * dx)

    def suspect(
        fault: str, own: Sequence[str], by_m: Sequence[bool] = (True, True), crossing: str = ""
    ) -> Suspect:
        named = normalisation.fault(fault)
        prediction = partial(predict, own=own, by_m=by_m, crossing=crossing)
        return Suspect(named, prediction, in_pairs=False)

    both = ("share", "share")
    some = [both, ("share", "sum"), ("sum", "share")]
    yield suspect("bn-diagonal-only", both)
    for crossing, own in itertools.product(("", "share", "sum"), some):
        yield suspect("bn-terms-not-summed", own, crossing=crossing)
    yield suspect("bn-diagonal-only", both, crossing="share")
    for own, by_m in itertools.product(some, itertools.product((True, False), repeat=2)):
        if not all(by_m):
            yield suspect("bn-terms-not-summed", own, by_m)


def over_axes_suspects(
    fault: str, view: View, right: Choose, choices: Sequence[Choose]
) -> Iterator[Suspect]:
    """Of dx: means over other axes of a view of x, with r inside of them or outside, divided by m
    or by the number of what is summed, and with σ²'s way through μ, which vanishes if all is right.
    """

    def predict(
        case: Case, dy: np.ndarray, choose: Choose, which: str, inside: bool, by_m: bool,
        crossing: bool,
    ) -> np.ndarray:
        wrong, axes = choose(case), right(case)
        x, g = view(case, case["x"]), view(case, case["gamma"] * dy)
        own = wrong if which == "all" else axes
        centred = x - x.mean(own, keepdims=True)
        r = inverse_std(np.square(centred).mean(own, keepdims=True), case["eps"])
        normalized = centred * r
        m = np.prod([x.shape[axis] for axis in axes])

        def mean(values: np.ndarray, over: Sequence[int]) -> np.ndarray:
            number = m if by_m else np.prod([x.shape[axis] for axis in over])
            return values.sum(tuple(over), keepdims=True) / number

        second = wrong if which != "variance" else axes
        third = wrong if which != "mean" else axes
        if inside:
            through = mean(g * normalized * r * r, third)
            dx = g * r - mean(g * r, second) - (centred - crossing * mean(centred, third)) * through
        else:
            through = mean(g * normalized, third)
            dx = g - mean(g, second) - (normalized - crossing * mean(normalized, third)) * through
            dx = r * dx
        return dx.reshape(dy.shape)

    for choose in choices:
        for which in ("both", "all", "mean", "variance"):
            for inside, by_m, crossing in itertools.product((False, True), repeat=3):
                yield Suspect(fault, partial(
                    predict, choose=choose, which=which, inside=inside, by_m=by_m,
                    crossing=crossing), in_pairs=False)


def dgamma_suspects(normalisation: Normalisation) -> list[Suspect]:
    """Of dgamma, likeliest first."""
    fault = normalisation.fault("bn-dgamma-not-normalized")
    return [
        Suspect(fault, lambda case, dy: _over_batch(dy * case["x"]), "x stands there."),
        Suspect(fault, lambda case, dy: _over_batch(dy * normalisation.centred(case)),
                "x - mean stands there."),
        *_reductions(normalisation, lambda case, dy: dy * normalisation.normalized(case)),
        *(Suspect(fault_of_r, lambda case, dy, inverse=inverse: (
            _over_batch(dy * normalisation.scaled(case, inverse))))
          for fault_of_r, inverses in INVERSES.items() for inverse in inverses),
    ]


def dbeta_suspects(normalisation: Normalisation) -> list[Suspect]:
    """Of dbeta, likeliest first."""
    return _reductions(normalisation, lambda case, dy: dy)


def _over_batch(array: np.ndarray) -> np.ndarray:
    """The sum over every axis but the channels."""
    return array.sum(tuple(range(array.ndim - 1)))


def _reductions(
    normalisation: Normalisation, values: Callable[[Case, np.ndarray], np.ndarray]
) -> list[Suspect]:
    """A sum over the batch that is averaged, or not taken over every axis."""
    fault = normalisation.fault("bn-dgamma-wrong-reduction")

    def divided(by: Callable[[Case], float]) -> Callable[[Case, np.ndarray], np.ndarray]:
        return lambda case, dy: _over_batch(values(case, dy)) / by(case)

    def reduced(
        how: Sequence[str], features: Sequence[str], channels_first: bool, keepdims: bool
    ) -> Suspect:
        def predict(case: Case, dy: np.ndarray) -> np.ndarray:
            array = values(case, dy)
            if array.ndim == 2:
                return _reduce(array, features, keepdims)
            left = _reduce(array, how, keepdims)
            return np.moveaxis(left, -1, keepdims) if channels_first else left

        return Suspect(fault, predict, in_pairs=False)

    suspects = [
        Suspect(fault, divided(count), in_pairs=count == normalisation.count)
        for count in (normalisation.count, *normalisation.other_counts.values())
    ]
    right = ("sum", "sum", "sum", "keep")
    for how in itertools.product(("sum", "mean", "keep"), repeat=4):
        for features in dict.fromkeys([(right[0], right[3]), (how[0], how[3])]):
            if how != right or features != (right[0], right[3]):
                suspects += [
                    reduced(how, features, first, keepdims)
                    for first, keepdims in itertools.product((False, True), repeat=2)
                    if not first or "keep" in how
                ]
    return suspects


def _reduce(array: np.ndarray, how: Sequence[str], keepdims: bool) -> np.ndarray:
    """An array whose axes are summed, averaged or kept."""
    for axis in reversed(range(array.ndim)):
        if how[axis] != "keep":
            array = getattr(array, how[axis])(axis, keepdims=keepdims)
    return array
