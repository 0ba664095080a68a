"""Layer normalisation: by hand, against ONNX, by central differences, and across backends."""

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numeric import DTYPES, assert_close, assert_gradient, distinct, random_like
from onnx_operator import onnx_operator

from minicnn.ops import cuda, reference

SHAPES = st.one_of(
    st.tuples(st.integers(1, 4), st.sampled_from([2, 3, 5])),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(2, 3), st.sampled_from([1, 3])),
)
SEEDS = st.integers(0, 2**32 - 1)


def test_by_hand(backend: ModuleType) -> None:
    x = [[1.0, 3, 5, 7], [0, 0, 12, 12]]  # means 4 and 6, variances 5 and 36
    y, cache = backend.layernorm_forward(x, [2, 2, 1, 1], [0, 0, 0, -1.0], eps=4)
    np.testing.assert_allclose(y[0], [-2, -2 / 3, 1 / 3, 0], atol=1e-15)  # sqrt(5 + 4) = 3
    np.testing.assert_allclose(
        y[1], np.array([-12, -12, 6, 6]) / np.sqrt(40) - [0, 0, 0, 1], rtol=1e-14)
    np.testing.assert_allclose(cache.mean, [4, 6], rtol=1e-15)
    # g = γ · dy = (6, 0, 0, 0), mean 3/2; x̂ = (-1, -1/3, 1/3, 1), mean(g · x̂) = -3/2; r = 1/3
    dx, dgamma, dbeta = backend.layernorm_backward([[3.0, 0, 0, 0], [0, 0, 0, 0]], cache)
    np.testing.assert_allclose(dx, [[1, -2 / 3, -1 / 3, 0], [0] * 4], rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(dgamma, [-3, 0, 0, 0], rtol=1e-15)
    np.testing.assert_allclose(dbeta, [3, 0, 0, 0], rtol=1e-15)


@given(shape=SHAPES, seed=SEEDS)
def test_against_onnx(backend: ModuleType, shape: tuple, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, gamma, beta = (rng.standard_normal(s) for s in (shape, *[shape[-1:]] * 2))
    expected = onnx_operator("LayerNormalization", x, gamma, beta, axis=1, epsilon=0.01)[0]
    y, _ = backend.layernorm_forward(x, gamma, beta, eps=0.01)
    # ONNX's attributes are float32: its epsilon is not quite 0.01
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6)


@given(shape=SHAPES, seed=SEEDS)
def test_gradients(backend: ModuleType, shape: tuple, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, gamma, beta = distinct(rng, shape), *rng.standard_normal((2, shape[-1]))
    y, cache = backend.layernorm_forward(x, gamma, beta)
    dy = random_like(rng, y)
    dx, dgamma, dbeta = backend.layernorm_backward(dy, cache)
    assert_gradient(dx, lambda x: backend.layernorm_forward(x, gamma, beta)[0], x, dy)
    assert_gradient(dgamma, lambda gamma: backend.layernorm_forward(x, gamma, beta)[0], gamma, dy)
    assert_gradient(dbeta, lambda beta: backend.layernorm_forward(x, gamma, beta)[0], beta, dy)


@pytest.mark.parametrize("shape", [(5, 7), (3, 2, 5, 6)], ids=str)
def test_it_is_group_norm_of_one_group(backend: ModuleType, shape: tuple) -> None:
    rng = np.random.default_rng(0)
    x, gamma, beta = rng.standard_normal(shape), *rng.standard_normal((2, shape[-1]))
    dy = random_like(rng, x)
    y, cache = backend.layernorm_forward(x, gamma, beta, eps=0.1)
    one, of_one = backend.groupnorm_forward(x, gamma, beta, groups=1, eps=0.1)
    np.testing.assert_allclose(y, one, rtol=1e-12, atol=1e-13)
    for got, wanted in zip(backend.layernorm_backward(dy, cache),
                           backend.groupnorm_backward(dy, of_one), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-13)


def test_a_sample_does_not_know_the_others(backend: ModuleType) -> None:
    rng = np.random.default_rng(0)
    x, gamma, beta = rng.standard_normal((5, 3, 2, 4)), *rng.standard_normal((2, 4))
    together, _ = backend.layernorm_forward(x, gamma, beta)
    for n, alone in enumerate(x):
        np.testing.assert_allclose(
            backend.layernorm_forward(alone[None], gamma, beta)[0][0], together[n], rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape", [(1, 2), (2, 3), (9, 17), (70, 33), (130, 256), (1, 3, 5, 2), (5, 11, 9, 16),
              (16, 41, 43, 80)], ids=str)
def test_the_backends_agree(compiled: ModuleType, dtype: type, shape: tuple) -> None:
    if compiled.__name__ == cuda.__name__ and np.prod(shape) > 10**5:
        pytest.skip("the interpreter would take a minute")
    rng = np.random.default_rng(0)
    x = (3 + 2 * rng.standard_normal(shape)).astype(dtype)
    gamma, beta = rng.standard_normal((2, shape[-1])).astype(dtype)
    dy = random_like(rng, x)
    y, cache = compiled.layernorm_forward(x, gamma, beta)
    wanted_y, wanted_cache = reference.layernorm_forward(x, gamma, beta)
    assert_close(y, wanted_y)
    wanted = reference.layernorm_backward(dy, wanted_cache)
    r = wanted_cache.inverse_std.max()
    scales = np.abs(gamma).max() * r * np.abs(dy).max(), *[np.abs(dy).sum()] * 2
    for backend, there in ((compiled, cache), (compiled, wanted_cache), (reference, cache)):
        for got, right, scale in zip(
            backend.layernorm_backward(dy, there), wanted, scales, strict=True
        ):
            assert_close(got, right, scale=scale)


def test_squares_beyond_the_range_of_float32(backend: ModuleType) -> None:
    x = np.random.default_rng(0).standard_normal((3, 40)) * 1e25
    y, _ = backend.layernorm_forward(x.astype(np.float32), np.ones(40), np.zeros(40))
    expected = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    np.testing.assert_allclose(y, expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 512), (2, 8, 8, 3)], ids=str)
