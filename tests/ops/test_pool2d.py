"""Pooling: by hand, against ONNX, by central differences, and one backend against the other."""

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numeric import DTYPES, assert_close, assert_gradient, distinct, random_like
from onnx_operator import channels_first, channels_last, onnx_operator
from windows import Case, cases

from minicnn.ops import reference

KINDS = ("maxpool2d", "avgpool2d")
MANY_CHANNELS = (1, 3, 5, 17)


def functions(backend: ModuleType, kind: str) -> tuple:
    """Forward and backward."""
    return getattr(backend, f"{kind}_forward"), getattr(backend, f"{kind}_backward")


def window_of(case: Case) -> dict:
    """The keyword arguments of a pooling."""
    return {"size": case.size, "stride": case.stride, "padding": case.padding}


X = np.array([[1.0, 5, 2], [4, 3, 5], [0, 5, -1]]).reshape(1, 3, 3, 1)


def test_maximum_by_hand(backend: ModuleType) -> None:
    y, cache = backend.maxpool2d_forward(X, size=2, stride=1)
    np.testing.assert_array_equal(y[0, :, :, 0], [[5, 5], [5, 5]])
    dx = backend.maxpool2d_backward(np.array([[1.0, 10], [100, 1000]]).reshape(1, 2, 2, 1), cache)
    # the first 5 of each window in row-major order
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 11, 0], [0, 0, 1000], [0, 100, 0]])


def test_average_by_hand(backend: ModuleType) -> None:
    y, cache = backend.avgpool2d_forward(X, size=2, padding=((1, 0), (1, 0)))
    # padding is not counted: 1/1, (5 + 2)/2, (4 + 0)/2, (3 + 5 + 5 - 1)/4
    np.testing.assert_array_equal(y[0, :, :, 0], [[1, 3.5], [2, 3]])
    dx = backend.avgpool2d_backward(np.array([[8.0, 4], [-2, 12]]).reshape(1, 2, 2, 1), cache)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[8, 2, 2], [-1, 3, 3], [-1, 3, 3]])


def test_global_average_by_hand(backend: ModuleType) -> None:
    x = np.arange(12.0).reshape(1, 2, 3, 2)
    y, cache = backend.global_avgpool2d_forward(x)
    np.testing.assert_array_equal(y, [[5, 6]])
    dx = backend.global_avgpool2d_backward([[6, -12]], cache)
    np.testing.assert_array_equal(dx, np.broadcast_to([1.0, -2.0], x.shape))


@given(case=cases(pool=True))
def test_maximum_against_onnx(backend: ModuleType, case: Case) -> None:
    x = np.random.default_rng(case.seed).standard_normal(case.x_shape)
    y, _ = backend.maxpool2d_forward(x, **window_of(case))
    # padded here, for the evaluator's own asymmetric padding of a maximum is faulty
    padded = np.pad(x, ((0, 0), *case.padding, (0, 0)), constant_values=-np.inf)
    (expected,) = onnx_operator(
        "MaxPool", channels_first(padded), kernel_shape=list(case.size), strides=list(case.stride)
    )
    np.testing.assert_array_equal(y, channels_last(expected))


@given(case=cases(pool=True))
def test_average_against_onnx(backend: ModuleType, case: Case) -> None:
    x = np.random.default_rng(case.seed).standard_normal(case.x_shape)
    y, _ = backend.avgpool2d_forward(x, **window_of(case))
    (expected,) = onnx_operator(
        "AveragePool", channels_first(x), count_include_pad=0, **case.onnx_attributes
    )
    assert_close(y, channels_last(expected))


@pytest.mark.parametrize("kind", KINDS)
@given(case=cases(side=5, channels=(1, 3), pool=True))
def test_gradients(backend: ModuleType, kind: str, case: Case) -> None:
    forward, backward = functions(backend, kind)
    rng = np.random.default_rng(case.seed)
    x = distinct(rng, case.x_shape)
    y, cache = forward(x, **window_of(case))
    dy = random_like(rng, y)
    assert_gradient(backward(dy, cache), lambda x: forward(x, **window_of(case))[0], x, dy)


@given(shape=st.tuples(*[st.integers(1, 4)] * 4), seed=st.integers(0, 2**32 - 1))
def test_global_gradient(
    backend: ModuleType, shape: tuple[int, int, int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    y, cache = backend.global_avgpool2d_forward(x)
    dy = random_like(rng, y)
    dx = backend.global_avgpool2d_backward(dy, cache)
    assert_gradient(dx, lambda x: backend.global_avgpool2d_forward(x)[0], x, dy)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@given(case=cases(side=12, channels=MANY_CHANNELS, pool=True))
def test_the_backends_agree(compiled: ModuleType, kind: str, dtype: type, case: Case) -> None:
    rng = np.random.default_rng(case.seed)
    x = rng.integers(-4, 5, case.x_shape).astype(dtype)  # many ties
    y, cache = functions(compiled, kind)[0](x, **window_of(case))
    expected, reference_cache = functions(reference, kind)[0](x, **window_of(case))
    assert_close(y, expected)
    dy = random_like(rng, y)
    wanted = functions(reference, kind)[1](dy, reference_cache)
    assert_close(functions(compiled, kind)[1](dy, cache), wanted)
    assert_close(functions(compiled, kind)[1](dy, reference_cache), wanted)
    assert_close(functions(reference, kind)[1](dy, cache), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9),
                       st.sampled_from(MANY_CHANNELS)))
