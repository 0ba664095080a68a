"""Matrix products of a warp and the narrow floats that they take, against NumPy."""

import numpy as np
import pytest
from ptx_texts import elementwise, kernel, place

from minicnn import ptx


def bfloat16(values):
    """float32 rounded to its upper 16 bits, halves to even, by whole numbers."""
    rounded = []
    for bits in values.astype(np.float32).view(np.uint32).tolist():
        upper, lower = divmod(bits, 1 << 16)
        rounded.append(upper + (lower > 0x8000 or (lower == 0x8000 and upper % 2 == 1)))
    return np.array(rounded, np.uint32)


def test_two_floats_are_packed_as_bfloat16_the_first_into_the_upper_half():
    rng = np.random.default_rng(1)
    a, b = (rng.standard_normal((2, 300)) * 2.0 ** rng.integers(-100, 100, (2, 300))).astype("f4")
    a[:3] = (np.array([0x3F808000, 0x3F818000, 0x3F808001], np.uint32)).view("f4")
    got = elementwise("cvt.rn.bf16x2.f32 %y, %a, %b;", np.uint32, a, b)
    np.testing.assert_array_equal(got >> 16, bfloat16(a))
    np.testing.assert_array_equal(got & 0xFFFF, bfloat16(b))


@pytest.mark.parametrize("statement", ["cvt.rn.f16.f32 %y, %a;", "cvt.rn.bf16.f32 %y, %a;"])
def test_narrow_floats_are_rounded_or_refused(statement):
    a = np.random.default_rng(2).standard_normal(300).astype(np.float32)
    a[:4] = [65504, 65520, 1e-7, 6e-8]
    try:
        got = elementwise(statement, np.uint16, a)
    except ptx.PTXError:
        return
    with np.errstate(over="ignore"):
        exact = a.astype(np.float16).view(np.uint16) if ".f16." in statement else bfloat16(a)
    np.testing.assert_array_equal(got, exact)


def multiplied(name, a, b, c):
    """One warp's product; each lane's registers ``a`` (4), ``b`` (2) and ``c`` (4)."""
    loads = [
        place("%rd10", "%rd1", "%r0", 16), "ld.global.v4.u32 {%r10, %r11, %r12, %r13}, [%rd10];",
        place("%rd11", "%rd2", "%r0", 8), "ld.global.v2.u32 {%r14, %r15}, [%rd11];",
        place("%rd12", "%rd3", "%r0", 16), "ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd12];",
        f"mma.sync.aligned.{name} {{%f5, %f6, %f7, %f8}}, {{%r10, %r11, %r12, %r13}}, "
        "{%r14, %r15}, {%f1, %f2, %f3, %f4};",
        place("%rd13", "%rd0", "%r0", 16), "st.global.v4.f32 [%rd13], {%f5, %f6, %f7, %f8};",
    ]
    out = np.zeros((32, 4), np.float32)
    kernel("\n".join(loads), arrays=4).launch(1, 32, out, a, b, c)
    return out


def lane_of(lane):
    """The manual's groupID and threadID_in_group."""
    return lane // 4, lane % 4


def accumulator(lane, i):
    """Row and column of register ``i`` of the 16 × 8 matrices C and D."""
    group, within = lane_of(lane)
    return (group if i < 2 else group + 8), 2 * within + (i & 1)


def matrices(depth, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(-8, 9, (16, depth)), rng.integers(-8, 9, (depth, 8))
    c = rng.standard_normal((16, 8)).astype(np.float32)
    return a.astype(np.float32), b.astype(np.float32), c


def fragment(matrix):
    return np.array(
        [[matrix[accumulator(lane, i)] for i in range(4)] for lane in range(32)], np.float32
    )


def test_tf32_products():
    """16 × 8 times 8 × 8: the registers lie as the manual's figures show."""
    a, b, c = matrices(8, 3)
    left, right = np.zeros((32, 4), np.float32), np.zeros((32, 2), np.float32)
    for lane in range(32):
        group, within = lane_of(lane)
        for i in range(4):
            left[lane, i] = a[group if i in (0, 2) else group + 8, within if i < 2 else within + 4]
        for i in range(2):
            right[lane, i] = b[within if i == 0 else within + 4, group]
    got = multiplied("m16n8k8.row.col.f32.tf32.tf32.f32", left.view("u4"), right.view("u4"),
                     fragment(c))
    np.testing.assert_allclose(got, fragment(a @ b + c), rtol=1e-6, atol=1e-6)
    assert np.abs(a @ b).max() > 10


def test_tf32_products_see_no_more_than_ten_digits():
    ones = np.full((32, 4), 1 + 2.0**-12, np.float32)
    got = multiplied("m16n8k8.row.col.f32.tf32.tf32.f32", ones.view("u4"),
                     ones[:, :2].copy().view("u4"), np.zeros((32, 4), np.float32))
    np.testing.assert_array_equal(got, np.full((32, 4), 8, np.float32))


def test_bfloat16_products():
    """16 × 16 times 16 × 8: two numbers in a register, the first in its lower half."""
    a, b, c = matrices(16, 4)
    left, right = np.zeros((32, 4), np.uint32), np.zeros((32, 2), np.uint32)
    upper = lambda value: int(bfloat16(np.array([value]))[0])  # noqa: E731
    for lane in range(32):
        group, within = lane_of(lane)
        for i in range(8):
            row = group if i in (0, 1, 4, 5) else group + 8
            column = 2 * within + (i & 1) + (0 if i < 4 else 8)
            left[lane, i // 2] |= np.uint32(upper(a[row, column]) << 16 * (i & 1))
        for i in range(4):
            row = 2 * within + (i & 1) + (0 if i < 2 else 8)
            right[lane, i // 2] |= np.uint32(upper(b[row, group]) << 16 * (i & 1))
    got = multiplied("m16n8k16.row.col.f32.bf16.bf16.f32", left, right, fragment(c))
    np.testing.assert_allclose(got, fragment(a @ b + c), rtol=1e-6, atol=1e-6)


def test_products_need_the_whole_warp():
    text = "mov.u32 %r9, 0;\nmov.f32 %f1, 0f00000000;\nsetp.lt.u32 %p1, %r0, 8;\n@%p1 bra OVER;\n" \
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f1, %f1, %f1, %f1}, " \
        "{%r9, %r9, %r9, %r9}, {%r9, %r9}, {%f1, %f1, %f1, %f1};\nOVER:"
    with pytest.raises(ptx.PTXFault, match="lane|warp"):
        kernel(text, arrays=0).launch(1, 32)
