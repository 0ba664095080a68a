"""What the threads of a warp and of a block find out together."""

import math

import numpy as np
import pytest

from minicnn.ops.cuda.array import asarray, empty
from minicnn.ops.cuda.compile import cuda, kernel, uint32
from minicnn.ops.cuda.warps import WARP, block_sum, warp_max, warp_sum

THREADS = 96
WARPS = THREADS // WARP


@kernel(threads=THREADS)
def ask(x, sums, greatest, total):
    """The answers of every lane, and of the block's first thread."""
    shared = cuda.shared.array(WARPS, np.float64)
    i = uint32(cuda.threadIdx.x)
    sums[i], greatest[i] = warp_sum(x[i]), warp_max(x[i])
    found = block_sum(np.float64(x[i]), shared, WARPS)
    if i == uint32(0):
        total[0] = found


def answers(x: np.ndarray) -> list[np.ndarray]:
    results = [empty(x.shape, x.dtype), empty(x.shape, x.dtype), empty((1,), np.float64)]
    ask[1](asarray(x, x.dtype), *results)
    return [np.asarray(result) for result in results]


def test_every_lane_has_the_sum_of_its_warp_and_the_first_thread_that_of_the_block() -> None:
    x = np.random.default_rng(0).standard_normal(THREADS)
    sums, greatest, total = answers(x)
    for warp in range(WARPS):
        lanes = slice(warp * WARP, (warp + 1) * WARP)
        assert len(set(sums[lanes])) == 1  # the same bits
        assert sums[lanes][0] == pytest.approx(math.fsum(x[lanes]), abs=1e-14)
        assert (greatest[lanes] == x[lanes].max()).all()
    assert total[0] == pytest.approx(math.fsum(x), abs=1e-13)


@pytest.mark.parametrize("lane", [0, 17, 31, 95])
def test_no_lane_is_overlooked(lane: int) -> None:
    x = np.zeros(THREADS)
    x[lane] = 3
    sums, greatest, total = answers(x)
    expected = np.where(np.arange(THREADS) // WARP == lane // WARP, 3, 0)
    np.testing.assert_array_equal(sums, expected)
    np.testing.assert_array_equal(greatest, expected)
    assert total[0] == 3


def test_negative_infinity_is_the_least() -> None:
    x = np.full(THREADS, -np.inf)
    x[5] = -1e300
    _, greatest, _ = answers(x)
    assert (greatest[:WARP] == -1e300).all()
    assert (greatest[WARP:] == -np.inf).all()
