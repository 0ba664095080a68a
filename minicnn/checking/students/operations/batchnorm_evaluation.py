"""Batch norm in evaluation mode: what each fault would produce.

Mean and variance are the running ones, which do not depend on x: dx is term 1 alone.
"""

import itertools

import numpy as np

from minicnn.checking.students.operations.batchnorm_cases import (
    BY_CHANNEL,
    batch_axes,
    statistics,
)
from minicnn.checking.students.operations.batchnorm_running import STATISTICS, right_running
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.normalisation import Inverse, inverse_std
from minicnn.checking.students.operations.normalisation_forward import INVERSES, inverse_suspects
from minicnn.checking.students.operations.operation import Suspect


def _of_batch(case: Case) -> tuple[np.ndarray, np.ndarray]:
    return statistics(case, batch_axes(case))


def evaluation_suspects() -> list[Suspect]:
    """Of y, likeliest first."""

    def already_moved(case: Case) -> np.ndarray:
        mean, var = (right_running(case, key)[0] for key in STATISTICS)
        return _y(case, mean, var)

    def unbiased(case: Case) -> np.ndarray:
        m = BY_CHANNEL.count(case)
        return _y(case, var=case["running_var"] * m / (m - 1))

    return [
        Suspect("bn-eval-uses-batch", lambda case: _y(case, *_of_batch(case))),
        Suspect("bn-eval-uses-batch", lambda case: _y(case, mean=_of_batch(case)[0])),
        Suspect("bn-eval-uses-batch", lambda case: _y(case, var=_of_batch(case)[1])),
        Suspect("bn-eval-uses-batch", already_moved,
                "The running statistics move towards the batch's before they are used."),
        Suspect("bn-eval-without-affine", _normalized, reads=lambda case: case.with_arrays(
            gamma=np.ones_like(case["gamma"]), beta=np.zeros_like(case["beta"]))),
        Suspect("bn-eval-without-affine", lambda case: case["gamma"] * _normalized(case),
                "beta is not added."),
        Suspect("bn-eval-without-affine", lambda case: _normalized(case) + case["beta"],
                "gamma is not applied."),
        *inverse_suspects(_y),
        Suspect("bn-unbiased-variance", unbiased,
                "The factor m / (m - 1) belongs into the running variance, if anywhere."),
    ]


def evaluation_backward_suspects() -> dict[str, list[Suspect]]:
    """By the gradient's name, likeliest first."""
    constants = "In evaluation mode mean and variance are constants, the running ones."

    def dx_of(terms: tuple[int, ...], of_batch: bool) -> Suspect:
        """T1 less its mean, the path through σ², and that path's own way through μ."""

        def predict(case: Case, dy: np.ndarray) -> np.ndarray:
            mean, var = _of_batch(case) if of_batch else (case["running_mean"], case["running_var"])
            axes, inverse = batch_axes(case), 1 / np.sqrt(var + case["eps"])
            normalized = (case["x"] - mean) * inverse
            third = normalized * (dy * normalized).mean(axes)
            parts = dy.mean(axes), third, -third.mean(axes)
            dx = dy - sum(number * part for number, part in zip(terms, parts, strict=True))
            return case["gamma"] * inverse * dx

        return Suspect("bn-eval-uses-batch", predict, constants)

    return {
        "dx": [
            *(dx_of(terms, of_batch) for of_batch in (False, True)
              for terms in itertools.product((0, 1), repeat=3) if of_batch or any(terms)),
            Suspect("bn-gamma-missing", lambda case, dy: (
                dy / np.sqrt(case["running_var"] + case["eps"]))),
            *(Suspect(fault, lambda case, dy, inverse=inverse: (
                case["gamma"] * dy * inverse(case["running_var"], case["eps"])))
              for fault, inverses in INVERSES.items() for inverse in inverses),
        ],
        "dgamma": [
            Suspect("bn-eval-uses-batch", lambda case, dy: (
                (dy * _normalized(case, *_of_batch(case))).sum(batch_axes(case))), constants),
            Suspect("bn-dgamma-not-normalized", lambda case, dy: (
                (dy * case["x"]).sum(batch_axes(case))), "x stands there."),
            Suspect("bn-dgamma-not-normalized", lambda case, dy: (
                (dy * (case["x"] - case["running_mean"])).sum(batch_axes(case))),
                "x - mean stands there."),
        ],
        "dbeta": [],
    }


def _y(
    case: Case, mean: np.ndarray | None = None, var: np.ndarray | None = None,
    inverse: Inverse = inverse_std,
) -> np.ndarray:
    """Equation 9, with the running statistics by default."""
    return case["gamma"] * _normalized(case, mean, var, inverse) + case["beta"]


def _normalized(
    case: Case, mean: np.ndarray | None = None, var: np.ndarray | None = None,
    inverse: Inverse = inverse_std,
) -> np.ndarray:
    """x̂, of the running statistics by default."""
    mean = case["running_mean"] if mean is None else mean
    var = case["running_var"] if var is None else var
    return (case["x"] - mean) * inverse(var, case["eps"])
