"""The matrix product: every layout, tile and tail, sums in parts, and what a plan promises."""

import itertools
from typing import Any

import numpy as np
import pytest
from huge_arrays import ending_with, last_of, run_blocks
from lean_kernels import assert_lean
from numeric import DTYPES, assert_close

from minicnn.ops.cuda.array import DeviceArray, asarray, empty
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.gemm import MOST, multiply, multiply_into
from minicnn.ops.cuda.gemm_kernel import product_kernel
from minicnn.ops.cuda.gemm_plan import OBLONG, RATES, SQUARE, STEPS, TILES, Plan, plan
from minicnn.ops.cuda.register_tile import Tile

LAYOUTS = ("NN", "TN", "NT")
SMALL = {np.float32: TILES[4][-1], np.float64: TILES[8][0]}
"""The smallest tile of each dtype."""


def matrices(
    shape: tuple[int, int, int, int], layout: str, dtype: type
) -> tuple[DeviceArray, DeviceArray, np.ndarray]:
    """A and B of so many products, rows, columns and steps, as they lie in memory; and C."""
    batch, rows, columns, depth = shape
    rng = np.random.default_rng([*shape, len(layout)])
    a = rng.standard_normal((batch, rows, depth)).astype(dtype)
    b = rng.standard_normal((batch, depth, columns)).astype(dtype)
    stored = [
        asarray(np.ascontiguousarray(x.swapaxes(1, 2) if letter == "T" else x), x.dtype)
        for x, letter in zip((a, b), layout, strict=True)
    ]
    return stored[0], stored[1], a.astype(np.float64) @ b


def planned(tile: Tile, rows: int, columns: int, splits: int = 1) -> Plan:
    """So many blocks as it takes, of this tile."""
    return Plan(tile, -(-rows // tile.block_rows), -(-columns // tile.block_columns), splits, 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [
    (1, 1, 1, 1), (2, 5, 67, 13), (1, 129, 3, 17), (2, 68, 72, 20), (3, 4, 132, 8), (1, 64, 64, 4),
], ids=str)
def test_any_shape_in_any_layout(shape: tuple, layout: str, dtype: type) -> None:
    a, b, c = matrices(shape, layout, dtype)
    assert_close(np.asarray(multiply(a, b, layout)), c.astype(dtype), 16)


@pytest.mark.parametrize("tile", TILES[4], ids=str)
def test_every_tile(tile: Tile) -> None:
    a, b, c = matrices((2, 132, 136, 20), "NN", np.float32)
    found = empty((1, *c.shape), a.dtype)
    multiply_into(found, 0, planned(tile, 132, 136), a, b, "NN")
    assert_close(np.asarray(found)[0], c.astype(np.float32), 16)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("splits", [2, 3, 7])
def test_parts_of_a_sum(splits: int, layout: str) -> None:
    shape = (2, 5, 12, 37)  # five chunks: of seven parts, two are empty
    a, b, c = matrices(shape, layout, np.float64)
    bias = np.random.default_rng(0).standard_normal(12)
    parts = empty((splits + 2, 2, 5, 12), a.dtype)
    parts[...] = 7.0
    how = planned(SMALL[np.float64], 5, 12, splits)
    multiply_into(parts, 1, how, a, b, layout, asarray(bias, bias.dtype))
    found = np.asarray(parts)
    assert_close(found[1:-1].sum(0), c + bias, 16)
    assert (found[[0, -1]] == 7).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_bias_is_added_once(dtype: type) -> None:
    for split, depth in itertools.product((False, True), (8, 200)):
        a, b, c = matrices((1, 3, 70, depth), "NN", dtype)
        bias = np.random.default_rng(1).standard_normal(70).astype(dtype)
        found = multiply(a, b, "NN", asarray(bias, bias.dtype), split=split)
        assert_close(np.asarray(found), (c + bias).astype(dtype), 16)


def test_two_matrices_without_a_third_axis() -> None:
    a, b, c = matrices((1, 6, 9, 100), "TN", np.float64)
    for split in (False, True):
        found = multiply(a.reshape(a.shape[1:]), b.reshape(b.shape[1:]), "TN", split=split)
        assert_close(np.asarray(found), c[0], 16)


