"""Tilings: every row and channel has one owner, at any shape."""

import numpy as np
import pytest

from minicnn.ops.cuda.rows import FEW_ROWS, THREADS, Tiling, lanes_of, tiling_of

CHANNELS = [1, 3, 4, 5, 17, 64, 255, 256, 1024, 1025, 4104, 2**20 + 4]


@pytest.mark.parametrize("blocks", [1, 528, 1056])
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("dtype", [np.dtype("f"), np.dtype("d")], ids=str)
def test_every_row_and_channel_has_one_owner(
    channels: int, dtype: np.dtype, blocks: int
) -> None:
    for m in (1, 2, 15, 16, 17, 1000, 294912, 2**33 // channels + 1, 2**36 // channels + 1):
        tiling = tiling_of(m, channels, dtype, blocks)
        assert channels % tiling.lanes == 0
        assert tiling.strip * tiling.at_once <= THREADS
        groups = channels // tiling.lanes
        assert (tiling.strips - 1) * tiling.strip < groups <= tiling.strips * tiling.strip
        assert (tiling.blocks - 1) * tiling.rows < m <= tiling.blocks * tiling.rows
        assert tiling.rows % (FEW_ROWS * tiling.at_once) == 0
        assert tiling.blocks < 2**31
        assert tiling.strips <= 65535
        # places in a block are counted in 32 bits, even where the last step leads behind its end
        last = (tiling.rows + FEW_ROWS * tiling.at_once) * channels
        assert last < 2**32 or tiling.rows == FEW_ROWS * tiling.at_once


def test_lanes_of_float32_are_16_bytes_where_the_channels_allow_it() -> None:
    single, double = np.dtype("f"), np.dtype("d")
    assert [lanes_of(channels, single) for channels in (1, 2, 4, 6, 8)] == [1, 1, 4, 1, 4]
    assert [lanes_of(channels, double) for channels in (1, 2, 4, 6, 7)] == [1] * 5


def test_the_papers_layers_fill_the_device() -> None:
    for pixels, channels in [(48**2, 64), (24**2, 128), (12**2, 256)]:
        tiling = tiling_of(128 * pixels, channels, np.dtype("f"), 4 * 132)
        assert 2 * 132 <= tiling.blocks * tiling.strips <= 4 * 132
    few = tiling_of(128, 256, np.dtype("f"), 4 * 132)
    assert few == Tiling(lanes=4, strip=64, at_once=4, rows=64, blocks=2, strips=1)
