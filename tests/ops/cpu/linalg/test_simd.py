"""Vectors in compiled code: what they load, compute and store, and what they leave alone."""

from typing import Any

import numpy as np
import pytest
from numeric import DTYPES

from minicnn.compiling.kernels import serial
from minicnn.ops.cpu.linalg.processor import FUSED, lanes
from minicnn.ops.cpu.linalg.simd import (
    lanes_of,
    load,
    load_part,
    multiply_add,
    positive_part,
    put,
    settle,
    spread,
    store,
    store_part,
    where_positive,
    zeros,
)


@serial
def count_lanes(array: Any) -> Any:
    return lanes_of(array)


@serial
def copy(source: Any, target: Any, at: Any) -> None:
    store(target, at, load(source, at, 1))


@serial
def copy_two(source: Any, target: Any, at: Any) -> None:
    store(target, at, load(source, at, 2))


@serial
def copy_part(source: Any, target: Any, at: Any, loaded: Any, stored: Any) -> None:
    store_part(target, at, stored, load_part(source, at, loaded, 1))


@serial
def compute(a: Any, b: Any, c: Any, results: Any, count: Any) -> None:
    x, y, z = load(a, 0, 1), load(b, 0, 1), load(c, 0, 1)
    store(results, 0, x + y)
    store(results, count, x - y)
    store(results, 2 * count, x * y)
    store(results, 3 * count, multiply_add(x, y, z))
    store(results, 4 * count, 2.5 * x)
    store(results, 5 * count, x - 1.0)
    store(results, 6 * count, spread(a, 1, 1) + zeros(a, 1))


@serial
def copy_all(source: Any, target: Any, at: Any, count: Any, large: Any) -> None:
    for i in range(at, at + 4 * count, count):
        put(target, i, load(source, i, 1), large)
    settle()


@serial
def signs(x: Any, y: Any, results: Any, count: Any) -> None:
    store(results, 0, positive_part(load(x, 0, 1)))
    store(results, count, where_positive(load(x, 0, 1), load(y, 0, 1)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_compiled_code_counts_the_same_lanes(dtype: type) -> None:
    assert count_lanes(np.empty(3, dtype)) == lanes(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("at", [0, 1, 3])
def test_loads_and_stores(dtype: type, at: int) -> None:
    count = lanes(dtype)
    source = np.arange(1, 2 * count + 9, dtype=dtype)
    for function, numbers in ((copy, count), (copy_two, 2 * count)):
        target = np.zeros_like(source)
        function(source, target, at)
        expected = np.zeros_like(source)
        expected[at : at + numbers] = source[at : at + numbers]
        np.testing.assert_array_equal(target, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_parts(dtype: type) -> None:
    count = lanes(dtype)
    source = np.arange(1, count + 5, dtype=dtype)
    for loaded in (-3, 0, 1, count - 1, count, count + 7):
        for stored in (-1, 0, 1, count - 1, count, count + 2):
            target = np.full_like(source, 9)
            copy_part(source, target, 2, loaded, stored)
            expected = np.full_like(source, 9)
            for lane in range(min(max(stored, 0), count)):
                expected[2 + lane] = source[2 + lane] if lane < loaded else 0
            np.testing.assert_array_equal(target, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_arithmetic(dtype: type) -> None:
    count = lanes(dtype)
    a, b, c = (row.astype(dtype) for row in np.random.default_rng(0).standard_normal((3, count)))
    results = np.empty((7, count), dtype)
    compute(a, b, c, results.reshape(-1), count)
    np.testing.assert_array_equal(results[0], a + b)
    np.testing.assert_array_equal(results[1], a - b)
    np.testing.assert_array_equal(results[2], a * b)
    np.testing.assert_array_equal(results[4], dtype(2.5) * a)
    np.testing.assert_array_equal(results[5], a - dtype(1))
    np.testing.assert_array_equal(results[6], np.full(count, a[1]))
    if dtype == np.float32 and FUSED:  # rounded once: float64 holds the product exactly
        exact = a.astype(np.float64) * b + c
        np.testing.assert_array_equal(results[3], exact.astype(np.float32))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("large", [False, True])
def test_streaming_needs_no_alignment(dtype: type, large: bool) -> None:
    count = lanes(dtype)
    source = np.arange(8 * count, dtype=dtype)
    for at in range(count + 1):
        target = np.full_like(source, -1)
        copy_all(source, target, at, count, large)
        np.testing.assert_array_equal(target[at : at + 4 * count], source[at : at + 4 * count])
        assert (np.delete(target, np.arange(at, at + 4 * count)) == -1).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_signs(dtype: type) -> None:
    count = lanes(dtype)
    for first in (0.0, -0.0, np.nan, np.inf, -np.inf, 1.5, -1.5):
        x, y = np.random.default_rng(0).standard_normal((2, count)).astype(dtype)
        x[0] = first
        results = np.empty((2, count), dtype)
        signs(x, y, results.reshape(-1), count)
        np.testing.assert_array_equal(results[0], np.maximum(x, 0))
        np.testing.assert_array_equal(results[1], np.where(x > 0, y, x))
