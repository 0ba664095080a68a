"""Races in shared and global memory: planted ones are noticed, and no order is taken for one."""

from functools import reduce

import numpy as np
import pytest
from centre_rows import TEXT, THREADS, case
from ptx_texts import kernel, place

from minicnn import ptx

SHARED = ".shared .align 16 .b8 buffer[4096];"
OWN = "mov.u32 %r8, buffer;\nmad.lo.u32 %r9, %r0, 4, %r8;\n"
"""``%r9``: the thread's own word of shared memory."""
NEXT = (
    "add.u32 %r10, %r0, {step};\nrem.u32 %r10, %r10, %r2;\nmad.lo.u32 %r11, %r10, 4, %r8;\n"
)
"""``%r11``: that of the thread ``step`` further, round the block."""
BARRIER = "bar.sync 0;\n"
WARP = "bar.warp.sync -1;\n"
OUT = place("%rd8", "%rd0", "%r3", 4) + "\n"
"""``%rd8``: the thread's own word of the array."""


def launch(statements, *arrays, grid=1, block=64, before="", **options):
    built = kernel(statements, arrays=max(1, len(arrays)), inside=SHARED, before=before)
    out = arrays or (np.zeros(grid * block, np.uint32),)
    built.launch(grid, block, *out, **options)
    return out[0]


def race(statements, *arrays, **options):
    """The message of the race: one line with the kind of memory, both threads and the line."""
    with pytest.raises(ptx.PTXFault) as caught:
        launch(statements, *arrays, **options)
    message = str(caught.value)
    assert "race" in message and "\n" not in message and "line" in message
    return message


EXCHANGE = (
    OWN + "st.shared.u32 [%r9], %r0;\n{between}" + NEXT + "ld.shared.u32 %r12, [%r11];\n" + OUT
    + "st.global.u32 [%rd8], %r12;"
)
"""Every thread writes its word and reads a neighbour's."""


@pytest.mark.parametrize("step", [1, 31, 32, 33, 63])
def test_a_read_without_a_barrier_after_a_write(step):
    message = race(EXCHANGE.format(between="", step=step))
    assert "shared" in message and "thread" in message
    got = launch(EXCHANGE.format(between=BARRIER, step=step))
    np.testing.assert_array_equal(got, (np.arange(64) + step) % 64)


def test_a_barrier_of_the_warp_orders_the_warp():
    got = launch(EXCHANGE.format(between=WARP, step=1), block=32)
    np.testing.assert_array_equal(got, (np.arange(32) + 1) % 32)


@pytest.mark.parametrize("between", [WARP, "membar.cta;\n", "fence.acq_rel.cta;\n", "membar.gl;\n"])
def test_what_orders_a_warp_or_one_thread_does_not_order_a_block(between):
    race(EXCHANGE.format(between=between, step=32))


def test_reading_before_the_others_write():
    """The second barrier of a loop: without it the next round overwrites what some still read."""
    second = "add.u32 %r13, %r0, 100;\nst.shared.u32 [%r9], %r13;\n"
    body = EXCHANGE.format(between=BARRIER, step=1)
    race(body + "\n" + second)
    launch(body + "\n" + BARRIER + second)


@pytest.mark.parametrize("count", [3, 4])
def test_a_loop_over_two_buffers_needs_one_barrier_a_round_and_over_one_buffer_two(count):
    loop = (
        OWN + "mov.u32 %r14, 0;\nmov.u32 %r15, 0;\nROUND:\n{flip}"
        "add.u32 %r16, %r9, %r15;\nst.shared.u32 [%r16], %r0;\nbar.sync 0;\n"
        + NEXT.format(step=40) + "add.u32 %r11, %r11, %r15;\nld.shared.u32 %r12, [%r11];\n"
        "add.u32 %r14, %r14, 1;\nsetp.lt.u32 %p1, %r14, " + str(count) + ";\n@%p1 bra ROUND;"
    )
    launch(loop.format(flip="xor.b32 %r15, %r15, 2048;\n"))
    race(loop.format(flip=""))


@pytest.mark.parametrize("lanes", ["%r0", "%r2"])
def test_two_threads_write_one_place(lanes):
    """In one instruction, and the same value: still nothing that the manual orders."""
    message = race(f"mov.u32 %r8, buffer;\nst.shared.u32 [%r8], {lanes};")
    assert "shared" in message
    message = race(f"st.global.u32 [%rd0], {lanes};")
    assert "global" in message


def test_one_thread_may_do_as_it_likes_with_its_place():
    launch(OWN + "st.shared.u32 [%r9], %r0;\nld.shared.u32 %r12, [%r9];\nadd.u32 %r12, %r12, 1;\n"
           "st.shared.u32 [%r9], %r12;\n" + OUT + "st.global.u32 [%rd8], %r12;\n"
           "ld.global.u32 %r13, [%rd8];\nst.global.u32 [%rd8], %r13;")


