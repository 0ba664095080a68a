"""``cvt`` at the ends of its ranges, against Python's integers and NumPy's floats."""

import math

import numpy as np
import pytest
from floats import same, special
from ptx_texts import elementwise
from whole_numbers import array, ends, numbers, wrapped

FLOATS = {"f32": np.dtype("f4"), "f64": np.dtype("f8")}
INTEGERS = {
    name: np.dtype(f"{'i' if name[0] == 's' else 'u'}{int(name[1:]) // 8}")
    for name in ("s16", "u16", "s32", "u32", "s64", "u64")
}


def half_to_even(value):
    """Python's own rounding."""
    return round(value)


ROUNDING = {"rzi": math.trunc, "rni": half_to_even, "rmi": math.floor, "rpi": math.ceil}


def near_the_ends(source, target):
    """Floats around the ends of the integers' range, halves, and small and great ones."""
    info = np.iinfo(target)
    points = [0, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 3.5, 1e6 + 0.5, float(info.min), float(info.max),
              float(info.max) / 2, 2.0**24 + 1, 2.0**53]
    values = np.array(points, source)
    with np.errstate(all="ignore"):
        around = [np.nextafter(values, side, dtype=source) for side in (-np.inf, np.inf)]
        shifted = [values + source.type(step) for step in (-1, -0.5, 0.5, 1)]
    random = np.random.default_rng(1).standard_normal(200) * 2.0 ** np.arange(200)[::-1] ** 0.5
    every = np.concatenate([values, *around, *shifted, random.astype(source), special(source)])
    return np.concatenate([every, -every])


def of_nan(source, target):
    """What NaN becomes, as the manual says: zero from float32 to 32 bits, else the highest bit."""
    return 0 if source.itemsize == 4 and target.itemsize < 8 else 1 << (8 * target.itemsize - 1)


@pytest.mark.parametrize("mode", ROUNDING)
@pytest.mark.parametrize("source", FLOATS)
@pytest.mark.parametrize("target", INTEGERS)
def test_floats_to_integers_stop_at_the_ends(mode, source, target):
    start, end = FLOATS[source], INTEGERS[target]
    values = near_the_ends(start, end)
    got = elementwise(f"cvt.{mode}.{target}.{source} %y, %a;", end, values)
    info = np.iinfo(end)
    for value, result in zip(values.tolist(), got.tolist(), strict=True):
        if math.isnan(value):
            exact = wrapped(of_nan(start, end), end)
        elif math.isinf(value):
            exact = info.max if value > 0 else info.min
        else:
            exact = min(max(ROUNDING[mode](value), info.min), info.max)
        assert result == exact, value


@pytest.mark.parametrize("source", INTEGERS)
@pytest.mark.parametrize("target", FLOATS)
def test_integers_to_floats_round_halves_to_even(source, target):
    start, end = INTEGERS[source], FLOATS[target]
    odd = [(1 << n) + d for n in (23, 24, 25, 31, 52, 53, 54, 62) for d in (-3, -1, 1, 2, 3, 6)]
    values = [wrapped(v, start) for v in ends(start) + numbers(start, 2) + odd]
    got = elementwise(f"cvt.rn.{target}.{source} %y, %a;", end, array(values, start))
    for value, result in zip(values, got.tolist(), strict=True):
        exact = float(value)                       # Python rounds halves to even
        if target == "f32":
            quantum = 1 << max(0, abs(value).bit_length() - 24)
            quotient, rest = divmod(value, quantum)
            quotient += rest * 2 > quantum or (rest * 2 == quantum and quotient % 2 == 1)
            exact = float(quotient * quantum)
        assert result == exact, value


def test_float64_to_float32_and_back():
    wild = np.random.default_rng(3).integers(0, 2**64, 2000, np.uint64).view(np.float64)
    middle = np.random.default_rng(4).standard_normal(500) * 2.0 ** np.linspace(-150, 128, 500)
    tie = 1 + 2.0**-24 + 2.0 ** -np.arange(10, 54)
    least = np.ldexp([0.5, 0.75, 1, 1.5, 2.5, 0.5000001], -149)
    largest = float(np.finfo(np.float32).max) + np.ldexp([0, 1.0, 1.5, 0.999999, 1.0000001], 103)
    values = np.concatenate([special(np.dtype("f8")), wild, middle, tie, -tie, least, -least,
                             largest, -largest])
    with np.errstate(all="ignore"):
        exact = values.astype(np.float32)
    same(elementwise("cvt.rn.f32.f64 %y, %a;", np.float32, values), exact)
    same(elementwise("cvt.f64.f32 %y, %a;", np.float64, exact), exact.astype(np.float64))


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize(
    ("mode", "exact"), [("rni", np.rint), ("rzi", np.trunc), ("rmi", np.floor), ("rpi", np.ceil)]
)
def test_floats_to_whole_floats(kind, mode, exact):
    values = near_the_ends(FLOATS[kind], np.dtype("i8"))
    got = elementwise(f"cvt.{mode}.{kind}.{kind} %y, %a;", FLOATS[kind], values)
    same(got, exact(values))


