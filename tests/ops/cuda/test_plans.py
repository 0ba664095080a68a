"""Launches of arrays of up to 2**33 numbers: grids that exist, and numbers of 32 bits.

Nothing runs. A number beyond 32 bits in a kernel's arguments is refused where it is launched.
"""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

pytest.importorskip("numba_cuda", reason="kernels are compiled by numba-cuda")

from on_gpu.launches import Recorder

from minicnn.ops import cuda
from minicnn.ops.cuda.array import empty
from minicnn.ops.cuda.device import use_device
from minicnn.ops.cuda.winograd import MOST_ELEMENTS, tiles_of

MOST = 2**33


@st.composite
def images(draw: Any, channels: tuple[int, ...]) -> tuple[int, int, int, int]:
    """(N, H, W, C) of up to 2**33 numbers, of which an image has less than 2**31."""
    c = draw(st.sampled_from(channels))
    height, width = (draw(st.sampled_from([1, 2, 3, 48, 97, 1000, 4000])) for _ in range(2))
    assume(height * width * c < 2**31)
    most = max(MOST // (height * width * c), 1)
    return draw(st.sampled_from([1, 2, 3, most, max(most // 3, 1)])), height, width, c


def assert_grids(recorder: Recorder) -> None:
    """Require grids that a GPU has: 2**31 - 1 blocks along one axis, 65,535 along the others."""
    assert recorder.launches
    for program, grid, threads in recorder.launches:
        across, *others = grid if isinstance(grid, tuple) else (grid,)
        assert 1 <= across < 2**31, program.name
        assert all(1 <= length <= 65535 for length in others), program.name
        assert threads <= 1024


@given(shape=images((5, 16)), multiprocessors=st.sampled_from([1, 132]))
def test_operations_on_images(shape: tuple, multiprocessors: int) -> None:
    recorder = Recorder(multiprocessors)
    with use_device(recorder):
        x = empty(shape, np.float32)
        for name in ("relu", "maxpool2d", "global_avgpool2d"):
            if name != "maxpool2d" or min(shape[1:3]) >= 2:
                y, cache = getattr(cuda, f"{name}_forward")(x)
                getattr(cuda, f"{name}_backward")(y, cache)
        parameters = [np.ones(shape[3], np.float32) for _ in range(4)]
        training = math.prod(shape[:3]) > 1
        y, cache = cuda.batchnorm_forward(x, *parameters, training=training)
        cuda.batchnorm_backward(y, cache)
        y, cache = cuda.groupnorm_forward(x, *parameters[:2], groups=1)
        cuda.groupnorm_backward(y, cache)
    assert_grids(recorder)


@pytest.mark.parametrize(("algorithm", "channels", "filters"), [
    ("direct", 1, 4), ("implicit", 36, 36), ("winograd", 64, 64), ("naive", 3, 5),
])
@given(data=st.data())
def test_convolutions(algorithm: str, channels: int, filters: int, data: Any) -> None:
    shape = data.draw(images((channels,)))
    assume(math.prod(shape) // channels * filters <= MOST)
    assume(shape[1] * shape[2] * filters < 2**31)
    recorder = Recorder()
    w = np.ones((3, 3, channels, filters), np.float32)
    with use_device(recorder), cuda.convolutions(algorithm):
        y, cache = cuda.conv2d_forward(empty(shape, np.float32), w, padding=1)
        cuda.conv2d_backward(y, cache)
    assert_grids(recorder)


@given(shape=images((1, 3, 64, 1000)))
def test_slices_of_winograd_are_of_all_rows_once_and_fit(shape: tuple) -> None:
    tiles = tiles_of(shape)
    row = 36 * tiles.across * shape[3]
    assume(row < 2**32)
    slices = tiles.slices(shape[3])
    assert slices[0].first_row == 0
    for part, following in itertools.pairwise(slices):
        assert part.first_row + part.rows == following.first_row
    assert sum(slices[-1]) == tiles.images * tiles.down
    assert all(part.rows * row <= max(MOST_ELEMENTS, row) for part in slices)
