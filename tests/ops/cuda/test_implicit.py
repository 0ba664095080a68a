"""Convolution by a product with cols: all directions, any window, every tile, any slices."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huge_arrays import ending_with, last_block, last_of, run_blocks
from lean_kernels import assert_lean
from main_loops import main_loop
from numeric import assert_close

from minicnn.ops import reference
from minicnn.ops.cuda import implicit, implicit_plan
from minicnn.ops.cuda.array import asarray, empty
from minicnn.ops.cuda.compile import link
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.implicit import _slices
from minicnn.ops.cuda.implicit_kernel import product_kernel
from minicnn.ops.cuda.implicit_plan import STEPS, TILES, TileOnChip, plan
from minicnn.ops.window import Window
from minicnn.ptx.compiler import pointer, scalar, to_ptx

SAME = ((1, 1), (1, 1))

PROBLEMS: dict[str, dict[str, Any]] = {
    "pieces of 16 bytes": {"image": (2, 7, 9, 8), "filters": 16},
    "number by number": {"image": (1, 5, 6, 3), "filters": 5, "size": (3, 2), "stride": (2, 1),
                         "padding": ((1, 0), (0, 2))},
    "strides larger than 1, no bias": {"image": (3, 9, 11, 5), "filters": 17, "size": (4, 3),
                                       "stride": (3, 2), "padding": ((0, 1), (2, 0)),
                                       "bias": False},
    "a window larger than the image": {"image": (1, 3, 2, 4), "filters": 4, "size": (5, 5),
                                       "padding": ((2, 2), (2, 3))},
    "one pixel of each window": {"image": (2, 7, 6, 8), "filters": 4, "size": (1, 1),
                                 "stride": (3, 2), "padding": ((0, 0), (0, 0))},
    "pixels under no window": {"image": (1, 9, 8, 4), "filters": 8, "size": (2, 1),
                               "stride": (4, 3), "padding": ((0, 0), (0, 0))},
    "one channel, one filter, one row": {"image": (1, 1, 10, 1), "filters": 1, "size": (1, 3)},
}


def arrays(
    image: tuple[int, ...], filters: int, dtype: Any, size: tuple[int, int] = (3, 3),
    bias: bool = True,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """x (N, H, W, C), w (KH, KW, C, K) and b (K,) or None."""
    rng = np.random.default_rng([*image, filters])
    w = rng.standard_normal((*size, image[3], filters)) / np.sqrt(size[0] * size[1] * image[3])
    b = rng.standard_normal(filters).astype(dtype) if bias else None
    return rng.standard_normal(image).astype(dtype), w.astype(dtype), b


def assert_agrees(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, window: Window, roundings: float
) -> None:
    """Require y, dx and dw to be the reference's in float64, for a random dy."""
    wide = [None if array is None else array.astype(np.float64) for array in (x, w, b)]
    y, cache = reference.conv2d_forward(*wide, stride=window.stride, padding=window.padding)
    dy = np.random.default_rng(1).standard_normal(y.shape).astype(x.dtype)
    dx, dw, _ = reference.conv2d_backward(dy.astype(np.float64), cache)
    x_there, w_there, dy_there = (asarray(array, x.dtype) for array in (x, w, dy))
    b_there = None if b is None else asarray(b, x.dtype)
    got = (
        implicit.forward(x_there, w_there, b_there, window),
        implicit.input_gradient(dy_there, w_there, window, x.shape),
        implicit.weight_gradient(x_there, dy_there, window, w.shape),
    )
    for found, wanted in zip(got, (y, dx, dw), strict=True):
        assert_close(np.asarray(found), wanted.astype(x.dtype), roundings)


@pytest.mark.parametrize(("name", "dtype"), [
    *((name, np.float32) for name in PROBLEMS),
    ("pieces of 16 bytes", np.float64), ("strides larger than 1, no bias", np.float64),
])
def test_all_directions_agree_with_the_reference(name: str, dtype: type) -> None:
    problem = PROBLEMS[name]
    size = problem.get("size", (3, 3))
    window = Window(size, problem.get("stride", (1, 1)), problem.get("padding", SAME))
    x, w, b = arrays(
        problem["image"], problem["filters"], dtype, size, problem.get("bias", True)
    )
    assert_agrees(x, w, b, window, 16)


@pytest.fixture
def small_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """One multiprocessor, for which few blocks are many waves."""
    monkeypatch.setattr(device(), "multiprocessors", 1)


@pytest.mark.usefixtures("small_device")
def test_full_waves_are_whole_and_the_rest_is_cut() -> None:
    x, w, b = arrays((2, 18, 19, 8), 8, np.float32)
    found = plan(2 * 18 * 19, 8, 72, 4, 1)
    assert found.whole > 0
    assert found.cut > 0
    assert_agrees(x, w, b, Window((3, 3), (1, 1), SAME), 16)


