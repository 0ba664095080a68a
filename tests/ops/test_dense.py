"""The dense operation: by hand, by central differences, and one backend against the other."""

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numeric import DTYPES, assert_close, assert_gradient, random_like

from minicnn.ops import reference

SEEDS = st.integers(0, 2**32 - 1)
SMALL, SIZE = st.integers(1, 5), st.integers(1, 70)


def arrays(seed: int, count: int, inputs: int, outputs: int, dtype: type = np.float64) -> list:
    """x, w and b."""
    rng = np.random.default_rng(seed)
    shapes = (count, inputs), (inputs, outputs), (outputs,)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def test_by_hand(backend: ModuleType) -> None:
    y, cache = backend.dense_forward([[1, 2], [3, 4], [0, -1]], [[1, 0, 2], [0, 1, -1]], [1, 2, 3])
    np.testing.assert_array_equal(y, [[2, 4, 3], [4, 6, 5], [1, 1, 4]])
    dx, dw, db = backend.dense_backward([[1, 0, 0], [0, 2, 0], [0, 0, 3]], cache)
    np.testing.assert_array_equal(dx, [[1, 0], [0, 2], [6, -3]])
    np.testing.assert_array_equal(dw, [[1, 6, 0], [2, 8, -3]])
    np.testing.assert_array_equal(db, [1, 2, 3])


@given(count=SMALL, inputs=SMALL, outputs=SMALL, seed=SEEDS, bias=st.booleans())
def test_gradients(
    backend: ModuleType, count: int, inputs: int, outputs: int, seed: int, bias: bool
) -> None:
    x, w, b = arrays(seed, count, inputs, outputs)
    y, cache = backend.dense_forward(x, w, b if bias else None)
    dy = random_like(np.random.default_rng(seed + 1), y)
    dx, dw, db = backend.dense_backward(dy, cache)
    assert_gradient(dx, lambda x: backend.dense_forward(x, w)[0], x, dy)
    assert_gradient(dw, lambda w: backend.dense_forward(x, w)[0], w, dy)
    if bias:
        assert_gradient(db, lambda b: backend.dense_forward(x, w, b)[0], b, dy)
    else:
        assert db is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("count", "inputs", "outputs"), [(70, 600, 130), (3, 1100, 33)])
def test_the_backends_agree_at_the_size_of_a_network(
    compiled: ModuleType, dtype: type, count: int, inputs: int, outputs: int
) -> None:
    x, w, b = arrays(0, count, inputs, outputs, dtype)
    y, cache = compiled.dense_forward(x, w, b)
    expected, _ = reference.dense_forward(x, w, b)
    assert_close(y, expected, 64)
    dy = random_like(np.random.default_rng(1), y)
    for got, wanted in zip(compiled.dense_backward(dy, cache), reference.dense_backward(dy, cache),
                           strict=True):
        assert_close(got, wanted, 64)


def test_the_weight_gradients_can_be_had_alone(backend: ModuleType) -> None:
    x, w, b = arrays(0, 4, 5, 3)
    y, cache = backend.dense_forward(x, w, b)
    dy = random_like(np.random.default_rng(1), y)
    _, *wanted = backend.dense_backward(dy, cache)
    for gradient, expected in zip(
        backend.dense_weight_gradients(dy, cache), wanted, strict=True
    ):
        np.testing.assert_array_equal(gradient, expected)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@given(count=SIZE, inputs=SIZE, outputs=SIZE, seed=SEEDS)
def test_the_backends_agree(
    compiled: ModuleType, dtype: type, count: int, inputs: int, outputs: int, seed: int
) -> None:
    x, w, b = arrays(seed, count, inputs, outputs, dtype)
    y, cache = compiled.dense_forward(x, w, b)
    expected, reference_cache = reference.dense_forward(x, w, b)
    assert_close(y, expected)
    dy = random_like(np.random.default_rng(seed + 1), y)
    wanted = reference.dense_backward(dy, reference_cache)
    for results in (compiled.dense_backward(dy, cache),
                    compiled.dense_backward(dy, reference_cache),
                    reference.dense_backward(dy, cache)):
        for result, gradient in zip(results, wanted, strict=True):
            assert_close(result, gradient)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_is_not_finite_stays_in_its_row(
    backend: ModuleType, dtype: type, value: float
) -> None:
    x, w, _ = arrays(0, 7, 9, 6, dtype)
    x[4, 8] = value
    y, _ = backend.dense_forward(x, w)
    np.testing.assert_array_equal(~np.isfinite(y).all(1), np.arange(7) == 4)
    assert not np.isfinite(y[4]).any()


@pytest.mark.parametrize(("x", "w", "b", "message"), [
    (np.ones((2, 3)), np.ones((4, 5)), None,
     "x has 3 features but w expects 4 (x (2, 3), w (4, 5))"),
    (np.ones((2, 3, 1)), np.ones((3, 5)), None, "x must have axes (N, in), got shape (2, 3, 1)"),
    (np.ones((2, 3)), np.ones(3), None, "w must have axes (in, out), got shape (3,)"),
    (np.ones((2, 3)), np.ones((3, 5)), np.ones(3), "b must have shape (5,), one bias an output"),
])
def test_what_cannot_be_multiplied(
    backend: ModuleType, x: np.ndarray, w: np.ndarray, b: np.ndarray | None, message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        backend.dense_forward(x, w, b)
    assert str(caught.value).startswith(f"dense: {message}")
