"""Shifts, masks and bit fields, against the manual's loops over single bits in Python."""

import itertools

import numpy as np
import pytest
from ptx_texts import elementwise
from whole_numbers import array, ends, numbers, pairs, width, wrapped

U32, U64, I32, I64 = (np.dtype(name) for name in ("u4", "u8", "i4", "i8"))
COUNTS = [0, 1, 5, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 255, 256, 2**31, 2**32 - 1]
"""Places and lengths: in the register, at its ends, and far beyond."""


def dtype_of(kind):
    return np.dtype(f"{'i' if kind[0] == 's' else 'u'}{int(kind[1:]) // 8}")


def with_counts(dtype, seed):
    """Every end with every count, and some random numbers with all of them."""
    values = ends(dtype) + numbers(dtype, seed, 20)
    return (list(column) for column in zip(*itertools.product(values, COUNTS), strict=True))


@pytest.mark.parametrize("kind", ["b16", "b32", "b64"])
def test_left_shifts_beyond_the_width_give_zero(kind):
    dtype = dtype_of(kind)
    a, n = with_counts(dtype, 1)
    got = elementwise(f"shl.{kind} %y, %a, %b;", dtype, array(a, dtype), array(n, U32))
    np.testing.assert_array_equal(
        got, array([x << m if m < width(dtype) else 0 for x, m in zip(a, n, strict=True)], dtype)
    )


@pytest.mark.parametrize("kind", ["u16", "b32", "u32", "u64", "s16", "s32", "s64"])
def test_right_shifts_beyond_the_width_leave_only_the_sign(kind):
    dtype = dtype_of(kind)
    a, n = with_counts(dtype, 2)
    got = elementwise(f"shr.{kind} %y, %a, %b;", dtype, array(a, dtype), array(n, U32))
    np.testing.assert_array_equal(
        got, array([x >> min(m, 64) for x, m in zip(a, n, strict=True)], dtype)
    )


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 64, 1000])
def test_shifts_by_a_number_in_the_text(count):
    a = array(ends(U32) + numbers(U32, 3), U32)
    left = elementwise(f"shl.b32 %y, %a, {count};", U32, a)
    right = elementwise(f"shr.u32 %y, %a, {count};", U32, a)
    signed = elementwise(f"shr.s32 %y, %a, {count};", I32, a.view(I32))
    assert left.tolist() == [(int(x) << count) & 0xFFFFFFFF for x in a]
    assert right.tolist() == [int(x) >> count for x in a]
    assert signed.tolist() == [int(x) >> count for x in a.view(I32)]


@pytest.mark.parametrize("kind", ["b16", "b32", "b64"])
def test_logic(kind):
    dtype = dtype_of(kind)
    a, b = pairs(dtype, 4)
    x, y = array(a, dtype), array(b, dtype)
    for operation, exact in [("and", lambda p, q: p & q), ("or", lambda p, q: p | q),
                             ("xor", lambda p, q: p ^ q)]:
        got = elementwise(f"{operation}.{kind} %y, %a, %b;", dtype, x, y)
        np.testing.assert_array_equal(
            got, array([exact(p, q) for p, q in zip(a, b, strict=True)], dtype)
        )
    got = elementwise(f"not.{kind} %y, %a;", dtype, x)
    np.testing.assert_array_equal(got, array([~p for p in a], dtype))


def test_logic_of_predicates():
    a, b = np.array([0, 0, 1, 1], I32), np.array([0, 1, 0, 1], I32)
    for operation, exact in [("and", a & b), ("or", a | b), ("xor", a ^ b)]:
        got = elementwise(
            "setp.ne.s32 %q, %a, 0;\nsetp.ne.s32 %s, %b, 0;\n"
            f"{operation}.pred %q, %q, %s;\nselp.s32 %y, 1, 0, %q;",
            I32, a, b, registers=".reg .pred %q, %s;",
        )
        np.testing.assert_array_equal(got, exact)
    got = elementwise(
        "setp.ne.s32 %q, %a, 0;\nnot.pred %q, %q;\nselp.s32 %y, 1, 0, %q;", I32, a,
        registers=".reg .pred %q;",
    )
    np.testing.assert_array_equal(got, 1 - a)


def field(value, position, length, dtype):
    """``bfe`` as the manual's loop: ``length`` bits from ``position`` on, then the sign's."""
    top = width(dtype) - 1
    position, length = position & 0xFF, length & 0xFF
    bits = value & ((1 << (top + 1)) - 1)
    sign = 0
    if dtype.kind == "i" and length:
        sign = bits >> min(position + length - 1, top) & 1
    return sum(
        (bits >> (position + i) & 1 if i < length and position + i <= top else sign) << i
        for i in range(top + 1)
    )


