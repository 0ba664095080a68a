"""Activations: their cases, and what each fault of ReLU would produce."""

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Operation, Suspect


def _values(*shape: int, seed: int) -> np.ndarray:
    """Numbers of both signs, none nearer to 0 than 0.1."""
    x = np.random.default_rng(seed).standard_normal(shape)
    return x + 0.1 * np.sign(x)


def _cases(**settings: float) -> list[Case]:
    return [
        Case({"x": _values(*shape, seed=seed)}, dict(settings))
        for seed, shape in enumerate([(5, 7), (3, 5, 4, 2), (2, 3, 4)])
    ]


def _small(**settings: float) -> list[Case]:
    return [
        Case({"x": np.array(values)}, dict(settings))
        for values in ([[-2.0]], [[3.0]], [[-1.0, 2.0]], [[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]])
    ]


RELU = Operation(
    "relu", _cases(), _small(), [Suspect("relu-returns-mask", lambda case: case["x"] > 0)],
    {
        "dx": [
            Suspect("relu-mask-missing", lambda case, dy: dy),
            Suspect("relu-mask-from-dy", lambda case, dy: np.maximum(dy, 0)),
        ]
    },
)

LEAKY_RELU = Operation(
    "leaky_relu", [*_cases(), *_cases(slope=0.2)], [*_small(), *_small(slope=0.5)]
)

ELU = Operation("elu", [*_cases(), *_cases(alpha=0.7)], [*_small(), *_small(alpha=0.5)])
