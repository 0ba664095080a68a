"""Batch norm's dx in training with means over the wrong axes: what the fault would produce."""

from collections.abc import Callable

import numpy as np

from minicnn.checking.students.operations.batchnorm_cases import (
    BY_CHANNEL,
    batch_axes,
    statistics,
)
from minicnn.checking.students.operations.batchnorm_forward import Choose, axis_choices
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.normalisation_backward import value_by_value_suspects
from minicnn.checking.students.operations.operation import Suspect


def dx_suspects() -> list[Suspect]:
    """What is no sum of the three terms."""

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
        *value_by_value_suspects(BY_CHANNEL),
        *(Suspect("bn-wrong-axes", over(choose, which))
          for choose in axis_choices() for which in ("both", "all", "mean", "variance")),
    ]
