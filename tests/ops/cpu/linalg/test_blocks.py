"""Blocks of rows: every row in one block, in order."""

from typing import Any

import pytest

from minicnn.compiling.kernels import serial
from minicnn.ops.cpu.linalg.blocks import BLOCKS, block_of, pieces_of, round_up


@serial
def rows_of(block: Any, rows: Any) -> Any:
    return block_of(block, rows)


@serial
def whole_pieces_of(block: Any, rows: Any, piece: Any) -> Any:
    return pieces_of(block, rows, piece)


@pytest.mark.parametrize("rows", [0, 1, 31, 32, 33, 1000])
@pytest.mark.parametrize("piece", [1, 7, 16])
def test_blocks_cover_the_rows(rows: int, piece: int) -> None:
    for cut in ([rows_of(block, rows) for block in range(BLOCKS)],
                [whole_pieces_of(block, rows, piece) for block in range(BLOCKS)]):
        assert [row for start, stop in cut for row in range(start, stop)] == list(range(rows))


@pytest.mark.parametrize("rows", [100, 1000])
def test_pieces_are_whole_but_for_the_last(rows: int) -> None:
    for block in range(BLOCKS):
        start, stop = whole_pieces_of(block, rows, 7)
        assert start % 7 == 0 or start == rows
        assert stop % 7 == 0 or stop == rows


@pytest.mark.parametrize(("number", "step", "rounded"), [
    (0, 8, 0), (1, 8, 8), (8, 8, 8), (9, 8, 16), (5, 1, 5),
])
def test_round_up(number: int, step: int, rounded: int) -> None:
    assert round_up(number, step) == rounded
