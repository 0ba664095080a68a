"""One algorithm of the CUDA backend's convolution against the reference in float64."""

from typing import Any

import numpy as np
from numeric import assert_close

from minicnn.ops import cuda, reference


def assert_agrees(
    algorithm: str, x: Any, w: Any, b: Any, roundings: float, **settings: Any
) -> None:
    """Require forward and backward by this algorithm to be the reference's, in float64."""
    with cuda.convolutions(algorithm):
        y, cache = cuda.conv2d_forward(x, w, b, **settings)
        dy = np.random.default_rng(1).standard_normal(y.shape).astype(y.dtype)
        gradients = cuda.conv2d_backward(dy, cache)
    wide = [None if array is None else np.asarray(array, np.float64) for array in (x, w, b)]
    expected, wide_cache = reference.conv2d_forward(*wide, **settings)
    wanted = reference.conv2d_backward(dy.astype(np.float64), wide_cache)
    for got, right in zip((y, *gradients), (expected, *wanted), strict=True):
        if right is None:
            assert got is None
        else:
            assert_close(np.asarray(got), right.astype(y.dtype), roundings)