@pytest.mark.parametrize("kind", ["u32", "s32", "u64", "s64"])
def test_bit_fields_are_taken_out(kind):
    dtype = dtype_of(kind)
    cases = list(itertools.product(ends(dtype)[::2] + numbers(dtype, 5, 8), COUNTS, COUNTS))
    a, position, length = (list(column) for column in zip(*cases, strict=True))
    got = elementwise(f"bfe.{kind} %y, %a, %b, %c;", dtype, array(a, dtype),
                      array(position, U32), array(length, U32))
    np.testing.assert_array_equal(
        got, array([field(x, p, n, dtype) for x, p, n in cases], dtype)
    )


@pytest.mark.parametrize("kind", ["b32", "b64"])
def test_bit_fields_are_put_in(kind):
    dtype = dtype_of(kind)
    top = width(dtype) - 1
    values = [*list(zip(numbers(dtype, 6, 8), numbers(dtype, 7, 8), strict=True)), (-1, 0), (0, -1)]
    cases = [(*pair, p, n) for pair in values for p in COUNTS for n in COUNTS]
    exact = []
    for a, b, position, length in cases:
        value = b & ((1 << (top + 1)) - 1)
        for i in range(length & 0xFF):
            at = (position & 0xFF) + i
            if at <= top:
                value = value & ~(1 << at) | (a >> i & 1) << at
        exact.append(value)
    a, b, position, length = (list(column) for column in zip(*cases, strict=True))
    got = elementwise(f"bfi.{kind} %y, %a, %b, %c, %d;", dtype, array(a, dtype), array(b, dtype),
                      array(position, U32), array(length, U32))
    np.testing.assert_array_equal(got, array(exact, dtype))


@pytest.mark.parametrize("kind", ["b32", "b64"])
def test_bits_are_counted_and_turned_round(kind):
    dtype = dtype_of(kind)
    values = [x & (2 ** width(dtype) - 1) for x in ends(dtype) + numbers(dtype, 8)]
    values += [1 << n for n in range(width(dtype))]
    a = array(values, dtype)
    ones = elementwise(f"popc.{kind} %y, %a;", U32, a)
    assert ones.tolist() == [bin(x).count("1") for x in values]
    zeros = elementwise(f"clz.{kind} %y, %a;", U32, a)
    assert zeros.tolist() == [width(dtype) - len(f"{x:b}") + (x == 0) for x in values]
    turned = elementwise(f"brev.{kind} %y, %a;", dtype, a)
    assert turned.tolist() == [int(f"{x:0{width(dtype)}b}"[::-1], 2) for x in values]


@pytest.mark.parametrize("kind", ["u32", "s32", "u64", "s64"])
def test_the_highest_bit_is_found(kind):
    dtype = dtype_of(kind)
    values = ends(dtype) + numbers(dtype, 9)
    found = []
    for value in values:
        bits = ~value if value < 0 else value
        found.append(max((i for i in range(width(dtype)) if bits >> i & 1), default=2**32 - 1))
    got = elementwise(f"bfind.{kind} %y, %a;", U32, array(values, dtype))
    assert got.tolist() == found
    got = elementwise(f"bfind.shiftamt.{kind} %y, %a;", U32, array(values, dtype))
    assert got.tolist() == [n if n == 2**32 - 1 else width(dtype) - 1 - n for n in found]


def test_bytes_are_permuted():
    a, b = np.array(numbers(U32, 10, 400), U32), np.array(numbers(U32, 11, 400), U32)
    selectors = np.random.default_rng(12).integers(0, 2**32, 400, U32)
    got = elementwise("prmt.b32 %y, %a, %b, %c;", U32, a, b, selectors)
    for x, y, selector, result in zip(a, b, selectors, got, strict=True):
        whole = int(x).to_bytes(4, "little") + int(y).to_bytes(4, "little")
        chosen = []
        for i in range(4):
            nibble = int(selector) >> 4 * i & 15
            byte = whole[nibble & 7]
            chosen.append((255 if byte & 128 else 0) if nibble & 8 else byte)
        assert int(result) == int.from_bytes(bytes(chosen), "little")


@pytest.mark.parametrize("mode", ["wrap", "clamp"])
def test_funnel_shifts(mode):
    cases = list(itertools.product(numbers(U32, 13, 6), numbers(U32, 14, 6), COUNTS))
    low, high, count = (list(column) for column in zip(*cases, strict=True))
    columns = array(low, U32), array(high, U32), array(count, U32)
    left = elementwise(f"shf.l.{mode}.b32 %y, %a, %b, %c;", U32, *columns)
    right = elementwise(f"shf.r.{mode}.b32 %y, %a, %b, %c;", U32, *columns)
    for i, (a, b, c) in enumerate(cases):
        n = c % 32 if mode == "wrap" else min(c, 32)
        both = b << 32 | a
        assert int(left[i]) == (both << n >> 32) & 0xFFFFFFFF, (a, b, c)
        assert int(right[i]) == both >> n & 0xFFFFFFFF, (a, b, c)


