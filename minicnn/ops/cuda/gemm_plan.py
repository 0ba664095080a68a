"""How products of matrices are shared among blocks: tiles, and parts of long sums."""

import functools
from dataclasses import dataclass

import numpy as np

from minicnn.ops.cuda.register_tile import Tile

STEPS = 8
"""Steps of the sum that lie in shared memory at a time: a *chunk*."""

OBLONG = Tile(16, 8, 8, 16, 4), Tile(16, 8, 8, 8, 4), Tile(8, 16, 8, 8, 4)
"""Six loads from shared memory for 128 multiply-adds, in up to 255 registers."""

SQUARE = tuple(Tile(8, 8, down, across, 4) for down in (16, 8) for across in (16, 8))
"""Four loads for 64, and twice as many threads on a multiprocessor: where there are few blocks."""

TILES = {4: OBLONG + SQUARE, 8: (Tile(4, 4, 16, 16, 2),)}
"""By the bytes of a number."""

RATES = {128: 96, 64: 80, 16: 40}
"""Multiply-adds in a cycle that a multiprocessor is expected to make, by the results of a thread.
It issues 128 in float32. A tile of 8×8 asks as many cycles of shared memory as of arithmetic, a
tile of 16×8 three quarters."""

FULL = 256
"""Threads that keep the arithmetic of a multiprocessor busy, each with a tile of its own."""

FETCH = 0.1
"""Cycles that bringing a number into shared memory takes."""

BESIDE = 48
"""So many steps of its sum take as long as what a block does beside it: begin, write its part of C,
have it added up."""

FEWEST_STEPS = 32
"""Of a block that shares its sum with others."""


@dataclass(frozen=True)
class Plan:
    """How the products of one launch are shared among blocks.

    Attributes
    ----------
    tile : Tile
        Of a thread and of a block.
    down, across : int
        Blocks along the rows and columns of one C.
    splits : int
        Blocks along the sum: each computes a part of it.
    steps : int
        Steps of the sum of a part; the last may have fewer, or none.
    """

    tile: Tile
    down: int
    across: int
    splits: int
    steps: int

    def blocks(self, batch: int) -> int:
        """Of the launch of so many products."""
        return batch * self.down * self.across * self.splits

    def rounds(self, batch: int, multiprocessors: int) -> int:
        """How many blocks the busiest multiprocessor computes."""
        return -(-self.blocks(batch) // multiprocessors)

    def multiply_adds(self, batch: int, multiprocessors: int) -> int:
        """How many the busiest multiprocessor could do in the time of a step of all its blocks.

        Few threads do not keep it busy.
        """
        threads = max(self.rounds(batch, multiprocessors) * self.tile.threads, FULL)
        return threads * self.tile.results

    def cycles(self, batch: int, multiprocessors: int) -> float:
        """The expected time; only to be compared with that of other plans."""
        numbers = self.tile.block_rows + self.tile.block_columns  # that a step of a block needs
        fetching = FETCH * numbers * self.rounds(batch, multiprocessors)
        step = self.multiply_adds(batch, multiprocessors) / RATES[self.tile.results] + fetching
        return step * (self.steps + BESIDE)

    def efficiency(
        self, batch: int, rows: int, columns: int, depth: int, multiprocessors: int
    ) -> float:
        """The needed part of what the multiprocessors could multiply in the time of the sums.

        The rest is lost to those that wait for the last blocks, and to tiles that reach beyond C.
        """
        possible = multiprocessors * self.multiply_adds(batch, multiprocessors) * self.steps
        return batch * rows * columns * depth / possible


@functools.lru_cache(maxsize=4096)
def plan(
    batch: int, rows: int, columns: int, depth: int, dtype: np.dtype, multiprocessors: int,
    *, split: bool = True,
) -> Plan:
    """The plan that should take the least time.

    Parameters
    ----------
    batch, rows, columns, depth : int
        So many products C (rows, columns), each a sum of `depth` terms.
    dtype : numpy.dtype
    multiprocessors : int
        Of the device.
    split : bool, default True
        Whether blocks may share a sum.
    """
    most = min(depth // FEWEST_STEPS, multiprocessors) if split else 1
    plans = [
        Plan(
            tile, -(-rows // tile.block_rows), -(-columns // tile.block_columns), splits,
            steps_of(depth, splits),
        )
        for tile in TILES[dtype.itemsize] for splits in range(1, max(most, 1) + 1)
    ]
    return min(plans, key=lambda plan: plan.cycles(batch, multiprocessors))


def steps_of(depth: int, splits: int) -> int:
    """Steps of each part of a sum, in whole chunks."""
    return -(-depth // (splits * STEPS)) * STEPS
