"""Accesses that a GPU would make silently: outside an array, misaligned, or of nothing written."""

import numpy as np
import pytest
from ptx_texts import elementwise, kernel, place

from minicnn import ptx

WIDTHS = {"b8": 1, "b16": 2, "b32": 4, "b64": 8, "v2.b32": 8, "v4.b32": 16, "v2.b64": 16}
VALUES = {"b8": "%h1", "b16": "%h1", "b32": "%r9", "b64": "%rd9", "v2.b32": "{%r8, %r9}",
          "v4.b32": "{%r8, %r9, %r10, %r11}", "v2.b64": "{%rd8, %rd9}"}


def access(direction, kind, offset, inside="", space="global", base="%rd0"):
    """A kernel of one access, ``offset`` bytes from the start of its array."""
    address = f"[{base}+{offset}]"
    operands = f"{VALUES[kind]}, {address}" if direction == "ld" else f"{address}, {VALUES[kind]}"
    clear = "mov.u16 %h1, 0;\n" + "\n".join(f"mov.u32 %r{i}, 0;" for i in (8, 9, 10, 11))
    clear += "\nmov.u64 %rd8, 0;\nmov.u64 %rd9, 0;\n"
    return kernel(f"{clear}{direction}.{space}.{kind} {operands};", inside=inside)


def fault(built, *arrays, grid=1, block=1, **options):
    """The message of the fault that a launch meets: one line."""
    with pytest.raises(ptx.PTXFault) as caught:
        built.launch(grid, block, *arrays, **options)
    message = str(caught.value)
    assert message and "\n" not in message
    return message


@pytest.mark.parametrize("direction", ["ld", "st"])
@pytest.mark.parametrize("kind", WIDTHS)
def test_the_last_place_is_inside_and_the_next_is_not(kind, direction):
    size = WIDTHS[kind]
    array = np.zeros(64, np.uint8)
    access(direction, kind, 64 - size).launch(1, 1, array)
    message = fault(access(direction, kind, 64), array)
    assert "out of bounds" in message and "64" in message


@pytest.mark.parametrize("direction", ["ld", "st"])
@pytest.mark.parametrize("kind", WIDTHS)
def test_the_place_before_the_first_is_outside(kind, direction):
    size = WIDTHS[kind]
    access(direction, kind, 0).launch(1, 1, np.zeros(64, np.uint8))
    message = fault(access(direction, kind, -size), np.zeros(64, np.uint8))
    assert "out of bounds" in message and str(size) in message


@pytest.mark.parametrize("far", [200, 256, 1000, 4096, 10**6, 2**31 - 4, -(2**31)])
@pytest.mark.parametrize("direction", ["ld", "st"])
def test_places_far_away_are_outside(direction, far):
    assert "out of bounds" in fault(access(direction, "b32", far), np.zeros(16, np.uint32))


@pytest.mark.parametrize("address", [0, 4, 2**40, 2**47, 2**63, 2**64 - 4])
def test_addresses_of_nothing_are_outside(address):
    built = kernel(f"mov.u64 %rd9, 0x{address:X};\nld.global.u32 %r9, [%rd9];")
    assert "out of bounds" in fault(built, np.zeros(4, np.uint32))


@pytest.mark.parametrize("direction", ["ld", "st"])
def test_a_vector_may_not_lie_half_outside(direction):
    """Five elements: the second vector of four begins inside."""
    message = fault(access(direction, "v4.b32", 16), np.zeros(5, np.uint32))
    assert "out of bounds" in message
    message = fault(access(direction, "b64", 8), np.zeros(3, np.uint32))
    assert "out of bounds" in message


def test_the_neighbour_is_not_the_array():
    """Two arrays never touch: the step from one into the next is noticed."""
    first, second = np.zeros(64, np.uint32), np.ones(64, np.uint32)
    for step in (-1, 1):
        built = kernel(
            f"add.u32 %r4, %r0, {64 if step == 1 else 0};\n"
            f"{place('%rd8', '%rd0', '%r4', 4)}\n"
            f"add.s64 %rd8, %rd8, {0 if step == 1 else -4};\nst.global.u32 [%rd8], %r0;",
            arrays=2,
        )
        assert "out of bounds" in fault(built, first, second)
        assert "out of bounds" in fault(built, second, first)


def test_one_thread_in_many_is_enough_and_is_named():
    built = kernel(
        f"{place('%rd8', '%rd0', '%r3', 4)}\nst.global.u32 [%rd8], %r0;"
    )
    built.launch(4, 64, np.zeros(256, np.uint32))
    message = fault(built, np.zeros(255, np.uint32), grid=4, block=64)
    assert "out of bounds" in message
    for number in ("1020", "thread (63, 0, 0)", "block (3, 0, 0)"):
        assert number in message


def test_a_named_array_is_named_and_the_line_too():
    memory = ptx.Memory()
    array = memory.allocate(64, name="weights")
    memory.write(array, np.zeros(16, np.float32))
    built = access("ld", "b32", 64)
    message = fault(built, array, memory=memory)
    assert "weights" in message and "64" in message and "line" in message


