"""Dropout: what is kept, how it is scaled, and that backward keeps the same."""

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays_of
from numeric import DTYPES, assert_close, assert_gradient, random_like

from minicnn.ops import cpu, reference

RATES = st.floats(0, 0.99)
SHAPES = arrays_of.array_shapes(min_dims=0, max_dims=4, max_side=6)
SEEDS = st.integers(0, 2**32 - 1)


def drop(backend: ModuleType, x: np.ndarray, rate: float, seed: int = 0) -> tuple:
    """y and the cache of dropout in training."""
    return backend.dropout_forward(x, rate=rate, training=True, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_kept_fraction_and_its_scale(backend: ModuleType, rate: float, dtype: type) -> None:
    x = np.random.default_rng(1).uniform(1, 2, 40_000).astype(dtype)
    y, _ = drop(backend, x, rate)
    kept = y != 0
    deviation = np.sqrt(rate * (1 - rate) / x.size)
    assert abs(kept.mean() - (1 - rate)) < 4 * deviation
    assert_close(y[kept], (x[kept] / (1 - rate)).astype(dtype), 2)


@given(shape=SHAPES, rate=RATES, seed=SEEDS)
def test_gradient(backend: ModuleType, shape: tuple, rate: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    y, cache = drop(backend, x, rate, seed)
    dy = random_like(rng, x)
    dx = backend.dropout_backward(dy, cache)
    assert_gradient(dx, lambda x: drop(backend, x, rate, seed)[0], x, dy)
    np.testing.assert_array_equal(dx == 0, y == 0)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=SHAPES, rate=RATES, seed=SEEDS)
def test_the_backends_agree(
    compiled: ModuleType, dtype: type, shape: tuple, rate: float, seed: int
) -> None:
    x = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    y, cache = drop(compiled, x, rate, seed)
    expected, reference_cache = drop(reference, x, rate, seed)
    if compiled is cpu:  # a GPU draws otherwise
        assert_close(y, expected, 2)
    assert_close(compiled.dropout_backward(x, cache), y, 2)
    assert_close(reference.dropout_backward(x, cache), y, 2)
    assert_close(compiled.dropout_backward(x, reference_cache), expected, 2)


@pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0, True)])
def test_identity(backend: ModuleType, rate: float, training: bool) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4))
    rng = np.random.default_rng(1)
    y, cache = backend.dropout_forward(x, rate=rate, training=training, rng=rng)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(backend.dropout_backward(x, cache), x)
    assert rng.random() == np.random.default_rng(1).random()  # nothing was drawn
    assert not np.shares_memory(y, x)
    np.testing.assert_array_equal(
        backend.dropout_forward(x, rate=rate, training=training, rng=None)[0], x)


def test_the_generator_moves_on(backend: ModuleType) -> None:
    x, rng = np.ones(1000), np.random.default_rng(0)
    first, second = (
        backend.dropout_forward(x, rate=0.5, training=True, rng=rng)[0] for _ in range(2)
    )
    assert (first != second).any()


def test_dropped_nan_is_zero(backend: ModuleType) -> None:
    y, _ = drop(backend, np.full(1000, np.nan), 0.5)
    assert 0 < np.isnan(y).sum() < 1000
    assert (y[~np.isnan(y)] == 0).all()


@pytest.mark.parametrize(("rate", "rng", "kind", "message"), [
    (1, np.random.default_rng(0), ValueError, "rate must lie in [0, 1), got 1"),
    (-0.1, np.random.default_rng(0), ValueError, "rate must lie in [0, 1), got -0.1"),
    ("0.5", np.random.default_rng(0), TypeError, "rate must be a number, got '0.5'"),
    (0.5, None, TypeError, "rng must be a numpy.random.Generator, got NoneType"),
    (0.5, np.random.RandomState(0), TypeError, "rng must be a numpy.random.Generator, got Random"),
])
def test_what_is_refused(
    backend: ModuleType, rate: object, rng: object, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        backend.dropout_forward(np.ones(3), rate=rate, training=True, rng=rng)
    assert str(caught.value).startswith(f"dropout: {message}")
