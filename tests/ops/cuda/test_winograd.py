"""Winograd's convolution on the device: at all edges, in slices, beyond 32 bits, and its costs."""

from typing import Any

import numpy as np
import pytest
from convolutions import problem
from huge_arrays import ending_with, last_of
from lean_kernels import assert_lean
from numeric import DTYPES, assert_close, random_like

from minicnn.ops import reference
from minicnn.ops.cuda import winograd, winograd_transforms
from minicnn.ops.cuda.array import asarray
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.gemm_plan import plan
from minicnn.ops.cuda.winograd import FREQUENCIES, Slice, Tiles, tiles_of
from minicnn.ops.window import Window, resolve_window


def run(x: Any, w: Any, b: Any, dy: Any, padding: Any) -> list[np.ndarray]:
    """y, dx and dw."""
    window = resolve_window("test", (3, 3), 1, padding, x.shape[1:3])
    x, w, b, dy = (None if array is None else asarray(array, array.dtype)
                   for array in (x, w, b, dy))
    return list(map(np.asarray, (
        winograd.forward(x, w, b, window),
        winograd.input_gradient(dy, w, window, x.shape),
        winograd.weight_gradient(x, dy, window, w.shape),
    )))


def expected(x: Any, w: Any, b: Any, padding: Any) -> tuple[np.ndarray, list[np.ndarray]]:
    """A random dy of x's dtype, and what the reference gives in float64."""
    wide = [None if array is None else np.asarray(array, np.float64) for array in (x, w, b)]
    y, cache = reference.conv2d_forward(*wide, padding=padding)
    dy = random_like(np.random.default_rng(1), y.astype(x.dtype))
    return dy, [y, *reference.conv2d_backward(dy.astype(np.float64), cache)[:2]]


def assert_convolves(x: Any, w: Any, b: Any, padding: Any, roundings: float = 128) -> None:
    dy, wanted = expected(x, w, b, padding)
    for got, right in zip(run(x, w, b, dy, padding), wanted, strict=True):
        assert_close(got, right.astype(x.dtype), roundings)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("image", "filters", "padding"), [
    ((2, 9, 6, 3), 17, "same"),
    ((1, 4, 4, 8), 64, 1),
    ((3, 7, 10, 64), 12, ((0, 2), (3, 0))),
    ((1, 3, 3, 5), 1, 0),
    ((1, 5, 6, 1), 4, ((5, 0), (0, 6))),
    ((2, 1, 13, 20), 5, "same"),
    ((1, 12, 12, 17), 8, 3),
], ids=str)
def test_against_the_reference(image: Any, filters: int, padding: Any, dtype: type) -> None:
    x, w, b = problem(image, filters, dtype)
    assert_convolves(x, w, b, padding)
    assert_convolves(x, w, None, padding)


def test_an_image_gives_the_same_alone_and_among_others() -> None:
    x, w, b = problem((5, 9, 11, 16), 20, np.float32)
    dy = np.random.default_rng(0).standard_normal((5, 9, 11, 20)).astype(np.float32)
    y, dx, _ = run(x, w, b, dy, 1)
    for image in (0, 4):
        one = slice(image, image + 1)
        alone = run(x[one], w, b, dy[one], 1)
        np.testing.assert_array_equal(y[one], alone[0])
        np.testing.assert_array_equal(dx[one], alone[1])


def test_the_input_gradient_flips_and_transposes_the_filters() -> None:
    x, w, _ = problem((2, 11, 8, 9), 10, np.float64)
    dy = np.random.default_rng(0).standard_normal((2, 11, 8, 10))
    flipped = np.ascontiguousarray(w[::-1, ::-1].swapaxes(2, 3))
    np.testing.assert_array_equal(
        run(x, w, None, dy, 1)[1], run(dy, flipped, None, x, 1)[0]
    )


