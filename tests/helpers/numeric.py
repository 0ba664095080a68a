"""Gradients by central differences, and comparisons that know how far rounding reaches."""

from collections.abc import Callable
from typing import Any

import numpy as np

STEP = 1e-5
DTYPES = (np.float32, np.float64)

MOST_PLACES: int | None = None
"""At how many numbers of an array differences are taken; None is all."""


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Random float64 values at least 0.5 apart and 0.2 away from 0: no step crosses a kink."""
    size = int(np.prod(shape))
    return (rng.permutation(size) - size // 2 + rng.uniform(0.2, 0.7)).reshape(shape)


def numerical_gradient(
    function: Callable[[np.ndarray], Any], x: np.ndarray, dy: Any = 1.0
) -> np.ndarray:
    """Gradient of ``sum(function(x) · dy)`` with respect to x, by central differences in float64.

    `function` gets a fresh copy of x each time. Places beyond `MOST_PLACES` are NaN.
    """
    assert x.dtype == np.float64
    gradient = np.full_like(x, np.nan)
    order = np.random.default_rng(x.size).permutation(x.size)
    for number in order[:MOST_PLACES]:
        place = np.unravel_index(number, x.shape)
        above, below = x.copy(), x.copy()
        above[place] += STEP
        below[place] -= STEP
        difference = np.asarray(function(above)) - np.asarray(function(below))
        gradient[place] = np.sum(difference * dy) / (above[place] - below[place])
    return gradient


def assert_gradient(
    got: np.ndarray, function: Callable[[np.ndarray], Any], x: np.ndarray, dy: Any = 1.0
) -> None:
    """Require `got` to be the gradient of ``sum(function(x) · dy)``, to seven digits."""
    expected = numerical_gradient(function, x, dy)
    assert got.shape == x.shape
    assert got.dtype == np.float64
    got_there = np.where(np.isnan(expected), np.nan, got) if MOST_PLACES else got
    np.testing.assert_allclose(
        got_there, expected, rtol=1e-7, atol=1e-7 * max(1, np.abs(got).max())
    )


def assert_close(
    got: np.ndarray, expected: np.ndarray, roundings: float = 64, scale: float | None = None
) -> None:
    """Require equal shapes and dtypes, and values that differ by some roundings of `scale`.

    `scale` is how large the numbers were that were added up: by default the greatest result.
    """
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    scale = np.abs(expected).max(initial=0) if scale is None else scale
    np.testing.assert_allclose(got, expected, rtol=0,
                               atol=roundings * np.finfo(got.dtype).eps * scale)


def random_like(rng: np.random.Generator, y: np.ndarray) -> np.ndarray:
    """A random upstream gradient for y, of its shape and dtype."""
    return rng.standard_normal(y.shape).astype(y.dtype)
