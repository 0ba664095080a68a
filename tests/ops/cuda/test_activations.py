"""Activations: against the reference, by central differences, and what they move."""

import numpy as np
import pytest
from lean_kernels import assert_lean
from numeric import DTYPES, assert_close, assert_gradient, distinct, random_like

from minicnn.ops import cuda, reference
from minicnn.ops.cuda import activations
from minicnn.ops.cuda.array import asarray
from minicnn.ops.cuda.device import device

ACTIVATIONS = (("relu", {}), ("leaky_relu", {"slope": 0.25}), ("elu", {"alpha": 1.5}))
SHAPES = [(), (1,), (3,), (4,), (5,), (3, 5, 7, 2), (1023,), (1024,), (2, 1025)]
EDGES = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 1e30, -1e30, -87.5, 2.0]

each_activation = pytest.mark.parametrize(("name", "settings"), ACTIVATIONS)


def functions(backend: object, name: str) -> tuple:
    """Forward and backward."""
    return getattr(backend, f"{name}_forward"), getattr(backend, f"{name}_backward")


@each_activation
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_as_the_reference(name: str, settings: dict, shape: tuple, dtype: type) -> None:
    rng = np.random.default_rng(len(shape))
    x = np.asarray(rng.standard_normal(shape), dtype)
    x.reshape(-1)[::5] = 0  # the kink itself
    (forward, backward), (reference_forward, reference_backward) = (
        functions(backend, name) for backend in (cuda, reference))
    y, cache = forward(x, **settings)
    expected, reference_cache = reference_forward(x, **settings)
    assert_close(np.asarray(y), expected, 4)
    dy = random_like(rng, expected)
    wanted = reference_backward(dy, reference_cache)
    assert_close(np.asarray(backward(dy, cache)), wanted, 4)
    assert_close(np.asarray(backward(dy, reference_cache)), wanted, 4)
    assert_close(reference_backward(dy, cache), wanted, 4)


@each_activation
@pytest.mark.parametrize("dtype", DTYPES)
def test_edges_of_the_numbers(name: str, settings: dict, dtype: type) -> None:
    x = np.array(EDGES, dtype)
    y, cache = functions(cuda, name)[0](x, **settings)
    expected, reference_cache = functions(reference, name)[0](x, **settings)
    np.testing.assert_allclose(np.asarray(y), expected, rtol=4 * np.finfo(dtype).eps)
    if name == "relu":
        np.testing.assert_array_equal(np.signbit(y), np.signbit(expected))
    dy = np.array(EDGES[::-1], dtype)
    with np.errstate(invalid="ignore"):
        wanted = functions(reference, name)[1](dy, reference_cache)
    found = np.asarray(functions(cuda, name)[1](dy, cache))
    np.testing.assert_allclose(found, wanted, rtol=8 * np.finfo(dtype).eps)


@each_activation
@pytest.mark.parametrize("size", [1, 7, 18])
def test_gradients(name: str, settings: dict, size: int) -> None:
    forward, backward = functions(cuda, name)
    rng = np.random.default_rng(size)
    x = distinct(rng, (size,))
    dy = random_like(rng, x)
    dx = np.asarray(backward(dy, forward(x, **settings)[1]))
    assert_gradient(dx, lambda x: np.asarray(forward(x, **settings)[0]), x, dy)


@pytest.mark.parametrize("size", [1024, 3 * 1024, 32])
def test_relu_moves_each_number_once(size: int) -> None:
    x = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    x = asarray(x, x.dtype)
    with device().recorded() as launches:
        _, cache = cuda.relu_forward(x)
        cuda.relu_backward(x, cache)
    forward, backward = [
        sum(request.moved for request in launch.requests if request.space == "global")
        for launch in launches
    ]
    assert forward == 2 * x.nbytes  # x is read, y written
    assert backward == 3 * x.nbytes  # dy and y are read, dx written


def test_the_kernels_keep_everything_in_registers() -> None:
    for real in "fd":
        array = f"*{real}"
        assert_lean(activations._relu, array, array, "L")
        assert_lean(activations._relu_gradient, array, array, array, "L")
        assert_lean(activations._leaky_relu, array, real, array, array, "L")
        assert_lean(activations._elu, array, real, array, array, "L")
        assert_lean(activations._product, array, array, array, "L")
