"""Convolution: by hand, against ONNX, by central differences, and one backend against the other."""

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numeric import DTYPES, assert_close, assert_gradient, random_like
from onnx_operator import channels_first, channels_last, onnx_operator
from windows import Case, cases

from minicnn.ops import cuda, reference

FILTERS = st.sampled_from([1, 2, 3, 5])


def arrays(case: Case, filters: int, dtype: type = np.float64) -> list[np.ndarray]:
    """x, w and b."""
    rng = np.random.default_rng(case.seed)
    shapes = case.x_shape, (*case.size, case.x_shape[3], filters), (filters,)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def test_by_hand(backend: ModuleType) -> None:
    x = np.arange(1.0, 10).reshape(1, 3, 3, 1)
    w = np.array([[1.0, 2], [3, 4]]).reshape(2, 2, 1, 1)
    y, cache = backend.conv2d_forward(x, w, [0.5])
    # 1·1 + 2·2 + 4·3 + 5·4 + 0.5, not flipped
    np.testing.assert_array_equal(y[0, :, :, 0], [[37.5, 47.5], [67.5, 77.5]])
    dy = np.array([[1.0, 0], [0, -2]]).reshape(1, 2, 2, 1)
    dx, dw, db = backend.conv2d_backward(dy, cache)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[1, 2, 0], [3, 2, -4], [0, -6, -8]])
    np.testing.assert_array_equal(dw[:, :, 0, 0], [[-9, -10], [-12, -13]])
    np.testing.assert_array_equal(db, [-1])


@given(case=cases(), filters=FILTERS)
def test_against_onnx(backend: ModuleType, case: Case, filters: int) -> None:
    x, w, b = arrays(case, filters)
    y, _ = backend.conv2d_forward(x, w, b, stride=case.stride, padding=case.padding)
    (expected,) = onnx_operator(
        "Conv", channels_first(x), w.transpose(3, 2, 0, 1), b, **case.onnx_attributes
    )
    assert y.shape == (case.x_shape[0], *case.output_size, filters)
    assert_close(y, channels_last(expected))


@given(case=cases(side=4, channels=(1, 3)), filters=st.sampled_from([1, 3]), bias=st.booleans())
def test_gradients(backend: ModuleType, case: Case, filters: int, bias: bool) -> None:
    x, w, b = arrays(case, filters)
    window = {"stride": case.stride, "padding": case.padding}
    y, cache = backend.conv2d_forward(x, w, b if bias else None, **window)
    dy = random_like(np.random.default_rng(case.seed + 1), y)
    dx, dw, db = backend.conv2d_backward(dy, cache)
    assert_gradient(dx, lambda x: backend.conv2d_forward(x, w, b, **window)[0], x, dy)
    assert_gradient(dw, lambda w: backend.conv2d_forward(x, w, b, **window)[0], w, dy)
    if bias:
        assert_gradient(db, lambda b: backend.conv2d_forward(x, w, b, **window)[0], b, dy)
    else:
        assert db is None


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@given(case=cases(side=12, channels=(1, 3, 5, 8, 17)), filters=st.sampled_from([1, 4, 7, 17, 33]))
def test_the_backends_agree(compiled: ModuleType, dtype: type, case: Case, filters: int) -> None:
    x, w, b = arrays(case, filters, dtype)
    window = {"stride": case.stride, "padding": case.padding}
    y, cache = compiled.conv2d_forward(x, w, b, **window)
    expected, reference_cache = reference.conv2d_forward(x, w, b, **window)
    assert_close(y, expected)
    dy = random_like(np.random.default_rng(case.seed + 1), y)
    gradients = reference.conv2d_backward(dy, reference_cache)
    for cache_of_either in (cache, reference_cache):
        found = compiled.conv2d_backward(dy, cache_of_either)
        for got, wanted in zip(found, gradients, strict=True):
            assert_close(got, wanted, 256)
    for got, wanted in zip(reference.conv2d_backward(dy, cache), gradients, strict=True):
        assert_close(got, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_backends_agree_at_the_size_of_a_network(compiled: ModuleType, dtype: type) -> None:
    rng = np.random.default_rng(0)
    count = 1 if compiled.__name__ == cuda.__name__ else 9  # the interpreter is slow
    x, w = rng.standard_normal((count, 25, 23, 17)), rng.standard_normal((3, 3, 17, 33))
    x, w = x.astype(dtype), w.astype(dtype)
    y, cache = compiled.conv2d_forward(x, w, padding="same")
    expected, reference_cache = reference.conv2d_forward(x, w, padding="same")
    assert_close(y, expected)
    dy = random_like(rng, y)
    dx, dw, _ = compiled.conv2d_backward(dy, cache)
    wanted_dx, wanted_dw, _ = reference.conv2d_backward(dy, reference_cache)
    assert_close(dx, wanted_dx, 256)
    assert_close(dw, wanted_dw, 1024)


@pytest.mark.parametrize("channels", [1, 3, 8])
def test_each_gradient_can_be_had_alone(backend: ModuleType, channels: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 6, 7, channels)), rng.standard_normal((3, 3, channels, 8))
    y, cache = backend.conv2d_forward(x, w, np.zeros(8))
    dy = random_like(rng, y)
    alone = (backend.conv2d_input_gradient(dy, cache),
             *backend.conv2d_weight_gradients(dy, cache))
    for gradient, expected in zip(alone, backend.conv2d_backward(dy, cache), strict=True):
        np.testing.assert_array_equal(gradient, expected)


