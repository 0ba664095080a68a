"""Arithmetic of floats, against NumPy, and the rules of the manual for NaN and signed zeros."""

import itertools

import numpy as np
import pytest
from floats import same, special
from ptx_texts import elementwise

KINDS = {"f32": np.dtype(np.float32), "f64": np.dtype(np.float64)}


def pairs(dtype, seed):
    """Every pair of special values, random pairs of one size, and pairs of any bits."""
    a, b = (column.ravel() for column in np.meshgrid(special(dtype), special(dtype)))
    rng = np.random.default_rng(seed)
    near = rng.standard_normal((2, 200)).astype(dtype)
    bits = rng.integers(0, 2 ** (8 * dtype.itemsize), (2, 600), f"u{dtype.itemsize}").view(dtype)
    return np.concatenate([a, near[0], bits[0]]), np.concatenate([b, near[1], bits[1]])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("operation", "exact"),
    [("add.{}", np.add), ("add.rn.{}", np.add), ("sub.{}", np.subtract), ("sub.rn.{}", np.subtract),
     ("mul.{}", np.multiply), ("mul.rn.{}", np.multiply), ("div.rn.{}", np.divide)],
)
def test_two_operands(operation, exact, kind):
    a, b = pairs(KINDS[kind], 1)
    with np.errstate(all="ignore"):
        same(elementwise(f"{operation.format(kind)} %y, %a, %b;", KINDS[kind], a, b), exact(a, b))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("operation", "exact"),
    [("sqrt.rn.{}", np.sqrt), ("rcp.rn.{}", lambda a: (a.dtype.type(1) / a)),
     ("neg.{}", np.negative), ("abs.{}", np.abs)],
)
def test_one_operand(operation, exact, kind):
    a = pairs(KINDS[kind], 2)[0]
    with np.errstate(all="ignore"):
        same(elementwise(f"{operation.format(kind)} %y, %a;", KINDS[kind], a), exact(a))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["min", "max"])
def test_minimum_and_maximum_take_the_number_and_know_that_minus_zero_is_less(name, kind):
    a, b = pairs(KINDS[kind], 3)
    got = elementwise(f"{name}.{kind} %y, %a, %b;", KINDS[kind], a, b)
    python = min if name == "min" else max
    for x, y, result in zip(a, b, got, strict=True):
        if np.isnan(x) and np.isnan(y):
            assert np.isnan(result)
            continue
        if np.isnan(x) or np.isnan(y):
            exact = y if np.isnan(x) else x
        else:
            # among equal ones, minus zero first
            exact = python((x, y), key=lambda value: (value, not np.signbit(value)))
        assert result == exact and np.signbit(result) == np.signbit(exact), (x, y)


@pytest.mark.parametrize("name", ["min", "max"])
def test_minimum_and_maximum_that_pass_nan_on(name):
    a, b = pairs(np.dtype("f4"), 4)
    got = elementwise(f"{name}.NaN.f32 %y, %a, %b;", np.float32, a, b)
    exact = (np.minimum if name == "min" else np.maximum)(a, b)
    np.testing.assert_array_equal(got, exact)


ORDERED = {"eq": np.equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
           "ge": np.greater_equal, "ne": np.not_equal}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*ORDERED, *(f"{name}u" for name in ORDERED), "num", "nan"])
