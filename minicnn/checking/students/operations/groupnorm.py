"""Layer norm and group norm: what each fault would produce."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np

from minicnn.checking.students.operations.batchnorm_cases import BY_CHANNEL
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.groupnorm_cases import (
    BY_GROUP,
    BY_SAMPLE,
    GROUP_AXES,
    Axes,
    groupnorm_cases,
    layernorm_cases,
    small_groupnorm_cases,
    small_layernorm_cases,
    view,
)
from minicnn.checking.students.operations.normalisation import Normalisation, inverse_std
from minicnn.checking.students.operations.normalisation_backward import (
    dbeta_suspects,
    dgamma_suspects,
    over_axes_suspects,
    value_by_value_suspects,
)
from minicnn.checking.students.operations.normalisation_forward import (
    inverse_suspects,
    slips,
    statistics_suspects,
)
from minicnn.checking.students.operations.normalisation_terms import explain_dx
from minicnn.checking.students.operations.operation import Operation, Suspect

Kinds = tuple[str, ...]


def _statistics(case: Case, axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance over axes of a view, of x's shape."""
    parts = view(case, case["x"])
    mean = parts.mean(axes, keepdims=True)
    var = np.square(parts - mean).mean(axes, keepdims=True)
    return tuple(  # type: ignore[return-value]
        np.broadcast_to(each, parts.shape).reshape(case["x"].shape) for each in (mean, var)
    )


def _wrong_axes(normalisation: Normalisation) -> list[Axes]:
    """Sets of axes of a view that statistics are wrongly taken over; layer norm has no groups."""
    there = range(5) if normalisation is BY_GROUP else (0, *GROUP_AXES)
    return [axes for length in range(1, 6) for axes in itertools.combinations(there, length)
            if axes != GROUP_AXES]


# -- y ----------------------------------------------------------------------------------------


def _forward_suspects(normalisation: Normalisation) -> list[Suspect]:
    return [
        *inverse_suspects(normalisation.y_with),
        *statistics_suspects(normalisation),
        *(Suspect("ln-wrong-axes", partial(_over_axes, axes=axes, which=which), in_pairs=False)
          for axes in _wrong_axes(normalisation)
          for which in ("both", "mean", "variance", "around")),
        *slips(normalisation),
    ]


def _suspects_of_groups() -> Iterator[Suspect]:
    """Other values than those of neighbouring channels in a group."""
    cut = "A sample is cut into G pieces in the order {}; a group has neighbouring channels."
    for order in map("".join, itertools.permutations("HWC")):
        if not order.startswith("C"):
            yield Suspect("ln-wrong-axes", partial(_in_pieces, order=order), cut.format(order))
    yield Suspect("ln-wrong-axes", _interleaved, "A group takes every G-th channel.")
    yield Suspect("ln-wrong-axes", _exchanged, "There are C/G groups of G channels.")


def _over_axes(case: Case, axes: Axes, which: str) -> np.ndarray:
    """y with both statistics over wrong axes, one of them, or σ² around a wrong μ."""
    right, wrong = _statistics(case, GROUP_AXES), _statistics(case, axes)
    mean = wrong[0] if which != "variance" else right[0]
    var = right[1] if which == "mean" else wrong[1]
    if which == "around":
        squares = view(case, np.square(case["x"] - mean))
        var = np.broadcast_to(squares.mean(GROUP_AXES, keepdims=True), squares.shape)
        var = var.reshape(case["x"].shape)
    return case["gamma"] * (case["x"] - mean) * inverse_std(var, case["eps"]) + case["beta"]


def _in_pieces(case: Case, order: str) -> np.ndarray:
    """What comes of samples that are laid out in another order and cut into G pieces."""
    x = case["x"]
    images = x.reshape(len(x), *view(case, x).shape[1:3], -1)  # (N, H, W, C)
    moved = images.transpose(0, *("NHWC".index(letter) for letter in order))
    pieces = moved.reshape(len(x), case["groups"], -1)
    mean, var = pieces.mean(2, keepdims=True), pieces.var(2, keepdims=True)
    normalized = ((pieces - mean) * inverse_std(var, case["eps"])).reshape(moved.shape)
    back = np.moveaxis(normalized, range(4), ["NHWC".index(letter) for letter in f"N{order}"])
    return case["gamma"] * back.reshape(x.shape) + case["beta"]


def _interleaved(case: Case) -> np.ndarray:
    """What comes of channels that are dealt out to the groups in turn."""
    channels, groups = case["x"].shape[-1], case["groups"]
    dealt = np.arange(channels).reshape(-1, groups).T.ravel()  # channels of group 0, of 1, ...
    y = np.empty(case["x"].shape)
    per_channel = {name: case[name][dealt] for name in ("gamma", "beta")}
    moved = Case({"x": case["x"][..., dealt], **per_channel}, case.settings)
    y[..., dealt] = BY_GROUP.y_with(moved)
    return y


def _exchanged(case: Case) -> np.ndarray:
    """What comes of as many groups as a group should have channels."""
    groups = case["x"].shape[-1] // case["groups"]
    return BY_GROUP.y_with(Case(case.arrays, {**case.settings, "groups": groups}))


