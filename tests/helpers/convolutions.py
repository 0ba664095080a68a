"""One algorithm of the CPU backend's convolution, called by its own three functions."""

from types import ModuleType
from typing import Any

import numpy as np
from numeric import assert_close

from minicnn.ops import reference


def problem(
    image: tuple[int, int, int, int], filters: int, dtype: type, size: tuple[int, int] = (3, 3)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images (N, H, W, C), filters and biases."""
    rng = np.random.default_rng([*image, filters])
    x = rng.standard_normal(image)
    w = rng.standard_normal((*size, image[3], filters)) / np.sqrt(size[0] * size[1] * image[3])
    return x.astype(dtype), w.astype(dtype), rng.standard_normal(filters).astype(dtype)


def run(
    algorithm: ModuleType, x: Any, w: Any, b: Any = None, dy: Any = None, **settings: Any
) -> tuple[np.ndarray | None, ...]:
    """y, dx, dw and db; dy is 1 where none is given. A cache is the same for all backends."""
    _, cache = reference.conv2d_forward(x, w, b, **settings)
    y = np.full(cache.y_shape, np.nan, x.dtype)
    algorithm.convolve(cache, np.zeros(w.shape[3], x.dtype) if b is None else b, y)
    dy = np.ones_like(y) if dy is None else dy
    return y, algorithm.input_gradient(cache, dy), *algorithm.weight_gradients(cache, dy)


def assert_convolves(
    algorithm: ModuleType, x: Any, w: Any, b: Any, roundings: float, **settings: Any
) -> None:
    """Require what the reference backend computes in float64."""
    wide = [np.asarray(array, np.float64) for array in (x, w, b)]
    y, wide_cache = reference.conv2d_forward(*wide, **settings)
    dy = np.random.default_rng(1).standard_normal(y.shape).astype(x.dtype)
    expected = y, *reference.conv2d_backward(dy.astype(np.float64), wide_cache)
    for got, wanted in zip(run(algorithm, x, w, b, dy, **settings), expected, strict=True):
        assert got is not None
        assert_close(got, wanted.astype(x.dtype), roundings)
