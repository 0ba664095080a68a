"""The public door of every operation: what it converts, what it refuses, and what it leaves be."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numeric import random_like
from operations import OPERATIONS, Operation

from minicnn import validation

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)


def _strided(x: np.ndarray) -> np.ndarray:
    return np.repeat(x, 2, axis=1)[:, ::2]


def _negative_strides(x: np.ndarray) -> np.ndarray:
    return x[::-1, ::-1].copy()[::-1, ::-1]


def _read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


def _unaligned(x: np.ndarray) -> np.ndarray:
    buffer = np.empty(x.nbytes + 1, np.uint8)[1:]
    result = buffer.view(x.dtype).reshape(x.shape)
    result[...] = x
    return result


WAYS = {
    "strided": _strided,
    "negative strides": _negative_strides,
    "Fortran order": np.asfortranarray,
    "read-only": _read_only,
    "unaligned": _unaligned,
    "big-endian": lambda x: x.astype(">f4"),
    "float16": lambda x: x.astype(np.float16),
    "int8": lambda x: x.astype(np.int8),
    "big-endian integers": lambda x: x.astype(">u4"),
    "bool": lambda x: x > 2,
    "nested lists of integers": lambda x: x.astype(int).tolist(),
}


@each_operation
@pytest.mark.parametrize("way", WAYS)
def test_every_real_array_is_converted(
    backend: ModuleType, operation: Operation, way: str
) -> None:
    x = np.random.default_rng(0).integers(0, 5, operation.x_shape).astype(np.float32)
    written = WAYS[way](x)
    plain = np.array(written, np.float32, order="C")
    expected, expected_cache = operation.forward(backend, plain)
    y, cache = operation.forward(backend, written)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, expected)
    dy = np.random.default_rng(1).integers(0, 5, y.shape).astype(np.float32)
    written_dy = WAYS[way](dy)
    dx = operation.backward(backend, written_dy, cache)
    wanted = operation.backward(backend, np.array(written_dy, np.float32), expected_cache)
    assert dx.dtype == np.float32
    np.testing.assert_array_equal(dx, wanted)


@each_operation
@pytest.mark.parametrize("dtype", [np.float64, np.longdouble, ">f8"])
def test_wide_arrays_are_computed_in_float64(
    backend: ModuleType, operation: Operation, dtype: Any
) -> None:
    x = np.random.default_rng(0).standard_normal(operation.x_shape).astype(dtype)
    y, cache = operation.forward(backend, x)
    assert y.dtype == np.float64
    np.testing.assert_array_equal(y, operation.forward(backend, x.astype(np.float64))[0])
    assert operation.backward(backend, np.ones(y.shape, np.float32), cache).dtype == np.float64


@each_operation
@pytest.mark.parametrize("x", [
    np.ones((2, 2), complex), np.ones((2, 2), object), np.array([["1", "2"]]), {"x": 1},
    np.zeros(2, "datetime64[s]"), None,
], ids=lambda x: str(getattr(x, "dtype", x)))
def test_what_is_not_real_is_refused(
    backend: ModuleType, operation: Operation, x: Any
) -> None:
    with pytest.raises(TypeError, match=rf"^{operation.name}: x must hold real numbers, got "):
        operation.forward(backend, x)


@each_operation
def test_an_empty_array_is_refused(backend: ModuleType, operation: Operation) -> None:
    shape = (0, *operation.x_shape[1:])
    with pytest.raises(ValueError, match=rf"^{operation.name}: x is empty \(shape \(0, "):
        operation.forward(backend, np.empty(shape))


@each_operation
def test_the_arguments_are_left_as_they_were(backend: ModuleType, operation: Operation) -> None:
    x = np.random.default_rng(0).standard_normal(operation.x_shape)
    before = x.copy()
    y, cache = operation.forward(backend, x)
    dy = random_like(np.random.default_rng(1), y)
    before_dy, before_y = dy.copy(), y.copy()
    operation.backward(backend, dy, cache)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(dy, before_dy)
    np.testing.assert_array_equal(y, before_y)


@each_operation
def test_results_share_no_memory_with_arguments(
    backend: ModuleType, operation: Operation
) -> None:
    x = np.abs(np.random.default_rng(0).standard_normal(operation.x_shape))
    y, cache = operation.forward(backend, x)
    assert not np.shares_memory(x, y)
    dy = random_like(np.random.default_rng(1), y)
    dx = operation.backward(backend, dy, cache)
    assert not np.shares_memory(dx, dy)
    assert not np.shares_memory(dx, x)
    assert dx.flags.writeable
    assert y.flags.writeable


@each_operation
def test_backward_may_be_called_again(backend: ModuleType, operation: Operation) -> None:
    x = np.random.default_rng(0).standard_normal(operation.x_shape)
    y, cache = operation.forward(backend, x)
    dy = random_like(np.random.default_rng(1), y)
    first = operation.backward(backend, dy, cache)
    np.testing.assert_array_equal(operation.backward(backend, dy, cache), first)


@each_operation
def test_dy_of_another_shape_is_refused(backend: ModuleType, operation: Operation) -> None:
    y, cache = operation.forward(backend, np.ones(operation.x_shape))
    name = f"{operation.name}_backward"
    for dy in (np.ones((*y.shape, 1)), np.ones(y.shape[1:]), 1.0):
        with pytest.raises(ValueError, match=f"^{name}: dy must have the shape of y, "):
            operation.backward(backend, dy, cache)
    with pytest.raises(TypeError, match=f"^{name}: dy must hold real numbers, got dtype complex"):
        operation.backward(backend, y + 1j, cache)


@each_operation
def test_another_operations_cache_is_refused(backend: ModuleType, operation: Operation) -> None:
    y, _ = operation.forward(backend, np.ones(operation.x_shape))
    others = [other for other in OPERATIONS if other.name != operation.name]
    for other in others:
        _, cache = other.forward(backend, np.ones(other.x_shape))
        with pytest.raises(TypeError, match=f"^{operation.name}_backward: expected the .*Cache of"):
            operation.backward(backend, y, cache)


@pytest.mark.parametrize(("value", "ends", "inside"), [
    (0, "[]", True), (0, "(]", False), (1, "[]", True), (1, "[)", False), (0.5, "()", True),
    (-1e-9, "[]", False), (np.float32(0.5), "[]", True), (np.int8(1), "[]", True),
])
def test_numbers_in_an_interval(value: Any, ends: str, inside: bool) -> None:
    if inside:
        result = validation.number("step", "size", value, 0, 1, ends=ends)
        assert (type(result), result) == (float, float(value))
    else:
        with pytest.raises(ValueError, match=r"^step: size must lie in .0, 1., got "):
            validation.number("step", "size", value, 0, 1, ends=ends)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_are_finite(value: float) -> None:
    with pytest.raises(ValueError, match=r"step: size must lie in \(-inf, inf\), got "):
        validation.number("step", "size", value)


@pytest.mark.parametrize("value", ["1", None, True, np.True_, 1j, [1], np.ones(1)])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(TypeError, match="^step: size must be a number, got "):
        validation.number("step", "size", value)
