"""Batch norm: what each fault would produce, in training and in evaluation mode.

Its cases stand in `batchnorm_cases`, the faults of dx that its three terms tell apart in
`batchnorm_terms`, those of the running statistics in `batchnorm_running`.
"""

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np

from minicnn.checking.students.operations.batchnorm_cases import (
    COUNTS,
    Axes,
    batch_axes,
    batch_count,
    batchnorm_cases,
    small_cases,
    statistics,
)
from minicnn.checking.students.operations.batchnorm_terms import explain_dx
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Operation, Suspect


def _scaled(case: Case, normalized: np.ndarray) -> np.ndarray:
    return case["gamma"] * normalized + case["beta"]


def _y(
    case: Case, mean: np.ndarray | None = None, var: np.ndarray | None = None,
    inverse: Callable[[np.ndarray, float], np.ndarray] = lambda var, eps: (var + eps) ** -0.5,
) -> np.ndarray:
    """Equations 3 and 4 with other statistics, or another inverse standard deviation."""
    if case["training"]:
        right_mean, right_var = statistics(case, batch_axes(case))
    else:
        right_mean, right_var = case["running_mean"], case["running_var"]
    mean = right_mean if mean is None else mean
    var = right_var if var is None else var
    return _scaled(case, (case["x"] - mean) * inverse(var, case["eps"]))


INVERSES: dict[str, list[Callable[[np.ndarray, float], np.ndarray]]] = {
    "bn-eps-missing": [
        lambda var, eps: var**-0.5,
        lambda var, eps: 1 / (np.sqrt(var) + eps),
        lambda var, eps: 1 / np.sqrt(var) + eps,
        lambda var, eps: (var + eps * eps) ** -0.5,
        lambda var, eps: (var - eps) ** -0.5,
        *(lambda var, eps, fixed=fixed: (var + fixed) ** -0.5 for fixed in
          (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8)),
    ],
    "bn-std-power": [
        *(lambda var, eps, power=power: (var + eps) ** power for power in
          (-1, -0.25, 0.5, 1, -2, -1.5)),
        *(lambda var, eps, power=power: var**power for power in (-1, -0.25, 0.5, 1)),
        lambda var, eps: 1 / (np.sqrt(var) + eps) ** 2,
        lambda var, eps: (np.sqrt(var) + eps) ** -0.5,
        lambda var, eps: 1 / (var**2 + eps),
        lambda var, eps: (var**2 + eps) ** -0.5,
    ],
}
"""What stands for 1 / sqrt(σ² + eps) in the two faults of it."""


def _inverse_suspects() -> list[Suspect]:
    return [
        Suspect(fault, lambda case, inverse=inverse: _y(case, inverse=inverse))
        for fault, inverses in INVERSES.items() for inverse in inverses
    ]


def _forward_suspects() -> list[Suspect]:
    def unbiased(case: Case) -> np.ndarray:
        return case["x"].var(batch_axes(case), ddof=1)

    return [
        *_inverse_suspects(),
        Suspect("bn-unbiased-variance", lambda case: _y(case, var=unbiased(case))),
        *(
            Suspect("bn-sum-for-mean", partial(_with_count, count=lambda case: 1, where=where))
            for where in range(4)
        ),
        *(
            Suspect("bn-wrong-count", partial(_with_count, count=count, where=where),
                    f"It divides by {name}.")
            for name, count in COUNTS.items() for where in range(4)
        ),
        *(
            Suspect("bn-wrong-axes", _over_axes(choose, which))
            for choose in _axis_choices() for which in ("both", "mean", "variance")
        ),
        Suspect("bn-wrong-axes", _without_transpose,
                "(N, C, H, W) is reshaped to (N·H·W, C) without moving C to the end first."),
    ]


def _without_transpose(case: Case) -> np.ndarray:
    """What reshape(-1, C) makes of images with channels first."""
    if case["x"].ndim == 2:
        return _y(case)
    first = case["x"].transpose(0, 3, 1, 2)
    rows = first.reshape(-1, first.shape[1])
    scrambled = Case({**case.arrays, "x": rows}, case.settings)
    return _y(scrambled).reshape(first.shape).transpose(0, 2, 3, 1)


def _with_count(case: Case, count: Callable[[Case], int], where: int) -> np.ndarray:
    """y where sums are divided by another number: in the variance, both statistics (in two ways),
    or the mean."""
    axes, x, divisor = batch_axes(case), case["x"], count(case)
    mean = x.mean(axes)
    wrong_mean = x.sum(axes) / divisor
    if where == 0:
        return _y(case, var=np.square(x - mean).sum(axes) / divisor)
    if where == 1:
        return _y(case, mean=wrong_mean, var=np.square(x - wrong_mean).sum(axes) / divisor)
    if where == 2:
        return _y(case, mean=wrong_mean, var=np.square(x - wrong_mean).mean(axes))
    return _y(case, mean=wrong_mean)


