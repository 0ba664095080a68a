"""Batch normalisation: by hand, against ONNX, by central differences, and across backends."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numeric import DTYPES, assert_close, assert_gradient, distinct, random_like
from onnx_operator import channels_first, channels_last, onnx_operator

from minicnn.ops import cpu, cuda, reference

SHAPES = st.one_of(
    st.tuples(st.integers(2, 9), st.sampled_from([1, 3, 5])),
    st.tuples(st.integers(2, 3), st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 3])),
)
SEEDS = st.integers(0, 2**32 - 1)


def normalize(backend: ModuleType, x: Any, gamma: Any, beta: Any, **settings: Any) -> tuple:
    """y and the cache, with fresh running statistics unless `settings` has some."""
    channels = np.shape(x)[-1]
    settings = {"running_mean": np.zeros(channels), "running_var": np.ones(channels),
                "training": True} | settings
    return backend.batchnorm_forward(x, gamma, beta, **settings)


def test_by_hand(backend: ModuleType) -> None:
    x = np.array([[1.0, 0], [3, 0], [5, 12], [7, 12]])  # means 4 and 6, variances 5 and 36
    mean, var = np.array([10.0, 0]), np.array([0.0, 1])
    y, _ = normalize(backend, x, [2, 1], [0, -1], running_mean=mean, running_var=var, eps=4)
    np.testing.assert_allclose(y[:, 0], [-2, -2 / 3, 2 / 3, 2], rtol=1e-15)  # sqrt(5 + 4) = 3
    np.testing.assert_allclose(y[:, 1], np.array([-6, -6, 6, 6]) / np.sqrt(40) - 1, atol=1e-15)
    np.testing.assert_allclose(mean, [0.9 * 10 + 0.1 * 4, 0.6], rtol=1e-15)
    np.testing.assert_allclose(var, [0.5, 0.9 + 3.6], rtol=1e-15)


@pytest.mark.parametrize("eps", [1, np.float16(1e-3), np.float32(0.5), np.longdouble(1e-5), 10**30])
def test_eps_may_be_any_real_number(eps: Any) -> None:
    x = distinct(np.random.default_rng(0), (5, 3))
    y, expected = (normalize(module, x, np.ones(3), np.ones(3), eps=given)[0]
                   for module, given in ((cpu, eps), (reference, float(eps))))
    np.testing.assert_allclose(y, expected, rtol=1e-12)


@pytest.mark.parametrize("momentum", [0, 0.25, 1])
def test_momentum_is_the_weight_of_the_old_value(backend: ModuleType, momentum: float) -> None:
    x = np.random.default_rng(0).standard_normal((4, 3, 3, 2))
    old_mean, old_var = np.array([5.0, -5]), np.array([2.0, 3])
    mean, var = old_mean.copy(), old_var.copy()
    normalize(backend, x, [1, 1], [0, 0], running_mean=mean, running_var=var, momentum=momentum)
    values = x.reshape(-1, 2)
    np.testing.assert_allclose(
        mean, momentum * old_mean + (1 - momentum) * values.mean(0), rtol=1e-13)
    np.testing.assert_allclose(var, momentum * old_var + (1 - momentum) * values.var(0), rtol=1e-13)


def test_the_unbiased_running_variance_normalizes_like_the_biased(backend: ModuleType) -> None:
    x = np.random.default_rng(0).standard_normal((5, 3))
    var = np.ones(3)
    y, _ = normalize(backend, x, np.ones(3), np.zeros(3), running_var=var, momentum=0,
                     unbiased_running_var=True)
    np.testing.assert_allclose(var, x.var(0, ddof=1), rtol=1e-13)
    np.testing.assert_array_equal(y, normalize(backend, x, np.ones(3), np.zeros(3))[0])


def test_evaluation_uses_the_running_statistics_and_leaves_them(backend: ModuleType) -> None:
    mean, var = np.array([1.0, 2]), np.array([3.0, 0])
    mean.flags.writeable = var.flags.writeable = False
    y, _ = normalize(backend, [[1.0, 3.0]], [5, 2], [7, 1], running_mean=mean, running_var=var,
                     training=False, eps=1)
    np.testing.assert_allclose(y, [[7, 3]], rtol=1e-15)
    with pytest.raises(ValueError, match="running_mean is read-only, but training updates it"):
        normalize(backend, [[1.0, 3.0]], [5, 2], [7, 1], running_mean=mean, running_var=var)


@pytest.mark.parametrize("training", [False, True])
@given(shape=st.tuples(st.integers(1, 3), st.integers(2, 4), st.integers(1, 4),
                       st.sampled_from([1, 3, 5])), seed=SEEDS)
def test_against_onnx(backend: ModuleType, training: bool, shape: tuple, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, gamma, beta, mean = (rng.standard_normal(s) for s in (shape, *[shape[-1:]] * 3))
    var = rng.uniform(0.5, 2, shape[-1])
    expected = onnx_operator(
        "BatchNormalization", channels_first(x), gamma, beta, mean, var,
        outputs=3 if training else 1, training_mode=int(training), momentum=0.75, epsilon=0.01,
    )
    y, _ = normalize(backend, x, gamma, beta, running_mean=mean, running_var=var,
                     training=training, momentum=0.75, eps=0.01)
    # ONNX's attributes are float32: its epsilon is not quite 0.01
    np.testing.assert_allclose(y, channels_last(expected[0]), rtol=1e-6, atol=1e-6)
    for running, wanted in zip((mean, var), expected[1:], strict=False):
        np.testing.assert_allclose(running, wanted, rtol=1e-6)


@pytest.mark.parametrize("training", [False, True])
@given(shape=SHAPES, seed=SEEDS)
def test_gradients(backend: ModuleType, training: bool, shape: tuple, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, gamma, beta = distinct(rng, shape), *rng.standard_normal((2, shape[-1]))
    mean, var = rng.standard_normal(shape[-1]), rng.uniform(0.5, 2, shape[-1])

    def forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> tuple:
        return normalize(backend, x, gamma, beta, training=training,
                         running_mean=mean.copy(), running_var=var.copy())

    y, cache = forward(x, gamma, beta)
    dy = random_like(rng, y)
    dx, dgamma, dbeta = backend.batchnorm_backward(dy, cache)
    assert_gradient(dx, lambda x: forward(x, gamma, beta)[0], x, dy)
    assert_gradient(dgamma, lambda gamma: forward(x, gamma, beta)[0], gamma, dy)
    assert_gradient(dbeta, lambda beta: forward(x, gamma, beta)[0], beta, dy)


@pytest.mark.slow
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=st.one_of(
    st.tuples(st.integers(2, 99), st.sampled_from([1, 3, 5, 17])),
    st.tuples(st.integers(1, 4), st.integers(2, 9), st.integers(1, 9), st.sampled_from([1, 3, 17])),
), seed=SEEDS)
def test_the_backends_agree(
    compiled: ModuleType, dtype: type, training: bool, shape: tuple, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = distinct(rng, shape).astype(dtype)
    gamma, beta, mean = rng.standard_normal((3, shape[-1])).astype(dtype)
    running = {backend: (mean.copy(), np.ones_like(mean)) for backend in (reference, compiled)}
    results = {
        backend: normalize(backend, x, gamma, beta, training=training,
                           running_mean=running[backend][0], running_var=running[backend][1])
        for backend in (reference, compiled)
    }
    assert_close(results[compiled][0], results[reference][0])
    for got, wanted in zip(running[compiled], running[reference], strict=True):
        assert_close(got, wanted)
    dy = random_like(rng, x)
    wanted_gradients = reference.batchnorm_backward(dy, results[reference][1])
    inverse_std = np.asarray(results[compiled][1].inverse_std)
    scales = np.abs(gamma * inverse_std).max() * np.abs(dy).max(), *[np.abs(dy).sum()] * 2
    for backend, cache in ((compiled, results[compiled][1]), (compiled, results[reference][1]),
                           (reference, results[compiled][1])):
        gradients = backend.batchnorm_backward(dy, cache)
        for got, wanted, scale in zip(gradients, wanted_gradients, scales, strict=True):
            assert_close(got, wanted, scale=scale)


@pytest.mark.slow
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(700, 33), (5, 11, 9, 16), (16, 41, 43, 80)])
def test_the_backends_agree_at_the_size_of_a_network(
    compiled: ModuleType, dtype: type, training: bool, shape: tuple
) -> None:
    if compiled.__name__ == cuda.__name__ and np.prod(shape) > 10**5:
        pytest.skip("the interpreter would take a minute")
    rng = np.random.default_rng(0)
    x = (3 + 2 * rng.standard_normal(shape)).astype(dtype)
    gamma, beta = rng.standard_normal((2, shape[-1])).astype(dtype)
    dy = random_like(rng, x)
    results = []
    for backend in (compiled, reference):
        mean, var = np.full(shape[-1], 2.0), np.full(shape[-1], 3.0)
        y, cache = normalize(backend, x, gamma, beta, running_mean=mean, running_var=var,
                             training=training)
        results.append((y, mean, var, *backend.batchnorm_backward(dy, cache)))
    (y, mean, var, dx, dgamma, dbeta), wanted = results
    assert_close(y, wanted[0], 64)
    np.testing.assert_allclose(mean, wanted[1], rtol=16 * np.finfo(dtype).eps)
    np.testing.assert_allclose(var, wanted[2], rtol=16 * np.finfo(dtype).eps)
    assert_close(dx, wanted[3], 64)
    assert_close(dgamma, wanted[4], 256)
    assert_close(dbeta, wanted[5], 256)


def test_squares_beyond_the_range_of_float32(backend: ModuleType) -> None:
    x = np.random.default_rng(0).standard_normal((40, 3)) * 1e25
    y, _ = normalize(backend, x.astype(np.float32), np.ones(3), np.zeros(3))
    np.testing.assert_allclose(y, (x - x.mean(0)) / x.std(0), atol=1e-6)


@pytest.mark.parametrize("shape", [(512, 3), (8, 8, 8, 3)])
def test_a_large_mean_cancels_nothing(backend: ModuleType, shape: tuple) -> None:
    rng = np.random.default_rng(0)
    x = (1e4 + 0.05 * rng.standard_normal(shape)).astype(np.float32)
    exact = x.astype(np.float64).reshape(-1, 3)
    var = np.zeros(3, np.float32)
    y, _ = normalize(backend, x, np.ones(3, np.float32), np.zeros(3, np.float32), momentum=0,
                     running_mean=np.zeros(3, np.float32), running_var=var)
    assert y.dtype == np.float32
    np.testing.assert_allclose(var, exact.var(0), rtol=1e-6)
    expected = (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-5)
    np.testing.assert_allclose(y.reshape(-1, 3), expected, rtol=1e-5, atol=1e-5)


def test_a_constant_channel_becomes_beta(backend: ModuleType) -> None:
    y, cache = normalize(backend, np.full((3, 2, 2, 1), 0.1), [3], [0.25])
    np.testing.assert_allclose(y, np.full((3, 2, 2, 1), 0.25), rtol=1e-12)
    dx, _, dbeta = backend.batchnorm_backward(np.arange(12.0).reshape(3, 2, 2, 1), cache)
    assert np.isfinite(dx).all()
    assert dbeta == 66


def test_images_are_rows_of_channels(backend: ModuleType) -> None:
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, 4, 5, 3)), rng.standard_normal((2, 3, 4, 5, 3))
    y, cache = normalize(backend, x, [1, 2, 3], [4, 5, 6])
    flat_y, flat_cache = normalize(backend, x.reshape(-1, 3), [1, 2, 3], [4, 5, 6])
    assert_close(y.reshape(-1, 3), flat_y)
    dx, *_ = backend.batchnorm_backward(dy, cache)
    assert_close(dx.reshape(-1, 3), backend.batchnorm_backward(dy.reshape(-1, 3), flat_cache)[0])


def test_nan_stays_in_its_channel(backend: ModuleType) -> None:
    x = np.random.default_rng(0).standard_normal((40, 3))
    x[7, 1] = np.nan
    mean = np.zeros(3)
    y, _ = normalize(backend, x, np.ones(3), np.zeros(3), running_mean=mean)
    np.testing.assert_array_equal(np.isnan(y), np.broadcast_to([False, True, False], y.shape))
    np.testing.assert_array_equal(np.isnan(mean), [False, True, False])


@pytest.mark.parametrize(("changes", "kind", "message"), [
    ({"x": np.ones(3)}, ValueError, "x must have axes (N, ..., C), got shape (3,)"),
    ({"gamma": np.ones(4)}, ValueError, "gamma must have shape (3,), one value a channel of x"),
    ({"beta": np.ones((3, 1))}, ValueError, "beta must have shape (3,)"),
    ({"running_var": np.ones(2)}, ValueError, "running_var must have shape (3,)"),
    ({"running_mean": [0.0] * 3}, TypeError, "running_mean must be a float array"),
    ({"running_mean": np.zeros(3, int)}, TypeError, "running_mean must be a float array"),
    ({"momentum": 1.5}, ValueError, "momentum must lie in [0, 1], got 1.5"),
    ({"momentum": None}, TypeError, "momentum must be a number, got None"),
    ({"eps": 0}, ValueError, "eps must lie in (0, inf), got 0"),
    ({"eps": np.nan}, ValueError, "eps must lie in (0, inf), got nan"),
    *(({"x": np.ones(shape), "unbiased_running_var": unbiased}, ValueError,
       f"training needs at least two values a channel, whose variance is taken, got one (x {shape})"
       "; take a batch of two or more, or training=False")
      for shape in ((1, 3), (1, 1, 1, 3)) for unbiased in (False, True)),
])
def test_what_cannot_be_normalized(
    backend: ModuleType, changes: dict, kind: type[Exception], message: str
) -> None:
    arrays = {"x": np.ones((2, 3)), "gamma": np.ones(3), "beta": np.zeros(3)}
    with pytest.raises(kind) as caught:
        normalize(backend, **arrays | changes)
    assert str(caught.value).startswith(f"batchnorm: {message}")


def test_a_refused_call_leaves_the_running_statistics(backend: ModuleType) -> None:
    mean = np.zeros(3)
    with pytest.raises(ValueError, match="eps"):
        normalize(backend, np.ones((2, 3)), np.ones(3), np.zeros(3), running_mean=mean, eps=-1)
    with pytest.raises(ValueError, match="two values a channel"):
        normalize(backend, np.ones((1, 3)), np.ones(3), np.zeros(3), running_mean=mean)
    assert (mean == 0).all()


@pytest.mark.parametrize("shape", [(2, 3), (1, 1, 2, 3), (1, 2, 1, 3)], ids=str)
def test_two_values_a_channel_are_enough(backend: ModuleType, shape: tuple[int, ...]) -> None:
    x = np.stack([np.full(3, 1.0), np.full(3, 5.0)]).reshape(shape)
    y, _ = normalize(backend, x, np.ones(3), np.zeros(3), eps=1e-12)
    np.testing.assert_allclose(y.reshape(2, 3), [[-1] * 3, [1] * 3], rtol=1e-9)
