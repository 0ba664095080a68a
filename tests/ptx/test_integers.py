"""Arithmetic of integers, against Python's own, which have no width."""

import numpy as np
import pytest
from ptx_texts import elementwise
from whole_numbers import array, ends, numbers, pairs, width, wrapped

from minicnn import ptx

WIDTHS = ["s16", "u16", "s32", "u32", "s64", "u64"]
TWICE = {2: 4, 4: 8}
"""Bytes of the product that ``.wide`` gives."""


def dtype_of(kind):
    return np.dtype(f"{'i' if kind[0] == 's' else 'u'}{int(kind[1:]) // 8}")


def toward_zero(a, b):
    """PTX divides like C."""
    quotient = abs(a) // abs(b)
    return -quotient if (a < 0) != (b < 0) else quotient


TWO_OPERANDS = {
    "add.{}": lambda a, b, bits: a + b,
    "sub.{}": lambda a, b, bits: a - b,
    "mul.lo.{}": lambda a, b, bits: a * b,
    "mul.hi.{}": lambda a, b, bits: a * b >> bits,
    "min.{}": lambda a, b, bits: min(a, b),
    "max.{}": lambda a, b, bits: max(a, b),
}


@pytest.mark.parametrize("operation", TWO_OPERANDS)
@pytest.mark.parametrize("kind", WIDTHS)
def test_two_operands(operation, kind):
    dtype = dtype_of(kind)
    a, b = pairs(dtype, seed=1)
    got = elementwise(f"{operation.format(kind)} %y, %a, %b;", dtype, array(a, dtype),
                      array(b, dtype))
    exact = [TWO_OPERANDS[operation](x, y, width(dtype)) for x, y in zip(a, b, strict=True)]
    np.testing.assert_array_equal(got, array(exact, dtype))


@pytest.mark.parametrize("kind", WIDTHS)
def test_division_rounds_toward_zero_and_the_remainder_has_the_sign_of_the_dividend(kind):
    dtype = dtype_of(kind)
    both = [
        (x, y) for x, y in zip(*pairs(dtype, seed=2), strict=True)
        if y != 0 and toward_zero(x, y) == wrapped(toward_zero(x, y), dtype)
    ]
    a, b = (list(column) for column in zip(*both, strict=True))
    quotient = elementwise(f"div.{kind} %y, %a, %b;", dtype, array(a, dtype), array(b, dtype))
    rest = elementwise(f"rem.{kind} %y, %a, %b;", dtype, array(a, dtype), array(b, dtype))
    exact = [toward_zero(x, y) for x, y in both]
    np.testing.assert_array_equal(quotient, array(exact, dtype))
    remainders = [x - q * y for (x, y), q in zip(both, exact, strict=True)]
    np.testing.assert_array_equal(rest, array(remainders, dtype))


@pytest.mark.parametrize("kind", WIDTHS)
def test_division_without_a_defined_quotient_does_not_end_the_program(kind):
    """The manual leaves the value open, and nothing stops."""
    dtype = dtype_of(kind)
    least = np.iinfo(dtype).min
    a, b = array([1, 0, -1, least, least], dtype), array([0, 0, 0, 0, -1], dtype)
    for operation in ("div", "rem"):
        got = elementwise(f"{operation}.{kind} %y, %a, %b;", dtype, a, b)
        assert got.shape == a.shape


@pytest.mark.parametrize("kind", ["s16", "u16", "s32", "u32"])
def test_wide_products_keep_every_bit(kind):
    dtype = dtype_of(kind)
    double = np.dtype(f"{dtype.kind}{TWICE[dtype.itemsize]}")
    a, b = pairs(dtype, seed=3)
    c = numbers(double, seed=4, count=len(a))
    x, y, z = array(a, dtype), array(b, dtype), array(c, double)
    product = elementwise(f"mul.wide.{kind} %y, %a, %b;", double, x, y)
    np.testing.assert_array_equal(
        product, array([p * q for p, q in zip(a, b, strict=True)], double)
    )
    total = elementwise(f"mad.wide.{kind} %y, %a, %b, %c;", double, x, y, z)
    np.testing.assert_array_equal(
        total, array([p * q + r for p, q, r in zip(a, b, c, strict=True)], double)
    )


@pytest.mark.parametrize("kind", WIDTHS)
@pytest.mark.parametrize("half", ["lo", "hi"])
def test_multiply_add(kind, half):
    dtype = dtype_of(kind)
    a, b = pairs(dtype, seed=5)
    c = numbers(dtype, seed=6, count=len(a))
    got = elementwise(f"mad.{half}.{kind} %y, %a, %b, %c;", dtype, array(a, dtype),
                      array(b, dtype), array(c, dtype))
    shift = width(dtype) if half == "hi" else 0
    exact = [(x * y >> shift) + z for x, y, z in zip(a, b, c, strict=True)]
    np.testing.assert_array_equal(got, array(exact, dtype))