def test_saturation_to_zero_and_one():
    values = near_the_ends(np.dtype("f4"), np.dtype("i4"))
    got = elementwise("cvt.sat.f32.f32 %y, %a;", np.float32, values)
    np.testing.assert_array_equal(got, np.where(np.isnan(values), 0, np.clip(values, 0, 1)))


@pytest.mark.parametrize("source", INTEGERS)
@pytest.mark.parametrize("target", INTEGERS)
def test_integers_keep_their_value_or_their_low_bits(source, target):
    start, end = INTEGERS[source], INTEGERS[target]
    values = ends(start) + numbers(start, 5)
    got = elementwise(f"cvt.{target}.{source} %y, %a;", end, array(values, start))
    assert got.tolist() == [wrapped(value, end) for value in values]


@pytest.mark.parametrize("source", ["s32", "u32", "s64", "u64"])
@pytest.mark.parametrize("target", ["s16", "u16", "s32", "u32"])
def test_integers_stop_at_the_ends_where_asked(source, target):
    start, end = INTEGERS[source], INTEGERS[target]
    values = ends(start) + numbers(start, 6)
    got = elementwise(f"cvt.sat.{target}.{source} %y, %a;", end, array(values, start))
    info = np.iinfo(end)
    assert got.tolist() == [min(max(value, info.min), info.max) for value in values]


@pytest.mark.parametrize(("kind", "dtype"), [("s8", np.int8), ("u8", np.uint8)])
def test_bytes_are_extended_into_the_whole_register(kind, dtype):
    values = np.arange(256, dtype=np.uint32) + np.uint32(0xABCD00)
    got = elementwise(f"cvt.s32.{kind} %y, %a;", np.int32, values)
    np.testing.assert_array_equal(got, values.astype(dtype).astype(np.int32))
    small = np.arange(256, dtype=np.uint8).view(dtype)
    loaded = elementwise("cvt.s32.s16 %y, %a;", np.int32, small)
    np.testing.assert_array_equal(loaded, small)


def test_narrow_results_fill_a_wider_register():
    """A byte made of a float lies extended in a register of 32 bits."""
    values = np.array([0, 1, 127, 128, 200, 255, 256, 1e9, -1, -128, -129, -1e9], np.float32)
    signed = elementwise("cvt.rzi.s8.f32 %y, %a;", np.int32, values)
    assert signed.tolist() == np.clip(values, -128, 127).tolist()
    unsigned = elementwise("cvt.rzi.u8.f32 %y, %a;", np.int32, values)
    assert unsigned.tolist() == np.clip(values, 0, 255).tolist()


def test_tf32_rounds_half_away_from_zero_and_keeps_ten_digits():
    rng = np.random.default_rng(7)
    values = np.concatenate([rng.standard_normal(500), 2.0 ** rng.uniform(-120, 120, 500),
                             [1 + 2.0**-11, -(1 + 2.0**-11), 1 + 2.0**-11 - 2.0**-23, 1.0, 0.0]])
    values = values.astype(np.float32)
    got = elementwise("cvt.rna.tf32.f32 %y, %a;", np.uint32, values).view(np.float32)
    mantissa, exponent = np.frexp(np.abs(values.astype(np.float64)))
    exact = np.copysign(np.ldexp(np.floor(np.ldexp(mantissa, 11) + 0.5), exponent - 11), values)
    # what stands in the lower 13 bits the manual leaves open
    cut = (got.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)
    np.testing.assert_array_equal(cut, exact.astype(np.float32))


def test_addresses_are_converted_between_spaces_and_back():
    values = np.arange(5, dtype=np.uint64) * 16
    got = elementwise(
        "cvta.shared.u64 %t, %a;\ncvta.to.shared.u64 %y, %t;", np.uint64, values,
        registers=".reg .b64 %t;",
    )
    np.testing.assert_array_equal(got, values)
