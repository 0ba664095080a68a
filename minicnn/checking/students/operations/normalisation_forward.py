"""y of a normalisation with wrong statistics, or a wrong power of them: what a fault produces."""

from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.normalisation import Inverse, Normalisation, inverse_std
from minicnn.checking.students.operations.operation import Suspect

INVERSES: dict[str, list[Inverse]] = {
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


def inverse_suspects(y_with: Callable[..., np.ndarray]) -> list[Suspect]:
    """Faults of r, of a function that takes another r as ``inverse``."""
    return [
        Suspect(fault, partial(y_with, inverse=inverse))
        for fault, inverses in INVERSES.items() for inverse in inverses
    ]


def slips(normalisation: Normalisation) -> list[Suspect]:
    """What the catalogue has no name for, and eps after the division."""
    gamma, beta = itemgetter("gamma"), itemgetter("beta")
    y_with, normalized = normalisation.y_with, normalisation.normalized

    def of_squares(case: Case) -> np.ndarray:
        return y_with(case, var=np.square(normalisation.split(case, case["x"])).mean(0))

    def without_brackets(case: Case) -> np.ndarray:
        mean, var = normalisation.statistics(case)
        columns = normalisation.split(case, case["x"]) - mean * inverse_std(var, case["eps"])
        return gamma(case) * normalisation.join(case, columns) + beta(case)

    return [
        Suspect("bn-eps-missing", lambda case: (
            y_with(case, inverse=INVERSES["bn-eps-missing"][0]) + gamma(case) * case["eps"]),
            "It is added to x̂."),
        Suspect("", normalized, "gamma and beta are left out."),
        Suspect("", lambda case: gamma(case) * normalized(case), "beta is not added."),
        Suspect("", lambda case: normalized(case) + beta(case), "gamma is not applied."),
        Suspect("", lambda case: y_with(case, inverse=lambda var, eps: np.ones_like(var)),
                "x - μ is not divided by sqrt(σ² + eps)."),
        Suspect("", lambda case: y_with(case, mean=np.zeros(())), "μ is not taken off x."),
        Suspect("", lambda case: y_with(case, inverse=lambda var, eps: (var + 2 * eps) ** -0.5),
                "eps is added twice."),
        Suspect("", of_squares, "σ² is the mean of x²: μ is not taken off before squaring."),
        Suspect("", without_brackets,
                "Brackets are missing: x - μ · r is not (x - μ) · r."),
    ]


def statistics_suspects(normalisation: Normalisation) -> Iterator[Suspect]:
    """Another divisor than m, likeliest first."""

    def unbiased(case: Case) -> np.ndarray:
        columns = normalisation.split(case, case["x"])
        return normalisation.y_with(case, var=columns.var(0, ddof=1))

    def divided(case: Case, count: Callable[[Case], int], where: int) -> np.ndarray:
        """By a wrong number in the variance, both statistics (in two ways), or the mean."""
        columns, number = normalisation.split(case, case["x"]), count(case)
        mean, wrong_mean = columns.mean(0), columns.sum(0) / number
        if where == 0:
            return normalisation.y_with(case, var=np.square(columns - mean).sum(0) / number)
        var = {1: np.square(columns - wrong_mean).sum(0) / number,
               2: np.square(columns - wrong_mean).mean(0)}.get(where)
        return normalisation.y_with(case, mean=wrong_mean, var=var)

    yield Suspect(normalisation.fault("bn-unbiased-variance"), unbiased)
    for where in range(4):
        yield Suspect(
            normalisation.fault("bn-sum-for-mean"),
            partial(divided, count=lambda case: 1, where=where),
        )
    for name, count in normalisation.other_counts.items():
        for where in range(4):
            yield Suspect(
                normalisation.fault("bn-wrong-count"), partial(divided, count=count, where=where),
                f"It divides by {name}.", in_pairs=False,
            )
