"""im2col's convolution: cols laid out in chunks, gathered again by col2im."""

from typing import Any

import numpy as np
import pytest
from convolutions import assert_convolves, problem, run
from numeric import DTYPES

from minicnn.ops import reference
from minicnn.ops.cpu import conv2d_im2col


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("size", "settings"), [
    ((3, 3), {"padding": "same"}),
    ((2, 5), {"stride": (3, 2), "padding": ((4, 0), (1, 6))}),
    ((1, 1), {"stride": 2}),
    ((7, 9), {}),  # one window
], ids=str)
@pytest.mark.parametrize("chunk_bytes", [1, 4000, 512 << 10])
def test_against_the_reference(
    monkeypatch: pytest.MonkeyPatch, dtype: type, size: Any, settings: dict, chunk_bytes: int
) -> None:
    monkeypatch.setattr(conv2d_im2col, "CHUNK_BYTES", chunk_bytes)
    assert_convolves(
        conv2d_im2col, *problem((3, 7, 9, 5), 35, dtype, size), 128, **settings
    )


def test_chunks_do_not_change_what_one_row_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, b = problem((4, 12, 12, 6), 17, np.float32)
    once = run(conv2d_im2col, x, w, b)
    monkeypatch.setattr(conv2d_im2col, "CHUNK_BYTES", 1)
    again = run(conv2d_im2col, x, w, b)
    np.testing.assert_array_equal(once[0], again[0])
    np.testing.assert_array_equal(once[1], again[1])


def test_windows_in_the_padding_alone() -> None:
    x, w, b = problem((2, 4, 5, 3), 4, np.float64, (2, 2))
    y = run(conv2d_im2col, x, w, b, padding=((6, 0), (0, 6)))[0]
    np.testing.assert_array_equal(y[:, :5], np.broadcast_to(b, y[:, :5].shape))
    np.testing.assert_array_equal(y[:, :, 5:], np.broadcast_to(b, y[:, :, 5:].shape))


def test_no_gradient_of_a_bias_that_is_not_there() -> None:
    x, w, _ = problem((1, 5, 5, 2), 3, np.float32)
    assert run(conv2d_im2col, x, w)[3] is None


def test_the_sizes_have_names() -> None:
    x, w, _ = problem((2, 11, 13, 3), 4, np.float32, (2, 5))
    y, cache = reference.conv2d_forward(x, w, stride=(3, 2), padding=((1, 2), (3, 4)))
    geometry = conv2d_im2col.geometry_of(cache, y)
    assert geometry._asdict() == {
        "kernel_height": 2, "kernel_width": 5, "channels": 3, "output_height": 5,
        "output_width": 8, "down": 3, "across": 2, "top": 1, "left": 3,
    }
