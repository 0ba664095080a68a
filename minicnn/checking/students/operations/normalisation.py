"""What batch norm, layer norm and group norm share: values that are normalised together.

An array of x's shape is looked at as columns (m, K): the m values of a column have one mean and
one variance. A column holds a channel in batch norm, a sample in layer norm, a group of a sample's
channels in group norm.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from minicnn.checking.students.operations.case import Case

Inverse = Callable[[np.ndarray, float], np.ndarray]


def inverse_std(var: np.ndarray, eps: float) -> np.ndarray:
    """r = 1 / sqrt(σ² + eps)."""
    return 1 / np.sqrt(var + eps)


@dataclass(frozen=True)
class Normalisation:
    """Which values are normalised together, and what its faults are called.

    Attributes
    ----------
    unit : str
        What a column holds.
    split, join : callable
        An array of x's shape as columns (m, K), and columns as an array of x's shape.
    products : dict
        Products of sizes that are mistaken for m, by what they are in images.
    of_features : str
        The letter that stands for D in the names of `products`, where x is (N, D).
    one_gamma : bool
        Whether all values of a column have the same gamma.
    names : dict
        Ids of its own for faults that batch norm has too.
    """

    unit: str
    split: Callable[[Case, np.ndarray], np.ndarray]
    join: Callable[[Case, np.ndarray], np.ndarray]
    products: Mapping[str, Callable[[Case], int]]
    of_features: str
    one_gamma: bool
    names: Mapping[str, str] = field(default_factory=dict)

    def fault(self, of_batchnorm: str) -> str:
        """The id of a fault, from batch norm's."""
        return self.names.get(of_batchnorm, of_batchnorm)

    def count(self, case: Case) -> int:
        """m."""
        return len(self.split(case, case["x"]))

    @property
    def other_counts(self) -> dict[str, Callable[[Case], int]]:
        """Numbers that are mistaken for m, by their names."""
        return {
            **self.products,
            "m - 1": lambda case: self.count(case) - 1,
            "m + 1": lambda case: self.count(case) + 1,
            "N - 1": lambda case: len(case["x"]) - 1,
        }

    def count_name(self, name: str, case: Case) -> str:
        """A key of `other_counts` as it is called in a case."""
        return name if case["x"].ndim == 4 else name.replace(self.of_features, "D")

    def statistics(self, case: Case) -> tuple[np.ndarray, np.ndarray]:
        """Mean and biased variance (K,)."""
        columns = self.split(case, case["x"])
        return columns.mean(0), columns.var(0)

    def centred(self, case: Case) -> np.ndarray:
        """x - μ."""
        columns = self.split(case, case["x"])
        return self.join(case, columns - columns.mean(0))

    def scaled(self, case: Case, inverse: Inverse) -> np.ndarray:
        """(x - μ) · r, with another r."""
        columns = self.split(case, case["x"])
        r = inverse(columns.var(0), case["eps"])
        return self.join(case, (columns - columns.mean(0)) * r)

    def normalized(self, case: Case) -> np.ndarray:
        """x̂."""
        return self.scaled(case, inverse_std)

    def y_with(
        self, case: Case, mean: np.ndarray | None = None, var: np.ndarray | None = None,
        inverse: Inverse = inverse_std,
    ) -> np.ndarray:
        """Equations 3 and 4 with another mean or variance (K,), or another r."""
        right_mean, right_var = self.statistics(case)
        mean = right_mean if mean is None else mean
        var = right_var if var is None else var
        columns = (self.split(case, case["x"]) - mean) * inverse(var, case["eps"])
        return case["gamma"] * self.join(case, columns) + case["beta"]
