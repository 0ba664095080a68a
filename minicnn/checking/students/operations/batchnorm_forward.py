"""Batch norm's y in training: what each fault would produce."""

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np

from minicnn.checking.students.operations.batchnorm_cases import (
    BY_CHANNEL,
    Axes,
    batch_axes,
    statistics,
)
from minicnn.checking.students.operations.batchnorm_orders import forward_order_suspects
from minicnn.checking.students.operations.batchnorm_running import STATISTICS, right_running
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.normalisation import inverse_std
from minicnn.checking.students.operations.normalisation_forward import (
    inverse_suspects,
    slips,
    statistics_suspects,
)
from minicnn.checking.students.operations.operation import Suspect


def forward_suspects() -> list[Suspect]:
    """Of y, likeliest first."""
    return [
        *inverse_suspects(BY_CHANNEL.y_with),
        *statistics_suspects(BY_CHANNEL),
        *(
            Suspect("bn-wrong-axes", _over_axes(choose, which), in_pairs=False)
            for choose in axis_choices() for which in ("both", "mean", "variance")
        ),
        *forward_order_suspects(),
        *slips(BY_CHANNEL),
        Suspect("", partial(_of_running, moved=False), _RUNNING),
        Suspect("", partial(_of_running, moved=True), _RUNNING),
    ]


_RUNNING = "Training normalises with the running statistics; there the batch's own belong."


def _of_running(case: Case, moved: bool) -> np.ndarray:
    """Training with the running statistics, before they are moved or after."""
    mean, var = (
        right_running(case, key)[0] if moved else case[key] for key in STATISTICS
    )
    return BY_CHANNEL.y_with(case, mean, var)


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
        right, wrong = statistics(case, batch_axes(case)), statistics(case, choose(case))
        mean = wrong[0] if which != "variance" else right[0]
        var = wrong[1] if which != "mean" else right[1]
        return case["gamma"] * (case["x"] - mean) * inverse_std(var, case["eps"]) + case["beta"]

    return predict
