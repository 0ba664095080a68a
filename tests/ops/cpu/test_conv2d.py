"""The ways in which the CPU backend convolves: each against the reference, at all edges."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numeric import DTYPES, assert_close

from minicnn.ops import cpu, reference
from minicnn.ops.cpu import conv2d
from minicnn.ops.cpu.linalg.simd import STREAM_BYTES

CHANNELS = (1, 3, 5, 16, 17, 64, 100)
SIDES = (6, 7, 12, 24, 47, 48)

# every channel count and every side in both places
SHAPES = [
    (SIDES[i % 6], SIDES[(i + shift) % 6], CHANNELS[i % 7], CHANNELS[(3 * i + shift) % 7])
    for shift in (1, 2) for i in range(14)
]


def problem(
    shape: tuple[int, int, int, int], dtype: type, size: tuple[int, int] = (3, 3)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, filters and biases."""
    height, width, channels, filters = shape
    rng = np.random.default_rng(sum(shape))
    count = 1 if height * width > 1000 else 3
    x = rng.standard_normal((count, height, width, channels))
    w = rng.standard_normal((*size, channels, filters)) / np.sqrt(9 * channels)
    return x.astype(dtype), w.astype(dtype), rng.standard_normal(filters).astype(dtype)


def assert_agrees(
    algorithm: str, x: Any, w: Any, b: Any, roundings: float, **settings: Any
) -> None:
    """Require forward and backward by this algorithm to be the reference's, in float64."""
    with cpu.convolutions(algorithm):
        y, cache = cpu.conv2d_forward(x, w, b, **settings)
        dy = np.random.default_rng(1).standard_normal(y.shape).astype(y.dtype)
        gradients = cpu.conv2d_backward(dy, cache)
    wide = [np.asarray(array, np.float64) for array in (x, w, b)]
    expected, wide_cache = reference.conv2d_forward(*wide, **settings)
    wanted = reference.conv2d_backward(dy.astype(np.float64), wide_cache)
    for got, right in zip((y, *gradients), (expected, *wanted), strict=True):
        assert got.flags.c_contiguous
        assert_close(got, right.astype(y.dtype), roundings)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_winograd(shape: tuple[int, int, int, int], dtype: type) -> None:
    assert_agrees("winograd", *problem(shape, dtype), 128, padding="same")


@pytest.mark.parametrize("padding", [0, 3, ((0, 2), (1, 0)), ((5, 0), (0, 6))], ids=str)
@pytest.mark.parametrize("shape", [(6, 7, 17, 5), (7, 12, 3, 33), (3, 3, 8, 8)], ids=str)
def test_winograd_with_any_padding(shape: tuple[int, int, int, int], padding: Any) -> None:
    assert_agrees("winograd", *problem(shape, np.float64), 128, padding=padding)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(7, 12, 1, 5), (24, 6, 3, 17), (12, 47, 16, 1), (6, 7, 100, 64)],
                         ids=str)
@pytest.mark.parametrize(("size", "stride"), [((3, 3), 1), ((5, 2), (2, 3)), ((1, 1), 1)], ids=str)
def test_im2col(shape: tuple, dtype: type, size: tuple, stride: Any) -> None:
    arrays = problem(shape, dtype, size)
    assert_agrees("im2col", *arrays, 128, stride=stride, padding="same")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("side", [(6, 7), (12, 47), (1, 48)], ids=str)
@pytest.mark.parametrize(("size", "stride", "padding"), [
    ((3, 3), 1, "same"), ((5, 4), (3, 2), ((0, 4), (3, 7))), ((1, 3), (1, 5), ((0, 0), (9, 0))),
], ids=str)
@pytest.mark.parametrize("filters", [1, 17, 64])
def test_direct(
    side: tuple, dtype: type, size: tuple, stride: Any, padding: Any, filters: int
) -> None:
    arrays = problem((*side, 1, filters), dtype, size)
    assert_agrees("direct", *arrays, 256, stride=stride, padding=padding)


def read_only(array: np.ndarray) -> np.ndarray:
    """A copy that must not be written to."""
    array = array.copy()
    array.flags.writeable = False
    return array


def strided(array: np.ndarray) -> np.ndarray:
    """The same numbers, each followed by one that does not belong to them."""
    wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


