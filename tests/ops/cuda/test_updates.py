"""The optimizers' steps: as the reference's, in one launch for all parameters."""

from typing import Any

import numpy as np
import pytest
from lean_kernels import assert_lean
from numeric import DTYPES, assert_close

from minicnn.layers import Parameter
from minicnn.ops import cuda, reference
from minicnn.ops.backend import use_backend
from minicnn.ops.cuda import updates
from minicnn.ops.cuda.array import asarray
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.tables import PIECE
from minicnn.optimizers import SGD, Adam, AdamW, RMSprop

SHAPES = [(), (1,), (3,), (4,), (5,), (3, 3, 5, 17), (PIECE - 1,), (PIECE,), (PIECE + 1025,)]
ADAM = {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 1e-6}
RULES = {
    "sgd": ("sgd_update", 1, {"lr": 0.1, "momentum": 0.9}),
    "nesterov": ("sgd_update", 1, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "rmsprop": ("rmsprop_update", 1, {"lr": 0.1, "smoothing": 0.9, "eps": 1e-6}),
    "adam": ("adam_update", 2, {**ADAM, "step": 3}),
    "adam, shrinking": ("adam_update", 2, {
        **ADAM, "step": 1, "shrink": [0.01 * k for k in range(len(SHAPES))]}),
}
CHANGES = [{}, {"scale": 0.3}, {"decay": [0.1 * k for k in range(len(SHAPES))], "scale": 2.0}]


def columns_of(count: int, dtype: type) -> list[list[np.ndarray]]:
    """So many columns of arrays of all shapes: w, g and positive state."""
    rng = np.random.default_rng(0)
    w, g = ([np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES] for _ in range(2))
    state = [[np.asarray(rng.uniform(0.1, 2, shape), dtype) for shape in SHAPES]
             for _ in range(count - 2)]
    return [w, g, *state]


def on_device(columns: list[list[np.ndarray]]) -> list[list[Any]]:
    return [[asarray(array, array.dtype) for array in column] for column in columns]


def both(name: str, columns: list[list[np.ndarray]], **settings: Any) -> tuple:
    """The columns after the reference's step, after the device's, and the device's launches."""
    expected = [[array.copy() for array in column] for column in columns]
    getattr(reference, name)(*expected, **settings)
    found = on_device(columns)
    with device().recorded() as launches:
        getattr(cuda, name)(*found, **settings)
    return expected, [[np.asarray(array) for array in column] for column in found], launches


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("changes", CHANGES, ids=["plain", "scaled", "decaying"])
@pytest.mark.parametrize("rule", RULES)
def test_as_the_reference_in_one_launch(rule: str, changes: dict, dtype: type) -> None:
    name, slots, settings = RULES[rule]
    columns = columns_of(2 + slots, dtype)
    expected, found, launches = both(name, columns, **settings, **changes)
    assert len(launches) == 1
    for column, wanted in zip(found, expected, strict=True):
        for array, want in zip(column, wanted, strict=True):
            assert_close(array, want, 16, scale=3.0)
    for array, given in zip(found[1], columns[1], strict=True):
        np.testing.assert_array_equal(array, given)  # the gradient stays


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
def test_averages_move_by_their_rate(rate: float, dtype: type) -> None:
    columns = columns_of(2, dtype)
    expected, found, launches = both("average_update", columns, rate=rate)
    assert len(launches) == 1
    for array, want in zip(found[0], expected[0], strict=True):
        assert_close(array, want, 1)


@pytest.mark.parametrize("rule", RULES)
def test_a_weight_that_is_not_finite_spoils_no_gradient_without_decay(rule: str) -> None:
    name, slots, settings = RULES[rule]
    columns = [column[:3] for column in columns_of(2 + slots, np.float64)]
    columns[0][2][:] = [np.inf, np.nan, 1.0]
    columns[1][2][:] = [1.0, 2.0, np.inf]
    settings = {key: value[:3] if isinstance(value, list) else value
                for key, value in settings.items()}
    with np.errstate(invalid="ignore"):
        expected, found, _ = both(name, columns, **settings)
    for column, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(column[2], wanted[2], rtol=1e-12)


def test_each_dtype_has_its_launch_and_an_array_alone_is_one_too() -> None:
    w, g, v = (
        [np.ones(5, np.float32), np.ones(3), np.ones(2, np.float32)] for _ in range(3)
    )
    expected, found, launches = both("sgd_update", [w, g, v], lr=0.25, momentum=0.5)
    assert len(launches) == 2
    for array, want in zip(found[0], expected[0], strict=True):
        np.testing.assert_array_equal(array, want)
    alone = np.ones(7)
    cuda.sgd_update(alone, np.ones(7), np.zeros(7), lr=0.25)  # arrays of NumPy's come back
    np.testing.assert_array_equal(alone, np.full(7, 0.75))


@pytest.mark.parametrize("kind", [SGD, RMSprop, Adam, AdamW])
def test_a_later_step_uploads_nothing(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, uploads = np.random.default_rng(0), []
    with use_backend("cuda"):
        parameters = [
            Parameter(f"w{k}", np.asarray(rng.standard_normal(shape)), decays=len(shape) > 1)
            for k, shape in enumerate(SHAPES)
        ]
        for parameter in parameters:
            gradient = np.asarray(rng.standard_normal(parameter.data.shape))
            parameter.grad = asarray(gradient, gradient.dtype)
        optimizer = kind(parameters, weight_decay=0.01)
        optimizer.step()
        upload = device().upload
        monkeypatch.setattr(
            device(), "upload", lambda address, host: (uploads.append(host), upload(address, host)))
        optimizer.lr /= 2
        with device().recorded() as launches:
            optimizer.step()
    assert uploads == []
    assert len(launches) == 1


def test_the_kernels_keep_everything_in_registers() -> None:
    for real, dtype in (("f", np.float32), ("d", np.float64)):
        assert_lean(updates._sgd_kernel(dtype), "*L", "*L", "*d", *real * 3, "I")
        assert_lean(updates._rmsprop_kernel(dtype), "*L", "*L", "*d", *real * 5)
        assert_lean(updates._adam_kernel(dtype), "*L", "*L", "*d", "*d", "d", *real * 7)
        assert_lean(updates._average_kernel(dtype), "*L", "*L", real)