def test_only_threads_that_take_part_are_asked():
    """The guard keeps the rest away from the end of the array."""
    built = kernel(
        "setp.lt.u32 %p1, %r3, 5;\n"
        f"{place('%rd8', '%rd0', '%r3', 4)}\n@%p1 st.global.u32 [%rd8], %r0;"
    )
    array = np.zeros(5, np.uint32)
    built.launch(1, 64, array)
    assert array.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("direction", ["ld", "st"])
@pytest.mark.parametrize("kind", [kind for kind in WIDTHS if WIDTHS[kind] > 1])
def test_misaligned_addresses(kind, direction):
    size = WIDTHS[kind]
    for shift in {1, size // 2, size - 1}:
        assert "misaligned" in fault(access(direction, kind, size + shift), np.zeros(64, np.uint8))


@pytest.mark.parametrize("kind", WIDTHS)
@pytest.mark.parametrize("space", ["shared", "local"])
def test_shared_and_local_memory_have_ends_too(kind, space):
    size = WIDTHS[kind]
    declared = f".{space} .align 16 .b8 buffer[48];"
    for direction in ("ld", "st"):
        for offset in (-size, 48):
            built = access(direction, kind, offset, declared, space, "buffer")
            assert "out of bounds" in fault(built, np.zeros(1, np.uint32))
        if size > 1:
            built = access(direction, kind, size // 2, declared, space, "buffer")
            assert "misaligned" in fault(built, np.zeros(1, np.uint32))
    access("st", kind, 48 - size, declared, space, "buffer").launch(1, 1, np.zeros(1, np.uint32))


@pytest.mark.parametrize("space", ["shared", "local"])
def test_memory_of_a_block_or_thread_that_nobody_wrote(space):
    declared = f".{space} .align 4 .b8 buffer[64];"
    built = access("ld", "b32", 8, declared, space, "buffer")
    message = fault(built, np.zeros(1, np.uint32))
    assert "nobody wrote" in message and space in message
    half = kernel(
        f"mov.u16 %h1, 7;\nst.{space}.b16 [buffer], %h1;\nld.{space}.b32 %r9, [buffer];",
        inside=declared,
    )
    assert "nobody wrote" in fault(half, np.zeros(1, np.uint32))


def test_global_memory_that_nobody_wrote():
    memory = ptx.Memory()
    array = memory.allocate(64, name="fresh")
    message = fault(access("ld", "b32", 8), array, memory=memory)
    assert "nobody wrote" in message and "fresh" in message and "8" in message
    memory.write(array, np.zeros(16, np.uint32))
    access("ld", "b32", 8).launch(1, 1, array, memory=memory)


def test_what_a_kernel_wrote_the_next_one_may_read_and_no_more():
    memory = ptx.Memory()
    array = memory.allocate(64)
    access("st", "b32", 8).launch(1, 1, array, memory=memory)
    access("ld", "b32", 8).launch(1, 1, array, memory=memory)
    assert "nobody wrote" in fault(access("ld", "b32", 12), array, memory=memory)
    assert "nobody wrote" in fault(access("ld", "b64", 8), array, memory=memory)


def test_shared_memory_is_fresh_in_every_block():
    """The second block may not find what the first left."""
    built = kernel(
        "setp.ne.u32 %p1, %r1, 0;\n@%p1 bra READ;\nst.shared.u32 [buffer], %r0;\nREAD:\n"
        "ld.shared.u32 %r9, [buffer];",
        inside=".shared .align 4 .b8 buffer[4];",
    )
    built.launch(1, 1, np.zeros(1, np.uint32))
    message = fault(built, np.zeros(1, np.uint32), grid=2)
    assert "nobody wrote" in message and "block (1, 0, 0)" in message


def test_dynamic_shared_memory_ends_where_the_launch_says():
    built = kernel(
        "mov.u32 %r8, buffer;\nmad.lo.u32 %r8, %r0, 4, %r8;\nst.shared.u32 [%r8], %r0;",
        before=".extern .shared .align 16 .b8 buffer[];",
    )
    built.launch(1, 64, np.zeros(1, np.uint32), shared=256)
    assert "out of bounds" in fault(built, np.zeros(1, np.uint32), block=64, shared=252)
    assert "out of bounds" in fault(built, np.zeros(1, np.uint32), block=64)


def test_freed_memory_is_gone():
    memory = ptx.Memory()
    array = memory.allocate(64, name="gone")
    memory.write(array, np.zeros(16, np.uint32))
    access("ld", "b32", 0).launch(1, 1, array, memory=memory)
    memory.free(array)
    with pytest.raises(ptx.PTXError):
        access("ld", "b32", 0).launch(1, 1, array, memory=memory)


def test_constant_memory_may_be_read_and_global_variables_written():
    built = kernel(
        "mov.u64 %rd8, table;\nmad.wide.u32 %rd8, %r0, 4, %rd8;\nld.const.u32 %r9, [%rd8];\n"
        f"{place('%rd9', '%rd0', '%r0', 4)}\nst.global.u32 [%rd9], %r9;",
        before=".const .align 4 .u32 table[4] = {5, 0x10, 7, 4294967295};",
    )
    out = np.zeros(4, np.uint32)
    built.launch(1, 4, out)
    assert out.tolist() == [5, 16, 7, 2**32 - 1]
    assert "out of bounds" in fault(built, np.zeros(5, np.uint32), block=5)


def test_faults_leave_the_arrays_of_the_caller_as_they_were_or_as_far_as_they_came():
    """No other exception, no torn state: the array still belongs to the caller."""
    array = np.arange(8, dtype=np.uint32)
    fault(access("st", "b32", 32), array)
    assert array.tolist() == list(range(8))


def test_a_read_only_array_is_not_written():
    array = np.arange(1, 17, dtype=np.uint32)
    array.flags.writeable = False
    access("ld", "b32", 0).launch(1, 1, array)
    with pytest.raises((ptx.PTXError, ValueError)):
        access("st", "b32", 0).launch(1, 1, array)
    assert array.tolist() == list(range(1, 17))


def test_loads_extend_what_they_read_into_a_wider_register():
    signed = np.arange(-4, 4, dtype=np.int8)
    built = kernel(
        "cvt.u64.u32 %rd8, %r3;\nadd.s64 %rd8, %rd0, %rd8;\nld.global.s8 %r9, [%rd8];\n"
        "ld.global.u8 %r10, [%rd8];\n"
        f"{place('%rd9', '%rd1', '%r3', 8)}\nst.global.v2.u32 [%rd9], {{%r9, %r10}};",
        arrays=2,
    )
    out = np.zeros((8, 2), np.int32)
    built.launch(1, 8, signed, out)
    np.testing.assert_array_equal(out[:, 0], signed)
    np.testing.assert_array_equal(out[:, 1], signed.view(np.uint8))


def test_nan_in_an_array_is_a_value():
    """An array that comes in was written, whatever its values."""
    array = np.array([np.nan, 1, np.inf], np.float32)
    got = np.zeros(3, np.float32)
    built = kernel(
        f"{place('%rd8', '%rd0', '%r3', 4)}\n{place('%rd9', '%rd1', '%r3', 4)}\n"
        "ld.global.f32 %f1, [%rd8];\nst.global.f32 [%rd9], %f1;", arrays=2,
    )
    built.launch(1, 3, array, got)
    np.testing.assert_array_equal(got, array)


def test_arrays_keep_their_shape_and_empty_ones_are_taken():
    array = np.zeros((3, 5, 2), np.float64)
    built = kernel(f"{place('%rd8', '%rd0', '%r3', 8)}\ncvt.rn.f64.u32 %fd1, %r3;\n"
                   "st.global.f64 [%rd8], %fd1;")
    built.launch(1, 30, array)
    np.testing.assert_array_equal(array, np.arange(30.0).reshape(3, 5, 2))
    nothing = kernel("")
    nothing.launch(1, 32, np.zeros(0, np.float32))
    assert "out of bounds" in fault(access("ld", "b32", 0), np.zeros(0, np.uint32))


def test_elementwise_really_runs_its_statement():
    """The helper of the other files: a wrong statement gives wrong values."""
    a = np.arange(300, dtype=np.int32)
    np.testing.assert_array_equal(elementwise("add.s32 %y, %a, 1;", np.int32, a), a + 1)
    assert (elementwise("sub.s32 %y, %a, 1;", np.int32, a) != a + 1).all()


def test_variables_of_shared_memory_have_48_kilobytes_and_dynamic_memory_the_rest_of_227():
    text = "mov.u32 %r8, own;\nst.shared.u32 [%r8], %r0;\nmov.u32 %r8, buffer;\n" \
        "setp.eq.u32 %p1, %r0, 0;\n@%p1 st.shared.u32 [%r8], %r0;\n"
    more = ".extern .shared .align 16 .b8 buffer[];"

    def built(*sizes):
        inside = "".join(f".shared .align 4 .b8 {name}[{size}];"
                         for name, size in zip(("own", "other"), sizes, strict=False))
        return kernel(text + "mov.u32 %r8, other;" * (len(sizes) > 1), inside=inside, before=more)

    full = built(48 << 10)
    full.launch(1, 1, np.zeros(1), shared=179 << 10)
    with pytest.raises(ptx.PTXError, match="a block has 232448"):
        full.launch(1, 1, np.zeros(1), shared=(179 << 10) + 1)
    built(40 << 10, 8 << 10).launch(1, 1, np.zeros(1), shared=4)
    for sizes in [((48 << 10) + 4,), (40 << 10, (8 << 10) + 4)]:
        with pytest.raises(ptx.PTXError, match="at most 49152"):
            built(*sizes)
