"""Who computes what: every number of C once, waves that are full, numbers that fit into 32 bits."""

import pytest

from minicnn.ops.cuda.implicit_plan import STEPS, TILES, Plan, plan
from minicnn.ops.cuda.register_tile import Tile

MULTIPROCESSORS = 132

LAYERS = {"c2": (48, 64, 64), "c3": (24, 64, 128), "c4": (24, 128, 128), "c5": (12, 128, 256),
          "c6": (12, 256, 256)}
"""Of the paper's network: pixels along an image's side, channels, filters; windows are 3×3."""


def products(layer: str, batch: int) -> dict[str, tuple[int, int, int]]:
    """Rows, columns and depth of a layer's three products."""
    side, channels, filters = LAYERS[layer]
    pixels = batch * side**2
    return {
        "y": (pixels, filters, 9 * channels), "dx": (pixels, channels, 9 * filters),
        "dw": (9 * channels, filters, pixels),
    }


def full_waves(found: Plan) -> float:
    """Which part of the places of all waves has work: the pieces' last chunks, idle places."""
    places = found.chip.resident * MULTIPROCESSORS
    blocks = found.across * (found.whole + found.cut)
    return blocks * found.chunks / (places * found.wave_chunks(MULTIPROCESSORS))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("batch", "waves", "all_in_all"), [(128, 0.93, 0.88), (512, 0.96, 0.89)])
def test_the_papers_layers_keep_132_multiprocessors_busy(
    layer: str, batch: int, waves: float, all_in_all: float
) -> None:
    for rows, columns, depth in products(layer, batch).values():
        found = plan(rows, columns, depth, 4, MULTIPROCESSORS)
        assert full_waves(found) >= waves
        assert found.efficiency(rows, columns, MULTIPROCESSORS) >= all_in_all


@pytest.mark.parametrize("layer", LAYERS)
def test_pieces_cost_less_than_the_wave_that_they_save(layer: str) -> None:
    for rows, columns, depth in products(layer, 128).values():
        found = plan(rows, columns, depth, 4, MULTIPROCESSORS)
        whole = plan(rows, columns, depth, 4, MULTIPROCESSORS, cuttable=False)
        assert whole.pieces == 1
        costs = [one.cycles(rows, columns, 4, MULTIPROCESSORS) for one in (found, whole)]
        assert costs[0] <= costs[1]


def test_from_256_filters_on_a_thread_has_16_columns() -> None:
    for columns in (256, 512, 1000):
        tile = plan(18432, columns, 2304, 4, MULTIPROCESSORS).chip.tile
        assert (tile.rows, tile.columns) == (8, 16)


SHAPES = [
    (1, 1, 1), (1, 1, 0), (129, 5, 9), (18432, 256, 2304), (576, 64, 10**6), (27, 17, 3),
    (2**31 - 1, 1, 9), (2**20, 2**11 - 1, 25), (1024, 128, 64), (7, 2**20, 49),
    (5 * 10**6, 64, 2**24),
]
"""Rows, columns, depth; C has less than 2**31 numbers, as slices of the batch make sure."""


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("itemsize", [4, 8])
@pytest.mark.parametrize("cuttable", [True, False])
@pytest.mark.parametrize("scattered", [True, False])
def test_every_step_of_every_sum_is_done_once(
    shape: tuple[int, int, int], itemsize: int, cuttable: bool, scattered: bool
) -> None:
    rows, columns, depth = shape
    found = plan(rows, columns, depth, itemsize, 8, cuttable=cuttable, scattered=scattered)
    tile = found.chip.tile
    assert tile.piece * itemsize == 16
    down = found.whole + found.cut
    assert (down - 1) * tile.block_rows < rows <= down * tile.block_rows
    assert (found.across - 1) * tile.block_columns < columns <= found.across * tile.block_columns
    assert found.chunks == -(-depth // STEPS)
    assert (found.cut > 0) == (found.pieces > 1) <= cuttable
    if found.pieces > 1:
        assert (found.pieces - 1) * found.piece < found.chunks <= found.pieces * found.piece


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("itemsize", [4, 8])
def test_whatever_the_kernel_computes_in_32_bits_fits(
    shape: tuple[int, int, int], itemsize: int
) -> None:
    rows, columns, depth = shape
    found = plan(rows, columns, depth, itemsize, MULTIPROCESSORS)
    tile = found.chip.tile
    down = found.whole + found.cut
    assert found.blocks < 2**31  # the grid
    assert found.across <= 65535
    assert down * tile.block_rows < 2**32  # rows of C, beyond the last too
    assert found.across * tile.block_columns < 2**32
    assert (found.pieces + 1) * found.piece * STEPS < 2**32  # steps of the sum
    assert rows * columns < 2**32  # places of C, and of a piece's part


def test_more_filters_than_a_grid_has_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at most 2,097,120 channels and filters"):
        plan(1, 2**21, 9, 4, MULTIPROCESSORS)
    assert plan(1, 65535 * 32, 9, 4, MULTIPROCESSORS).across <= 65535


@pytest.mark.parametrize("chip", [chip for chips in TILES.values() for chip in chips])
def test_a_tile_fits_its_multiprocessor(chip: object) -> None:
    tile: Tile = chip.tile  # type: ignore[attr-defined]
    assert tile.threads % 32 == 0
    assert tile.threads * chip.resident <= 2048  # type: ignore[attr-defined]
    half = STEPS * (tile.block_rows + tile.piece + tile.block_columns)
    shared = ((1 << (half - 1).bit_length()) + half) * 16 // tile.piece
    assert shared <= 48 * 1024
    assert shared * chip.resident <= 96 * 1024  # type: ignore[attr-defined]
