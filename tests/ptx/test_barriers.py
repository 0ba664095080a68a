"""Barriers that not all threads reach, and loops without an end."""

import numpy as np
import pytest
from ptx_texts import entry, kernel, place

from minicnn import ptx

SHARED = ".shared .align 16 .b8 buffer[4096];"
OUT = place("%rd8", "%rd0", "%r3", 4) + "\n"
STORE = OUT + "st.global.u32 [%rd8], %r12;"


def launch(statements, *arrays, grid=1, block=64, **options):
    built = kernel(statements, arrays=max(1, len(arrays)), inside=SHARED)
    out = arrays or (np.zeros(grid * block, np.uint32),)
    built.launch(grid, block, *out, **options)
    return out[0]


def fault(statements, *arrays, **options):
    with pytest.raises(ptx.PTXFault) as caught:
        launch(statements, *arrays, **options)
    message = str(caught.value)
    assert message and "\n" not in message
    return message


BRANCH = "setp.{compare}.u32 %p1, %r0, {bound};\n@%p1 bra OVER;\nbar.sync 0;\nOVER:\n"


@pytest.mark.parametrize(("compare", "bound"), [("lt", 32), ("lt", 1), ("ge", 63), ("eq", 40)])
def test_a_barrier_that_a_branch_keeps_some_threads_from(compare, bound):
    message = fault(BRANCH.format(compare=compare, bound=bound) + "mov.u32 %r12, 1;\n" + STORE)
    assert "barrier" in message and "line" in message


@pytest.mark.parametrize(("compare", "bound"), [("lt", 0), ("lt", 64)])
def test_a_branch_that_all_threads_take_alike(compare, bound):
    launch(BRANCH.format(compare=compare, bound=bound) + "mov.u32 %r12, 1;\n" + STORE)


def test_only_the_block_that_errs_is_named():
    """Block 2 alone lets a part of its threads pass."""
    message = fault("setp.eq.u32 %p1, %r1, 2;\nsetp.lt.and.u32 %p2, %r0, 8, %p1;\n@%p2 bra OVER;\n"
                    "bar.sync 0;\nOVER:\n", grid=5)
    assert "barrier" in message and "block (2, 0, 0)" in message


def test_two_sides_of_a_branch_may_not_wait_at_different_barriers():
    message = fault("setp.lt.u32 %p1, %r0, 32;\n@%p1 bra LOW;\nbar.sync 0;\nbra END;\nLOW:\n"
                    "bar.sync 0;\nEND:\n")
    assert "barrier" in message


def test_loops_of_different_length_may_not_hold_a_barrier():
    message = fault("mov.u32 %r12, 0;\nand.b32 %r13, %r0, 1;\nadd.u32 %r13, %r13, 2;\nROUND:\n"
                    "bar.sync 0;\nadd.u32 %r12, %r12, 1;\nsetp.lt.u32 %p1, %r12, %r13;\n"
                    "@%p1 bra ROUND;\n" + STORE)
    assert "barrier" in message


def test_loops_of_one_length_hold_barriers_and_blocks_may_differ():
    got = launch("mov.u32 %r12, 0;\nadd.u32 %r13, %r1, 2;\nROUND:\nbar.sync 0;\n"
                 "add.u32 %r12, %r12, 1;\nsetp.lt.u32 %p1, %r12, %r13;\n@%p1 bra ROUND;\n" + STORE,
                 grid=3)
    np.testing.assert_array_equal(got, np.repeat([2, 3, 4], 64))


@pytest.mark.parametrize("guard", ["@%p1", "@!%p1"])
def test_a_guard_may_not_keep_some_threads_from_a_barrier(guard):
    body = "setp.lt.u32 %p1, %r0, {};\n" + guard + " bar.sync 0;\nmov.u32 %r12, 1;\n" + STORE
    assert "barrier" in fault(body.format(40))
    for bound in (0, 64):
        launch(body.format(bound))


def test_threads_that_left_before_the_barrier():
    """A whole warp, or a part of one."""
    for bound in (1, 32, 40):
        message = fault(f"setp.lt.u32 %p1, %r0, {bound};\n@%p1 ret;\nbar.sync 0;\n")
        assert "barrier" in message


def test_a_block_that_leaves_as_a_whole():
    launch("setp.eq.u32 %p1, %r1, 1;\n@%p1 ret;\nbar.sync 0;\n", grid=3)


def test_a_block_whose_last_warp_is_not_full():
    """The lanes that do not exist are not waited for."""
    got = launch("mov.u32 %r8, buffer;\nmad.lo.u32 %r9, %r0, 4, %r8;\nst.shared.u32 [%r9], %r0;\n"
                 "bar.sync 0;\nsub.u32 %r10, 49, %r0;\nmad.lo.u32 %r9, %r10, 4, %r8;\n"
                 "ld.shared.u32 %r12, [%r9];\n" + STORE, block=50, grid=2)
    np.testing.assert_array_equal(got, np.tile(np.arange(50)[::-1], 2))


@pytest.mark.parametrize("spelling", ["bar.sync 0;", "barrier.sync 0;", "barrier.sync.aligned 0;",
                                      "bar.cta.sync 0;", "barrier.cta.sync.aligned 0;"])
