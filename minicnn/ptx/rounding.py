"""Floating-point arithmetic that NumPy has not: fused multiply-add, minima, directed rounding.

A fused multiply-add is rounded once: LLVM's own ``fma``, which is the processor's instruction or
the C library's function. Directed rounding takes the nearest number and the sign of what is left,

    left = exact − nearest,

which a second fused operation finds exactly, and steps to the neighbour where the nearest number
lies on the wrong side.
"""

from typing import Any

import numpy as np
from numba import vectorize
from numba.extending import intrinsic

Array = np.ndarray[Any, Any]


@intrinsic
def _llvm_fma(context: Any, a: Any, b: Any, c: Any) -> Any:
    """LLVM's fused multiply-add of three scalars of one type."""
    return a(a, b, c), lambda context, builder, signature, operands: builder.fma(*operands)


@vectorize(["float32(float32, float32, float32)", "float64(float64, float64, float64)"], cache=True)
def _fma(a: Any, b: Any, c: Any) -> Any:
    return _llvm_fma(a, b, c)


@vectorize(["float32(float32, float32)", "float64(float64, float64)"], cache=True)
def _maximum(a: Any, b: Any) -> Any:
    if a != a:
        return b
    if a == b:  # +0 is larger than −0
        return b if np.signbit(a) else a
    return b if b > a else a


fma = _fma.ufunc
"""a·b + c, rounded once."""

maximum = _maximum.ufunc
"""The larger number; of a number and NaN the number; +0 of two zeros."""


def minimum(a: Array, b: Array) -> Array:
    """The smaller number; of a number and NaN the number; −0 of two zeros."""
    return -maximum(-a, -b)


def maximum_or_nan(a: Array, b: Array) -> Array:
    """The larger number, or NaN if there is one."""
    return np.where(np.isnan(a) | np.isnan(b), a.dtype.type(np.nan), maximum(a, b))


def minimum_or_nan(a: Array, b: Array) -> Array:
    """The smaller number, or NaN if there is one."""
    return -maximum_or_nan(-a, -b)


def saturate(x: Array) -> Array:
    """x cut to [0, 1]; NaN becomes 0."""
    return np.where(x > 0, np.minimum(x, x.dtype.type(1)), x.dtype.type(0))


def flush(x: Array) -> Array:
    """Subnormal numbers become zeros of their sign."""
    small = np.abs(x) < np.finfo(x.dtype).tiny
    return np.where(small, np.copysign(x.dtype.type(0), x), x)


def fused(a: Array, b: Array, c: Array, mode: str = "rn") -> Array:
    """a·b + c in any rounding mode; float64 to the nearest only."""
    nearest = fma(a, b, c)
    if mode == "rn":
        return nearest
    product = np.multiply(a, b, dtype=np.float64)  # exact: 24 + 24 bits
    total, left = two_sum(product, np.asarray(c, np.float64))
    return step(nearest, (total - nearest) + left, mode)


def add(a: Array, b: Array, mode: str) -> Array:
    """a + b in a directed rounding mode."""
    nearest, left = two_sum(a, b)
    return step(nearest, left, mode)


def multiply(a: Array, b: Array, mode: str) -> Array:
    """a·b in a directed rounding mode."""
    nearest = a * b
    if nearest.dtype == np.float32:
        return step(nearest, np.multiply(a, b, dtype=np.float64) - nearest, mode)
    return step(nearest, fma(a, b, -nearest), mode)


def divide(a: Array, b: Array, mode: str) -> Array:
    """a / b in any rounding mode: what is left has the sign of (a − q·b) / b."""
    nearest = np.divide(a, b)
    if mode == "rn":
        return nearest
    left = fma(-nearest, np.broadcast_to(b, nearest.shape), np.broadcast_to(a, nearest.shape))
    return step(nearest, left * np.sign(b), mode)


def square_root(x: Array, mode: str) -> Array:
    """√x in any rounding mode."""
    nearest = np.sqrt(x)
    return nearest if mode == "rn" else step(nearest, fma(-nearest, nearest, x), mode)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b as the nearest number and the exact rest (Knuth)."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


def step(nearest: Array, left: Array, mode: str) -> Array:
    """To the neighbour, where the exact value lies on the other side of the nearest number.

    ``left`` has the sign of the exact value minus `nearest`.
    """
    kind = nearest.dtype.type
    down = np.nextafter(nearest, kind(-np.inf))
    up = np.nextafter(nearest, kind(np.inf))
    if mode == "rm":
        return np.where(left < 0, down, nearest)
    if mode == "rp":
        return np.where(left > 0, up, nearest)
    outward = np.where(nearest > 0, left < 0, left > 0)
    return np.where(outward & (nearest != 0), np.where(nearest > 0, down, up), nearest)
