"""What PTX's integer and bit instructions, and its conversions, give: functions of arrays.

Shifts by a word's width or more, division by zero and conversions of what does not fit have a
meaning in PTX that neither C nor NumPy defines; here it is written out.
"""

from typing import Any

import numpy as np

from minicnn.ptx import rounding

Array = np.ndarray[Any, Any]


def bits_of(x: Array) -> int:
    """How wide a value is."""
    return 8 * x.dtype.itemsize


def unsigned(x: Array) -> Array:
    """The same bits as an unsigned number."""
    return x.view(f"u{x.dtype.itemsize}")


def multiply_high(a: Array, b: Array) -> Array:
    """The upper half of the product of two integers."""
    width = bits_of(a)
    if width < 64:
        wide = np.dtype(f"{a.dtype.kind}{2 * a.dtype.itemsize}")
        return (a.astype(wide) * b.astype(wide) >> wide.type(width)).astype(a.dtype)
    # (2³² a₁ + a₀)(2³² b₁ + b₀), with the carry of the middle terms
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    x, y = unsigned(a), unsigned(b)
    middle = (x >> half) * (y & low) + ((x & low) * (y & low) >> half)
    other = (x & low) * (y >> half) + (middle & low)
    high = (x >> half) * (y >> half) + (middle >> half) + (other >> half)
    if a.dtype.kind == "i":  # the sign bit counts −2⁶³, not 2⁶³
        high = high - np.where(a < 0, y, 0).astype(np.uint64) - np.where(b < 0, x, 0).astype(
            np.uint64)
    return high.view(a.dtype)


def add_with_carry(a: Array, b: Array, carry: Array | int) -> tuple[Array, Array]:
    """a + b + carry, and the carry out of the last bit."""
    part = a + b
    total = part + np.asarray(carry).astype(part.dtype)
    return total, (part < a) | (total < part)


def sub_with_carry(a: Array, b: Array, borrow: Array | int) -> tuple[Array, Array]:
    """a − b − borrow, and whether another borrow is needed."""
    part = a - b
    total = part - np.asarray(borrow).astype(part.dtype)
    return total, (a < b) | (part < total)


def divide(a: Array, b: Array) -> Array:
    """Towards zero; a division by zero gives all bits set, as NVIDIA's chips do."""
    safe = np.where(b == 0, b.dtype.type(1), b)
    if a.dtype.kind == "u":
        return np.where(b == 0, ~a.dtype.type(0), a // safe)
    quotient = a // safe  # towards −∞
    quotient = quotient + ((a - quotient * safe != 0) & ((a < 0) != (safe < 0)))
    return np.where(b == 0, a.dtype.type(-1), quotient)


def remainder(a: Array, b: Array) -> Array:
    """What `divide` leaves: it has the sign of `a`; all bits set, or `a`, for a divisor of zero."""
    return a - divide(a, b) * b


def shift_left(a: Array, by: Array) -> Array:
    """Bits beyond the width are lost; nothing is left of a shift by the width or more."""
    width = bits_of(a)
    return np.where(by < width, a << (by & np.uint32(width - 1)).astype(a.dtype), a.dtype.type(0))


def shift_right(a: Array, by: Array) -> Array:
    """Signed numbers fill up with their sign, unsigned ones with zeros."""
    width = bits_of(a)
    if a.dtype.kind == "i":
        return a >> np.minimum(by, np.uint32(width - 1)).astype(a.dtype)
    return np.where(by < width, a >> (by & np.uint32(width - 1)).astype(a.dtype), a.dtype.type(0))


def funnel_shift(low: Array, high: Array, by: Array, way: str, mode: str) -> Array:
    """The upper (``"l"``) or lower (``"r"``) word of two words, shifted together."""
    by = (by & np.uint32(31) if mode == "wrap" else np.minimum(by, np.uint32(32))).astype(np.uint64)
    both = high.astype(np.uint64) << np.uint64(32) | low.astype(np.uint64)
    return (both << by >> np.uint64(32) if way == "l" else both >> by).astype(np.uint32)


def extract_bits(a: Array, start: Array, length: Array) -> Array:
    """A bit field; a signed one fills up with its upper bit, or the number's, if it ends before."""
    width = bits_of(a)
    start, length = (np.minimum(x & np.uint32(255), np.uint32(width)) for x in (start, length))
    inside = np.minimum(length, np.uint32(width) - start)
    one = unsigned(a).dtype.type(1)
    mask = shift_left(np.full(np.shape(inside), one), inside) - one
    field = shift_right(unsigned(a), start) & mask
    if a.dtype.kind == "u":
        return field
    last = np.minimum(start + length - np.uint32(1), np.uint32(width - 1))
    negative = (length > 0) & ((shift_right(unsigned(a), last) & one) != 0)
    return np.where(negative, field | ~mask, field).view(a.dtype)


def insert_bits(a: Array, b: Array, start: Array, length: Array) -> Array:
    """`b` with the lower bits of `a` in a bit field."""
    width = bits_of(b)
    start, length = (np.minimum(x & np.uint32(255), np.uint32(width)) for x in (start, length))
    one = b.dtype.type(1)
    mask = shift_left(shift_left(np.full(np.shape(length), one), length) - one, start)
    return b & ~mask | shift_left(a, start) & mask


def permute_bytes(a: Array, b: Array, selector: Array) -> Array:
    """Four of eight bytes; a selector's fourth bit replicates the byte's sign."""
    both = b.astype(np.uint64) << np.uint64(32) | a.astype(np.uint64)
    result = np.zeros(np.broadcast_shapes(both.shape, selector.shape), np.uint32)
    for place in range(4):
        choice = selector >> np.uint32(4 * place) & np.uint32(15)
        byte = (both >> (8 * (choice & np.uint32(7))).astype(np.uint64)).astype(np.uint32)
        byte = byte & np.uint32(255)
        sign = np.where(byte & np.uint32(128), np.uint32(255), np.uint32(0))
        byte = np.where(choice & np.uint32(8), sign, byte)
        result |= byte << np.uint32(8 * place)
    return result


def logic3(a: Array, b: Array, c: Array, table: int) -> Array:
    """Any function of three bits: bit 4a + 2b + c of the table."""
    result = np.zeros(np.broadcast_shapes(a.shape, b.shape, c.shape), np.uint32)
    for row in range(8):
        if table >> row & 1:
            result |= (a if row & 4 else ~a) & (b if row & 2 else ~b) & (c if row & 1 else ~c)
    return result


def count_ones(a: Array) -> Array:
    """How many bits are set."""
    return np.bitwise_count(a).astype(np.uint32)


def leading_zeros(a: Array) -> Array:
    """How many zeros stand before the first set bit."""
    width = bits_of(a)
    filled = a.copy() if a.ndim else a
    for shift in (1, 2, 4, 8, 16, 32):
        if shift < width:
            filled = filled | filled >> a.dtype.type(shift)
    return np.uint32(width) - count_ones(filled)


def highest_bit(a: Array, shift: bool) -> Array:
    """Where the first bit stands that tells the number; all bits set if there is none."""
    if a.dtype.kind == "i":
        a = np.where(a < 0, ~a, a)
    zeros = leading_zeros(unsigned(a))
    found = zeros if shift else np.uint32(bits_of(a) - 1) - zeros
    return np.where(a == 0, np.uint32(0xFFFFFFFF), found)


def reverse_bits(a: Array) -> Array:
    """The first bit last."""
    width, result = bits_of(a), a
    shift = width // 2
    while shift:
        mask = a.dtype.type(sum(((1 << shift) - 1) << at for at in range(0, width, 2 * shift)))
        distance = a.dtype.type(shift)
        result = (result & mask) << distance | result >> distance & mask
        shift //= 2
    return result


def to_tf32(bits: Array, mode: str) -> Array:
    """Float32 bits rounded to 10 bits of fraction: ties away from zero (rna), or to even (rn)."""
    half = np.uint32(0x1000) if mode == "rna" else \
        np.uint32(0x0FFF) + (bits >> np.uint32(13) & np.uint32(1))
    rounded = bits + half & np.uint32(0xFFFFE000)
    return np.where((bits & np.uint32(0x7FFFFFFF)) > np.uint32(0x7F800000), bits, rounded)


def to_bf16(bits: Array, mode: str) -> Array:
    """Float32 bits to the 16 of bfloat16: ties to even (rn), or cut (rz)."""
    odd = bits >> np.uint32(16) & np.uint32(1)
    rounded = bits + (np.uint32(0x7FFF) + odd if mode == "rn" else np.uint32(0)) >> np.uint32(16)
    nan = (bits & np.uint32(0x7FFFFFFF)) > np.uint32(0x7F800000)
    return np.where(nan, np.uint32(0x7FFF), rounded)


INTEGRAL = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}


