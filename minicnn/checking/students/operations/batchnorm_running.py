"""Batch norm's running statistics: what is right, and what each fault would leave in them."""

import numpy as np

from minicnn.checking.students.operations.batchnorm_cases import batch_axes
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.observation import TOLERANCE

STATISTICS = ("running_mean", "running_var")


def right_running(case: Case, key: str) -> list[np.ndarray]:
    """Equation 8: what a running array may be after a training forward, minicnn's answer first."""
    old, momentum = case[key], case["momentum"]
    return [momentum * old + (1 - momentum) * target for target in _targets(case, key)]


def running_fault(case: Case, key: str, received: np.ndarray) -> str | None:
    """Id of the fault that would have left a wrong running array, or None."""
    old, momentum, targets = case[key], case["momentum"], _targets(case, key)
    if is_near(received, old, 1e-6):
        return "bn-running-not-updated"
    if any(is_near(received, (1 - momentum) * old + momentum * target) for target in targets):
        return "bn-running-momentum-swapped"
    if key == "running_var" and any(
        is_near(received, momentum * old + (1 - momentum) * each)
        for target in targets for each in _wrong_powers(target, case["eps"])
    ):
        return "bn-std-power"
    return None


def is_near(received: np.ndarray, right: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Whether a running array is this one."""
    return received.shape == right.shape and np.allclose(received, right, tolerance, tolerance)


def _targets(case: Case, key: str) -> list[np.ndarray]:
    """What a running array moves towards: of variances the biased one, or PyTorch's unbiased."""
    axes = batch_axes(case)
    if key == "running_mean":
        return [case["x"].mean(axes)]
    return [case["x"].var(axes), case["x"].var(axes, ddof=1)]


def _wrong_powers(variance: np.ndarray, eps: float) -> list[np.ndarray]:
    """The standard deviation, its inverse or the variance's square, with eps and without."""
    return [each**power for each in (variance, variance + eps) for power in (0.5, -0.5, 2)]
