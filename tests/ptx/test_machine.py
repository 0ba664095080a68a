"""What a launch leaves to the next: nothing, whatever happened. Variables, generic addresses."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from centre_rows import TEXT, THREADS, case, right
from ptx_texts import kernel, place

from minicnn import ptx

SHARED = ".shared .align 4 .b8 buffer[256];"
OUT = place("%rd8", "%rd0", "%r3", 4) + "\n"


def test_a_kernel_works_after_each_of_its_faults():
    """One kernel whose argument chooses the fault; the machine that met it is used again."""
    built = kernel(
        "ld.param.u32 %r20, [p1];\nmov.u32 %r8, buffer;\nmad.lo.u32 %r9, %r0, 4, %r8;\n"
        "st.shared.u32 [%r9], %r0;\n"
        "setp.ne.u32 %p1, %r20, 1;\n@%p1 bra NOT1;\nst.shared.u32 [%r9+4096], %r0;\nNOT1:\n"
        "setp.ne.u32 %p1, %r20, 2;\n@%p1 bra NOT2;\nld.shared.u32 %r10, [buffer];\nNOT2:\n"
        "setp.ne.u32 %p1, %r20, 3;\n@%p1 bra NOT3;\nsetp.lt.u32 %p2, %r0, 9;\n@%p2 bra NOT3;\n"
        "bar.sync 0;\nNOT3:\n"
        "setp.ne.u32 %p1, %r20, 4;\n@%p1 bra NOT4;\nROUND:\nbra ROUND;\nNOT4:\n"
        "setp.ne.u32 %p1, %r20, 5;\n@%p1 bra NOT5;\nsetp.lt.u32 %p2, %r0, 9;\n@%p2 bra NOT5;\n"
        "bar.warp.sync -1;\nNOT5:\n"
        "setp.ne.u32 %p1, %r20, 6;\n@%p1 bra NOT6;\nsetp.eq.u32 %p2, %r0, 9;\n@%p2 trap;\nNOT6:\n"
        "bar.sync 0;\nxor.b32 %r11, %r0, 63;\nmad.lo.u32 %r9, %r11, 4, %r8;\n"
        "ld.shared.u32 %r12, [%r9];\n" + OUT + "st.global.u32 [%rd8], %r12;",
        scalars="u32", inside=SHARED,
    )
    exact = np.tile(np.arange(64)[::-1], 3)
    for number, words in enumerate(["", "out of bounds", "race", "barrier", "500", "lane", "trap"]):
        out = np.zeros(192, np.uint32)
        if words:
            with pytest.raises(ptx.PTXFault, match=words):
                built.launch(3, 64, out, number, limit=500)
            assert not out.any()
        built.launch(3, 64, out, 0, limit=500)
        np.testing.assert_array_equal(out, exact)


def test_launches_of_many_shapes_do_not_disturb_each_other():
    built = ptx.load(TEXT)["centre_rows"]
    for rows, columns in [(3, 200), (40, 5), (3, 200), (1, 700), (70, 130), (3, 200)]:
        x, y = case(rows, columns)
        built.launch(rows, THREADS, x, y, columns)
        assert right(x, y)


def test_threads_of_python_may_launch_one_kernel_at_once():
    built = ptx.load(TEXT)["centre_rows"]

    def work(columns):
        for _ in range(12):
            x, y = case(3, columns)
            built.launch(3, THREADS, x, y, columns)
            assert right(x, y)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [200, 201, 202, 203]))


def test_a_program_that_stops_at_floating_point_errors_is_not_stopped():
    built = ptx.load(TEXT)["centre_rows"]
    x, y = case()
    x[0, 0], x[1, 1], x[2, 2] = np.inf, np.nan, 1e38
    with np.errstate(all="raise"), warnings.catch_warnings(action="error"):
        built.launch(3, THREADS, x, y, 200)
    assert np.isnan(y[0]).any() and np.isnan(y[1]).all()


def test_a_global_variable_keeps_its_value_as_long_as_its_memory():
    built = kernel(
        "mov.u64 %rd9, counter;\nld.global.u32 %r9, [%rd9];\nadd.u32 %r9, %r9, 1;\n"
        "st.global.u32 [%rd9], %r9;\nst.global.u32 [%rd0], %r9;",
        before=".visible .global .align 4 .u32 counter = 41;",
    )
    memory, out = ptx.Memory(), np.zeros(1, np.uint32)
    for exact in (42, 43, 44):
        built.launch(1, 1, out, memory=memory)
        assert out[0] == exact
    built.launch(1, 1, out)
    assert out[0] == 42


def test_the_initial_values_of_a_table_are_read_in_every_notation():
    before = (
        ".global .align 8 .f64 halves[3] = {0d3FE0000000000000, 1.5, -2.5};\n"
        ".const .align 4 .b8 bytes[6] = {1, 0x2, 3, 255};\n"
        ".global .align 2 .u16 words[2] = {65535, 7};\n"
    )
    built = kernel(
        "mov.u64 %rd8, halves;\nld.global.f64 %fd1, [%rd8+16];\nst.global.f64 [%rd0], %fd1;\n"
        "ld.global.f64 %fd1, [halves];\nst.global.f64 [%rd0+8], %fd1;\n"
        "ld.const.u8 %r9, [bytes+3];\nld.const.u8 %r10, [bytes+5];\nld.global.u16 %r11, [words];\n"
        "add.u32 %r9, %r9, %r10;\nadd.u32 %r9, %r9, %r11;\ncvt.rn.f64.u32 %fd1, %r9;\n"
        "st.global.f64 [%rd0+16], %fd1;", before=before,
    )
    out = np.zeros(3)
    built.launch(1, 1, out)
    assert out.tolist() == [-2.5, 0.5, 65790.0]


def test_generic_addresses_lead_to_every_space_in_one_instruction():
    """By lane: global, shared, local; each reads back what it wrote, and its neighbours do not."""
    text = (
        "mul.lo.u32 %r9, %r0, 11;\nrem.u32 %r10, %r0, 3;\ncvt.u64.u32 %rd9, %r0;\n"
        "shl.b64 %rd9, %rd9, 2;\nmov.u64 %rd11, buffer;\ncvta.shared.u64 %rd11, %rd11;\n"
        "mov.u64 %rd12, own;\ncvta.local.u64 %rd12, %rd12;\nadd.s64 %rd11, %rd11, %rd9;\n"
        "add.s64 %rd10, %rd1, %rd9;\nsetp.eq.u32 %p1, %r10, 1;\nsetp.eq.u32 %p2, %r10, 2;\n"
        "@%p1 mov.u64 %rd10, %rd11;\n@%p2 mov.u64 %rd10, %rd12;\nst.u32 [%rd10], %r9;\n"
        "isspacep.shared %p3, %rd10;\nld.u32 %r12, [%rd10];\n@%p3 add.u32 %r12, %r12, 1000;\n"
        "isspacep.local %p3, %rd10;\n@%p3 add.u32 %r12, %r12, 2000;\n" + OUT
        + "st.global.u32 [%rd8], %r12;"
    )
    built = kernel(text, arrays=2, inside=SHARED + "\n.local .align 4 .b8 own[4];")
    out, array = np.zeros(64, np.uint32), np.zeros(64, np.uint32)
    built.launch(1, 64, out, array)
    thread = np.arange(64)
    np.testing.assert_array_equal(out, thread * 11 + np.array([0, 1000, 2000])[thread % 3])
    np.testing.assert_array_equal(array, np.where(thread % 3 == 0, thread * 11, 0))


@pytest.mark.parametrize("space", ["shared", "local"])
def test_generic_addresses_beyond_a_window_are_out_of_bounds(space):
    text = f"mov.u64 %rd9, buffer;\ncvta.{space}.u64 %rd9, %rd9;\nst.u32 [%rd9+{{}}], %r0;"
    inside = f".{space} .align 4 .b8 buffer[16];"
    kernel(text.format(12), inside=inside).launch(1, 1, np.zeros(1, np.uint32))
    for offset in (-4, 16, 2**24):
        with pytest.raises(ptx.PTXFault, match="out of bounds"):
            kernel(text.format(offset), inside=inside).launch(1, 1, np.zeros(1, np.uint32))


def test_local_memory_is_each_threads_own():
    text = (
        "mov.u32 %r9, 0;\nROUND:\nmul.wide.u32 %rd9, %r9, 4;\nmov.u64 %rd10, own;\n"
        "add.s64 %rd9, %rd10, %rd9;\nmad.lo.u32 %r10, %r3, 100, %r9;\nst.local.u32 [%rd9], %r10;\n"
        "add.u32 %r9, %r9, 1;\nsetp.lt.u32 %p1, %r9, 8;\n@%p1 bra ROUND;\nand.b32 %r9, %r0, 7;\n"
        "mul.wide.u32 %rd9, %r9, 4;\nadd.s64 %rd9, %rd10, %rd9;\nld.local.u32 %r12, [%rd9];\n"
        + OUT + "st.global.u32 [%rd8], %r12;"
    )
    out = np.zeros(100, np.uint32)
    kernel(text, inside=".local .align 4 .b8 own[32];").launch(2, 50, out)
    np.testing.assert_array_equal(out, np.arange(100) * 100 + np.arange(100) % 50 % 8)


def test_vectors_may_leave_places_out():
    text = OUT.replace(" 4,", " 16,") + "ld.global.v4.u32 {%r9, _, _, %r10}, [%rd8];\n" \
        "st.global.v4.u32 [%rd8], {%r10, %r0, %r0, %r9};"
    out = np.arange(64, dtype=np.uint32).reshape(16, 4)
    given = out.copy()
    kernel(text).launch(1, 16, out)
    np.testing.assert_array_equal(out[:, 0], given[:, 3])
    np.testing.assert_array_equal(out[:, 3], given[:, 0])
    np.testing.assert_array_equal(out[:, 1], np.arange(16))


def test_variables_have_places_of_their_own_and_their_alignment():
    """An odd number of bytes before one of sixteen, in shared memory and in the grid's order."""
    inside = ".shared .b8 odd[3];\n.shared .align 16 .b8 even[64];\n.shared .align 8 .u64 one;"
    text = (
        "mov.u32 %r8, odd;\nmov.u32 %r9, even;\nmov.u32 %r10, one;\nand.b32 %r11, %r9, 15;\n"
        "and.b32 %r12, %r10, 7;\nor.b32 %r11, %r11, %r12;\nst.global.u32 [%rd0], %r11;\n"
        "mov.u16 %h1, 1;\nst.shared.u8 [odd+2], %h1;\nst.shared.v4.u32 [even+48], "
        "{%r8, %r8, %r8, %r8};\nmov.u64 %rd9, 5;\nst.shared.u64 [one], %rd9;\n"
        "ld.shared.u8 %r12, [odd+2];\nst.global.u32 [%rd0+4], %r12;"
    )
    out = np.ones(2, np.uint32)
    kernel(text, inside=inside).launch(1, 1, out)
    assert out.tolist() == [0, 1]