@pytest.mark.parametrize("filters", [20, 32])
def test_direct_outputs_that_leave_the_caches(filters: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((64, 41, 47, 1)), rng.standard_normal((3, 3, 1, filters))
    x, w, b = (array.astype(np.float32) for array in (x, w, rng.standard_normal(filters)))
    y, _ = cpu.conv2d_forward(x, w, b, padding=1)
    assert y.nbytes > STREAM_BYTES
    assert_close(y, reference.conv2d_forward(x, w, b, padding=1)[0], 64)


@pytest.mark.parametrize("written", [read_only, np.asfortranarray, strided])
@pytest.mark.parametrize(("shape", "algorithm"), [
    ((7, 12, 17, 16), "winograd"), ((7, 12, 3, 5), "im2col"), ((7, 12, 1, 16), "direct"),
])
def test_arrays_of_any_layout(written: Any, shape: tuple, algorithm: str) -> None:
    x, w, b = problem(shape, np.float32)
    with cpu.convolutions(algorithm):
        y, cache = cpu.conv2d_forward(x, w, b, padding="same")
        other, other_cache = cpu.conv2d_forward(
            written(x), written(w), written(b), padding="same"
        )
        dy = np.random.default_rng(2).standard_normal(y.shape).astype(np.float32)
        gradients = cpu.conv2d_backward(dy, cache)
        other_gradients = cpu.conv2d_backward(written(dy), other_cache)
    for one, two in zip((y, *gradients), (other, *other_gradients), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(("side", "channels", "filters"), [
    (48, 64, 64), (24, 64, 128), (24, 128, 128), (12, 128, 256), (12, 256, 256),
])
def test_winograd_rounds_little_on_the_layers_of_the_paper(
    side: int, channels: int, filters: int
) -> None:
    rng = np.random.default_rng(side + filters)
    x = np.maximum(rng.standard_normal((2, side, side, channels)), 0).astype(np.float32)
    w = rng.standard_normal((3, 3, channels, filters)) * np.sqrt(2 / (9 * channels))
    w = w.astype(np.float32)
    with cpu.convolutions("winograd"):
        y, _ = cpu.conv2d_forward(x, w, padding="same")
    exact, _ = reference.conv2d_forward(x.astype(np.float64), w.astype(np.float64), padding="same")
    assert np.abs(y - exact).max() <= 5e-6 * np.abs(exact).max()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_is_not_finite_shows(value: float) -> None:
    x, w, b = problem((12, 12, 16, 16), np.float32)
    x[1, 5, 6, 7] = value
    with cpu.convolutions("winograd"):
        y, _ = cpu.conv2d_forward(x, w, b, padding="same")
    assert not np.isfinite(y[1, 4:7, 5:8]).any()
    assert np.isfinite(y[[0, 2]]).all()
    assert np.isfinite(y[1, 8:]).all()  # the tiles that do not see the pixel


def test_the_same_bits_in_every_run() -> None:
    x, w, b = problem((24, 47, 17, 33), np.float32)
    dy = np.random.default_rng(3).standard_normal((1, 24, 47, 33)).astype(np.float32)

    def results() -> list[np.ndarray]:
        y, cache = cpu.conv2d_forward(x, w, b, padding="same")
        return [y, *cpu.conv2d_backward(dy, cache)]

    first = results()
    for _ in range(3):
        for one, other in zip(first, results(), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("algorithm", "stride", "message"), [
    ("direct", 1, "conv2d: algorithm 'direct' needs images with one channel, got (1, 8, 8, 3)"),
    ("winograd", 2,
     "conv2d: algorithm 'winograd' needs 3×3 filters at stride 1, got (3, 3) at (2, 2)"),
])
def test_an_algorithm_that_does_not_suit(algorithm: str, stride: int, message: str) -> None:
    x, w = np.ones((1, 8, 8, 3)), np.ones((3, 3, 3, 4))
    with cpu.convolutions(algorithm), pytest.raises(ValueError) as caught:
        cpu.conv2d_forward(x, w, stride=stride)
    assert str(caught.value) == message


@pytest.mark.parametrize("algorithm", ["fft", None, "AUTO"])
def test_an_unknown_algorithm(algorithm: Any) -> None:
    message = "convolutions: expected one of auto, direct, im2col, winograd, got "
    with pytest.raises(ValueError, match=message), cpu.convolutions(algorithm):
        pytest.fail("the block was entered")


def chosen_for(channels: int, filters: int, size: int = 3, stride: int = 1) -> str:
    """Which algorithm computes a convolution where nothing else is asked for."""
    x, w = np.ones((1, 8, 8, channels)), np.ones((size, size, channels, filters))
    called = []
    with pytest.MonkeyPatch.context() as patch:
        for name, module in conv2d.ALGORITHMS.items():
            patch.setattr(module, "convolve", lambda *_, name=name: called.append(name))
        cpu.conv2d_forward(x, w, stride=stride)
    (name,) = called
    return name


def test_the_choice_by_shape_and_by_block() -> None:
    assert chosen_for(1, 16) == "direct"
    assert chosen_for(8, 8) == "winograd"
    assert chosen_for(7, 8) == chosen_for(8, 8, stride=2) == chosen_for(8, 8, size=5) == "im2col"
    with cpu.convolutions("im2col"):
        assert chosen_for(8, 8) == chosen_for(1, 16) == "im2col"
        with cpu.convolutions("auto"):
            assert chosen_for(8, 8) == "winograd"
        assert chosen_for(8, 8) == "im2col"
        with pytest.raises(KeyError), cpu.convolutions("winograd"):
            raise KeyError
        assert chosen_for(8, 8) == "im2col"
    assert chosen_for(8, 8) == "winograd"


def test_a_choice_is_that_of_its_own_thread() -> None:
    with cpu.convolutions("im2col"), ThreadPoolExecutor(1) as pool:
        found = pool.submit(chosen_for, 8, 8).result()
    assert found == "winograd"
