"""The dense layer: its cases, and what each fault would produce."""

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Operation, Suspect


def _case(rng: np.random.Generator, n: int, features: int, units: int, whole: bool = False) -> Case:
    shapes = {"x": (n, features), "w": (features, units), "b": (units,)}
    draw = (lambda shape: rng.integers(-4, 5, shape)) if whole else rng.standard_normal
    arrays = {name: np.asarray(draw(shape), float) for name, shape in shapes.items()}
    if whole:
        arrays["b"] = np.arange(1.0, units + 1)
    return Case(arrays, {})


def _transposed(case: Case, dy: np.ndarray) -> np.ndarray:
    return dy.T @ case["x"]  # (M, D)


_rng = np.random.default_rng(40)

DENSE = Operation(
    "dense",
    [_case(_rng, 5, 6, 3), _case(_rng, 3, 4, 7), _case(_rng, 6, 4, 4)],
    [_case(_rng, 1, 2, 1, True), _case(_rng, 2, 2, 1, True), _case(_rng, 2, 2, 2, True),
     _case(_rng, 3, 4, 2, True)],
    [Suspect("dense-bias-missing", lambda case: case["x"] @ case["w"])],
    {
        "dw": [
            Suspect("dense-dw-transposed", _transposed),
            Suspect("dense-dw-transposed", lambda case, dy: (
                _transposed(case, dy).reshape(case["w"].shape))),
            Suspect("dense-db-averaged", lambda case, dy: case["x"].T @ dy / len(dy)),
        ],
        "db": [
            Suspect("dense-db-averaged", lambda case, dy: dy.mean(0)),
            Suspect("dense-db-averaged", lambda case, dy: dy.sum(0) / dy.size),
        ],
    },
)
