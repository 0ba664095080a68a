"""Multiply-adds rounded once and directed rounding, against exact rational numbers."""

from fractions import Fraction

import numpy as np
import pytest
from floats import fused, rounded, same, special
from ptx_texts import elementwise

from minicnn import ptx

KINDS = {"f32": np.dtype(np.float32), "f64": np.dtype(np.float64)}


def any_bits(dtype, shape, seed):
    """Floats of every size, some of them infinite or NaN."""
    bits = np.random.default_rng(seed).integers(
        0, 2 ** (8 * dtype.itemsize), shape, f"u{dtype.itemsize}", endpoint=False
    )
    return bits.view(dtype)


def triples(dtype, seed):
    """Random triples of one size, of any bits, cancelling ones, and such with tiny results."""
    rng = np.random.default_rng(seed)
    near = rng.standard_normal((3, 300)).astype(dtype)
    wild = any_bits(dtype, (3, 600), seed + 1)
    a, b = rng.standard_normal((2, 300)).astype(dtype)
    small = np.array([a, b, -(a * b)])              # only the product's lost digits remain
    root = dtype.type(np.finfo(dtype).tiny) ** dtype.type(0.5)
    subnormal = np.array([a * root, b * root, (a * root) * (b * root)])
    with np.errstate(all="ignore"):
        huge = np.array([a * np.finfo(dtype).max, np.abs(b) + 1, -a * np.finfo(dtype).max])
    return np.concatenate([near, wild, small, subnormal, huge], axis=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["rn", "rz", "rm", "rp"])
def test_multiply_adds_are_rounded_once(kind, mode):
    dtype = KINDS[kind]
    a, b, c = triples(dtype, 1)
    try:
        got = elementwise(f"fma.{mode}.{kind} %y, %a, %b, %c;", dtype, a, b, c)
    except ptx.PTXError:
        assert mode != "rn", "the mode of every kernel"
        return
    exact = np.array([fused(x, y, z, mode) for x, y, z in zip(a, b, c, strict=True)], dtype)
    same(got, exact)


@pytest.mark.parametrize("kind", KINDS)
def test_multiply_adds_of_special_numbers(kind):
    dtype = KINDS[kind]
    grid = np.meshgrid(*[special(dtype)] * 3)
    a, b, c = (column.ravel() for column in grid)
    got = elementwise(f"fma.rn.{kind} %y, %a, %b, %c;", dtype, a, b, c)
    some = np.random.default_rng(2).permutation(a.size)[:3000]
    exact = np.array([fused(a[i], b[i], c[i]) for i in some], dtype)
    same(got[some], exact)


def ties(kind):
    """Products half way between two floats, and a third number that decides the side."""
    dtype = KINDS[kind]
    low, high, tiny = {"f32": (12, 12, -80), "f64": (26, 27, -150)}[kind]
    a, b = 1 + 2.0**-low, 1 + 2.0**-high
    columns = [[sign * a, b, side * 2.0**tiny] for sign in (-1, 1) for side in (-1, 0, 1)]
    return np.array(columns, dtype).T


@pytest.mark.parametrize("kind", KINDS)
def test_ties_that_two_roundings_would_miss(kind):
    """Plain arithmetic, and for float32 that of float64, gives half of these wrong."""
    a, b, c = ties(kind)
    got = elementwise(f"fma.rn.{kind} %y, %a, %b, %c;", KINDS[kind], a, b, c)
    exact = np.array([fused(x, y, z) for x, y, z in zip(a, b, c, strict=True)])
    same(got, exact)
    twice = (a.astype(np.float64) * b + c).astype(KINDS[kind])
    assert (twice != exact).any()