def test_every_table_of_three_operands():
    """0xF0, 0xCC and 0xAA hold every combination of three bits once: the manual's recipe."""
    a, b, c = (np.full(1, value, U32) for value in (0xF0, 0xCC, 0xAA))
    statements = "xor.b32 %y, %y, %y;\n" + "\n".join(
        f"lop3.b32 %t, %a, %b, %c, {table};\nand.b32 %t, %t, 255;\nsetp.ne.u32 %q, %t, {table};\n"
        "@%q add.u32 %y, %y, 1;"
        for table in range(256)
    )
    wrong = elementwise(statements, U32, a, b, c, registers=".reg .b32 %t;\n.reg .pred %q;")
    assert wrong.tolist() == [0]


@pytest.mark.parametrize(
    ("table", "formula"),
    [(0xC0, lambda a, b, c: a & b), (0xFE, lambda a, b, c: a | b | c),
     (0x96, lambda a, b, c: a ^ b ^ c), (0xD8, lambda a, b, c: c & b | ~c & a),
     (0xE8, lambda a, b, c: a & b | a & c | b & c), (0x0F, lambda a, b, c: ~a)],
)
def test_tables_of_known_formulas(table, formula):
    columns = [np.array(numbers(U32, seed, 200), U32) for seed in (15, 16, 17)]
    got = elementwise(f"lop3.b32 %y, %a, %b, %c, 0x{table:X};", U32, *columns)
    np.testing.assert_array_equal(got, formula(*columns))


@pytest.mark.parametrize(("small", "large"), [("b32", "b64"), ("b16", "b32")])
def test_vectors_of_registers_are_packed_and_unpacked(small, large):
    half, whole = dtype_of(small), dtype_of(large)
    low, high = array(numbers(half, 18), half), array(numbers(half, 19), half)
    packed = elementwise(f"mov.{large} %y, {{%a, %b}};", whole, low, high)
    assert packed.tolist() == [
        int(x) | int(y) << width(half) for x, y in zip(low, high, strict=True)
    ]
    first = elementwise(f"mov.{large} {{%y, _}}, %a;", half, packed)
    second = elementwise(
        f"mov.{large} {{%t, %y}}, %a;", half, packed, registers=f".reg .{small} %t;"
    )
    np.testing.assert_array_equal(first, low)
    np.testing.assert_array_equal(second, high)


COMPARISONS = {
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
}
UNSIGNED_NAMES = {"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for kind in ("s16", "u16", "s32", "u32", "s64", "u64") for name in COMPARISONS]
    + [(name, kind) for kind in ("u16", "u32", "u64") for name in UNSIGNED_NAMES]
    + [("eq", "b32"), ("ne", "b32"), ("eq", "b64")],
)
def test_comparisons_of_integers(name, kind):
    dtype = dtype_of(kind)
    a, b = pairs(dtype, 20, random=100)
    got = elementwise(
        f"setp.{name}.{kind} %q, %a, %b;\nselp.u32 %y, 1, 0, %q;", U32, array(a, dtype),
        array(b, dtype), registers=".reg .pred %q;",
    )
    compare = COMPARISONS[UNSIGNED_NAMES.get(name, name)]
    exact = [int(compare(wrapped(x, dtype), wrapped(y, dtype))) for x, y in zip(a, b, strict=True)]
    assert got.tolist() == exact


@pytest.mark.parametrize("joined", ["and", "or", "xor"])
@pytest.mark.parametrize("inverted", ["", "!"])
def test_a_comparison_is_joined_with_a_predicate_and_gives_its_opposite_too(joined, inverted):
    a, b = (column.ravel() for column in np.meshgrid(np.arange(5), np.arange(5)))
    given = (a + b) % 2 == 0
    result = elementwise(
        "add.s32 %t, %a, %b;\nand.b32 %t, %t, 1;\nsetp.eq.s32 %s, %t, 0;\n"
        f"setp.lt.{joined}.s32 %q|%o, %a, %b, {inverted}%s;\n"
        "selp.s32 %y, 1, 0, %q;\nselp.s32 %t, 2, 0, %o;\nadd.s32 %y, %y, %t;",
        I32, a.astype(I32), b.astype(I32), registers=".reg .b32 %t;\n.reg .pred %q, %o, %s;",
    )
    operation = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}[joined]
    third = ~given if inverted else given
    first, second = operation(a < b, third), operation(~(a < b), third)
    np.testing.assert_array_equal(result, first + 2 * second)


def test_selection_by_predicate_and_by_sign():
    a, b = array(numbers(I32, 21), I32), array(numbers(I32, 22), I32)
    c = array([*numbers(I32, 23)[:-1], 0], I32)
    chosen = elementwise("setp.gt.s32 %q, %c, 5;\nselp.b32 %y, %a, %b, %q;", I32, a, b, c,
                         registers=".reg .pred %q;")
    np.testing.assert_array_equal(chosen, np.where(c > 5, a, b))
    signed = elementwise("slct.b32.s32 %y, %a, %b, %c;", I32, a, b, c)
    np.testing.assert_array_equal(signed, np.where(c >= 0, a, b))