def test_a_large_mean_cancels_nothing(backend: ModuleType, shape: tuple) -> None:
    rng = np.random.default_rng(0)
    x = (1e4 + 0.05 * rng.standard_normal(shape)).astype(np.float32)
    ones, zeros = np.ones(shape[-1], np.float32), np.zeros(shape[-1], np.float32)
    y, _ = backend.layernorm_forward(x, ones, zeros)
    assert y.dtype == np.float32
    exact = x.astype(np.float64).reshape(shape[0], -1)
    mean, var = exact.mean(1, keepdims=True), exact.var(1, keepdims=True)
    expected = (exact - mean) / np.sqrt(var + 1e-5)
    np.testing.assert_allclose(y.reshape(exact.shape), expected, rtol=1e-5, atol=1e-5)


def test_a_first_value_far_from_the_others(backend: ModuleType) -> None:
    x = np.random.default_rng(0).standard_normal((2, 30, 20, 6)).astype(np.float32)
    x[:, 0, 0, 0] = [1e4, -300]
    ones, zeros = np.ones(6, np.float32), np.zeros(6, np.float32)
    y, _ = backend.layernorm_forward(x, ones, zeros)
    expected, _ = reference.layernorm_forward(x.astype(np.float64), ones, zeros)
    np.testing.assert_allclose(y, expected, rtol=3e-6, atol=1e-7)


def test_a_constant_sample_becomes_beta(backend: ModuleType) -> None:
    y, cache = backend.layernorm_forward(np.full((2, 2, 2, 3), 0.1), [3, 2, 1], [0.25, 0, -1])
    np.testing.assert_allclose(y, np.broadcast_to([0.25, 0, -1], (2, 2, 2, 3)), atol=1e-12)
    dx, _, dbeta = backend.layernorm_backward(np.arange(24.0).reshape(2, 2, 2, 3), cache)
    assert np.isfinite(dx).all()
    np.testing.assert_allclose(dbeta, [84, 92, 100], rtol=1e-15)


def test_nan_stays_in_its_sample(backend: ModuleType) -> None:
    x = np.random.default_rng(0).standard_normal((3, 2, 4, 5))
    x[1, 0, 2, 3] = np.nan
    y, cache = backend.layernorm_forward(x, np.ones(5), np.zeros(5))
    dx, dgamma, _ = backend.layernorm_backward(np.ones(x.shape), cache)
    for array in (y, dx):
        np.testing.assert_array_equal(np.isnan(array).all((1, 2, 3)), [False, True, False])
        np.testing.assert_array_equal(np.isnan(array).any((1, 2, 3)), [False, True, False])
    assert np.isnan(dgamma).all()


@pytest.mark.parametrize(("changes", "kind", "message"), [
    ({"x": np.ones(3)}, ValueError, "x must have axes (N, ..., C), got shape (3,)"),
    ({"gamma": np.ones(4)}, ValueError, "gamma must have shape (3,), one value a channel of x"),
    ({"beta": np.ones((3, 1))}, ValueError, "beta must have shape (3,)"),
    ({"eps": 0}, ValueError, "eps must lie in (0, inf), got 0"),
    ({"eps": None}, TypeError, "eps must be a number, got None"),
    ({"x": np.ones((4, 1, 1)), "gamma": [1], "beta": [0]}, ValueError,
     "a sample needs at least two values, whose variance is taken, got one (x (4, 1, 1))"),
])
def test_what_cannot_be_normalized(
    backend: ModuleType, changes: dict, kind: type[Exception], message: str
) -> None:
    arguments = {"x": np.ones((2, 3)), "gamma": np.ones(3), "beta": np.zeros(3)} | changes
    with pytest.raises(kind) as caught:
        backend.layernorm_forward(**arguments)
    assert str(caught.value).startswith(f"layernorm: {message}")


def test_two_values_a_sample_are_enough(backend: ModuleType) -> None:
    y, _ = backend.layernorm_forward([[1.0, 5], [7, 3]], [1, 1], [0, 0], eps=1e-12)
    np.testing.assert_allclose(y, [[-1, 1], [1, -1]], rtol=1e-9)