def test_sums_in_pieces_have_the_same_bits_every_time() -> None:
    x, w, _ = arrays((3, 12, 12, 8), 16, np.float32)
    dy = np.random.default_rng(3).standard_normal((3, 12, 12, 16)).astype(np.float32)
    assert plan(72, 16, dy[..., 0].size, 4, device().multiprocessors).pieces > 1
    x_there, dy_there = asarray(x, np.float32), asarray(dy, np.float32)
    first, second = (
        np.asarray(implicit.weight_gradient(x_there, dy_there, Window((3, 3), (1, 1), SAME),
                                            w.shape))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_turning_windows_takes_few_registers() -> None:
    for kind in "fd":
        assert assert_lean(implicit._turn, *[f"*{kind}"] * 2, *["I"] * 9) <= 32


@pytest.mark.usefixtures("small_device")
def test_a_stride_is_never_cut() -> None:
    x, w, b = arrays((1, 24, 36, 8), 16, np.float32)
    assert_agrees(x, w, b, Window((3, 3), (2, 2), SAME), 16)


@pytest.fixture(params=TILES[4], ids=lambda chip: f"{chip.tile.block_rows}×"
                f"{chip.tile.block_columns} by {chip.tile.threads}")
def only_tile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
              ) -> Iterator[TileOnChip]:
    """Every plan takes this tile."""
    chip = request.param
    monkeypatch.setitem(implicit_plan.TILES, 4, (chip,))
    plan.cache_clear()
    yield chip
    plan.cache_clear()


@pytest.mark.slow(seconds=5)
def test_every_tile_agrees_at_its_edges(only_tile: TileOnChip) -> None:
    """A row and a column of blocks more than a full tile, which hold next to nothing."""
    x, w, b = arrays((1, 10, 15, 4), only_tile.tile.block_columns + 4, np.float32, (2, 3))
    assert_agrees(x, w, b, Window((2, 3), (1, 1), ((1, 0), (1, 1))), 16)


KINDS = {kind: (*[f"*{kind}"] * 3, "I", *[f"*{kind}"] * 2, *"I" * 19) for kind in "fd"}
"""Of the kernel's arguments."""

BOUNDS = {16: 255, 8: 170}
"""Registers of a thread, by its columns."""


@pytest.mark.parametrize("source", ["cols", "colsᵀ"])
def test_every_tile_stays_in_registers(only_tile: TileOnChip, source: str) -> None:
    tile = only_tile.tile
    product = product_kernel(source, only_tile, 4, 4)
    registers = assert_lean(product, *KINDS["f"])
    assert registers <= BOUNDS[tile.columns]
    assert registers * tile.threads * only_tile.resident <= 65536
    if tile.threads == 256 and tile.columns == 8:
        assert registers <= 128


LEAST_SHARE = {(256, 16): 0.9, (128, 16): 0.87, (64, 16): 0.83, (256, 8): 0.83, (128, 8): 0.81,
               (64, 8): 0.74}
"""Of multiply-adds in the main loop, by a tile's threads and a thread's columns."""


@pytest.mark.parametrize("source", ["cols", "colsᵀ"])
def test_the_main_loop_is_multiply_adds(
    only_tile: TileOnChip, source: str, tmp_path: Path
) -> None:
    product = product_kernel(source, only_tile, 4, 4)
    loop = main_loop(product.program(*KINDS["f"]).text, (9, 0), tmp_path)
    tile = only_tile.tile
    assert loop["FFMA"] == STEPS * tile.results
    assert loop["LDS"] == STEPS * (tile.rows + tile.columns) // 4
    assert loop["FFMA"] / loop.total() >= LEAST_SHARE[tile.threads, tile.columns]


@pytest.mark.parametrize(("source", "capability"), [("cols", (10, 0)), ("colsᵀ", (8, 0))], ids=str)
def test_other_chips_keep_the_sums_in_registers(source: str, capability: tuple[int, int]) -> None:
    """Another compiler stands behind 10.0; it does not make straight code of the same loops."""
    chip = TILES[4][3]  # of the fewest registers
    product = product_kernel(source, chip, 4, 4)
    kinds = [pointer("f") if kind == "*f" else scalar(kind) for kind in KINDS["f"]]
    text = to_ptx(product.function, kinds, capability=capability,
                  launch_bounds=(product.threads, product.blocks))
    _, report = link(text, capability)
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in report


@pytest.mark.parametrize("source", ["cols", "colsᵀ"])
@pytest.mark.parametrize("kind", ["f", "d"])
def test_numbers_that_are_fetched_one_by_one_stay_in_registers(source: str, kind: str) -> None:
    chips = [chip for chip in TILES[{"f": 4, "d": 8}[kind]] if chip.scattered]
    for chip in chips[-2:]:
        product = product_kernel(source, chip, 1, 1)
        assert_lean(product, *KINDS[kind])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_bank_conflicts_and_no_sector_too_many(dtype: type) -> None:
    x, w, b = arrays((1, 9, 16, 8), 64, dtype)
    dy = np.random.default_rng(2).standard_normal((1, 9, 16, 64)).astype(dtype)
    x_there, w_there, b_there, dy_there = (asarray(array, dtype) for array in (x, w, b, dy))
    window = Window((3, 3), (1, 1), SAME)
    with device().recorded() as launches:  # type: ignore[attr-defined]
        implicit.forward(x_there, w_there, b_there, window)
        implicit.input_gradient(dy_there, w_there, window, x.shape)
        implicit.weight_gradient(x_there, dy_there, window, w.shape)
    assert len(launches) >= 4
    for launch in launches:
        for request in launch.requests:
            assert request.cost == request.least, launch.report()