def test_all_may_read_what_one_wrote_before_the_barrier():
    got = launch("setp.eq.u32 %p1, %r0, 5;\nmov.u32 %r8, buffer;\nmov.u32 %r12, 77;\n"
                 "@%p1 st.shared.u32 [%r8], %r12;\nbar.sync 0;\nld.shared.u32 %r12, [%r8];\n" + OUT
                 + "st.global.u32 [%rd8], %r12;")
    assert (got == 77).all()


def test_bytes_of_one_word_belong_to_different_threads():
    """Neighbouring bytes are different places; the same byte is not."""
    body = ("mov.u32 %r8, buffer;\nshr.u32 %r12, %r0, {shift};\nadd.u32 %r9, %r8, %r12;\n"
            "cvt.u16.u32 %h1, %r0;\nst.shared.u8 [%r9], %h1;")
    launch(body.format(shift=0))
    race(body.format(shift=1))


def test_accesses_of_different_width_meet():
    body = (OWN + "st.shared.u32 [%r9], %r0;\n{between}"
            "setp.ne.u32 %p1, %r0, 0;\n@%p1 bra END;\nld.shared.v4.u32 {{%r12, %r13, %r14, %r15}}, "
            "[%r8];\nEND:")
    launch(body.format(between=BARRIER))
    race(body.format(between=""))


def test_one_warp_writes_and_another_reads():
    body = (OWN + "setp.lt.u32 %p1, %r0, 32;\n@%p1 st.shared.u32 [%r9], %r0;\n{between}"
            "@%p1 bra END;\nsub.u32 %r11, %r9, 128;\nld.shared.u32 %r12, [%r11];\nEND:")
    launch(body.format(between=BARRIER))
    race(body.format(between=""))


def test_other_paths_of_one_warp_are_not_in_step():
    """Threads of one warp on two sides of a branch have no order, although they share a warp."""
    body = (OWN + "setp.lt.u32 %p1, %r0, 16;\n@%p1 bra LOW;\nsub.u32 %r9, %r9, 64;\n"
            "st.shared.u32 [%r9], %r0;\nbra END;\nLOW:\nst.shared.u32 [%r9], %r0;\nEND:")
    race(body, block=32)


LOW_SYNC, HIGH_SYNC = "bar.warp.sync 0xFFFF;\n", "bar.warp.sync 0xFFFF0000;\n"
HALVES = (
    OWN + "setp.lt.u32 %p1, %r0, 16;\n@!%p1 bra HIGH;\n{low}bra MEET;\nHIGH:\n{high}MEET:\n"
    "{between}"
)
"""The lower and the upper half of a warp part, and meet again."""
WRITE_OWN = "st.shared.u32 [%r9], %r0;\n"
READ_UPPER = "ld.shared.u32 %r12, [%r9+64];\n"
READ_LOWER = "@!%p1 ld.shared.u32 %r12, [%r9+-64];\n"


def test_a_barrier_of_the_other_lanes_orders_nothing():
    race(HALVES.format(low="", high=WRITE_OWN, between="") + "@%p1 " + LOW_SYNC + "@%p1 "
         + READ_UPPER, block=32)
    launch(HALVES.format(low="", high=WRITE_OWN, between="") + WARP + "@%p1 " + READ_UPPER,
           block=32)


def test_a_writer_that_met_others_alone_races_with_readers():
    """All readers of one place are remembered together."""
    body = (OWN + "setp.eq.u32 %p3, %r0, 0;\n@%p3 st.shared.u32 [%r8], %r0;\n" + WARP
            + "setp.lt.u32 %p1, %r0, 16;\n@!%p1 bra HIGH;\nld.shared.u32 %r12, [%r8];\n"
            "bra MEET;\nHIGH:\n{sync}setp.eq.u32 %p2, %r0, 20;\n"
            "@%p2 st.shared.u32 [%r8], %r0;\nMEET:")
    race(body.format(sync=HIGH_SYNC), block=32)


def test_halves_that_met_alone_more_often_are_still_ordered_by_the_whole_warp():
    twice = 2 * LOW_SYNC
    launch(HALVES.format(low=twice + WRITE_OWN, high="", between=WARP) + READ_LOWER, block=32)
    launch(HALVES.format(low=WRITE_OWN, high=3 * HIGH_SYNC, between=WARP) + READ_LOWER, block=32)
    race(HALVES.format(low=twice + WRITE_OWN, high="", between="") + READ_LOWER, block=32)
    race(HALVES.format(low=WRITE_OWN, high=3 * HIGH_SYNC, between="") + READ_LOWER, block=32)


