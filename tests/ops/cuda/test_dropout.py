"""Dropout: what is kept, how it is scaled, and the same in backward."""

import numpy as np
import pytest
from lean_kernels import assert_lean
from numeric import DTYPES, assert_close, assert_gradient, random_like
from philox import FULL, philox_in_python

from minicnn.ops import cuda, reference
from minicnn.ops.cuda import dropout
from minicnn.ops.cuda.array import asarray
from minicnn.ops.cuda.dropout import threshold
from minicnn.ops.cuda.flat import THREADS, blocks_for
from minicnn.ptx import Memory, load


def drop(x: np.ndarray, rate: float, seed: int = 0) -> tuple:
    """y and the cache of dropout in training."""
    return cuda.dropout_forward(x, rate=rate, training=True, rng=np.random.default_rng(seed))


def kept_by_the_counters(seed: int, rate: float, first: int, count: int) -> list[bool]:
    """What becomes of the elements first, first + 1, ...; first is divisible by 4."""
    drawn: list[int] = []
    for group in range(first // 4, (first + count + 3) // 4):
        drawn += philox_in_python([group & FULL, group >> 32, 0, 0], [seed & FULL, seed >> 32])
    return [number / 2**32 >= rate for number in drawn[:count]]


def test_what_is_kept_is_what_the_counters_say() -> None:
    size, rate = 1027, 0.4
    y, cache = drop(np.ones(size), rate, seed=5)
    seed = int(np.random.default_rng(5).integers(0, 2**64, dtype=np.uint64))
    expected = kept_by_the_counters(seed, rate, 0, size)
    assert cache.kept.dtype == bool
    np.testing.assert_array_equal(np.asarray(cache.kept), expected)
    np.testing.assert_array_equal(np.asarray(y) != 0, expected)


def test_elements_beyond_32_bits_have_counters_of_their_own() -> None:
    last = 2**34 + 2048  # where the last block begins: its groups are numbers beyond 2^32
    size, seed, rate, memory = last + 999, 2**63 + 12345, 0.5, Memory()
    x, y, kept = (memory.allocate(size * itemsize) for itemsize in (4, 4, 1))
    memory.write(x + 4 * last, np.ones(999, np.float32))
    (kernel,) = load(dropout._drop.program("*f", "*f", "*?", "L", "I", "f", "L").text).values()
    kernel.launch(
        blocks_for(size), THREADS, x, y, kept, seed, threshold(rate), 2.0, size,
        memory=memory, blocks=[blocks_for(size) - 1])
    expected = kept_by_the_counters(seed, rate, last, 999)
    np.testing.assert_array_equal(memory.read(kept + last, 999), expected)
    found = memory.read(y + 4 * last, 4 * 999).view(np.float32)
    np.testing.assert_array_equal(found, 2.0 * np.array(expected))
    assert expected != kept_by_the_counters(seed, rate, last - 2**34, 999)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_kept_fraction_and_its_scale(rate: float, dtype: type) -> None:
    x = np.random.default_rng(1).uniform(1, 2, 40_000).astype(dtype)
    y = np.asarray(drop(x, rate)[0])
    kept = y != 0
    deviation = np.sqrt(rate * (1 - rate) / x.size)
    assert abs(kept.mean() - (1 - rate)) < 4 * deviation
    assert_close(y[kept], (x[kept] / (1 - rate)).astype(dtype), 2)


def test_seeds_and_neighbours_are_independent() -> None:
    x, rng, rate = np.ones(20_000), np.random.default_rng(0), 0.5
    first, second = (
        np.asarray(cuda.dropout_forward(x, rate=rate, training=True, rng=rng)[0]) > 0
        for _ in range(2)
    )
    for one, other in [(first, second), *((first[k:], first[:-k]) for k in (1, 2, 3, 4, 1024))]:
        assert abs((one == other).mean() - 0.5) < 4 * 0.5 / np.sqrt(one.size)
    assert (np.asarray(drop(x, rate, 3)[0]) == np.asarray(drop(x, rate, 3)[0])).all()


@pytest.mark.parametrize(("rate", "least"), [
    (0.5, 2**31), (2**-32, 1), (2**-33, 1), (0.25, 2**30), (1 - 2**-40, 2**32 - 1),
    (0.3, 1288490189),  # 0.3 · 2³² = 1288490188.8
])
def test_the_threshold_is_the_least_number_that_keeps(rate: float, least: int) -> None:
    assert threshold(rate) == least


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (3,), (5, 7), (2, 3, 5, 35)], ids=str)
def test_backward_keeps_the_same(shape: tuple, dtype: type) -> None:
    rng = np.random.default_rng(len(shape))
    x = np.asarray(rng.standard_normal(shape), dtype)
    _, cache = drop(x, 0.3)
    dy = random_like(rng, x)
    dx = np.asarray(cuda.dropout_backward(dy, cache))
    assert_close(dx, np.where(np.asarray(cache.kept), dy / dtype(0.7), dtype(0)), 2)
    assert_close(reference.dropout_backward(dy, cache), dx, 2)
    _, reference_cache = reference.dropout_forward(
        x, rate=0.3, training=True, rng=np.random.default_rng(0))
    wanted = reference.dropout_backward(dy, reference_cache)
    assert_close(np.asarray(cuda.dropout_backward(dy, reference_cache)), wanted, 2)


def test_gradient() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(13)
    dy = random_like(rng, x)
    dx = np.asarray(cuda.dropout_backward(dy, drop(x, 0.4)[1]))
    assert_gradient(dx, lambda x: np.asarray(drop(x, 0.4)[0]), x, dy)


@pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0, True)])
def test_identity(rate: float, training: bool) -> None:
    x = asarray(np.random.default_rng(0).standard_normal((3, 5)), np.dtype(float))
    rng = np.random.default_rng(1)
    y, cache = cuda.dropout_forward(x, rate=rate, training=training, rng=rng)
    assert y.pointer != x.pointer
    np.testing.assert_array_equal(np.asarray(y), np.asarray(x))
    np.testing.assert_array_equal(np.asarray(cuda.dropout_backward(x, cache)), np.asarray(x))
    assert rng.random() == np.random.default_rng(1).random()  # nothing was drawn


def test_dropped_nan_is_zero() -> None:
    y = np.asarray(drop(np.full(1000, np.nan), 0.5)[0])
    assert 0 < np.isnan(y).sum() < 1000
    assert (y[~np.isnan(y)] == 0).all()


def test_the_kernels_keep_everything_in_registers() -> None:
    for real in "fd":
        array = f"*{real}"
        assert_lean(dropout._drop, array, array, "*?", "L", "I", real, "L")
        assert_lean(dropout._scale_kept, array, "*?", real, array, "L")
