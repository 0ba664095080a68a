"""The naive kernels at any window, and which algorithm is chosen."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from convolutions import problem
from gpu_convolutions import assert_agrees
from huge_arrays import ending_with, last_block, last_of, run_blocks
from hypothesis import given, strategies as st
from numeric import DTYPES, assert_close, assert_gradient, random_like
from windows import Case, cases

from minicnn.ops import cuda, reference
from minicnn.ops.window import Window


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("image", "filters", "size", "settings"), [
    ((2, 5, 8, 3), 17, (3, 3), {"padding": "same"}),
    ((1, 7, 4, 17), 5, (3, 2), {"stride": (2, 3), "padding": ((4, 0), (1, 6))}),
    ((3, 6, 5, 1), 1, (1, 1), {"stride": (3, 2)}),
    ((1, 2, 3, 5), 3, (5, 4), {"padding": ((3, 1), (0, 2)), "stride": 2}),  # larger than the image
    ((1, 1, 1, 64), 64, (3, 3), {"padding": 1}),
    ((2, 9, 11, 1), 64, (3, 5), {"padding": ((0, 2), (3, 0))}),
], ids=str)
def test_naive(image: Any, filters: int, size: Any, settings: dict, dtype: type) -> None:
    x, w, b = problem(image, filters, dtype, size)
    assert_agrees("naive", x, w, b, 64, **settings)
    assert_agrees("naive", x, w, None, 64, **settings)


@given(case=cases(channels=(1, 2, 3)), filters=st.sampled_from([1, 3, 5]))
def test_naive_at_any_window(case: Case, filters: int) -> None:
    arrays = problem(case.x_shape, filters, np.float64, case.size)
    assert_agrees("naive", *arrays, 64, stride=case.stride, padding=case.padding)


def test_naive_gradients_by_central_differences() -> None:
    x, w, b = problem((2, 4, 3, 2), 3, np.float64, (2, 3))
    window = {"stride": (2, 1), "padding": ((1, 0), (0, 2))}

    def forward(x: Any, w: Any, b: Any) -> np.ndarray:
        return np.asarray(cuda.conv2d_forward(x, w, b, **window)[0])

    with cuda.convolutions("naive"):
        y, cache = cuda.conv2d_forward(x, w, b, **window)
        dy = random_like(np.random.default_rng(1), y)
        dx, dw, db = map(np.asarray, cuda.conv2d_backward(dy, cache))
        assert_gradient(dx, lambda x: forward(x, w, b), x, dy)
        assert_gradient(dw, lambda w: forward(x, w, b), w, dy)
        assert_gradient(db, lambda b: forward(x, w, b), b, dy)


def test_a_sum_over_many_pixels_keeps_its_digits() -> None:
    x = np.full((1, 64, 64, 1), 0.1, np.float32)  # one by one: 320 roundings
    with cuda.convolutions("naive"):
        y, cache = cuda.conv2d_forward(x, np.ones((1, 1, 1, 1), np.float32))
        _, dw, _ = cuda.conv2d_backward(np.ones(y.shape, np.float32), cache)
    assert_close(np.asarray(dw).reshape(1), np.array([409.6], np.float32), 32)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(("algorithm", "channels"), [("naive", 5), ("direct", 1)])
def test_what_is_not_finite_goes_where_the_reference_has_it(
    algorithm: str, channels: int, dtype: type, value: float
) -> None:
    x, w, b = problem((2, 6, 7, channels), 8, dtype)
    settings = {"padding": 1, "stride": (2, 1)}
    _, cache = reference.conv2d_forward(x, w, b, **settings)
    dy = random_like(np.random.default_rng(2), np.empty(cache.y_shape, dtype))
    x_broken, w_broken, dy_broken = x.copy(), w.copy(), dy.copy()
    x_broken[1, 2, 3, -1], w_broken[0, 2, -1, 6], dy_broken[0, 2, 4, 5] = value, value, value
    for arrays in ((x_broken, w, dy), (x, w_broken, dy), (x, w, dy_broken)):
        with cuda.convolutions(algorithm):
            y, cache = cuda.conv2d_forward(*arrays[:2], b, **settings)
            got = y, *cuda.conv2d_backward(arrays[2], cache)
        y, cache = reference.conv2d_forward(*arrays[:2], b, **settings)
        wanted = y, *reference.conv2d_backward(arrays[2], cache)
        for one, other in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(np.isfinite(np.asarray(one)), np.isfinite(other))


def test_the_same_bits_in_every_run() -> None:
    x, w, b = problem((3, 9, 8, 1), 8, np.float32)
    dy = np.random.default_rng(3).standard_normal((3, 9, 8, 8)).astype(np.float32)

    def results(algorithm: str) -> list[np.ndarray]:
        with cuda.convolutions(algorithm):
            y, cache = cuda.conv2d_forward(x, w, b, padding=1)
            return [np.asarray(one) for one in (y, *cuda.conv2d_backward(dy, cache))]

    for algorithm in ("naive", "direct", "implicit", "winograd"):
        for one, other in zip(results(algorithm), results(algorithm), strict=True):
            np.testing.assert_array_equal(one, other)


def test_naive_beyond_2_33_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    from minicnn.ops.cuda import conv2d
    from minicnn.ops.cuda.array import asarray

    count = 2**18  # images of 2¹⁵ numbers
    x, w, _ = problem((1, 64, 64, 8), 8, np.float32)
    _, cache = reference.conv2d_forward(x, w, padding=1)
    filters = asarray(w, w.dtype)
    run_blocks(monkeypatch, last_block)
    y = conv2d.naive_forward(ending_with(x, count), filters, None, cache.window)
    expected = np.ravel(reference.conv2d_forward(x, w, padding=1)[0])
    assert_close(last_of(y, 256), expected[-256:])
    dx = conv2d.naive_input_gradient(ending_with(x, count), filters, cache.window, y.shape)
    expected = np.ravel(reference.conv2d_input_gradient(x, cache))
    assert_close(last_of(dx, 256), expected[-256:])


# -- which algorithm ------------------------------------------------------------------------------


def chosen_for(channels: int, filters: int, size: int = 3, stride: int = 1) -> str:
    """Which algorithm computes a convolution where nothing else is asked for."""
    from minicnn.ops.cuda import conv2d

    x, w = np.ones((1, 8, 8, channels)), np.ones((size, size, channels, filters))
    called = []
    with pytest.MonkeyPatch.context() as patch:
        for name, algorithm in conv2d.ALGORITHMS.items():
            patch.setattr(algorithm, "forward", lambda *_, name=name: called.append(name))
        cuda.conv2d_forward(x, w, stride=stride)
    (name,) = called
    return name


@pytest.mark.parametrize(("w_shape", "image", "stride", "name"), [
    ((3, 3, 1, 64), (48, 48), 1, "direct"),
    ((3, 3, 3, 64), (32, 32), 2, "direct"),
    ((5, 5, 1, 8), (28, 28), 1, "direct"),
    ((3, 3, 1, 6), (28, 28), 1, "implicit"),  # filters not divisible by 4
    ((7, 7, 3, 64), (224, 224), 2, "implicit"),  # 147 products
    ((3, 3, 3, 64), (32, 32), 3, "implicit"),  # the strip is too long
    ((3, 3, 64, 64), (48, 48), 1, "winograd"),
    ((3, 3, 256, 256), (12, 12), 1, "winograd"),
    ((3, 3, 512, 32), (8, 8), 1, "winograd"),  # 6×6 outputs: 144 multiplications for 324
    ((3, 3, 256, 256), (7, 7), 1, "implicit"),  # 5×5 outputs: 144 for 225
    ((3, 3, 16, 64), (48, 48), 1, "implicit"),
    ((3, 3, 64, 64), (48, 48), 2, "implicit"),
    ((5, 5, 64, 64), (48, 48), 1, "implicit"),
])
def test_the_fastest(w_shape: tuple, image: tuple, stride: int, name: str) -> None:
    from minicnn.ops.cuda.conv2d import fastest

    window = Window(w_shape[:2], (stride, stride), ((0, 0), (0, 0)))
    assert fastest((2, *image, w_shape[2]), w_shape, window) == name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("image", "filters", "padding", "name"), [
    ((2, 9, 6, 1), 8, "same", "direct"),
    ((2, 6, 9, 33), 36, ((1, 0), (0, 2)), "winograd"),
    ((2, 6, 9, 5), 17, ((1, 0), (0, 2)), "implicit"),
], ids=str)
def test_the_fastest_is_right(
    image: tuple, filters: int, padding: Any, name: str, dtype: type
) -> None:
    x, w, b = problem(image, filters, dtype)
    assert chosen_for(image[3], filters) == name
    assert_agrees("auto", x, w, b, 256, padding=padding)


def test_the_choice_by_shape_and_by_block() -> None:
    assert chosen_for(1, 16) == "direct"
    assert chosen_for(32, 32) == "winograd"
    with cuda.convolutions("naive"):
        assert chosen_for(32, 32) == chosen_for(1, 16) == "naive"
        with cuda.convolutions("auto"):
            assert chosen_for(32, 32) == "winograd"
        assert chosen_for(32, 32) == "naive"
        with pytest.raises(KeyError), cuda.convolutions("winograd"):
            raise KeyError
        assert chosen_for(32, 32) == "naive"
    assert chosen_for(32, 32) == "winograd"


def test_a_choice_is_that_of_its_own_thread() -> None:
    with cuda.convolutions("naive"), ThreadPoolExecutor(1) as pool:
        found = pool.submit(chosen_for, 1, 8).result()
    assert found == "direct"


@pytest.mark.parametrize(("algorithm", "stride", "message"), [
    ("direct", 1, "conv2d: algorithm 'direct' needs few channels, a small window and filters "
     "divisible by 4, got w (3, 3, 5, 4) at stride (1, 1)"),
    ("winograd", 2,
     "conv2d: algorithm 'winograd' needs 3×3 filters at stride 1, got (3, 3) at (2, 2)"),
])
def test_an_algorithm_that_does_not_suit(algorithm: str, stride: int, message: str) -> None:
    x, w = np.ones((1, 8, 8, 5)), np.ones((3, 3, 5, 4))
    with cuda.convolutions(algorithm), pytest.raises(ValueError) as caught:
        cuda.conv2d_forward(x, w, stride=stride)
    assert str(caught.value) == message


@pytest.mark.parametrize("algorithm", ["fft", None, "AUTO"])
def test_an_unknown_algorithm(algorithm: Any) -> None:
    message = "convolutions: expected one of auto, direct, winograd, implicit, naive, got "
    with pytest.raises(ValueError, match=message), cuda.convolutions(algorithm):
        pytest.fail("the block was entered")


def test_an_image_of_too_many_numbers() -> None:
    from minicnn.ops.cuda.conv2d import blocks_for

    assert blocks_for((2, 2**16, 2**16)) == (2**25, 2**24)
    with pytest.raises(OverflowError, match="conv2d: expected at most 4,294,967,296 numbers an "):
        blocks_for((1, 2**16, 2**16 + 1))