def test_float32_ties_near_every_power_of_two():
    """Products with 48 digits, moved to a tie by a third number that float32 holds."""
    rng = np.random.default_rng(3)
    columns = []
    while len(columns) < 400:
        a, b = (float(np.float32(1 + n / 2**23)) for n in rng.integers(0, 2**23, 2))
        shift = int(rng.integers(0, 60))
        c = float(np.float32(rng.choice([-1, 1]) * 2.0 ** (24 + shift)))   # its half step: 2^shift
        wanted = Fraction(c) + Fraction(2) ** shift * int(rng.choice([-1, 1]))
        # wanted is a tie; the product is brought to within a hair of the half step
        scale = float(abs(wanted - Fraction(c)) / (Fraction(a) * Fraction(b)))
        columns.append([a, float(np.float32(b * scale)), c])
    a, b, c = np.array(columns, np.float32).T
    exact = np.array([fused(x, y, z) for x, y, z in zip(a, b, c, strict=True)])
    same(elementwise("fma.rn.f32 %y, %a, %b, %c;", np.float32, a, b, c), exact)


@pytest.mark.parametrize("statement", ["mad.rn.f32 %y, %a, %b, %c;", "mad.rn.f64 %y, %a, %b, %c;"])
def test_mad_of_floats_is_fused_too(statement):
    kind = statement.split(".")[2][:3]
    a, b, c = ties(kind)
    got = elementwise(statement, KINDS[kind], a, b, c)
    same(got, np.array([fused(x, y, z) for x, y, z in zip(a, b, c, strict=True)]))


DIRECTED = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["rz", "rm", "rp"])
@pytest.mark.parametrize("name", DIRECTED)
def test_directed_rounding_is_right_or_refused(name, mode, kind):
    dtype = KINDS[kind]
    a, b = np.random.default_rng(4).standard_normal((2, 300)).astype(dtype)
    try:
        got = elementwise(f"{name}.{mode}.{kind} %y, %a, %b;", dtype, a, b)
    except ptx.PTXError:
        return
    exact = [
        rounded(DIRECTED[name](Fraction(float(x)), Fraction(float(y))), dtype, mode)
        for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_array_equal(got, np.array(exact, dtype))


@pytest.mark.parametrize("mode", ["rz", "rm", "rp"])
def test_directed_roots_lie_on_their_side_of_the_exact_one(mode):
    a = np.random.default_rng(8).uniform(0.5, 1000, 300).astype(np.float32)
    a[:3] = [4, 9, 2]
    got = elementwise(f"sqrt.{mode}.f32 %y, %a;", np.float32, a)
    other = np.nextafter(got, np.float32(np.inf if mode in ("rz", "rm") else 0))
    for x, root, beyond in zip(a, got, other, strict=True):
        square, farther = Fraction(float(root)) ** 2, Fraction(float(beyond)) ** 2
        if mode == "rp":
            assert farther < Fraction(float(x)) <= square
        else:
            assert square <= Fraction(float(x)) < farther


@pytest.mark.parametrize("mode", ["rz", "rm", "rp"])
@pytest.mark.parametrize(
    ("kind", "source"), [("f32.f64", "f8"), ("f32.s32", "i4"), ("f32.u64", "u8"), ("f64.s64", "i8")]
)
def test_directed_conversions(kind, source, mode):
    target = KINDS[kind[:3]]
    rng = np.random.default_rng(9)
    if source == "f8":
        values = np.concatenate([rng.standard_normal(300), special(np.dtype("f8")),
                                 any_bits(np.dtype("f8"), 300, 10)])
        values = values[np.isfinite(values) & (values != 0)]
    else:
        values = any_bits(np.dtype(source), 400, 11) >> rng.integers(0, 31, 400).astype(source)
        values = values[values != 0]
    got = elementwise(f"cvt.{mode}.{kind} %y, %a;", target, values)
    exact = [rounded(Fraction(value), target, mode) for value in values.tolist()]
    same(got, np.array(exact, target))


def test_the_rational_rounding_agrees_with_numpy():
    """What the tests above compare with is itself compared: with NumPy's float64 to float32."""
    values = any_bits(np.dtype("f8"), 3000, 5)
    values = np.concatenate([values, np.ldexp(np.random.default_rng(6).standard_normal(3000),
                                              np.random.default_rng(7).integers(-150, 130, 3000))])
    values = values[np.isfinite(values) & (values != 0)]
    with np.errstate(all="ignore"):
        exact = values.astype(np.float32)
    got = np.array([rounded(Fraction(float(x)), np.dtype("f4")) for x in values])
    same(got, exact)