def test_an_order_is_handed_on_from_mask_to_mask():
    """Lanes 0 and 1 meet, then 1 and 2: lane 2 may read what lane 0 wrote; lane 3 may not."""
    first = "setp.lt.u32 %p2, %r0, 2;\n@%p2 bar.warp.sync 3;\n"
    second = "sub.u32 %r10, %r0, 1;\nsetp.lt.u32 %p3, %r10, 2;\n@%p3 bar.warp.sync 6;\n"
    write = OWN + "setp.eq.u32 %p1, %r0, 0;\n@%p1 st.shared.u32 [%r8], %r0;\n"
    read = "setp.eq.u32 %p4, %r0, {};\n@%p4 ld.shared.u32 %r12, [%r8];"
    launch(write + first + second + read.format(2), block=32)
    race(write + first + second + read.format(3), block=32)
    race(write + second + first + read.format(2), block=32)


SHUFFLE = "shfl.sync.bfly.b32 %r13|%p1, %r0, 1, 31, -1;\n"


def test_a_shuffle_is_no_barrier_for_other_warps():
    race(EXCHANGE.format(between=SHUFFLE, step=32))


def test_a_sum_by_shuffles_and_shared_memory():
    """The usual reduction: warps by shuffles, then their sums by the first warp."""
    steps = "".join(
        f"shfl.sync.down.b32 %r13|%p1, %r12, {n}, 31, -1;\nadd.u32 %r12, %r12, %r13;\n"
        for n in (16, 8, 4, 2, 1)
    )
    body = (
        "add.u32 %r12, %r0, 1;\n" + steps + "mov.u32 %r8, buffer;\nand.b32 %r14, %r0, 31;\n"
        "shr.u32 %r15, %r0, 5;\nmad.lo.u32 %r9, %r15, 4, %r8;\nsetp.eq.u32 %p2, %r14, 0;\n"
        "@%p2 st.shared.u32 [%r9], %r12;\n{between}setp.ge.u32 %p3, %r0, 32;\n@%p3 bra END;\n"
        "setp.lt.u32 %p4, %r0, 4;\nmov.u32 %r12, 0;\nmad.lo.u32 %r9, %r0, 4, %r8;\n"
        "@%p4 ld.shared.u32 %r12, [%r9];\n" + steps
        + "setp.eq.u32 %p5, %r0, 0;\n@%p5 st.global.u32 [%rd0], %r12;\nEND:"
    )
    got = launch(body.format(between=BARRIER), block=128)
    assert got[0] == 128 * 129 // 2
    race(body.format(between=""), block=128)


@pytest.mark.parametrize("order", ["", BARRIER, "membar.gl;\n"])
def test_blocks_are_not_ordered_by_anything_inside_them(order):
    """The blocks' shares overlap: each thread writes the place of its number in the block."""
    write = place("%rd8", "%rd0", "%r0", 4) + "\nst.global.u32 [%rd8], %r1;\n"
    message = race(order + write + order, grid=3)
    assert "global" in message and "block" in message


def test_a_block_reads_what_another_writes():
    body = (OUT + "st.global.u32 [%rd8], %r0;\n{between}xor.b32 %r9, %r3, {other};\n"
            + place("%rd9", "%rd0", "%r9", 4) + "\nld.global.u32 %r12, [%rd9];")
    race(body.format(between=BARRIER, other=64), grid=2)
    launch(body.format(between=BARRIER, other=63), grid=2)
    race(body.format(between="", other=63), grid=2)


def test_a_race_is_found_between_blocks_that_are_far_apart():
    """They are not run together; the places they touch are kept nevertheless."""
    body = ("setp.ne.u32 %p1, %r1, 0;\nsetp.ne.u32 %p2, %r1, 4999;\nand.pred %p3, %p1, %p2;\n"
            "@%p3 bra END;\n" + place("%rd8", "%rd0", "%r0", 4)
            + "\nst.global.u32 [%rd8], %r1;\nEND:")
    assert "4999" in race(body, grid=5000, block=32)


def test_many_blocks_may_read_one_place():
    constant = np.arange(64, dtype=np.uint32)
    out = np.zeros(256, np.uint32)
    launch(place("%rd8", "%rd1", "%r0", 4) + "\nld.global.u32 %r12, [%rd8];\n"
           + place("%rd9", "%rd0", "%r3", 4) + "\nst.global.u32 [%rd9], %r12;", out, constant,
           grid=4)
    np.testing.assert_array_equal(out, np.tile(constant, 4))