def test_comparisons_say_false_of_nan_unless_unordered(name, kind):
    a, b = pairs(KINDS[kind], 5)
    got = elementwise(f"setp.{name}.{kind} %q, %a, %b;\nselp.u32 %y, 1, 0, %q;", np.uint32, a, b,
                      registers=".reg .pred %q;")
    unordered = np.isnan(a) | np.isnan(b)
    if name in ("num", "nan"):
        exact = unordered if name == "nan" else ~unordered
    else:
        base = name if name in ORDERED else name[:-1]
        exact = np.where(unordered, name not in ORDERED, ORDERED[base](a, b))
    np.testing.assert_array_equal(got, exact)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_numbers(kind):
    """The manual counts zeros among the normal numbers."""
    a = pairs(KINDS[kind], 6)[0]
    tiny = np.finfo(a.dtype).tiny
    finite = np.isfinite(a)
    exact = {
        "finite": finite, "infinite": np.isinf(a),
        "number": ~np.isnan(a), "notanumber": np.isnan(a),
        "normal": finite & ((a == 0) | (np.abs(a) >= tiny)),
        "subnormal": finite & (a != 0) & (np.abs(a) < tiny),
    }
    for name, values in exact.items():
        got = elementwise(f"testp.{name}.{kind} %q, %a;\nselp.u32 %y, 1, 0, %q;", np.uint32, a,
                          registers=".reg .pred %q;")
        np.testing.assert_array_equal(got, values, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_signs_are_copied_from_the_first_to_the_second(kind):
    a, b = pairs(KINDS[kind], 7)
    got = elementwise(f"copysign.{kind} %y, %a, %b;", KINDS[kind], a, b)
    same(got, np.copysign(b, a))


@pytest.mark.parametrize("kind", KINDS)
def test_selection_by_the_sign_of_a_float(kind):
    a, b = pairs(KINDS[kind], 8)
    c = np.resize(special(np.dtype("f4")), a.size)
    got = elementwise(f"slct.{kind}.f32 %y, %a, %b, %c;", KINDS[kind], a, b, c)
    same(got, np.where(c >= 0, a, b))


def test_results_are_saturated_to_zero_and_one():
    a, b = pairs(np.dtype("f4"), 9)
    with np.errstate(all="ignore"):
        sums, products = a + b, a * b
    for operation, plain in [("add.sat.f32", sums), ("mul.sat.f32", products)]:
        got = elementwise(f"{operation} %y, %a, %b;", np.float32, a, b)
        np.testing.assert_array_equal(got, np.where(np.isnan(plain), 0, np.clip(plain, 0, 1)))


@pytest.mark.parametrize(
    ("operation", "exact"),
    [("ex2.approx.f32", np.exp2), ("lg2.approx.f32", np.log2), ("rcp.approx.f32", lambda a: 1 / a),
     ("sqrt.approx.f32", np.sqrt), ("rsqrt.approx.f32", lambda a: 1 / np.sqrt(a)),
     ("sin.approx.f32", np.sin), ("cos.approx.f32", np.cos), ("tanh.approx.f32", np.tanh)],
)
def test_approximate_functions_are_near(operation, exact):
    a = np.random.default_rng(10).uniform(0.01, 3, 300).astype(np.float32)
    got = elementwise(f"{operation} %y, %a;", np.float32, a)
    np.testing.assert_allclose(got, exact(a.astype(np.float64)), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("operation", ["div.approx.f32", "div.full.f32"])
def test_approximate_quotients_are_near(operation):
    a, b = np.random.default_rng(11).uniform(0.01, 3, (2, 300)).astype(np.float32)
    got = elementwise(f"{operation} %y, %a, %b;", np.float32, a, b)
    np.testing.assert_allclose(got, a / b, rtol=1e-6)


def flushed(values):
    """Zeros of their sign in the place of subnormal numbers."""
    small = np.abs(values) < np.finfo(values.dtype).tiny
    return np.where(small, np.copysign(values.dtype.type(0), values), values)


@pytest.mark.parametrize(
    ("statement", "exact"),
    [("add.ftz.f32 %y, %a, %b;", np.add), ("sub.rn.ftz.f32 %y, %a, %b;", np.subtract),
     ("mul.ftz.f32 %y, %a, %b;", np.multiply), ("div.rn.ftz.f32 %y, %a, %b;", np.divide),
     ("fma.rn.ftz.f32 %y, %a, %b, %b;",
      lambda a, b: (a.astype("f8") * b + b).astype(np.float32)),
     ("sqrt.rn.ftz.f32 %y, %a;", lambda a, b: np.sqrt(a)),
     ("abs.ftz.f32 %y, %a;", lambda a, b: np.abs(a)), ("neg.ftz.f32 %y, %a;", lambda a, b: -a)],
)
def test_subnormal_numbers_become_zeros_where_asked_before_and_after(statement, exact):
    a, b = pairs(np.dtype("f4"), 15)
    with np.errstate(all="ignore"):
        wanted = flushed(exact(flushed(a), flushed(b)))
        plain = exact(a, b)
    same(elementwise(statement, np.float32, a, b), wanted)
    assert (wanted != plain)[~np.isnan(plain)].any() or statement[:4] in ("sqrt", "neg.")


def test_comparisons_and_conversions_do_without_subnormal_numbers_where_asked():
    a = np.array([1e-40, -1e-40, 0, 1e-38, -1e-38, 2e-38], np.float32)
    text = "setp.gt.ftz.f32 %q, %a, 0f00000000;\nselp.u32 %y, 1, 0, %q;"
    got = elementwise(text, np.uint32, a, registers=".reg .pred %q;")
    assert got.tolist() == [0, 0, 0, 0, 0, 1]
    up = elementwise("cvt.rpi.ftz.s32.f32 %y, %a;", np.int32, a)
    assert up.tolist() == [0, 0, 0, 0, 0, 1]


def test_registers_without_a_type_hold_floats_too():
    """Newer compilers declare every 32-bit register so."""
    a, b = pairs(np.dtype("f4"), 12)
    got = elementwise(
        "mov.b32 %s, %a;\nmov.b32 %t, %b;\nadd.f32 %s, %s, %t;\nmul.rn.f32 %y, %s, 0f40000000;",
        np.float32, a, b, registers=".reg .b32 %s, %t;",
    )
    with np.errstate(all="ignore"):
        same(got, (a + b) * np.float32(2))


def test_constants_of_floats_are_bits():
    a = np.zeros(3, np.float64)
    for written, value in [("0d3FF8000000000000", 1.5), ("0D7FF0000000000000", np.inf),
                           ("0dBFF0000000000000", -1.0), ("0d0000000000000001", 5e-324)]:
        got = elementwise(f"add.f64 %y, %a, {written};", np.float64, a)
        assert got.tolist() == [value] * 3
    single = np.zeros(3, np.float32)
    for written, value in [("0f3FC00000", 1.5), ("0Fff800000", -np.inf)]:
        got = elementwise(f"add.f32 %y, %a, {written};", np.float32, single)
        assert got.tolist() == [value] * 3


def test_the_bits_of_nan_are_kept_by_moves_and_selections():
    bits = np.array([0x7F800001, 0xFFC12345, 0x7FFFFFFF], np.uint32)
    got = elementwise("mov.f32 %y, %a;", np.float32, bits.view(np.float32))
    np.testing.assert_array_equal(got.view(np.uint32), bits)


def test_pairs_of_specials_cover_every_rule():
    """The tests above are worth something only if their values hold what they speak of."""
    a, b = pairs(np.dtype("f4"), 14)
    kinds = [np.isnan, np.isinf, lambda v: v == 0, lambda v: (v != 0) & (np.abs(v) < 1e-38)]
    for first, second in itertools.product(kinds, kinds):
        assert (first(a) & second(b)).any()
