"""Every operation on a backend whose arrays are not NumPy's, and between it and another."""

import dataclasses
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from distant_arrays import NAME, DistantArray, Traffic, distant_backend
from numeric import random_like
from operations import OPERATIONS, Operation

import minicnn
from minicnn import ops
from minicnn.ops.backend import OPERATIONS as DOORS, bound

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)
other_backend = pytest.mark.parametrize("other", ["reference", "cpu"])

ADAM = {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 1e-6, "step": 3}


@pytest.fixture(autouse=True)
def traffic() -> Iterator[Traffic]:
    """The distant backend can be chosen."""
    with distant_backend() as counted:
        yield counted


def doors(backend: str) -> Any:
    """The operations of a backend."""
    return SimpleNamespace(**{name: bound(name, backend) for name in DOORS})


def arrays_of(cache: Any) -> list[Any]:
    """The arrays that a cache holds."""
    values = [getattr(cache, field.name) for field in dataclasses.fields(cache)]
    return [value for value in values if isinstance(value, np.ndarray | DistantArray)]


@each_operation
def test_an_operation_gives_distant_arrays_of_the_same_numbers(
    operation: Operation, traffic: Traffic
) -> None:
    x = np.random.default_rng(0).standard_normal(operation.x_shape)
    wanted, wanted_cache = operation.forward(ops.reference, x)
    y, cache = operation.forward(doors(NAME), x)
    assert all(isinstance(array, DistantArray) for array in (y, *arrays_of(cache)))
    assert len(arrays_of(cache)) == len(arrays_of(wanted_cache))
    dy = random_like(np.random.default_rng(1), wanted)
    traffic.clear()
    dx = operation.backward(doors(NAME), dy, cache)
    assert (traffic.uploads, traffic.downloads) == (1, 0)  # dy
    np.testing.assert_array_equal(np.asarray(y), wanted)
    np.testing.assert_array_equal(
        np.asarray(dx), operation.backward(ops.reference, dy, wanted_cache)
    )


@each_operation
@other_backend
@pytest.mark.parametrize("far_first", [False, True])
def test_a_cache_and_arrays_of_one_backend_serve_another(
    operation: Operation, other: str, far_first: bool
) -> None:
    first, second = (NAME, other) if far_first else (other, NAME)
    x = np.random.default_rng(0).standard_normal(operation.x_shape)
    y, cache = operation.forward(doors(first), x)
    dy = random_like(np.random.default_rng(1), np.asarray(y))
    dx = operation.backward(doors(second), dy, cache)
    assert isinstance(dx, np.ndarray if far_first else DistantArray)
    _, wanted_cache = operation.forward(doors(other), x)
    np.testing.assert_allclose(
        np.asarray(dx), operation.backward(doors(other), dy, wanted_cache), rtol=1e-12, atol=1e-13
    )


@other_backend
@pytest.mark.parametrize("far_first", [False, True])
def test_the_loss_goes_backward_elsewhere(other: str, far_first: bool) -> None:
    first, second = (NAME, other) if far_first else (other, NAME)
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((5, 3)), np.array([0, 2, 2, 1, 0])
    settings = {"class_weights": [1.0, 0.5, 2.0], "label_smoothing": 0.1}
    loss, cache = doors(first).softmax_cross_entropy_forward(logits, labels, **settings)
    wanted, wanted_cache = ops.reference.softmax_cross_entropy_forward(logits, labels, **settings)
    assert loss == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_allclose(
        np.asarray(doors(second).softmax_cross_entropy_backward(cache, 0.5)),
        ops.reference.softmax_cross_entropy_backward(wanted_cache, 0.5), rtol=1e-12, atol=1e-15,
    )


@pytest.mark.parametrize("backend", [NAME, "reference", "cpu"])
@pytest.mark.parametrize("far", [False, True])
def test_an_update_changes_the_callers_own_arrays(backend: str, far: bool) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.1, 2, (3, 2)) for _ in range(4)]
    wanted = [array.copy() for array in arrays]
    ops.reference.adam_update(*wanted, **ADAM)
    own: list[Any] = [DistantArray(array) if far else array for array in arrays]
    doors(backend).adam_update(*own, **ADAM)
    for array, expected in zip(own, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(array), expected, rtol=1e-14)


@pytest.mark.parametrize("backend", [NAME, "reference", "cpu"])
@pytest.mark.parametrize("far", [False, True])
def test_running_statistics_are_the_callers_own(backend: str, far: bool) -> None:
    x = np.random.default_rng(0).standard_normal((4, 5, 3))
    wanted = [np.zeros(3), np.ones(3)]
    ops.reference.batchnorm_forward(x, np.ones(3), np.zeros(3), *wanted, training=True)
    own: list[Any] = [np.zeros(3), np.ones(3)]
    own = [DistantArray(array) for array in own] if far else own
    doors(backend).batchnorm_forward(x, np.ones(3), np.zeros(3), *own, training=True)
    for array, expected in zip(own, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(array), expected, rtol=1e-12)


def test_what_is_asked_of_many_arrays_is_one_number(traffic: Traffic) -> None:
    arrays = [DistantArray(array) for array in (np.full((2, 3), 2.0), np.zeros(0), np.ones(1))]
    far = doors(NAME)
    assert far.all_finite(arrays) is True
    assert far.global_norm(arrays) == 5.0
    assert (traffic.uploads, traffic.downloads, traffic.downloaded_bytes) == (0, 2, 16)


@pytest.mark.parametrize("value", [
    np.ones((2, 2), complex), np.array([["1", "2"]]), None, "text", [object()],
], ids=["complex", "texts", "None", "text", "object"])
def test_what_is_not_real_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="^relu: x must hold real numbers, got "):
        doors(NAME).relu_forward(value)


def test_a_backend_says_what_it_lacks() -> None:
    missing = "no NVIDIA GPU was found; choose another backend"
    with distant_backend(missing):
        assert [package.__name__.rpartition(".")[2] for package in ops.every_backend()] == [
            "cpu", "reference"]
        with pytest.raises(minicnn.InputError) as caught:
            minicnn.use_backend(NAME)
    assert str(caught.value) == f"backend: {NAME} cannot run on this machine: {missing}"