def test_two_runs_give_the_same_bits() -> None:
    arrays = *problem((2, 17, 14, 12), 8, np.float32), random_like(
        np.random.default_rng(2), np.empty((2, 17, 14, 8), np.float32))
    for once, again in zip(run(*arrays, 1), run(*arrays, 1), strict=True):
        np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_slices_change_nothing(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, b = problem((3, 11, 6, 8), 12, np.float32)  # nine rows of two tiles
    dy, wanted = expected(x, w, b, 1)
    y, dx, _ = run(x, w, b, dy, 1)
    monkeypatch.setattr(winograd, "MOST_ELEMENTS", rows * FREQUENCIES * 2 * 12)
    in_slices = run(x, w, b, dy, 1)
    np.testing.assert_array_equal(in_slices[0], y)
    np.testing.assert_array_equal(in_slices[1], dx)
    assert_close(in_slices[2], wanted[2].astype(np.float32), 128)


def test_images_beyond_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last rows of tiles of 2**32 numbers: nobody wrote the images before, and none is read."""
    count = 2**32 // (32 * 36 * 64) + 2
    x, w, b = problem((1, 32, 36, 64), 64, np.float32)
    dy, (y, dx, dw) = expected(x, w, b, 1)
    monkeypatch.setattr(Tiles, "slices", lambda tiles, channels: [Slice(8 * count - 8, 8)])
    monkeypatch.setattr(device(), "races", False)
    window = Window((3, 3), (1, 1), ((1, 1), (1, 1)))
    many, weights = ending_with(x, count), asarray(w, w.dtype)
    assert many.size > 2**32
    found = winograd.forward(many, weights, asarray(b, b.dtype), window)
    assert_close(last_of(found, y.size), y.astype(np.float32).reshape(-1), 128)
    del found
    gradients = ending_with(dy, count)
    found = winograd.input_gradient(gradients, weights, window, many.shape)
    assert_close(last_of(found, dx.size), dx.astype(np.float32).reshape(-1), 128)
    found = winograd.weight_gradient(many, gradients, window, w.shape)
    assert_close(np.asarray(found), dw.astype(np.float32), 128)


# -- plans ----------------------------------------------------------------------------------------

PAPER = [(48, 64, 64), (24, 64, 128), (24, 128, 128), (12, 128, 256), (12, 256, 256)]
"""Sides, channels and filters of the paper's layers."""


@pytest.mark.parametrize("outputs", [
    (1, 1, 1, 1), (128, 48, 48, 64), (512, 48, 48, 64), (4096, 48, 48, 64), (2**33, 1, 1, 1),
    (1, 2**17, 2**16, 1), (32768, 64, 64, 64), (3, 4 * 10**8, 5, 1), (2, 2**15, 2**15, 4),
], ids=str)
def test_slices_hold_every_row_of_tiles_once(outputs: tuple) -> None:
    tiles = tiles_of(outputs)
    slices = tiles.slices(outputs[3])
    stop = 0
    for part in slices:
        assert part.first_row == stop
        assert 0 < part.rows <= slices[0].rows
        stop += part.rows
        # what kernels count in 32 bits
        assert FREQUENCIES * part.rows * tiles.across * outputs[3] <= 2**30
    assert stop == outputs[0] * -(-outputs[1] // 4)


def test_a_batch_that_fits_is_not_cut() -> None:
    for side, channels, filters in PAPER:
        for images in (1, 128, 512, 3236):
            assert len(tiles_of((images, side, side, 1)).slices(max(channels, filters))) == 1
    assert len(tiles_of((3237, 48, 48, 1)).slices(64)) == 2


def test_a_row_of_tiles_that_is_too_long() -> None:
    with pytest.raises(OverflowError, match="expected rows of at most 1864135 tiles of 64"):
        Tiles(1, 1, 1864136).slices(64)


@pytest.mark.parametrize(("images", "least"), [(128, 0.9), (512, 0.95)])
@pytest.mark.parametrize(("side", "channels", "filters"), PAPER, ids=str)
def test_the_papers_products_fill_the_device(
    side: int, channels: int, filters: int, images: int, least: float
) -> None:
    tiles = images * (side // 4) ** 2
    for sizes, split in (
        ((FREQUENCIES, tiles, filters, channels), False),  # y
        ((FREQUENCIES, tiles, channels, filters), False),  # dx
        ((FREQUENCIES, channels, filters, tiles), True),  # dw
    ):
        how = plan(*sizes, np.dtype(np.float32), 132, split=split)
        assert how.efficiency(*sizes, 132) >= least


# -- what the assembler and the interpreter say ---------------------------------------------------


@pytest.mark.parametrize(("real", "together", "most"), [
    ("f", 4, 232), ("f", 1, 128), ("d", 1, 168),
])
def test_transforms_keep_everything_in_registers(real: str, together: int, most: int) -> None:
    array = f"*{real}"
    for kernel, kinds in (
        (winograd_transforms.transform_input, (array, array, "I", "L", *"I" * 8)),
        (winograd_transforms.transform_output, (array, array, "I", array, "I", "L", *"I" * 6)),
        (winograd_transforms.transform_gradient, (array, array, "I", "L", *"I" * 6)),
    ):
        assert assert_lean(kernel(together), *kinds) <= most
    assert assert_lean(winograd_transforms.transform_filters, array, array, "I", "I") <= most
    assert assert_lean(winograd_transforms.filter_gradient, array, "I", array, "I") <= most


@pytest.mark.parametrize("dtype", DTYPES)
def test_four_launches_a_direction_and_no_sector_too_many(dtype: type) -> None:
    x, w, b = problem((1, 9, 12, 16), 24, dtype)
    interpreter: Any = device()
    with interpreter.recorded() as launches:
        run(x, w, b, random_like(np.random.default_rng(0), np.empty((1, 9, 12, 24), dtype)), 1)
    assert len(launches) == 12
    for launch in launches:
        wasted = [request for request in launch.requests if request.cost > request.least]
        assert not wasted, launch.report()
    # each transform of filters and each first transform of tiles writes 36 numbers for each
    written = [
        sum(request.moved for request in launch.requests if request.write)
        for launch in launches
    ]
    tiles = 3 * 3
    assert written[0] == written[4] == 36 * w.size // 9 * w.itemsize
    assert written[1] == written[8] == 36 * tiles * 16 * x.itemsize
    assert written[5] == written[9] == 36 * tiles * 24 * x.itemsize
    assert written[3] == 9 * 12 * 24 * x.itemsize