Choose = Callable[[Case], Axes]


def _axis_choices() -> list[Choose]:
    """Sets of axes by which statistics go wrong; those of images are right for features."""
    of_images = [
        axes for length in range(1, 5) for axes in itertools.combinations(range(4), length)
        if axes != (0, 1, 2)
    ]
    return [
        *(partial(_for_features, axes=axes) for axes in of_images),
        lambda case: (case["x"].ndim - 1,),
        lambda case: tuple(range(case["x"].ndim)),
        lambda case: tuple(range(1, case["x"].ndim)),
    ]


def _for_features(case: Case, axes: Axes) -> Axes:
    """Of features, which have fewer axes, the right ones."""
    return axes if case["x"].ndim == 4 else batch_axes(case)


def _over_axes(choose: Choose, which: str) -> Callable[[Case], np.ndarray]:
    def predict(case: Case) -> np.ndarray:
        mean, var = statistics(case, choose(case))
        if which == "mean":
            return _y(case, mean=mean)
        return _y(case, mean=mean if which == "both" else None, var=var)

    return predict


def _evaluation_suspects() -> list[Suspect]:
    def batch(case: Case) -> tuple[np.ndarray, np.ndarray]:
        return statistics(case, batch_axes(case))

    return [
        Suspect("bn-eval-uses-batch", lambda case: _y(case, *batch(case))),
        Suspect("bn-eval-uses-batch", lambda case: _y(case, mean=batch(case)[0])),
        Suspect("bn-eval-uses-batch", lambda case: _y(case, var=batch(case)[1])),
        *_inverse_suspects(),
    ]


def _dx_suspects() -> list[Suspect]:
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
        Suspect("bn-wrong-axes", over(choose, which))
        for choose in _axis_choices() for which in ("both", "all", "mean", "variance")
    ]


def _reductions(values: Callable[[Case, np.ndarray], np.ndarray]) -> list[Suspect]:
    """A sum over the batch that is averaged, or not taken over every axis."""

    def divided(by: Callable[[Case], float]) -> Callable[[Case, np.ndarray], np.ndarray]:
        return lambda case, dy: values(case, dy).sum(batch_axes(case)) / by(case)

    def summed_over(axes: Axes, first: bool) -> Callable[[Case, np.ndarray], np.ndarray]:
        def predict(case: Case, dy: np.ndarray) -> np.ndarray:
            array = values(case, dy)
            summed = array.sum(_for_features(case, axes)) if array.ndim == 4 else array.sum(0)
            return np.moveaxis(summed, -1, 0) if first and array.ndim == 4 else summed

        return predict

    def features(axes: Axes) -> Callable[[Case, np.ndarray], np.ndarray]:
        return lambda case, dy: values(case, dy).sum(tuple(
            axis for axis in axes if axis < case["x"].ndim))

    averaged = [divided(count) for count in (batch_count, *COUNTS.values())]
    over = [
        summed_over(axes, first)
        for length in range(4) for axes in itertools.combinations(range(4), length)
        if axes != (0, 1, 2) for first in (False, True)
    ]
    return [
        Suspect("bn-dgamma-wrong-reduction", predict)
        for predict in [*averaged, *over, features((1,)), features(())]
    ]


def _normalized(case: Case) -> np.ndarray:
    mean, var = statistics(case, batch_axes(case))
    return (case["x"] - mean) / np.sqrt(var + case["eps"])


def _centred(case: Case) -> np.ndarray:
    return case["x"] - statistics(case, batch_axes(case))[0]


def _dgamma_suspects() -> list[Suspect]:
    return [
        Suspect("bn-dgamma-not-normalized", lambda case, dy: (
            (dy * case["x"]).sum(batch_axes(case))), "x stands there."),
        Suspect("bn-dgamma-not-normalized", lambda case, dy: (
            (dy * _centred(case)).sum(batch_axes(case))), "x - mean stands there."),
        *_reductions(lambda case, dy: dy * _normalized(case)),
    ]


BATCHNORM = Operation(
    "batchnorm", batchnorm_cases(training=True), small_cases(), _forward_suspects(),
    {
        "dx": _dx_suspects(),
        "dgamma": _dgamma_suspects(),
        "dbeta": _reductions(lambda case, dy: dy),
    },
    {"dx": explain_dx},
    blame=("dgamma", "dbeta", "dx"),  # dx may be made of the other two
)
"""Batch norm in training."""

BATCHNORM_EVALUATION = Operation(
    "batchnorm", batchnorm_cases(training=False), small_cases(training=False),
    _evaluation_suspects(),
)
"""Its forward in evaluation mode."""
