"""Group normalisation: by hand, against ONNX, by central differences, and across backends."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numeric import DTYPES, assert_close, assert_gradient, distinct, random_like
from onnx_operator import channels_first, channels_last, onnx_operator

from minicnn.ops import cuda, reference

PROBLEMS = st.one_of(
    st.tuples(st.tuples(st.integers(1, 4), st.just(6)), st.sampled_from([1, 2, 3])),
    st.tuples(
        st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(2, 3), st.sampled_from([3, 6])),
        st.sampled_from([1, 3]),
    ),
)
"""The shape of x, and how many groups."""

SEEDS = st.integers(0, 2**32 - 1)


def test_by_hand(backend: ModuleType) -> None:
    # two pixels of four channels; the groups (1, 3; 5, 7) and (0, 12; 0, 12) have the means 4 and
    # 6 and the variances 5 and 36
    x = [[[1.0, 3, 0, 12], [5, 7, 0, 12]]]
    y, cache = backend.groupnorm_forward(x, [2, 1, 1, 1], [0, 0, 0, -1.0], groups=2, eps=4)
    sixth = 6 / np.sqrt(40)
    np.testing.assert_allclose(
        y, [[[-2, -1 / 3, -sixth, sixth - 1], [2 / 3, 1, -sixth, sixth - 1]]], rtol=1e-14)
    np.testing.assert_allclose(cache.mean, [[4, 6]], rtol=1e-15)
    # g = γ · dy = (6, 0; 0, 0), mean 3/2; x̂ = (-1, -1/3; 1/3, 1), mean(g · x̂) = -3/2; r = 1/3
    dx, dgamma, dbeta = backend.groupnorm_backward([[[3.0, 0, 0, 0], [0, 0, 0, 0]]], cache)
    np.testing.assert_allclose(
        dx, [[[1, -2 / 3, 0, 0], [-1 / 3, 0, 0, 0]]], rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(dgamma, [-3, 0, 0, 0], rtol=1e-15)
    np.testing.assert_allclose(dbeta, [3, 0, 0, 0], rtol=1e-15)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_against_onnx(backend: ModuleType, groups: int) -> None:
    rng = np.random.default_rng(groups)
    x, gamma, beta = (rng.standard_normal(shape) for shape in ((3, 2, 5, 6), 6, 6))
    expected = onnx_operator(
        "GroupNormalization", channels_first(x), gamma, beta, opset=21, num_groups=groups,
        epsilon=0.01,
    )[0]
    y, _ = backend.groupnorm_forward(x, gamma, beta, groups=groups, eps=0.01)
    # ONNX's attributes are float32: its epsilon is not quite 0.01
    np.testing.assert_allclose(y, channels_last(expected), rtol=1e-6, atol=1e-6)


@given(problem=PROBLEMS, seed=SEEDS)
def test_gradients(backend: ModuleType, problem: tuple, seed: int) -> None:
    shape, groups = problem
    rng = np.random.default_rng(seed)
    x, gamma, beta = distinct(rng, shape), *rng.standard_normal((2, shape[-1]))

    def forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> tuple:
        return backend.groupnorm_forward(x, gamma, beta, groups=groups)

    y, cache = forward(x, gamma, beta)
    dy = random_like(rng, y)
    dx, dgamma, dbeta = backend.groupnorm_backward(dy, cache)
    assert_gradient(dx, lambda x: forward(x, gamma, beta)[0], x, dy)
    assert_gradient(dgamma, lambda gamma: forward(x, gamma, beta)[0], gamma, dy)
    assert_gradient(dbeta, lambda beta: forward(x, gamma, beta)[0], beta, dy)


@pytest.mark.parametrize("groups", [2, 3])
def test_a_group_is_normalised_as_a_layer_of_its_own(backend: ModuleType, groups: int) -> None:
    rng = np.random.default_rng(0)
    x, gamma, beta = rng.standard_normal((3, 2, 5, 6)), *rng.standard_normal((2, 6))
    dy = random_like(rng, x)
    y, cache = backend.groupnorm_forward(x, gamma, beta, groups=groups)
    gradients = backend.groupnorm_backward(dy, cache)
    for channels in np.split(np.arange(6), groups):
        part, of_part = backend.layernorm_forward(x[..., channels], gamma[channels], beta[channels])
        np.testing.assert_allclose(y[..., channels], part, rtol=1e-12, atol=1e-13)
        for got, wanted in zip(
            gradients, backend.layernorm_backward(dy[..., channels], of_part), strict=True
        ):
            np.testing.assert_allclose(got[..., channels], wanted, rtol=1e-12, atol=1e-13)


def test_a_sample_does_not_know_the_others(backend: ModuleType) -> None:
    rng = np.random.default_rng(0)
    x, gamma, beta = rng.standard_normal((5, 3, 2, 4)), *rng.standard_normal((2, 4))
    together, _ = backend.groupnorm_forward(x, gamma, beta, groups=2)
    for n, alone in enumerate(x):
        y, _ = backend.groupnorm_forward(alone[None], gamma, beta, groups=2)
        np.testing.assert_allclose(y[0], together[n], rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "groups"), [
    ((1, 2), 1), ((2, 6), 3), ((9, 34), 17), ((7, 60), 4), ((40, 256), 32), ((1, 3, 5, 2), 2),
    ((3, 4, 5, 12), 12), ((2, 7, 3, 66), 2), ((5, 11, 9, 16), 4), ((16, 41, 43, 80), 8),
])
def test_the_backends_agree(
    compiled: ModuleType, dtype: type, shape: tuple, groups: int
) -> None:
    if compiled.__name__ == cuda.__name__ and np.prod(shape) > 10**5:
        pytest.skip("the interpreter would take a minute")
    rng = np.random.default_rng(0)
    x = (3 + 2 * rng.standard_normal(shape)).astype(dtype)
    gamma, beta = rng.standard_normal((2, shape[-1])).astype(dtype)
    dy = random_like(rng, x)
    y, cache = compiled.groupnorm_forward(x, gamma, beta, groups=groups)
    wanted_y, wanted_cache = reference.groupnorm_forward(x, gamma, beta, groups=groups)
    assert_close(y, wanted_y)
    wanted = reference.groupnorm_backward(dy, wanted_cache)
    r = wanted_cache.inverse_std.max()
    scales = np.abs(gamma).max() * r * np.abs(dy).max(), *[np.abs(dy).sum()] * 2
    for backend, there in ((compiled, cache), (compiled, wanted_cache), (reference, cache)):
        for got, right, scale in zip(
            backend.groupnorm_backward(dy, there), wanted, scales, strict=True
        ):
            assert_close(got, right, scale=scale)


def test_squares_beyond_the_range_of_float32(backend: ModuleType) -> None:
    x = np.random.default_rng(0).standard_normal((3, 2, 20)) * 1e25
    y, _ = backend.groupnorm_forward(x.astype(np.float32), np.ones(20), np.zeros(20), groups=1)
    expected = (x - x.mean((1, 2), keepdims=True)) / x.std((1, 2), keepdims=True)
    np.testing.assert_allclose(y, expected, atol=1e-6)


def test_a_large_mean_cancels_nothing(backend: ModuleType) -> None:
    rng = np.random.default_rng(0)
    x = (1e4 + 0.05 * rng.standard_normal((2, 8, 8, 6))).astype(np.float32)
    ones, zeros = np.ones(6, np.float32), np.zeros(6, np.float32)
    y, _ = backend.groupnorm_forward(x, ones, zeros, groups=2)
    assert y.dtype == np.float32
    exact = x.astype(np.float64).reshape(2, 64, 2, 3)
    mean, var = exact.mean((1, 3), keepdims=True), exact.var((1, 3), keepdims=True)
    expected = (exact - mean) / np.sqrt(var + 1e-5)
    np.testing.assert_allclose(y.reshape(exact.shape), expected, rtol=1e-5, atol=1e-5)


def test_a_first_value_far_from_the_others(backend: ModuleType) -> None:
    x = np.random.default_rng(0).standard_normal((2, 30, 20, 6)).astype(np.float32)
    x[:, 0, 0, 0] = [1e4, -300]
    ones, zeros = np.ones(6, np.float32), np.zeros(6, np.float32)
    y, _ = backend.groupnorm_forward(x, ones, zeros, groups=2)
    expected, _ = reference.groupnorm_forward(x.astype(np.float64), ones, zeros, groups=2)
    np.testing.assert_allclose(y, expected, rtol=3e-6, atol=1e-7)


def test_a_constant_group_becomes_beta(backend: ModuleType) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    x[..., 2:] = 0.1
    y, cache = backend.groupnorm_forward(x, [3, 2, 1, 4], [0, 1, 0.25, -1], groups=2)
    np.testing.assert_allclose(y[..., 2:], np.broadcast_to([0.25, -1], (2, 3, 2)), atol=1e-12)
    dx, _, dbeta = backend.groupnorm_backward(np.arange(24.0).reshape(2, 3, 4), cache)
    assert np.isfinite(dx).all()
    np.testing.assert_allclose(dbeta, [60, 66, 72, 78], rtol=1e-15)


def test_nan_stays_in_its_group(backend: ModuleType) -> None:
    x = np.random.default_rng(0).standard_normal((3, 2, 4, 6))
    x[1, 0, 2, 3] = np.nan
    y, cache = backend.groupnorm_forward(x, np.ones(6), np.zeros(6), groups=3)
    dx, dgamma, _ = backend.groupnorm_backward(np.ones(x.shape), cache)
    spoilt = np.zeros(x.shape, bool)
    spoilt[1, ..., 2:4] = True
    np.testing.assert_array_equal(np.isnan(y), spoilt)
    np.testing.assert_array_equal(np.isnan(dx), spoilt)
    np.testing.assert_array_equal(np.isnan(dgamma), spoilt.any((0, 1, 2)))


@pytest.mark.parametrize(("changes", "kind", "message"), [
    ({"x": np.ones(4)}, ValueError, "x must have axes (N, ..., C), got shape (4,)"),
    ({"gamma": np.ones(2)}, ValueError, "gamma must have shape (4,), one value a channel of x"),
    ({"beta": np.ones((4, 1))}, ValueError, "beta must have shape (4,)"),
    ({"groups": 3}, ValueError, "groups must divide the 4 channels, got 3"),
    ({"groups": 8}, ValueError, "groups must divide the 4 channels, got 8"),
    ({"groups": 0}, ValueError, "groups must be at least 1, got 0"),
    ({"groups": 2.0}, TypeError, "groups must be an integer, got 2.0"),
    ({"eps": 0}, ValueError, "eps must lie in (0, inf), got 0"),
    ({"eps": None}, TypeError, "eps must be a number, got None"),
    ({"groups": 4}, ValueError, "a group needs at least two values, whose variance is taken, "
     "got one (x (2, 4), groups 4); take fewer groups"),
])
def test_what_cannot_be_normalized(
    backend: ModuleType, changes: dict[str, Any], kind: type[Exception], message: str
) -> None:
    arguments = {"x": np.ones((2, 4)), "gamma": np.ones(4), "beta": np.zeros(4), "groups": 2}
    with pytest.raises(kind) as caught:
        backend.groupnorm_forward(**arguments | changes)
    assert str(caught.value).startswith(f"groupnorm: {message}")


def test_instance_norm_takes_a_group_for_each_channel(backend: ModuleType) -> None:
    x = np.array([[[1.0, 7], [5, 3]]])
    y, _ = backend.groupnorm_forward(x, [1, 1], [0, 0], groups=2, eps=1e-12)
    np.testing.assert_allclose(y, [[[-1, 1], [1, -1]]], rtol=1e-9)
