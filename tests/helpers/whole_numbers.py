"""Integers of a width as Python's own, and values at which they go wrong."""

import numpy as np
from numpy.typing import NDArray


def width(dtype: np.dtype) -> int:
    """Bits."""
    return 8 * dtype.itemsize


def wrapped(value: int, dtype: np.dtype) -> int:
    """The integer of this dtype whose bits are the low bits of ``value``."""
    bits = width(dtype)
    value &= (1 << bits) - 1
    return value - (1 << bits) if dtype.kind == "i" and value >> (bits - 1) else value


def array(values: list[int], dtype: np.dtype) -> NDArray[np.integer]:
    """The low bits of each value."""
    return np.array([wrapped(value, dtype) for value in values], dtype)


def ends(dtype: np.dtype) -> list[int]:
    """Zero, one, both ends of the range, powers of two and their neighbours."""
    bits = width(dtype)
    plain = [0, 1, 2, 3, 7, 10, -1, -2, -3, -7, -10, 0x5555555555555555, 0xAAAAAAAAAAAAAAAA]
    powers = [(1 << n) + d for n in (bits // 4, bits // 2, bits - 1) for d in (-1, 0, 1)]
    return sorted({wrapped(value, dtype) for value in [*plain, *powers]})


def pairs(dtype: np.dtype, seed: int, random: int = 300) -> tuple[list[int], list[int]]:
    """Every pair of the ends, and random pairs of every magnitude."""
    edge = ends(dtype)
    a = [x for x in edge for _ in edge]
    b = [y for _ in edge for y in edge]
    return a + numbers(dtype, seed, random), b + numbers(dtype, seed + 1, random)


def numbers(dtype: np.dtype, seed: int, count: int = 300) -> list[int]:
    """Random integers: as many of one bit as of all bits, of both signs."""
    rng = np.random.default_rng(seed)
    bits = width(dtype)
    whole = rng.integers(0, 2**64, count, np.uint64)
    shifts = rng.integers(64 - bits, 64, count)
    signs = rng.integers(0, 2, count)
    return [wrapped((-1) ** int(sign) * (int(value) >> int(shift)), dtype)
            for value, shift, sign in zip(whole, shifts, signs, strict=True)]