def convert(x: Array, kind: str, mode: str, saturated: bool) -> Array:
    """A value as another type: what does not fit goes to the nearer end of the range.

    NaN becomes 0, or, from float64 or to 64 bits, the integer of the highest bit alone.
    """
    to = np.dtype(kind)
    if x.dtype.kind == "f" and mode in INTEGRAL:
        x = INTEGRAL[mode](x)
    if to.kind in "iu":
        return _to_integer(x, to, saturated)
    if x.dtype.kind in "iu":
        return _integer_to_float(x, to, mode)
    with_mode = x.astype(to)
    if mode in ("rz", "rm", "rp") and to.itemsize < x.dtype.itemsize:
        with_mode = rounding.step(with_mode, x - with_mode.astype(x.dtype), mode)
    return rounding.saturate(with_mode) if saturated else with_mode


def _to_integer(x: Array, to: np.dtype[Any], saturated: bool) -> Array:
    limits = np.iinfo(to)
    if x.dtype.kind == "f":
        low, high = x <= float(limits.min), x >= float(limits.max)
        missing = np.isnan(x)
        inside = np.where(low | high | missing, 0, x).astype(to)
        found = np.where(low, to.type(limits.min), np.where(high, to.type(limits.max), inside))
        if x.dtype.itemsize == 8 or to.itemsize == 8:
            highest = np.array(1 << 8 * to.itemsize - 1, f"u{to.itemsize}").view(to)
            found = np.where(missing, highest, found)
        return found
    if not saturated:
        return x.astype(to)
    source = np.iinfo(x.dtype)
    low_end, high_end = max(limits.min, source.min), min(limits.max, source.max)
    return np.clip(x, x.dtype.type(low_end), x.dtype.type(high_end)).astype(to)


def _integer_to_float(x: Array, to: np.dtype[Any], mode: str) -> Array:
    nearest = x.astype(to)
    if mode in ("rz", "rm", "rp"):
        # 2³² upper + lower, both exact in float64; the rest of their sum is too
        upper = (x >> x.dtype.type(min(32, bits_of(x) - 1))).astype(np.float64)
        upper = upper * 2.0 ** min(32, bits_of(x) - 1)
        lower = (unsigned(x) & unsigned(x).dtype.type((1 << min(32, bits_of(x) - 1)) - 1)).astype(
            np.float64)
        total, left = rounding.two_sum(upper, lower)
        nearest = rounding.step(nearest, total - nearest.astype(np.float64) + left, mode)
    return nearest
