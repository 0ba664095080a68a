"""Activations: against ONNX, by central differences, and one backend against the other."""

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays_of
from numeric import DTYPES, assert_close, assert_gradient, distinct, random_like
from onnx_operator import onnx_operator

from minicnn.ops import cpu, reference

ACTIVATIONS = (("relu", {}), ("leaky_relu", {"slope": 0.25}), ("elu", {"alpha": 1.5}))
SHAPES = arrays_of.array_shapes(min_dims=0, max_dims=4, max_side=4)
SEEDS = st.integers(0, 2**32 - 1)

each_activation = pytest.mark.parametrize(("name", "settings"), ACTIVATIONS)


def functions(backend: ModuleType, name: str) -> tuple:
    """Forward and backward."""
    return getattr(backend, f"{name}_forward"), getattr(backend, f"{name}_backward")


@pytest.mark.parametrize(("name", "y", "dx"), [
    ("relu", [0, 0, 0, 2], [0, 0, 0, 4]),
    ("leaky_relu", [-0.03, -0.01, 0, 2], [0.01, 0.02, 0.03, 4]),
    ("elu", [np.exp(-3) - 1, np.exp(-1) - 1, 0, 2], [np.exp(-3), 2 * np.exp(-1), 3, 4]),
])
def test_by_hand(backend: ModuleType, name: str, y: list, dx: list) -> None:
    forward, backward = functions(backend, name)
    result, cache = forward([-3.0, -1, 0, 2])
    np.testing.assert_allclose(result, y, rtol=1e-15)
    np.testing.assert_allclose(backward([1.0, 2, 3, 4], cache), dx, rtol=1e-15)


@pytest.mark.parametrize(("name", "operator", "settings", "attributes"), [
    ("relu", "Relu", {}, {}),
    ("leaky_relu", "LeakyRelu", {"slope": 0.25}, {"alpha": 0.25}),
    ("elu", "Elu", {"alpha": 1.5}, {"alpha": 1.5}),
])
@pytest.mark.parametrize("dtype", DTYPES)
def test_against_onnx(
    backend: ModuleType, name: str, operator: str, settings: dict, attributes: dict, dtype: type
) -> None:
    x = np.random.default_rng(0).standard_normal((5, 7)).astype(dtype)
    (expected,) = onnx_operator(operator, x, **attributes)
    y, _ = functions(backend, name)[0](x, **settings)
    assert_close(y, expected, 4)


@each_activation
@given(shape=SHAPES, seed=SEEDS)
def test_gradients(
    backend: ModuleType, name: str, settings: dict, shape: tuple, seed: int
) -> None:
    forward, backward = functions(backend, name)
    rng = np.random.default_rng(seed)
    x = distinct(rng, shape)
    y, cache = forward(x, **settings)
    dy = random_like(rng, x)
    assert_gradient(backward(dy, cache), lambda x: forward(x, **settings)[0], x, dy)
    assert isinstance(y, np.ndarray)


@pytest.mark.slow
@each_activation
@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=arrays_of.array_shapes(min_dims=1, max_dims=4, max_side=17), seed=SEEDS)
def test_the_backends_agree(
    compiled: ModuleType, name: str, settings: dict, dtype: type, shape: tuple, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape).astype(dtype)
    x.flat[:: 5] = 0  # the kink itself
    y, cache = functions(compiled, name)[0](x, **settings)
    expected, reference_cache = functions(reference, name)[0](x, **settings)
    assert_close(y, expected, 4)
    dy = random_like(rng, y)
    wanted = functions(reference, name)[1](dy, reference_cache)
    assert_close(functions(compiled, name)[1](dy, cache), wanted, 4)
    assert_close(functions(compiled, name)[1](dy, reference_cache), wanted, 4)
    assert_close(functions(reference, name)[1](dy, cache), wanted, 4)


@each_activation
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_stays_and_nothing_overflows(
    backend: ModuleType, name: str, settings: dict, dtype: type
) -> None:
    x = np.array([np.nan, np.inf, 1e30, -1e30, 0, -0.0], dtype)
    y, cache = functions(backend, name)[0](x, **settings)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(x))
    np.testing.assert_array_equal(y[1:3], x[1:3])
    for _ in range(3):  # NaN in x is NaN in dx, whatever dy is, on whichever lane
        for dy in (np.ones_like(x), np.zeros_like(x), -np.ones_like(x)):
            dx = functions(backend, name)[1](dy, cache)
            np.testing.assert_array_equal(np.isnan(dx), np.isnan(x))
            assert np.isfinite(dx[~np.isnan(x)]).all()
        x = np.tile(x, 5)
        y, cache = functions(backend, name)[0](x, **settings)


@pytest.mark.parametrize(("name", "setting"), [("leaky_relu", "slope"), ("elu", "alpha")])
@pytest.mark.parametrize(("value", "error"), [(-1, ValueError), (np.nan, ValueError),
                                              (np.inf, ValueError), ("1", TypeError)])
def test_settings_out_of_range(
    backend: ModuleType, name: str, setting: str, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"{name}: {setting} must "):
        functions(backend, name)[0](np.ones(3), **{setting: value})


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 15, 16, 17, 1000, 32 * 16 * 5 + 3, (8 << 20) // 4 + 21])
def test_relu_of_any_length(dtype: type, size: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(size).astype(dtype)
    x[rng.integers(0, size, size // 7)] = 0
    x[rng.integers(0, size, size // 9)] = np.nan
    y, cache = cpu.relu_forward(x)
    expected, _ = reference.relu_forward(x)
    np.testing.assert_array_equal(y, expected)
    dy = random_like(rng, y)
    np.testing.assert_array_equal(
        cpu.relu_backward(dy, cache), reference.relu_backward(dy, cache)
    )