@pytest.mark.parametrize("kind", ["s16", "s32", "s64"])
def test_negation_and_absolute_value_wrap_at_the_least(kind):
    dtype = dtype_of(kind)
    a = ends(dtype) + numbers(dtype, seed=7)
    assert np.iinfo(dtype).min in a
    negative = elementwise(f"neg.{kind} %y, %a;", dtype, array(a, dtype))
    np.testing.assert_array_equal(negative, array([-x for x in a], dtype))
    positive = elementwise(f"abs.{kind} %y, %a;", dtype, array(a, dtype))
    np.testing.assert_array_equal(positive, array([abs(x) for x in a], dtype))


@pytest.mark.parametrize("kind", ["s32", "u32"])
def test_saturating_and_carrying_forms_do_what_they_say_or_are_refused(kind):
    """Forms that kernels seldom use may be refused; none may be taken for another."""
    dtype = dtype_of(kind)
    a, b = pairs(dtype, seed=8)
    try:
        got = elementwise(f"add.sat.{kind} %y, %a, %b;", dtype, array(a, dtype), array(b, dtype))
    except ptx.PTXError:
        return
    info = np.iinfo(dtype)
    exact = [min(max(x + y, info.min), info.max) for x, y in zip(a, b, strict=True)]
    np.testing.assert_array_equal(got, array(exact, dtype))


def test_immediate_operands_are_read_in_every_notation():
    a = np.arange(10, dtype=np.int32)
    for written, value in [("7", 7), ("-7", -7), ("0x1F", 31), ("0X1f", 31), ("017", 15),
                           ("0b101", 5), ("-0x10", -16), ("2147483647", 2**31 - 1),
                           ("-2147483648", -2**31), ("0xFFFFFFFF", -1), ("4294967295", -1),
                           ("7U", 7)]:
        got = elementwise(f"add.s32 %y, %a, {written};", np.int32, a)
        exact = [wrapped(int(x) + value, got.dtype) for x in a]
        assert got.tolist() == exact, written


def test_a_register_holds_bits_and_the_instruction_gives_them_a_sign():
    bits = np.array([0x80000000, 0xFFFFFFFF, 5], np.uint32)
    signed = elementwise("shr.s32 %y, %a, 1;", np.uint32, bits)
    unsigned = elementwise("shr.u32 %y, %a, 1;", np.uint32, bits)
    assert signed.tolist() == [0xC0000000, 0xFFFFFFFF, 2]
    assert unsigned.tolist() == [0x40000000, 0x7FFFFFFF, 2]


def test_a_destination_may_be_one_of_the_operands():
    a = np.arange(40, dtype=np.int32)
    got = elementwise(
        "mov.b32 %y, %a;\nmad.lo.s32 %y, %y, %y, %y;\nsub.s32 %y, %a, %y;", np.int32, a
    )
    np.testing.assert_array_equal(got, a - (a * a + a))


@pytest.mark.parametrize("kind", ["u32", "u64"])
def test_carries_make_wide_sums_of_narrow_ones(kind):
    """Three words each: the carry goes through the middle one."""
    dtype = dtype_of(kind)
    bits = width(dtype)
    low = pairs(dtype, seed=9)
    middle = [low[0][::-1], low[1]]
    middle[0][:40], middle[1][:40] = [2**bits - 1] * 40, [0] * 40
    for name, exact in [("add", lambda a, b: a + b), ("sub", lambda a, b: a - b)]:
        columns = [array(values, dtype) for values in (*low, *middle)]
        words = []
        for chosen in ("low", "middle", "%y"):
            text = (
                f"{name}.cc.{kind} %low, %a, %b;\n{name}c.cc.{kind} %middle, %c, %d;\n"
                f"{name}c.{kind} %y, 0, 0;" + (f"\nmov.{kind} %y, %{chosen};" if chosen[0] != "%"
                                              else "")
            )
            words.append(elementwise(text, dtype, *columns,
                                     registers=f".reg .b{bits} %low, %middle;"))
        for i, (a0, b0, a1, b1) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
            whole = exact(a0 + (a1 << bits), b0 + (b1 << bits)) & ((1 << 3 * bits) - 1)
            assert sum(int(word[i]) << n * bits for n, word in enumerate(words)) == whole, name


def test_carries_make_wide_products():
    """Two words times one: the upper half of the first product is added to the second."""
    dtype = dtype_of("u32")
    columns = [array(numbers(dtype, seed), dtype) for seed in (10, 11, 12)]
    text = ("mul.lo.u32 %p, %a, %c;\nmul.hi.u32 %q, %a, %c;\nmad.lo.cc.u32 %q, %b, %c, %q;\n"
            "madc.hi.u32 %r, %b, %c, 0;\nmov.u32 %y, {};")
    words = [elementwise(text.format(word), dtype, *columns, registers=".reg .b32 %p, %q, %r;")
             for word in ("%p", "%q", "%r")]
    for i, (a, b, c) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        assert sum(int(word[i]) << 32 * n for n, word in enumerate(words)) == (a + (b << 32)) * c
