"""Floats at which arithmetic goes wrong, and rounding by exact rational numbers."""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

DIGITS = {2: 11, 4: 24, 8: 53}
"""Binary digits of a float of so many bytes, the leading one among them."""

LEAST = {2: -14, 4: -126, 8: -1022}
"""The exponent of the least normal number."""


def special(dtype: np.dtype) -> NDArray[np.floating]:
    """Zeros, ones, both ends of the range, the least normal and subnormal, infinity and NaN."""
    info = np.finfo(dtype)
    positive = [0.0, 1.0, 1.5, 3.0, info.eps, 1 + info.eps, info.max, info.tiny,
                info.smallest_subnormal, info.tiny - info.smallest_subnormal, np.inf, np.nan]
    values = np.array(positive, dtype)
    return np.concatenate([values, -values])


def same(got: NDArray[np.floating], exact: NDArray[np.floating]) -> None:
    """Equal with the signs of zeros; one NaN is like another."""
    np.testing.assert_array_equal(got, exact)
    zeros = exact == 0
    np.testing.assert_array_equal(np.signbit(got[zeros]), np.signbit(exact[zeros]))


def rounded(exact: Fraction, dtype: np.dtype, mode: str = "rn") -> np.floating:
    """The float next to a number that is not zero; ``mode`` as PTX calls it: rn, rz, rm or rp."""
    size = dtype.itemsize
    magnitude = abs(exact)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if Fraction(2) ** exponent > magnitude:
        exponent -= 1
    step = Fraction(2) ** (max(exponent, LEAST[size]) - DIGITS[size] + 1)
    away = (mode == "rp" and exact > 0) or (mode == "rm" and exact < 0)
    choose = round if mode == "rn" else math.ceil if away else math.floor
    value = choose(magnitude / step) * step
    limit = Fraction(float(np.finfo(dtype).max))
    if value > limit:
        value = limit if mode != "rn" and not away else math.inf
    return dtype.type(float(value) if exact > 0 else -float(value))


def fused(a: np.floating, b: np.floating, c: np.floating, mode: str = "rn") -> np.floating:
    """``a * b + c``, rounded once."""
    dtype = np.dtype(type(a))
    if not (np.isfinite(a) and np.isfinite(b) and np.isfinite(c)):
        with np.errstate(all="ignore"):
            # only the kind of each number matters here, and no sign of a zero
            product = np.sign(a) * np.sign(b) * _size(a, b)
            return dtype.type(product if np.isfinite(c) else product + c)
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    if exact:
        return rounded(exact, dtype, mode)
    negative = np.signbit(a) != np.signbit(b), np.signbit(c)
    minus = any(negative) if mode == "rm" else all(negative)
    if a != 0 and b != 0 and c == 0:
        raise AssertionError("a product that is not zero plus zero is not zero")
    return dtype.type(-0.0 if minus else 0.0)


def _size(a: np.floating, b: np.floating) -> float:
    """Infinite where a factor is, one otherwise: the product's size beside infinity and NaN."""
    return math.inf if np.isinf(a) or np.isinf(b) else 1.0