def test_the_backends_agree_on_the_global_mean(
    compiled: ModuleType, dtype: type, shape: tuple
) -> None:
    rng = np.random.default_rng(0)
    x = (rng.standard_normal(shape) + 100).astype(dtype)
    y, cache = compiled.global_avgpool2d_forward(x)
    expected, reference_cache = reference.global_avgpool2d_forward(x)
    assert_close(y, expected, 2)
    dy = random_like(rng, y)
    wanted = reference.global_avgpool2d_backward(dy, cache)
    assert_close(compiled.global_avgpool2d_backward(dy, reference_cache), wanted)


@given(case=cases(pool=True))
def test_padding_never_wins(backend: ModuleType, case: Case) -> None:
    x = np.full(case.x_shape, -np.inf)
    y, cache = backend.maxpool2d_forward(x, **window_of(case))
    assert (y == -np.inf).all()
    dy = random_like(np.random.default_rng(case.seed), y)
    dx = backend.maxpool2d_backward(dy, cache)  # all of dy lands inside the image
    np.testing.assert_allclose(dx.sum((1, 2)), dy.sum((1, 2)), rtol=1e-12, atol=1e-12)


def test_a_tie_goes_to_the_first_pixel_inside_the_image(backend: ModuleType) -> None:
    y, cache = backend.maxpool2d_forward(np.full((1, 3, 4, 5), -7.0), size=3, stride=2, padding=1)
    dx = backend.maxpool2d_backward(np.ones_like(y), cache)
    expected = np.zeros((3, 4))
    expected[np.ix_([0, 1], [0, 1])] = 1
    np.testing.assert_array_equal(dx, np.broadcast_to(expected[:, :, None], dx.shape))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("place", [(0, 0), (1, 1), (3, 2)])
def test_nan_wins_and_takes_the_gradient(
    backend: ModuleType, dtype: type, place: tuple[int, int]
) -> None:
    x = np.arange(48, dtype=dtype).reshape(1, 4, 4, 3)
    x[0, *place, 1] = np.nan
    x[0, 3, 3, 1] = np.inf
    y, cache = backend.maxpool2d_forward(x)
    window = place[0] // 2, place[1] // 2
    expected = np.zeros((2, 2, 3), bool)
    expected[*window, 1] = True
    np.testing.assert_array_equal(np.isnan(y[0]), expected)
    dx = backend.maxpool2d_backward(np.ones_like(y), cache)
    assert dx[0, *place, 1] == 1


def test_the_average_of_float32_is_summed_in_float64(backend: ModuleType) -> None:
    x = np.full((1, 256, 256, 1), 0.1, np.float32)
    x[0, 0, 0] = 1e6
    expected = np.float32(x.mean(dtype=np.float64))
    for y in (backend.global_avgpool2d_forward(x)[0], backend.avgpool2d_forward(x, size=256)[0]):
        np.testing.assert_array_equal(y.ravel(), [expected])


@pytest.mark.parametrize("kind", KINDS)
def test_the_stride_is_the_size_unless_given(backend: ModuleType, kind: str) -> None:
    forward, _ = functions(backend, kind)
    x = np.random.default_rng(0).standard_normal((1, 7, 8, 2))
    np.testing.assert_array_equal(forward(x)[0], forward(x, size=(2, 2), stride=(2, 2))[0])
    assert forward(x, size=(3, 2))[0].shape == (1, 2, 4, 2)
    assert forward(x, size=3, stride=2, padding="same")[0].shape == (1, 4, 4, 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("arguments", "message"), [
    ({"size": 5}, "a window of (5, 5) does not fit into an image of (4, 4)"),
    ({"size": 2, "padding": 2}, "padding must be smaller than the window"),
    ({"size": 0}, "size must be at least 1, got 0"),
    ({"x": np.ones((4, 4, 1))}, "x must have axes (N, H, W, C), got shape (4, 4, 1)"),
])
def test_what_cannot_be_pooled(
    backend: ModuleType, kind: str, arguments: dict, message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        functions(backend, kind)[0](**({"x": np.ones((1, 4, 4, 1))} | arguments))
    assert str(caught.value).startswith(f"{kind}: {message}")