def test_slices_of_the_batch_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, b = arrays((5, 10, 12, 8), 16, np.float32)
    monkeypatch.setattr(implicit, "MOST_NUMBERS", 2 * 10 * 12 * 16 + 1)
    assert_agrees(x, w, b, Window((3, 3), (1, 1), SAME), 16)


def test_images_beyond_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last block of the last slice of 2**33 numbers; only the last images were written."""
    x, w, b = arrays((1, 64, 64, 8), 4, np.float32, (1, 1))
    window, count = Window((1, 1), (1, 1), ((0, 0), (0, 0))), 2**18
    assert count * x.size == 2**33
    x_there = ending_with(np.concatenate([x] * 2), count)
    w_there, b_there = asarray(w, np.float32), asarray(b, np.float32)
    monkeypatch.setattr(implicit, "_slices", lambda *both: [list(_slices(*both))[-1]])
    run_blocks(monkeypatch, last_block)
    y = implicit.forward(x_there, w_there, b_there, window)
    expected, _ = reference.conv2d_forward(x, w, b)
    assert_close(last_of(y, 4 * 64), expected.reshape(-1)[-4 * 64:], 16)


@pytest.mark.parametrize(("problem", "message"), [
    ({"w_shape": (2**12, 2**12, 2**7, 1), "x_shape": (1, 1, 1, 2**7), "padding": 2**12},
     "expected filters of less than 2,147,483,648 numbers"),
    ({"w_shape": (1, 1, 1, 1), "x_shape": (1, 1, 1, 1), "padding": 2**30},
     "expected less than 2,147,483,648 pixels along a padded image's side"),
])
def test_what_32_bits_do_not_count_is_refused(problem: dict[str, Any], message: str) -> None:
    x, w = empty(problem["x_shape"], np.float32), empty(problem["w_shape"], np.float32)
    sides = ((problem["padding"],) * 2,) * 2
    with pytest.raises(ValueError, match=message):
        implicit.forward(x, w, None, Window(w.shape[:2], (2**13, 2**29), sides))


def test_an_image_that_32_bits_do_not_count_is_refused() -> None:
    x = empty((1, 2**16, 2**15, 1), np.float32)
    w = empty((1, 1, 1, 1), np.float32)
    with pytest.raises(ValueError, match="expected images of less than 2,147,483,648 numbers"):
        implicit.forward(x, w, None, Window((1, 1), (1, 1), ((0, 0), (0, 0))))


def test_no_images_give_nothing_and_a_gradient_of_zero() -> None:
    x, dy = empty((0, 5, 6, 8), np.float32), empty((0, 5, 6, 4), np.float32)
    w = asarray(np.ones((3, 3, 8, 4)), np.float32)
    window = Window((3, 3), (1, 1), SAME)
    assert implicit.forward(x, w, None, window).shape == (0, 5, 6, 4)
    assert implicit.input_gradient(dy, w, window, x.shape).shape == x.shape
    assert not np.asarray(implicit.weight_gradient(x, dy, window, (3, 3, 8, 4))).any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_reaches_the_windows_over_it_alone(value: float) -> None:
    x, w, b = arrays((2, 7, 9, 8), 16, np.float32)
    x[1, 3, 4, 5] = value
    x_there, w_there, b_there = (asarray(array, np.float32) for array in (x, w, b))
    y = np.asarray(implicit.forward(x_there, w_there, b_there, Window((3, 3), (1, 1), SAME)))
    expected, _ = reference.conv2d_forward(x, w, b, padding=1)
    np.testing.assert_array_equal(np.isfinite(y), np.isfinite(expected))
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))


@pytest.mark.parametrize("length", [1, 2, 5, 8])
@pytest.mark.parametrize(("size", "stride", "padding"), [
    (3, 1, 1), (3, 2, 1), (2, 3, 0), (5, 2, 4), (1, 4, 0), (4, 3, 2), (3, 5, 2),
])
def test_phases_are_what_the_windows_say(
    length: int, size: int, stride: int, padding: int
) -> None:
    """Pixel u lies under number i of window p, for every p and i, where p·s + i = u + padding."""
    window = Window((size, size), (stride, stride), ((padding, 0), (padding, 0)))
    under = set()
    pixels = []
    for phase in implicit._phases(0, window, length):
        for place in range(phase.count):
            u = phase.first + place * stride
            pixels.append(u)
            for turned in range(phase.size):
                p = place + turned - phase.before
                under.add((u, p, phase.start + stride * (phase.size - 1 - turned)))
    assert sorted(pixels) == list(range(length))
    assert under == {
        (u, (u + padding - i) // stride, i)
        for u in range(length) for i in range(size) if (u + padding - i) % stride == 0
    }
