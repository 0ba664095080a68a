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


def _halves_exchanged(x: np.ndarray) -> np.ndarray:
    """Rows of images (N, 2, …) that were flattened in Fortran's order."""
    if x.shape[1] % 2:
        return x
    return x.reshape(len(x), 2, -1).transpose(0, 2, 1).reshape(x.shape)


def _samples_mixed(x: np.ndarray) -> np.ndarray:
    """What reshape(-1, N).T makes of rows."""
    return x.reshape(-1, len(x)).T


_ROWS = "reshape({}) mixes the numbers of several samples; x.reshape(N, -1) keeps each in its row."

_rng = np.random.default_rng(40)

DENSE = Operation(
    "dense",
    [_case(_rng, 5, 6, 3), _case(_rng, 3, 4, 7), _case(_rng, 6, 4, 4)],
    [_case(_rng, 1, 2, 1, True), _case(_rng, 2, 2, 1, True), _case(_rng, 2, 2, 2, True),
     _case(_rng, 3, 4, 2, True)],
    [
        Suspect("dense-bias-missing", lambda case: case["x"] @ case["w"]),
        Suspect("", lambda case: _samples_mixed(case["x"]) @ case["w"] + case["b"],
                _ROWS.format("-1, N")),
        Suspect("", lambda case: _halves_exchanged(case["x"]) @ case["w"] + case["b"],
                "The rows of x are flattened in another order than NumPy's own (C)."),
        Suspect("", lambda case: case["x"] @ case["w"] - case["b"],
                "b is subtracted where it is added."),
    ],
    {
        "dx": [
            Suspect("", lambda case, dy: (dy @ case["w"].T)[..., None],
                    "x was flattened into rows; dx goes back to x's shape: reshape(x.shape)."),
            Suspect("", lambda case, dy: dy @ case["w"].T / len(dy),
                    "It is averaged over the batch; the loss's own mean is already in dy."),
        ],
        "dw": [
            Suspect("dense-dw-transposed", _transposed),
            Suspect("dense-dw-transposed", lambda case, dy: (
                _transposed(case, dy).reshape(case["w"].shape))),
            Suspect("dense-db-averaged", lambda case, dy: case["x"].T @ dy / len(dy)),
            Suspect("", lambda case, dy: _samples_mixed(case["x"]).T @ dy, _ROWS.format("-1, N")),
            Suspect("", lambda case, dy: _halves_exchanged(case["x"]).T @ dy,
                    "The rows of x are flattened in another order than NumPy's own (C)."),
        ],
        "db": [
            Suspect("dense-db-averaged", lambda case, dy: dy.mean(0)),
            Suspect("dense-db-averaged", lambda case, dy: dy.sum(0) / dy.size),
            Suspect("", lambda case, dy: dy.sum(1),
                    "dy is summed over the units; db is summed over the batch: axis=0."),
            Suspect("", lambda case, dy: dy.sum(),
                    "dy is summed over everything; db is summed over the batch alone: axis=0."),
            Suspect("", lambda case, dy: dy, "dy is not summed over the batch: axis=0."),
            Suspect("", lambda case, dy: dy[-1], "The last sample alone is there; db is a sum."),
        ],
    },
)
