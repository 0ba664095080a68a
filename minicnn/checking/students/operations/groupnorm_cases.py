"""Layer norm and group norm: the cases that tell their faults apart, and views of their arrays.

Layer norm is group norm with one group, so that both are looked at in the same way.
"""

import itertools
from functools import partial

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.normalisation import Normalisation

Axes = tuple[int, ...]

GROUP_AXES: Axes = (1, 2, 4)
"""Of a view, what is normalised together: a group of channels, over the pixels of a sample."""


def view(case: Case, array: np.ndarray) -> np.ndarray:
    """An array of x's shape as (N, H, W, G, C/G); H and W are 1 where x is (N, D)."""
    n, *pixels, channels = array.shape
    height, width = pixels or (1, 1)
    groups = case.settings.get("groups", 1)
    return array.reshape(n, height, width, groups, channels // groups)


def _split(case: Case, array: np.ndarray) -> np.ndarray:
    """(H·W·C/G, N·G): a column is a group of a sample."""
    parts = view(case, array).transpose(1, 2, 4, 0, 3)
    return parts.reshape(-1, parts.shape[3] * parts.shape[4])


def _join(case: Case, columns: np.ndarray) -> np.ndarray:
    n, height, width, groups, size = view(case, case["x"]).shape
    parts = columns.reshape(height, width, size, n, groups)
    return parts.transpose(3, 0, 1, 4, 2).reshape(case["x"].shape)


def _product(case: Case, axes: Axes) -> int:
    return int(np.prod([view(case, case["x"]).shape[axis] for axis in axes]))


def _normalisation(unit: str, letters: list[str]) -> Normalisation:
    axes = [axis for axis, letter in enumerate(letters) if letter]
    return Normalisation(
        unit, _split, _join,
        products={
            "·".join(letters[axis] for axis in chosen): partial(_product, axes=chosen)
            for length in range(1, len(axes) + 1)
            for chosen in itertools.combinations(axes, length)
            if chosen != GROUP_AXES
        },
        of_features=letters[-1], one_gamma=False,
        names={
            "bn-missing-mean-term": "ln-missing-mean-term",
            "bn-missing-variance-term": "ln-missing-variance-term",
            "bn-dgamma-wrong-reduction": "ln-dgamma-wrong-reduction",
        },
    )


BY_SAMPLE = _normalisation("sample", ["N", "H", "W", "", "C"])
"""Layer norm's: a mean and a variance a sample."""

BY_GROUP = _normalisation("group of a sample", ["N", "H", "W", "G", "C/G"])
"""Group norm's: a mean and a variance a group of a sample's channels."""


def _case(
    rng: np.random.Generator, shape: tuple[int, ...], eps: float, groups: int | None
) -> Case:
    """Samples and channels of different means and standard deviations, and gammas far from 1."""
    n, channels = shape[0], shape[-1]
    per_sample = (n, *[1] * (len(shape) - 1))
    sigma = np.geomspace(0.5, 2, n).reshape(per_sample) * np.linspace(0.7, 1.6, channels)
    x = np.arange(n).reshape(per_sample) - np.linspace(0, 1, channels)
    return Case(
        {
            "x": x + sigma * rng.standard_normal(shape),
            "gamma": np.linspace(0.4, 2.3, channels) * (-1) ** np.arange(channels),
            "beta": rng.standard_normal(channels) + 1,
        },
        _settings(eps, groups),
        (Exception,) if len(shape) == 2 else (),  # as for batch norm
    )


def _settings(eps: float, groups: int | None) -> dict[str, float]:
    return {"eps": eps} if groups is None else {"groups": groups, "eps": eps}


def layernorm_cases() -> list[Case]:
    """Images and features, with an eps that cannot be seen and one that can."""
    rng = np.random.default_rng(60)
    kinds = [((3, 5, 2, 4), 1e-5), ((5, 2, 3, 6), 0.5), ((4, 7), 1e-5), ((9, 5), 0.5)]
    return [_case(rng, shape, eps, None) for shape, eps in kinds]


def groupnorm_cases() -> list[Case]:
    """Images and features in groups, the number of which is not that of a group's channels."""
    rng = np.random.default_rng(61)
    kinds = [
        ((3, 5, 4, 6), 2, 1e-5), ((2, 3, 5, 8), 4, 0.5), ((4, 2, 3, 6), 3, 0.5),
        ((5, 12), 3, 1e-5), ((7, 8), 2, 0.5),
    ]
    return [_case(rng, shape, eps, groups) for shape, groups, eps in kinds]


def small_layernorm_cases() -> list[Case]:
    """Squares of 1, 2, 3, ... in the smallest batches."""
    return _small([((1, 3), None), ((2, 3), None), ((1, 1, 3, 1), None), ((2, 1, 2, 2), None),
                   ((2, 3, 2, 2), None), ((3, 2, 4, 3), None)])


def small_groupnorm_cases() -> list[Case]:
    """Squares of 1, 2, 3, ... in the smallest batches and groups."""
    return _small([((1, 6), 2), ((2, 6), 2), ((1, 1, 2, 2), 1), ((1, 1, 3, 2), 2),
                   ((1, 1, 2, 4), 2), ((2, 2, 1, 4), 2), ((2, 3, 2, 6), 2), ((3, 2, 4, 6), 3)])


def _small(kinds: list[tuple[tuple[int, ...], int | None]]) -> list[Case]:
    return [
        Case(
            {
                "x": (np.arange(1.0, np.prod(shape) + 1) ** 2).reshape(shape),
                "gamma": np.arange(2.0, shape[-1] + 2), "beta": np.ones(shape[-1]),
            },
            _settings(eps, groups),
        )
        for shape, groups in kinds for eps in (1e-5, 1.0)
    ]
