"""The convolution of images with few channels: strips of outputs, four filters a thread."""

import re
from typing import Any

import numpy as np
import pytest
from convolutions import problem
from gpu_convolutions import assert_agrees
from huge_arrays import ending_with, last_block, last_of, run_blocks
from numeric import DTYPES, assert_close, assert_gradient, random_like

from minicnn.ops import cuda, reference
from minicnn.ops.window import Window


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("image", "filters", "size", "settings"), [
    ((2, 9, 8, 1), 64, (3, 3), {"padding": "same"}),
    ((1, 7, 5, 3), 20, (2, 4), {"stride": (1, 2), "padding": ((4, 0), (1, 6))}),
    ((3, 6, 13, 3), 4, (1, 4), {"stride": (3, 2), "padding": ((0, 5), (2, 0))}),
    ((1, 2, 1, 1), 8, (3, 3), {"padding": ((3, 1), (0, 4))}),  # larger than the image
    ((1, 1, 1, 1), 4, (3, 3), {"padding": 1}),
    ((1, 4, 21, 1), 8, (3, 3), {"padding": (0, 1)}),
], ids=str)
def test_against_the_reference(
    image: Any, filters: int, size: Any, settings: dict, dtype: type
) -> None:
    x, w, b = problem(image, filters, dtype, size)
    assert_agrees("direct", x, w, b, 64, **settings)
    assert_agrees("direct", x, w, None, 64, **settings)


@pytest.mark.parametrize("columns", [1, 3, 4, 5, 7, 8, 9])
def test_rows_that_no_strip_fills(columns: int) -> None:
    x, w, b = problem((2, 4, columns + 2, 1), 8, np.float64)
    assert_agrees("direct", x, w, b, 64)


def test_gradients_by_central_differences() -> None:
    x, w, b = problem((2, 3, 5, 1), 4, np.float64)
    window = {"padding": ((1, 0), (0, 2))}

    def forward(x: Any, w: Any) -> np.ndarray:
        return np.asarray(cuda.conv2d_forward(x, w, b, **window)[0])

    with cuda.convolutions("direct"):
        y, cache = cuda.conv2d_forward(x, w, b, **window)
        dy = random_like(np.random.default_rng(1), y)
        dx, dw, _ = map(np.asarray, cuda.conv2d_backward(dy, cache))
        assert_gradient(dx, lambda x: forward(x, w), x, dy)
        assert_gradient(dw, lambda w: forward(x, w), w, dy)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_pixel_that_no_window_sees_leaves_no_trace(value: float) -> None:
    x, w, b = problem((1, 6, 8, 1), 4, np.float32)
    x[:, :, 7] = x[:, 5] = value  # at stride 2 the windows end before them
    with cuda.convolutions("direct"):
        y, cache = cuda.conv2d_forward(x, w, b, stride=2)
        gradients = cuda.conv2d_backward(np.ones(y.shape, np.float32), cache)
    for result in (y, *gradients[:2]):
        assert np.isfinite(np.asarray(result)).all()


@pytest.mark.parametrize(("w_shape", "stride", "suits"), [
    ((3, 3, 1, 64), (1, 1), True),
    ((3, 3, 3, 64), (7, 2), True),
    ((3, 3, 1, 62), (1, 1), False),  # filters not divisible by 4
    ((1, 1, 5, 64), (1, 1), False),  # too many channels
    ((4, 7, 1, 64), (1, 1), False),  # 28 products
    ((1, 13, 1, 64), (1, 1), False),  # a row of the window is too long
    ((3, 3, 3, 64), (1, 3), False),  # the strip is too long
])
def test_what_it_is_for(w_shape: tuple, stride: tuple, suits: bool) -> None:
    from minicnn.ops.cuda.direct import fits

    assert fits(w_shape, Window(w_shape[:2], stride, ((0, 0), (0, 0)))) == suits


@pytest.mark.parametrize("images", [128, 512])
def test_the_first_layer_of_the_paper_fills_the_device(images: int) -> None:
    from minicnn.ops.cuda.direct import SUMMING_THREADS, rows_each

    rows, groups = images * 48, 16
    each = rows_each(rows, 48, groups, 132)
    blocks = -(-rows // each) * groups / SUMMING_THREADS
    waves = blocks / 132
    assert waves / np.ceil(waves) >= 0.9


@pytest.mark.parametrize(("rows", "columns", "threads", "each"), [
    (6144, 48, 16, 2), (1, 48, 16, 1), (48, 48, 16, 1), (10**6, 32, 1, 15), (100, 5, 10**6, 100),
    (10**6, 100, 16, 10),  # 1000 pixels: a longer sum would lose digits
    (10**6, 2000, 16, 1),
])
def test_rows_of_a_thread(rows: int, columns: int, threads: int, each: int) -> None:
    from minicnn.ops.cuda.direct import rows_each

    assert rows_each(rows, columns, threads, 132) == each


def test_kernels_take_registers_alone() -> None:
    """No stack and no spills, at the ends of what is taken."""
    from minicnn.ops.cuda import direct
    from minicnn.ops.cuda.compile import link

    kernels = [
        direct.forward_kernel(direct.MOST_TAPS, direct.MOST_STEP, direct.STRIP),
        direct.forward_kernel(3, 1, 2 * direct.STRIP),
        direct.input_gradient_kernel(3),
        direct.weight_gradient_kernel(direct.MOST_TAPS, direct.MOST_STEP, 1),
        direct.weight_gradient_kernel(3, 1, 3),
    ]
    for kernel in kernels:
        for real in "fd":
            numbers = kernel.function.__code__.co_argcount
            arrays = 4 if "b" in kernel.function.__code__.co_varnames[:numbers] else 3
            text = kernel.program(*[f"*{real}"] * arrays, *["I"] * (numbers - arrays)).text
            assert "0 bytes stack frame, 0 bytes spill" in link(text, (9, 0))[1], kernel.name
            assert ".local" not in text
            assert not re.search(r"(div|rem)\.[us]64|mul\.hi\.u64", text)


def test_beyond_2_33_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    from minicnn.ops.cuda import direct
    from minicnn.ops.cuda.array import asarray
    from minicnn.ops.cuda.device import device

    count = 2**17  # images of 2¹⁶ outputs
    x, w, _ = problem((1, 32, 32, 1), 64, np.float32)
    y, cache = reference.conv2d_forward(x, w, padding=1)
    filters, window = asarray(w, w.dtype), cache.window
    run_blocks(monkeypatch, last_block)
    got = direct.forward(ending_with(x, count), filters, None, window)
    assert_close(last_of(got, 8 * 64), y[0, 31, 24:].ravel())

    dy = random_like(np.random.default_rng(0), y)
    gradients = ending_with(dy, count)
    dx = direct.input_gradient(gradients, filters, window, (count, 32, 32, 1))
    assert_close(last_of(dx, 16), reference.conv2d_input_gradient(dy, cache)[0, 31, 16:, 0])

    parts = []

    def kept(rows: Any) -> Any:
        parts.append(rows)
        return filters  # of the right shape: nobody reads it

    monkeypatch.setattr(direct, "column_sums", kept)
    monkeypatch.setattr(device(), "multiprocessors", 2**20)  # a row of dy for each part
    direct.weight_gradient(ending_with(x, count), gradients, window, w.shape)
    dy[:, :31] = 0  # the last part is the last row's
    expected, _ = reference.conv2d_weight_gradients(dy, cache)
    assert_close(last_of(parts[0], w.size), expected.ravel())