@given(height=st.integers(1, 9), width=st.integers(1, 9), size=st.integers(1, 5),
       stride=st.integers(1, 4))
def test_same_padding_is_that_of_tensorflow(
    backend: ModuleType, height: int, width: int, size: int, stride: int
) -> None:
    x = np.random.default_rng(0).standard_normal((1, height, width, 2))
    w = np.random.default_rng(1).standard_normal((size, size, 2, 3))
    y, _ = backend.conv2d_forward(x, w, stride=stride, padding="same")
    (expected,) = onnx_operator(
        "Conv", channels_first(x), w.transpose(3, 2, 0, 1), kernel_shape=[size, size],
        strides=[stride, stride], pads=same_pads((height, width), size, stride),
    )
    assert y.shape[1:3] == (-(-height // stride), -(-width // stride))
    assert_close(y, channels_last(expected))


def same_pads(image: tuple[int, int], size: int, stride: int) -> list[int]:
    """ONNX's pads (top, left, bottom, right), by the note in TensorFlow's ``tf.nn.convolution``."""
    totals = [
        max(size - (stride if length % stride == 0 else length % stride), 0) for length in image
    ]
    return [total // 2 for total in totals] + [total - total // 2 for total in totals]


def test_valid_padding_is_none(backend: ModuleType) -> None:
    x, w = np.ones((1, 4, 5, 1)), np.ones((3, 3, 1, 1))
    y, _ = backend.conv2d_forward(x, w, padding="valid")
    np.testing.assert_array_equal(y, np.full((1, 2, 3, 1), 9.0))


def test_a_window_may_lie_in_padding_alone(backend: ModuleType) -> None:
    y, cache = backend.conv2d_forward(np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1)), [7], padding=2)
    expected = np.full((5, 5), 7.0)
    expected[2, 2] = 8
    np.testing.assert_array_equal(y[0, :, :, 0], expected)
    dx, dw, db = backend.conv2d_backward(np.arange(25.0).reshape(1, 5, 5, 1), cache)
    assert (dx.item(), dw.item(), db.item()) == (12, 12, 300)


def test_skipped_pixels_get_no_gradient(backend: ModuleType) -> None:
    rng = np.random.default_rng(0)
    y, cache = backend.conv2d_forward(rng.standard_normal((2, 5, 5, 3)), np.ones((1, 1, 3, 2)),
                                      stride=(2, 3))
    dx, _, _ = backend.conv2d_backward(random_like(rng, y), cache)
    reached = np.zeros((5, 5), bool)
    reached[::2, ::3] = True
    assert (dx[:, ~reached] == 0).all()
    assert (dx[:, reached] != 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_is_not_finite_reaches_its_windows_alone(
    backend: ModuleType, dtype: type, value: float
) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 6, 7, 5)).astype(dtype)
    x[1, 2, 3, 4] = value
    y, _ = backend.conv2d_forward(x, rng.standard_normal((3, 3, 5, 6)).astype(dtype), padding=1)
    broken = np.zeros(y.shape, bool)
    broken[1, 1:4, 2:5] = True
    np.testing.assert_array_equal(~np.isfinite(y), broken)


@pytest.mark.parametrize(("changes", "message"), [
    ({"x": np.ones((2, 8, 8, 5)), "w": np.ones((3, 3, 3, 16))},
     "conv2d: x has 5 channels but w expects 3 (x (2, 8, 8, 5), w (3, 3, 3, 16))"),
    ({"x": np.ones((8, 8, 3))}, "conv2d: x must have axes (N, H, W, C), got shape (8, 8, 3)"),
    ({"w": np.ones((3, 3, 3))}, "conv2d: w must have axes (KH, KW, C, K), got shape (3, 3, 3)"),
    ({"b": np.ones(3)}, "conv2d: b must have shape (4,), one bias a filter, got (3,)"),
    ({"w": np.ones((9, 9, 3, 4))}, "conv2d: a window of (9, 9) does not fit into an image of (8, "),
    ({"stride": 0}, "conv2d: stride must be at least 1, got 0"),
    ({"padding": -1}, "conv2d: padding must be at least 0, got -1"),
    ({"padding": "full"}, "conv2d: padding must be \"same\", \"valid\" or numbers, got 'full'"),
])
def test_what_cannot_be_convolved(backend: ModuleType, changes: dict, message: str) -> None:
    given_arguments = {"x": np.ones((2, 8, 8, 3)), "w": np.ones((3, 3, 3, 4))} | changes
    with pytest.raises(ValueError) as caught:
        backend.conv2d_forward(**given_arguments)
    assert str(caught.value).startswith(message)