def test_a_write_after_reads_of_several_blocks():
    body = (place("%rd8", "%rd0", "%r0", 4) + "\nld.global.u32 %r12, [%rd8];\n"
            "setp.ne.u32 %p1, %r1, {writer};\n@%p1 bra END;\nst.global.u32 [%rd8], %r12;\nEND:")
    for writer in (0, 1, 3):
        race(body.format(writer=writer), grid=4)
    launch(body.format(writer=9), grid=4)


def test_the_next_launch_comes_after_the_last():
    memory = ptx.Memory()
    array = memory.allocate(256)
    memory.write(array, np.zeros(64, np.uint32))
    body = place("%rd8", "%rd0", "%r0", 4) + "\nst.global.u32 [%rd8], %r0;"
    other = "sub.u32 %r9, 63, %r0;\n" + body.replace("%r0, 4", "%r9, 4")
    kernel(body).launch(1, 64, array, memory=memory)
    kernel(other).launch(1, 64, array, memory=memory)
    np.testing.assert_array_equal(
        memory.read(array, 256).view(np.uint32), np.arange(64)[::-1]
    )


def test_atomics_do_not_race_with_each_other():
    body = "atom.global.add.u32 %r12, [%rd0], 1;\nred.global.add.u32 [%rd0+4], %r0;"
    out = np.zeros(2, np.uint32)
    launch(body, out, grid=3)
    assert out.tolist() == [192, 3 * sum(range(64))]


def test_an_atomic_and_a_plain_access_race():
    body = "red.global.add.u32 [%rd0], 1;\n{between}ld.global.u32 %r12, [%rd0];"
    race(body.format(between=""))
    launch(body.format(between=BARRIER))
    race(body.format(between=BARRIER), grid=2)


def test_each_atomic_gives_every_ticket_once():
    body = "atom.global.add.u32 %r12, [%rd0], 1;\n" + place("%rd8", "%rd1", "%r12", 4) \
        + "\nst.global.u32 [%rd8], %r3;"
    counter, owner = np.zeros(1, np.uint32), np.zeros(192, np.uint32)
    launch(body, counter, owner, grid=3)
    assert sorted(owner.tolist()) == list(range(192))


@pytest.mark.parametrize("name", ["min", "max", "and", "or", "xor", "exch", "add"])
def test_atomics_of_shared_memory_compute_what_they_say(name):
    combine = {"min": min, "max": max, "and": lambda a, b: a & b, "or": lambda a, b: a | b,
               "xor": lambda a, b: a ^ b, "add": lambda a, b: a + b}
    kind = "b32" if name in ("and", "or", "xor", "exch") else "u32"
    body = ("mov.u32 %r8, buffer;\nsetp.eq.u32 %p1, %r0, 0;\nmov.u32 %r9, 40;\n"
            "@%p1 st.shared.u32 [%r8], %r9;\nbar.sync 0;\nadd.u32 %r10, %r0, 17;\n"
            f"atom.shared.{name}.{kind} %r12, [%r8], %r10;\nbar.sync 0;\n"
            "ld.shared.u32 %r12, [%r8];\n" + OUT + "st.global.u32 [%rd8], %r12;")
    got = launch(body)
    values = [17 + i for i in range(64)]
    if name == "exch":
        assert got[0] in values and (got == got[0]).all()
    else:
        assert got.tolist() == [reduce(combine[name], values, 40)] * 64


def test_compare_and_swap_lets_one_thread_through():
    body = ("atom.global.cas.b32 %r12, [%rd0], 0, 1;\nsetp.eq.u32 %p1, %r12, 0;\n"
            "@%p1 st.global.u32 [%rd0+4], %r3;")
    out = np.zeros(2, np.uint32)
    launch(body, out)
    assert out[0] == 1 and out[1] < 64


def test_races_are_not_looked_for_where_the_caller_says_so():
    launch(EXCHANGE.format(between="", step=1), races=False)


def test_arrays_that_a_fault_of_another_array_surrounds_are_told_apart():
    """The place that a race names lies in the second array."""
    memory = ptx.Memory()
    first, second = memory.allocate(256, name="first"), memory.allocate(256, name="second")
    body = place("%rd8", "%rd0", "%r0", 4) + "\nst.global.u32 [%rd8], %r0;\n" \
        "st.global.u32 [%rd1+20], %r0;"
    with pytest.raises(ptx.PTXFault, match="second") as caught:
        kernel(body, arrays=2).launch(1, 64, first, second, memory=memory)
    assert "20" in str(caught.value)


def test_the_barrier_of_a_compiled_kernel_is_missed():
    """Without it the sums of three warps are read before they are there."""
    built = ptx.load(TEXT.replace("bar.sync", "// bar.sync"))["centre_rows"]
    x, y = case()
    with pytest.raises(ptx.PTXFault, match="nobody wrote|race"):
        built.launch(3, THREADS, x, y, 200)
