"""Batch norm's y in training: what each fault would produce."""

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np

from minicnn.checking.students.operations.batchnorm_cases import (
    COUNTS,
    Axes,
    batch_axes,
    statistics,
)
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Suspect


def _scaled(case: Case, normalized: np.ndarray) -> np.ndarray:
    return case["gamma"] * normalized + case["beta"]


def y_with(
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


def inverse_suspects() -> list[Suspect]:
    return [
        Suspect(fault, lambda case, inverse=inverse: y_with(case, inverse=inverse))
        for fault, inverses in INVERSES.items() for inverse in inverses
    ]


def forward_suspects() -> list[Suspect]:
    def unbiased(case: Case) -> np.ndarray:
        return case["x"].var(batch_axes(case), ddof=1)

    return [
        *inverse_suspects(),
        Suspect("bn-unbiased-variance", lambda case: y_with(case, var=unbiased(case))),
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
            for choose in axis_choices() for which in ("both", "mean", "variance")
        ),
        Suspect("bn-wrong-axes", _without_transpose,
                "(N, C, H, W) is reshaped to (N·H·W, C) without moving C to the end first."),
    ]


def _without_transpose(case: Case) -> np.ndarray:
    """What reshape(-1, C) makes of images with channels first."""
    if case["x"].ndim == 2:
        return y_with(case)
    first = case["x"].transpose(0, 3, 1, 2)
    rows = first.reshape(-1, first.shape[1])
    scrambled = Case({**case.arrays, "x": rows}, case.settings)
    return y_with(scrambled).reshape(first.shape).transpose(0, 2, 3, 1)


def _with_count(case: Case, count: Callable[[Case], int], where: int) -> np.ndarray:
    """y where sums are divided by another number: in the variance, both statistics (in two ways),
    or the mean."""
    axes, x, divisor = batch_axes(case), case["x"], count(case)
    mean = x.mean(axes)
    wrong_mean = x.sum(axes) / divisor
    if where == 0:
        return y_with(case, var=np.square(x - mean).sum(axes) / divisor)
    if where == 1:
        return y_with(case, mean=wrong_mean, var=np.square(x - wrong_mean).sum(axes) / divisor)
    if where == 2:
        return y_with(case, mean=wrong_mean, var=np.square(x - wrong_mean).mean(axes))
    return y_with(case, mean=wrong_mean)


Choose = Callable[[Case], Axes]


def axis_choices() -> list[Choose]:
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
            return y_with(case, mean=mean)
        return y_with(case, mean=mean if which == "both" else None, var=var)

    return predict