def test_every_spelling_of_a_barrier_is_one_or_refused(spelling):
    body = ("mov.u32 %r8, buffer;\nmad.lo.u32 %r9, %r0, 4, %r8;\nst.shared.u32 [%r9], %r0;\n"
            f"{spelling}\nxor.b32 %r10, %r0, 63;\nmad.lo.u32 %r9, %r10, 4, %r8;\n"
            "ld.shared.u32 %r12, [%r9];\n" + STORE)
    try:
        built = kernel(body, inside=SHARED)
        out = np.zeros(64, np.uint32)
        built.launch(1, 64, out)
    except ptx.PTXFault:
        raise
    except ptx.PTXError:
        return
    np.testing.assert_array_equal(out, np.arange(64) ^ 63)
    partly = fault(f"setp.lt.u32 %p1, %r0, 32;\n@%p1 bra OVER;\n{spelling}\nOVER:\n")
    assert "barrier" in partly


@pytest.mark.parametrize("other", ["bar.sync 1, 32;", "bar.arrive 1, 64;"])
def test_barriers_of_a_part_of_the_block_are_not_taken_for_whole_ones(other):
    """A half-block barrier orders only its half."""
    body = ("mov.u32 %r8, buffer;\nmad.lo.u32 %r9, %r0, 4, %r8;\nst.shared.u32 [%r9], %r0;\n"
            f"{other}\nxor.b32 %r10, %r0, 32;\n"
            "mad.lo.u32 %r9, %r10, 4, %r8;\nld.shared.u32 %r12, [%r9];\n")
    with pytest.raises(ptx.PTXError):
        launch(body)


@pytest.mark.parametrize("bound", [0, 1, 20, 49, 50])
def test_barriers_count_the_votes_of_their_block(bound):
    """Three blocks of 50 threads; in the second nobody says yes."""
    votes = f"setp.ne.u32 %p2, %r1, 1;\nsetp.lt.and.u32 %p1, %r0, {bound}, %p2;\n"
    got = launch(votes + "bar.red.popc.u32 %r12, 0, %p1;\n" + STORE, block=50, grid=3)
    assert got.tolist() == [*[bound] * 50, *[0] * 50, *[bound] * 50]
    for name, exact in [("and", bound == 50), ("or", bound > 0)]:
        got = launch(f"{votes}bar.red.{name}.pred %p3, 0, %p1;\nselp.u32 %r12, 1, 0, %p3;\n{STORE}",
                     block=50, grid=3)
        assert got.tolist() == [*[exact] * 50, *[0] * 50, *[exact] * 50], name


@pytest.mark.parametrize("body", ["ROUND:\nbra ROUND;\n", "ROUND:\nbar.sync 0;\nbra.uni ROUND;\n",
                                  "mov.u32 %r12, 0;\nROUND:\nadd.u32 %r12, %r12, 1;\n"
                                  "setp.ne.u32 %p1, %r0, 5;\n@%p1 bra END;\nbra ROUND;\nEND:\n"])
def test_loops_without_an_end_come_to_one(body):
    message = fault(body, limit=1000)
    assert "1000" in message or "1,000" in message


def test_an_endless_loop_is_named_with_its_line_and_who_waits_for_it():
    body = ("setp.eq.u32 %p1, %r0, 5;\n@!%p1 bra MEET;\nROUND:\nadd.u32 %r12, %r0, 1;\n"
            "bra ROUND;\nMEET:\nbar.sync 0;\n")
    built = kernel(body, inside=SHARED)
    with pytest.raises(ptx.PTXFault) as caught:
        built.launch(1, 64, np.zeros(1, np.uint32), limit=1000)
    lines = {run: number for block in built.lowered.blocks
             for instruction in (block.barrier, *block.body) if instruction
             for run, number in [(instruction.text, instruction.line)]}
    loop, barrier = lines["add.u32 %r12, %r0, 1"], lines["bar.sync 0"]
    assert str(caught.value).startswith(f"line {loop}: no end after 1000")
    assert f"1 threads are here, 63 at line {barrier};" in str(caught.value)
    assert "thread (5, 0, 0)" in str(caught.value)


def test_blocks_that_run_one_after_the_other_have_a_limit_each():
    """Six turns of 4096 threads: none takes 400 steps, all together do."""
    launch("mov.u32 %r12, 0;\nROUND:\nadd.u32 %r12, %r12, 1;\nsetp.lt.u32 %p1, %r12, 100;\n"
           "@%p1 bra ROUND;\n" + STORE, grid=24, block=1024, limit=400)


def test_long_loops_within_the_limit_end():
    got = launch("mov.u32 %r12, 0;\nROUND:\nadd.u32 %r12, %r12, 1;\nsetp.lt.u32 %p1, %r12, 300;\n"
                 "@%p1 bra ROUND;\n" + STORE, limit=1000)
    assert (got == 300).all()


def test_a_trap_is_a_fault_where_a_thread_reaches_it():
    body = f"setp.ne.u32 %p1, %r3, 70;\n@%p1 bra END;\ntrap;\nEND:\nmov.u32 %r12, 1;\n{STORE}"
    launch(body)
    message = fault(body, grid=2)
    assert "trap" in message and "line" in message and "block (1, 0, 0)" in message


def test_an_empty_body_and_one_without_ret_end():
    for body in ("ret;", "", "exit;"):
        ptx.load(entry(body))["kernel"].launch(2, 33)
