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
    "relu", _cases(), _small(),
    [
        Suspect("relu-returns-mask", lambda case: case["x"] > 0),
        Suspect("", lambda case: np.abs(case["x"]), "Negative x keep their size; they become 0."),
        Suspect("", lambda case: np.minimum(case["x"], 0), "It is the positive x that stay."),
        Suspect("", lambda case: np.where(case["x"] > 0, case["x"], 0.01 * case["x"]),
                "This is leaky ReLU with slope 0.01; ReLU gives 0 where x is negative."),
        Suspect("", lambda case: case["x"], "Nothing is set to 0."),
    ],
    {
        "dx": [
            Suspect("relu-mask-missing", lambda case, dy: dy),
            Suspect("relu-mask-from-dy", lambda case, dy: np.maximum(dy, 0)),
            Suspect("", lambda case, dy: case["x"] > 0,
                    "It is 1 where x is positive; there it is dy that belongs."),
            Suspect("", lambda case, dy: dy * np.maximum(case["x"], 0),
                    "dy is multiplied with x; where x is positive dy passes as it is."),
            Suspect("", lambda case, dy: dy * case["x"],
                    "dy is multiplied with x; where x is positive dy passes as it is."),
            Suspect("", lambda case, dy: dy * (case["x"] <= 0),
                    "dy passes where x is negative; it passes where x is positive."),
            Suspect("", lambda case, dy: dy * np.sign(case["x"]),
                    "dy changes its sign where x is negative; there it is 0."),
            Suspect("", lambda case, dy: np.maximum(dy, 0) * (case["x"] > 0),
                    "The mask is taken from the signs of x and of dy; that of x alone decides."),
        ]
    },
)

LEAKY_RELU = Operation(
    "leaky_relu", [*_cases(), *_cases(slope=0.2)], [*_small(), *_small(slope=0.5)]
)

ELU = Operation("elu", [*_cases(), *_cases(alpha=0.7)], [*_small(), *_small(alpha=0.5)])
