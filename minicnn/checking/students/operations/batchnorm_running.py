"""Batch norm's running statistics: what is right, and what each fault would leave in them."""

from collections.abc import Callable

import numpy as np

from minicnn.checking.students.operations.batchnorm_cases import batch_axes
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Suspect

STATISTICS = ("running_mean", "running_var")

Target = Callable[[Case], np.ndarray]


def right_running(case: Case, key: str) -> list[np.ndarray]:
    """Equation 8: what a running array may be after a training forward, minicnn's answer first."""
    return [_moved(case, key, target(case)) for target in _targets(key)]


def _moved(case: Case, key: str, target: np.ndarray) -> np.ndarray:
    """Equation 8."""
    return case["momentum"] * case[key] + (1 - case["momentum"]) * target


def _targets(key: str) -> list[Target]:
    """What a running array moves towards: of variances the biased one, or PyTorch's unbiased."""
    if key == "running_mean":
        return [lambda case: case["x"].mean(batch_axes(case))]
    return [lambda case: case["x"].var(batch_axes(case)),
            lambda case: case["x"].var(batch_axes(case), ddof=1)]


def running_suspects(key: str) -> list[Suspect]:
    """What each fault would leave in a running array, likeliest first."""
    suspects = [Suspect("bn-running-not-updated", lambda case: case[key])]
    for target in _targets(key):
        suspects += [
            Suspect("bn-running-momentum-swapped", lambda case, target=target: (
                (1 - case["momentum"]) * case[key] + case["momentum"] * target(case))),
            Suspect("bn-running-replaced", target),
        ]
        if key == "running_var":
            suspects += _of_variance(target)
    return suspects


def _of_variance(target: Target) -> list[Suspect]:
    """What gathers variance + eps, or the standard deviation, its inverse or the variance's square.
    """
    key = "running_var"
    suspects = [
        Suspect("bn-running-var-with-eps", lambda case: (
            _moved(case, key, target(case) + case["eps"]))),
        Suspect("bn-running-replaced", lambda case: target(case) + case["eps"],
                "And eps is added to it (bn-running-var-with-eps)."),
    ]
    for power in (0.5, -0.5, 2):
        suspects += [
            Suspect("bn-std-power", lambda case, power=power: (
                _moved(case, key, target(case) ** power))),
            Suspect("bn-std-power", lambda case, power=power: (
                _moved(case, key, (target(case) + case["eps"]) ** power))),
        ]
    return suspects
