"""Who computes what of a product C = A B: the tile, the blocks, and sums that are cut into pieces.

Blocks of equal work finish together, in *waves* of as many as the device holds at once. A last wave
that is nearly empty takes as long as a full one: 288 blocks on 264 places take two waves, the
second for 24. So only full waves are computed whole. The rows of blocks below them are cut along
the sum into pieces that fill the device again, and a second kernel adds the pieces. A product with
few blocks and long sums, as the gradient of weights is, consists of such rows only.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from minicnn.ops.cuda.register_tile import Tile

STEPS = 8
"""Steps of the sum that lie in shared memory at a time: a *chunk*."""


@dataclass(frozen=True)
class TileOnChip:
    """A tile, and what decides between tiles.

    Attributes
    ----------
    tile : Tile
    resident : int
        Blocks that a multiprocessor holds.
    rate : int
        Multiply-adds that a multiprocessor is expected to make in a cycle. It can make 128 in
        float32; a tile of 8×8 asks as many cycles of shared memory as of arithmetic, a tile of
        8×16 three quarters.
    scattered : bool
        Whether it has threads enough to fetch x number by number.
    """

    tile: Tile
    resident: int
    rate: int
    scattered: bool = True


TILES = {
    4: (
        TileOnChip(Tile(8, 16, 16, 16, 4), 1, 96),
        TileOnChip(Tile(8, 16, 16, 8, 4), 2, 96),
        TileOnChip(Tile(8, 16, 16, 4, 4), 4, 96, scattered=False),
        TileOnChip(Tile(8, 8, 16, 16, 4), 2, 80),
        TileOnChip(Tile(8, 8, 16, 8, 4), 3, 76),
        TileOnChip(Tile(8, 8, 16, 4, 4), 5, 72, scattered=False),
    ),
    8: (TileOnChip(Tile(4, 4, 16, 16, 2), 2, 40),),
}
"""By the bytes of a number: 128 rows of C by 256, 128, 64 or 32 columns, in float64 64 by 64."""

BYTES_A_CYCLE = 19
"""What the memory gives to one multiprocessor; decides how much a piece may cost."""
LAUNCH_CYCLES = 5000
MOST_ACROSS = 65535
"""Blocks that a grid may have along its second axis."""
WAVE_CHUNKS = 4
"""What the begin and end of a block take, in chunks."""


@dataclass(frozen=True)
class Plan:
    """Rows of blocks from the first to `whole` sum to the end; those below in pieces.

    Attributes
    ----------
    chip : TileOnChip
    across : int
        Blocks side by side.
    whole, cut : int
        Rows of blocks that are computed whole, and that are cut.
    chunks : int
        Of the whole sum.
    pieces : int
        Of each cut sum.
    piece : int
        Chunks of a piece; the last may have fewer.
    """

    chip: TileOnChip
    across: int
    whole: int
    cut: int
    chunks: int
    pieces: int
    piece: int

    @property
    def blocks(self) -> int:
        """One below the other in the launch; `across` are side by side."""
        return self.whole + self.cut * self.pieces

    def wave_chunks(self, multiprocessors: int) -> int:
        """How long the launch takes, in chunks of a wave."""
        places = self.chip.resident * multiprocessors
        whole = -(-self.across * self.whole // places) * self.chunks
        return whole + -(-self.across * self.cut * self.pieces // places) * self.piece

    def cycles(self, rows: int, columns: int, itemsize: int, multiprocessors: int) -> float:
        """The expected time of both kernels; only to be compared with that of other plans."""
        tile = self.chip.tile
        chunk = self.chip.resident * tile.block_rows * tile.block_columns * STEPS / self.chip.rate
        waves = (self.whole > 0) + (self.cut > 0)
        time = (self.wave_chunks(multiprocessors) + waves * WAVE_CHUNKS) * chunk
        if self.pieces == 1:
            return time
        cut_rows = rows - self.whole * tile.block_rows
        moved = 2 * self.pieces * cut_rows * columns * itemsize  # written, and read by the sum
        return time + moved / (BYTES_A_CYCLE * multiprocessors) + LAUNCH_CYCLES

    def efficiency(self, rows: int, columns: int, multiprocessors: int) -> float:
        """Which part of the device's multiply-adds the result needs: neither waits nor padding."""
        tile = self.chip.tile
        needed = rows * columns * self.chunks
        made = tile.block_rows * tile.block_columns * self.chip.resident * multiprocessors
        return needed / (made * self.wave_chunks(multiprocessors))


@functools.lru_cache(maxsize=4096)
def plan(
    rows: int, columns: int, depth: int, itemsize: int, multiprocessors: int,
    *, scattered: bool = False, cuttable: bool = True, tiles: tuple[TileOnChip, ...] | None = None,
) -> Plan:
    """The plan that should be fastest.

    Parameters
    ----------
    rows, columns, depth : int
        C (rows, columns) is the sum of so many products.
    itemsize : int
        Bytes of a number.
    multiprocessors : int
        Of the device.
    scattered : bool, default False
        Whether x is fetched number by number.
    cuttable : bool, default True
        Whether sums may be cut.
    tiles : tuple of TileOnChip, optional
        Which to choose from: by default those of `TILES`.

    Raises
    ------
    ValueError
        For more columns than a grid has blocks for.
    """
    tiles = tiles or TILES[itemsize]
    narrowest = min(chip.tile.block_columns for chip in tiles)
    if columns > MOST_ACROSS * narrowest:
        raise ValueError(
            f"conv2d: expected at most {MOST_ACROSS * narrowest:,} channels and filters, got "
            f"{columns:,}; compute them in parts"
        )
    plans = [
        plan
        for chip in tiles if chip.scattered or not scattered
        for plan in _plans(chip, rows, columns, depth, multiprocessors)
        if (cuttable or plan.pieces == 1) and plan.across <= MOST_ACROSS
    ]
    return min(plans, key=lambda plan: plan.cycles(rows, columns, itemsize, multiprocessors))


def _plans(
    chip: TileOnChip, rows: int, columns: int, depth: int, multiprocessors: int
) -> Iterator[Plan]:
    """All blocks whole; and full waves whole, the rest in pieces that fill one to four waves."""
    down = -(-rows // chip.tile.block_rows)
    across = -(-columns // chip.tile.block_columns)
    chunks = -(-depth // STEPS)
    places = chip.resident * multiprocessors
    yield Plan(chip, across, down, 0, chunks, 1, chunks)
    whole = down * across // places * places // across
    cut = down - whole
    for waves in range(1, 5) if cut else ():
        pieces = min(waves * places // (cut * across), chunks)
        if pieces > 1:
            piece = -(-chunks // pieces)
            yield Plan(chip, across, whole, cut, chunks, -(-chunks // piece), piece)