# -- dx ---------------------------------------------------------------------------------------


def _dx_suspects(normalisation: Normalisation) -> Iterator[Suspect]:
    """What is no sum of the three terms."""
    for kinds in itertools.product(("once", "never", "twice"), _GAMMAS, _GAMMAS):
        fault = _fault_of_gamma(kinds)
        if fault is not None:
            yield Suspect(
                fault, partial(_with_gammas, normalisation, kinds=kinds),
                "" if fault else _OUTSIDE, in_pairs=False,
            )
    yield Suspect("bn-gamma-squared", lambda case, dy: (
        case["gamma"] * _with_gammas(normalisation, case, dy, ("once", "once", "once"))))
    yield from value_by_value_suspects(normalisation)
    choices = [lambda case, axes=axes: axes for axes in _wrong_axes(normalisation)]
    yield from over_axes_suspects("ln-wrong-axes", view, lambda case: GROUP_AXES, choices)


_GAMMAS: dict[str, Callable[[np.ndarray, np.ndarray, Callable], np.ndarray]] = {
    "once": lambda gamma, values, mean: mean(gamma * values),
    "never": lambda gamma, values, mean: mean(values),
    "twice": lambda gamma, values, mean: mean(gamma**2 * values),
    "outside": lambda gamma, values, mean: gamma * mean(values),
}
"""Where gamma may stand in a mean of dx."""


_OUTSIDE = (
    "gamma stands outside of a mean in dx: it differs from channel to channel, so that γ·mean(dy) "
    "is not mean(γ·dy)."
)
"""A slip that has no name: batch norm's formula with the axes of layer norm."""


def _fault_of_gamma(kinds: Kinds) -> str | None:
    """What it is called where gamma stands so in the three terms: empty where it has no name; None
    where it is no one slip."""
    if "outside" in kinds[1:]:
        return "" if set(kinds) <= {"once", "outside"} else None
    if "never" in kinds:
        return "bn-gamma-missing" if "twice" not in kinds else None
    return "bn-gamma-squared" if "twice" in kinds else None


def _with_gammas(
    normalisation: Normalisation, case: Case, dy: np.ndarray, kinds: Kinds
) -> np.ndarray:
    """dx with gamma in each of its terms, outside of a mean, or not at all."""
    split, join = partial(normalisation.split, case), partial(normalisation.join, case)
    normalized = normalisation.normalized(case)
    gamma = np.broadcast_to(case["gamma"], dy.shape)

    def mean(values: np.ndarray) -> np.ndarray:
        columns = split(values)
        return join(np.broadcast_to(columns.mean(0), columns.shape))

    first = _GAMMAS[kinds[0]](gamma, dy, lambda values: values)
    second = _GAMMAS[kinds[1]](gamma, dy, mean)
    third = normalized * _GAMMAS[kinds[2]](gamma, dy * normalized, mean)
    inverse = inverse_std(normalisation.statistics(case)[1], case["eps"])
    return join(split(first - second - third) * inverse)


# -- dgamma and dbeta -------------------------------------------------------------------------


def _kept_rows(values: Callable[[Case, np.ndarray], np.ndarray]) -> Iterator[Suspect]:
    """Sums over some axes of a view, the others in one row: those of grouped rows, for example."""

    def predict(
        case: Case, dy: np.ndarray, kept: tuple[int, ...], order: tuple[int, ...]
    ) -> np.ndarray:
        parts = view(case, values(case, dy)).transpose(order)
        return parts.sum(tuple(at for at, axis in enumerate(order) if axis not in kept)).ravel()

    for order in [(0, 3, 4, 1, 2), (0, 1, 2, 3, 4)]:  # N, G, C/G, H, W, and ours
        for length in range(1, 5):
            for kept in itertools.combinations(range(5), length):
                yield Suspect(
                    "ln-dgamma-wrong-reduction", partial(predict, kept=kept, order=order),
                    in_pairs=False,
                )


def _operation(
    name: str, topic: str, normalisation: Normalisation, cases: list[Case], small: list[Case],
    more: Iterable[Suspect] = (),
) -> Operation:
    return Operation(
        name, cases, small, [*_forward_suspects(normalisation), *more],
        {
            "dx": list(_dx_suspects(normalisation)),
            "dgamma": [*dgamma_suspects(normalisation),
                       *_kept_rows(lambda case, dy: dy * normalisation.normalized(case))],
            "dbeta": [*dbeta_suspects(normalisation), *_kept_rows(lambda case, dy: dy)],
        },
        {"dx": explain_dx(normalisation)},
        blame=("dgamma", "dbeta", "dx"),  # as for batch norm
        topic=topic,
    )


LAYERNORM = _operation(
    "layernorm", "layer norm", BY_SAMPLE, layernorm_cases(), small_layernorm_cases()
)

GROUPNORM = _operation(
    "groupnorm", "group norm", BY_GROUP, groupnorm_cases(), small_groupnorm_cases(),
    _suspects_of_groups(),
)

NORMALISATIONS = {"batchnorm": BY_CHANNEL, "layernorm": BY_SAMPLE, "groupnorm": BY_GROUP}
"""What each of the three operations normalises together."""