def test_two_runs_give_the_same_bits() -> None:
    a, b, _ = matrices((1, 7, 10, 1000), "NN", np.float32)
    once, again = (np.asarray(multiply(a, b, split=True)) for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_a_row_is_the_same_alone_and_among_others() -> None:
    a, b, _ = matrices((1, 150, 12, 44), "NN", np.float32)
    together = np.asarray(multiply(a, b))
    alone = asarray(np.asarray(a)[:, 149:].copy(), a.dtype)
    np.testing.assert_array_equal(np.asarray(multiply(alone, b)), together[:, 149:])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_is_not_finite_stays_in_its_row(value: float) -> None:
    a, b, _ = matrices((1, 6, 8, 12), "NN", np.float32)
    broken = np.asarray(a)
    broken[0, 4, 11] = value
    zeros = np.asarray(b)
    zeros[0, 11, 3] = 0
    found = np.asarray(multiply(asarray(broken, broken.dtype), asarray(zeros, zeros.dtype)))
    expected = broken @ zeros
    assert not np.isfinite(expected[0, 4]).any()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_matrices_and_parts_beyond_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first block computes the last rows of the last matrix: the newest numbers of A."""
    a, b, c = matrices((1, 132, 64, 64), "NN", np.float32)
    run_blocks(monkeypatch, lambda count: [0])
    monkeypatch.setattr(device(), "races", False)
    count = 2**32 // (132 * 64) + 1
    many = [ending_with(np.asarray(x), count) for x in (a, b)]
    assert many[0].size > 2**32
    parts = empty((4, count, 132, 64), a.dtype)
    multiply_into(parts, 3, planned(SMALL[np.float32], 132, 64), *many, "NN")
    last_rows = c[0, 128:].astype(np.float32)
    assert_close(last_of(parts, last_rows.size).reshape(last_rows.shape), last_rows, 16)


def test_more_rows_than_32_bits_count() -> None:
    a, b = empty((MOST + 1, 1), np.float32), empty((1, 1), np.float32)
    with pytest.raises(OverflowError, match=r"expected matrices of at most 2,147,483,648 rows"):
        multiply(a, b)


# -- plans ----------------------------------------------------------------------------------------

F4 = np.dtype(np.float32)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("shape", [
    (1, 1, 1, 1), (36, 9, 1, 1), (1, 64, 256, 9216), (36, 64, 64, 18432), (36, 2**23, 10, 3),
    (1, 2**31, 4, 1), (1, 4, 1, 2**31), (1, 1, 2**31, 4), (1, 92681, 92681, 92681),
], ids=str)
def test_a_plan_covers_every_number_once(shape: tuple, split: bool, dtype: type) -> None:
    batch, rows, columns, depth = shape
    found = plan(*shape, np.dtype(dtype), 132, split=split)
    assert (found.down - 1) * found.tile.block_rows < rows <= found.down * found.tile.block_rows
    assert found.across == -(-columns // found.tile.block_columns)
    assert found.steps % STEPS == 0
    assert found.splits * found.steps >= depth
    assert split or found.splits == 1
    assert found.blocks(batch) < 2**31  # of a grid
    assert found.splits * found.steps + STEPS < 2**32  # what a block counts in 32 bits


@pytest.mark.parametrize(("images", "least"), [(128, 0.8), (512, 0.9)])
def test_a_dense_layer_is_as_fast_as_square_tiles_that_fill_the_device(
    images: int, least: float
) -> None:
    for rows, columns, depth in itertools.permutations((images, 256, 9216)):
        sizes = 1, rows, columns, depth
        how = plan(*sizes, F4, 132)
        rate = how.efficiency(*sizes, 132) * RATES[how.tile.results]
        assert rate >= least * RATES[SQUARE[0].results]


def test_without_splits_a_deep_sum_leaves_the_device_idle() -> None:
    sizes = 1, 64, 256, 9216
    alone, shared = plan(*sizes, F4, 132, split=False), plan(*sizes, F4, 132)
    assert alone.efficiency(*sizes, 132) < 0.05
    assert shared.efficiency(*sizes, 132) > 0.9
    assert shared.blocks(1) >= 132


# -- what the assembler and the interpreter say ---------------------------------------------------

KINDS = ("*{0}", "*{0}", "*{0}", "I", "*{0}", *"I" * 8)


def kernel_registers(tile: Tile, layout: str, moved: int) -> int:
    kind = "f" if tile.piece == 4 else "d"
    kinds = [text.format(kind) for text in KINDS]
    return assert_lean(product_kernel(tile, layout, moved), *kinds)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_registers(layout: str) -> None:
    square, small, double = SQUARE[0], SQUARE[-1], TILES[8][0]
    assert square.threads == double.threads == 256  # twice on a multiprocessor
    assert kernel_registers(square, layout, 4) <= 128
    assert kernel_registers(double, layout, 2) <= 128
    assert kernel_registers(double, layout, 1) <= 128
    assert kernel_registers(small, layout, 4) <= 168
    assert kernel_registers(small, layout, 1) <= 168
    if layout == "NN":
        assert kernel_registers(OBLONG[0], layout, 4) <= 255


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_sector_and_no_pass_too_many(layout: str, dtype: type) -> None:
    a, b, _ = matrices((2, 72, 80, 24), layout, dtype)
    interpreter: Any = device()
    with interpreter.recorded() as launches:
        multiply(a, b, layout)
    (launch,) = launches
    assert {request.space for request in launch.requests} == {"global", "shared"}
    assert all(request.cost == request.least for request in launch.requests), launch.report()
    # each number of A and B is fetched once for each block that needs it
    tile = SMALL[dtype]
    fetched = sum(
        request.moved for request in launch.requests
        if request.space == "global" and not request.write
    )
    blocks_down, blocks_across = -(-72 // tile.block_rows), -(-80 // tile.block_columns)
    assert fetched == a.nbytes * blocks_across + b.nbytes * blocks_down
