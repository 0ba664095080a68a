"""Copies by ``cp.async``: their data come with the wait, and with the barrier to other threads."""

import numpy as np
import pytest
from ptx_texts import kernel, place

from minicnn import ptx

SHARED = ".shared .align 16 .b8 buffer[4096];"
STORE = place("%rd8", "%rd0", "%r3", 4) + "\nst.global.u32 [%rd8], %r12;"


def launch(statements, *arrays):
    kernel(statements, arrays=2, inside=SHARED).launch(1, 64, *arrays)
    return arrays[0]


def fault(statements, *arrays):
    with pytest.raises(ptx.PTXFault) as caught:
        launch(statements, *arrays)
    message = str(caught.value)
    assert message and "\n" not in message
    return message


COPY = (
    "mov.u32 %r8, buffer;\nmad.lo.u32 %r9, %r0, {size}, %r8;\n"
    + place("%rd9", "%rd1", "%r0", "{size}")
    + "\ncp.async.{cache}.shared.global [%r9], [%rd9], {size};\n"
)
READ = "mad.lo.u32 %r11, %r0, 4, %r8;\nld.shared.u32 %r12, [%r11];\n" + STORE
SOURCE = np.arange(1024, dtype=np.uint32) * 3 + 7


@pytest.mark.parametrize(("size", "cache"), [(4, "ca"), (8, "ca"), (16, "ca"), (16, "cg")])
@pytest.mark.parametrize(
    "wait", ["cp.async.wait_all;\n", "cp.async.commit_group;\ncp.async.wait_group 0;\n"]
)
def test_copies_arrive_at_the_wait_and_the_barrier(size, cache, wait):
    body = COPY.format(size=size, cache=cache) + wait + "bar.sync 0;\n" + READ
    got = launch(body, np.zeros(64, np.uint32), SOURCE.copy())
    np.testing.assert_array_equal(got, SOURCE[:64])


@pytest.mark.parametrize("wait", ["", "bar.sync 0;\n", "cp.async.commit_group;\nbar.sync 0;\n",
                                  "cp.async.commit_group;\ncp.async.wait_group 1;\nbar.sync 0;\n",
                                  "cp.async.wait_group 0;\nbar.sync 0;\n"])
def test_copies_read_before_their_wait(wait):
    """A group that was never committed is not waited for by its number."""
    message = fault(COPY.format(size=4, cache="ca") + wait + READ, np.zeros(64, np.uint32),
                    SOURCE.copy())
    assert "cp.async" in message or "nobody wrote" in message


def test_copies_of_other_threads_need_a_barrier_after_the_wait():
    body = COPY.format(size=4, cache="ca") + "cp.async.wait_all;\n{}xor.b32 %r13, %r0, 32;\n" \
        "mad.lo.u32 %r11, %r13, 4, %r8;\nld.shared.u32 %r12, [%r11];\n" + STORE
    message = fault(body.format(""), np.zeros(64, np.uint32), SOURCE.copy())
    assert "race" in message
    got = launch(body.format("bar.sync 0;\n"), np.zeros(64, np.uint32), SOURCE.copy())
    np.testing.assert_array_equal(got, SOURCE[np.arange(64) ^ 32])


def test_groups_arrive_in_their_order():
    """Two groups: after waiting for all but one, the first is there and the second is not."""
    second = "add.u32 %r9, %r9, 2048;\nadd.s64 %rd9, %rd9, 256;\n" \
        "cp.async.ca.shared.global [%r9], [%rd9], 4;\ncp.async.commit_group;\n"
    body = (COPY.format(size=4, cache="ca") + "cp.async.commit_group;\n" + second
            + "cp.async.wait_group 1;\nbar.sync 0;\n{}"
            "mad.lo.u32 %r11, %r0, 4, %r8;\nld.shared.u32 %r12, [%r11+{}];\n" + STORE)
    got = launch(body.format("", 0), np.zeros(64, np.uint32), SOURCE.copy())
    np.testing.assert_array_equal(got, SOURCE[:64])
    fault(body.format("", 2048), np.zeros(64, np.uint32), SOURCE.copy())
    both = body.format("cp.async.wait_group 0;\nbar.sync 0;\n", 2048)
    got = launch(both, np.zeros(64, np.uint32), SOURCE.copy())
    np.testing.assert_array_equal(got, SOURCE[64:128])


def test_old_contents_are_not_read_while_a_copy_is_under_way():
    """The place held something before; on a GPU either may be found."""
    before = "mov.u32 %r8, buffer;\nmad.lo.u32 %r9, %r0, 4, %r8;\nst.shared.u32 [%r9], %r0;\n" \
        "bar.sync 0;\n"
    fault(before + COPY.format(size=4, cache="ca") + READ, np.zeros(64, np.uint32), SOURCE.copy())


def test_copies_fill_up_with_zeros():
    body = (COPY.format(size=16, cache="cg").replace("], 16;", "], 16, %r7;")
            .replace("mov.u32 %r8", "and.b32 %r7, %r0, 3;\nshl.b32 %r7, %r7, 2;\nmov.u32 %r8", 1)
            + "cp.async.wait_all;\nbar.sync 0;\n" + READ)
    got = launch(body, np.zeros(64, np.uint32), SOURCE.copy())
    lane, word = np.arange(64) // 4, np.arange(64) % 4
    np.testing.assert_array_equal(got, np.where(word < lane % 4, SOURCE[:64], 0))


def test_copies_that_read_nothing_may_point_anywhere():
    """The tail of a tile: source size zero, and an address beyond the array."""
    body = (COPY.format(size=16, cache="cg").replace("], 16;", "], 16, %r7;")
            .replace("mov.u32 %r8", "setp.lt.u32 %p1, %r0, 5;\nselp.u32 %r7, 16, 0, %p1;\n"
                     "mov.u32 %r8", 1) + "cp.async.wait_all;\nbar.sync 0;\n" + READ)
    got = launch(body, np.zeros(64, np.uint32), SOURCE[:20].copy())
    np.testing.assert_array_equal(got, np.where(np.arange(64) < 20, SOURCE[:64], 0))
    message = fault(body.replace("%r0, 5;", "%r0, 6;"), np.zeros(64, np.uint32), SOURCE[:20].copy())
    assert "out of bounds" in message


@pytest.mark.parametrize(("where", "shift"), [("[%r9]", "%r9"), ("[%rd9]", "%rd9")])
def test_copies_must_be_aligned_and_inside(where, shift):
    kind = "s64" if "d" in shift else "s32"
    body = COPY.format(size=16, cache="cg") + "cp.async.wait_all;\n"
    moved = body.replace("cp.async.cg", f"add.{kind} {shift}, {shift}, {{}};\ncp.async.cg")
    assert "misaligned" in fault(moved.format(4), np.zeros(1, np.uint32), SOURCE.copy())
    assert "out of bounds" in fault(moved.format(4096), np.zeros(1, np.uint32), SOURCE.copy())
