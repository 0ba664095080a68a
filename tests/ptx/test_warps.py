"""Shuffles and votes, against the manual's formulas lane by lane."""

import numpy as np
import pytest
from ptx_texts import kernel, place

from minicnn import ptx

OUT = place("%rd8", "%rd0", "%r3", 8) + "\n"
STORE = "selp.u32 %r13, 1, 0, %p1;\nst.global.v2.u32 [%rd8], {%r12, %r13};"


def source(mode, lane, b, c):
    """The lane that ``lane`` reads and whether it lies in range: the manual's formulas."""
    b, clamp, segment = b & 31, c & 31, c >> 8 & 31
    low = lane & segment
    high = low | clamp & ~segment
    j = {"up": lane - b, "down": lane + b, "bfly": lane ^ b, "idx": low | b & ~segment}[mode]
    inside = j >= high if mode == "up" else j <= high
    return (j if inside else lane), inside


CLAMPS = {"up": [0, 0x1000, 0x1800, 0x1E00], "other": [31, 0x101F, 0x181F, 0x1C1F, 0x1803, 7]}


@pytest.mark.parametrize("mode", ["up", "down", "bfly", "idx"])
def test_shuffles(mode):
    rng = np.random.default_rng(1)
    values = rng.integers(0, 2**32, 64, np.uint32)
    for c in CLAMPS.get(mode, CLAMPS["other"]):
        for b in (0, 1, 2, 5, 8, 16, 31, 33):
            built = kernel(
                OUT + place("%rd9", "%rd1", "%r3", 4) + "\nld.global.u32 %r11, [%rd9];\n"
                f"shfl.sync.{mode}.b32 %r12|%p1, %r11, {b}, {c}, -1;\n{STORE}", arrays=2,
            )
            out = np.zeros((64, 2), np.uint32)
            built.launch(1, 64, out, values, counting=False)
            exact = [source(mode, lane, b, c) for lane in range(32)]
            lanes = np.array([j for j, _ in exact])
            np.testing.assert_array_equal(out[:32, 0], values[:32][lanes], err_msg=f"{b} {c:x}")
            np.testing.assert_array_equal(out[32:, 0], values[32:][lanes])
            np.testing.assert_array_equal(out[:, 1], [inside for _, inside in exact] * 2)


def test_each_lane_may_ask_for_another():
    values, wanted = np.random.default_rng(2).integers(0, 2**31, (2, 96)).astype(np.uint32)
    built = kernel(
        place("%rd8", "%rd0", "%r3", 4) + "\n" + place("%rd9", "%rd1", "%r3", 4) + "\n"
        + place("%rd10", "%rd2", "%r3", 4) + "\nld.global.u32 %r11, [%rd9];\n"
        "ld.global.u32 %r10, [%rd10];\nshfl.sync.idx.b32 %r12, %r11, %r10, 31, 0xffffffff;\n"
        "st.global.u32 [%rd8], %r12;", arrays=3,
    )
    out = np.zeros(96, np.uint32)
    built.launch(1, 96, out, values, wanted)
    np.testing.assert_array_equal(out, values[np.arange(96) // 32 * 32 + wanted % 32])


def test_a_shuffle_may_write_the_register_that_it_reads():
    built = kernel(place("%rd8", "%rd0", "%r3", 4) + "\nmov.u32 %r12, %r0;\n"
                   "shfl.sync.bfly.b32 %r12, %r12, 16, 31, -1;\nst.global.u32 [%rd8], %r12;")
    out = np.zeros(32, np.uint32)
    built.launch(1, 32, out)
    np.testing.assert_array_equal(out, np.arange(32) ^ 16)


PARTLY = "setp.{}.u32 %p2, %r0, {};\n@%p2 bra OVER;\n{}\nOVER:\nbar.sync 0;\n"
"""The barrier keeps those who pass by: lanes that have ended nobody would wait for."""
SHUFFLE = "shfl.sync.bfly.b32 %r12|%p1, %r0, 1, 31, {};"


@pytest.mark.parametrize(
    "statement", [SHUFFLE.format(-1), "vote.sync.ballot.b32 %r12, %p1, -1;",
                  "vote.sync.any.pred %p3, %p1, -1;", "bar.warp.sync -1;",
                  "shfl.sync.idx.b32 %r12, %r0, 0, 31, 0xFFFFFFFF;"],
)
@pytest.mark.parametrize(("compare", "bound"), [("lt", 16), ("eq", 0), ("eq", 31), ("ge", 33)])
def test_lanes_that_are_missing(statement, compare, bound):
    text = "setp.eq.u32 %p1, %r0, 0;\n" + PARTLY.format(compare, bound, statement)
    with pytest.raises(ptx.PTXFault, match=r"lane|warp") as caught:
        kernel(text).launch(1, 64, np.zeros(1, np.uint32))
    assert "line" in str(caught.value) and "\n" not in str(caught.value)


def test_whole_warps_may_stay_away():
    kernel(PARTLY.format("lt", 32, SHUFFLE.format(-1))).launch(1, 96, np.zeros(1, np.uint32))


def test_lanes_that_the_mask_names_are_enough():
    text = PARTLY.format("ge", 16, SHUFFLE.format("0xFFFF"))
    kernel(text).launch(1, 32, np.zeros(1, np.uint32))


def test_lanes_that_the_mask_does_not_name_may_not_come():
    text = PARTLY.format("ge", 16, SHUFFLE.format("0xFF"))
    with pytest.raises(ptx.PTXFault, match="lane|mask"):
        kernel(text).launch(1, 32, np.zeros(1, np.uint32))


def test_a_lane_reads_only_from_lanes_that_take_part():
    """Lane 15 asks lane 16, which stands outside the mask."""
    text = PARTLY.format("ge", 16, "shfl.sync.down.b32 %r12, %r0, 1, 31, 0xFFFF;")
    with pytest.raises(ptx.PTXFault, match="lane"):
        kernel(text).launch(1, 32, np.zeros(1, np.uint32))


@pytest.mark.parametrize("bound", [1, 20, 31, 40, 64])
@pytest.mark.parametrize("late", ["", "mov.u32 %r9, 1;\n"])
def test_lanes_that_have_ended_are_waited_for_no_more(bound, late):
    """The block of their end comes last in the text, so that they end after the others wait."""
    text = (f"setp.ge.u32 %p2, %r0, {bound};\n@%p2 bra GONE;\nsetp.eq.u32 %p1, %r0, %r0;\n"
            "vote.sync.ballot.b32 %r12, %p1, -1;\n" + place("%rd8", "%rd0", "%r3", 4)
            + f"\nst.global.u32 [%rd8], %r12;\nret;\nGONE:\n{late}ret;")
    out = np.zeros(64, np.uint32)
    kernel(text).launch(1, 64, out)
    right = [sum(1 << i for i in range(32) if lane // 32 * 32 + i < bound) * (lane < bound)
             for lane in range(64)]
    assert out.tolist() == right


@pytest.mark.parametrize("statement", [SHUFFLE.format("%r9"), "bar.warp.sync %r9;",
                                       "vote.sync.any.pred %p3, %p1, %r9;"])
def test_lanes_of_one_mask_come_with_the_same_mask(statement):
    text = ("setp.lt.u32 %p1, %r0, 16;\nselp.b32 %r9, 0xFFFF, -1, %p1;\n" + statement
            + "\nbar.sync 0;")
    with pytest.raises(ptx.PTXFault, match="0xffffffff reached by 16 lanes"):
        kernel(text).launch(1, 32, np.zeros(1, np.uint32))
    text = text.replace("0xFFFF, -1", "-1, 0xFFFFFFFE")
    with pytest.raises(ptx.PTXFault, match="by 16 lanes of the warp, and by 16 with another"):
        kernel(text).launch(1, 32, np.zeros(1, np.uint32))


def test_a_loop_may_bring_two_lanes_to_a_shuffle_with_masks_of_different_rounds():
    """Lanes 0 and 1 meet first, then 1 and 2, then 2 and 3, and so on: a chain."""
    text = ("mov.u32 %r12, %r0;\nmov.u32 %r8, 0;\nROUND:\n"
            "sub.u32 %r9, %r0, %r8;\nsetp.gt.u32 %p2, %r9, 1;\n@%p2 bra NEXT;\n"
            "mov.u32 %r10, 3;\nshl.b32 %r10, %r10, %r8;\n"
            "shfl.sync.idx.b32 %r12, %r12, %r8, 31, %r10;\n"
            "NEXT:\nadd.u32 %r8, %r8, 1;\nsetp.lt.u32 %p1, %r8, 31;\n@%p1 bra ROUND;\n"
            + place("%rd8", "%rd0", "%r3", 4) + "\nst.global.u32 [%rd8], %r12;")
    out = np.full(32, 7, np.uint32)
    kernel(text).launch(1, 32, out)
    assert not out.any()


def test_a_lane_takes_no_value_from_outside_its_own_mask():
    text = ("setp.lt.u32 %p1, %r0, 16;\nselp.b32 %r9, 0xFFFF, 0xFFFF0000, %p1;\n"
            "shfl.sync.bfly.b32 %r12, %r0, {}, 31, %r9;")
    kernel(text.format(8)).launch(1, 32, np.zeros(1, np.uint32))
    with pytest.raises(ptx.PTXFault, match="takes no part"):
        kernel(text.format(16)).launch(1, 32, np.zeros(1, np.uint32))


def test_a_guarded_shuffle_misses_the_lanes_that_its_guard_holds_back():
    text = "setp.lt.u32 %p2, %r0, 16;\n@%p2 " + SHUFFLE.format(-1) + "\nbar.sync 0;"
    with pytest.raises(ptx.PTXFault, match="lane|warp"):
        kernel(text).launch(1, 32, np.zeros(1, np.uint32))


VALUES = np.random.default_rng(3).integers(0, 3, 160).astype(np.uint32)
LOAD = (
    OUT + place("%rd9", "%rd1", "%r3", 4) + "\nld.global.u32 %r11, [%rd9];\n"
    "setp.ne.u32 %p2, %r11, 0;\n"
)


def voted(statement, values):
    start = LOAD + "mov.u32 %r12, 0;\nsetp.ne.u32 %p1, %r12, 0;\n"
    built = kernel(f"{start}{statement}\n{STORE}", arrays=2)
    out = np.zeros((values.size, 2), np.uint32)
    built.launch(1, values.size, out, values)
    return out


@pytest.mark.parametrize("inverted", ["", "!"])
def test_votes(inverted):
    """Among the warps one is all ones and one all zeros."""
    values = VALUES.copy()
    values[32:64], values[64:96] = 0, 1
    said = (values.reshape(-1, 32) != 0) ^ (inverted == "!")
    for name, exact in [("any", said.any(1)), ("all", said.all(1)),
                        ("uni", said.all(1) | ~said.any(1))]:
        out = voted(f"vote.sync.{name}.pred %p1, {inverted}%p2, -1;", values)
        np.testing.assert_array_equal(out[:, 1], np.repeat(exact, 32), err_msg=name)
    out = voted(f"vote.sync.ballot.b32 %r12, {inverted}%p2, -1;", values)
    bits = [sum(int(bit) << lane for lane, bit in enumerate(warp)) for warp in said]
    np.testing.assert_array_equal(out[:, 0], np.repeat(np.array(bits, np.uint32), 32))


@pytest.mark.parametrize(
    ("statement", "exact"),
    [
        ("redux.sync.add.u32 %r12, %r11, -1;", lambda warp: warp.sum()),
        ("redux.sync.max.u32 %r12, %r11, -1;", lambda warp: warp.max()),
        ("redux.sync.min.s32 %r12, %r11, -1;", lambda warp: warp.min()),
    ],
)
def test_sums_of_a_warp_are_right_or_refused(statement, exact):
    try:
        out = voted(statement, VALUES)
    except ptx.PTXFault:
        raise
    except ptx.PTXError:
        return
    np.testing.assert_array_equal(
        out[:, 0], np.repeat([exact(warp) for warp in VALUES.reshape(-1, 32)], 32)
    )


LOW, HIGH = 0x00FF0F0F, 0xFF00F0F0
"""The lanes of a warp in two parts, which go two ways."""


@pytest.mark.parametrize(
    ("statement", "exact"),
    [
        ("redux.sync.add.u32 %r12, %r11, {};", lambda values, own: values.sum()),
        ("redux.sync.xor.b32 %r12, %r11, {};", lambda values, own: np.bitwise_xor.reduce(values)),
        ("vote.sync.ballot.b32 %r12, %p2, {};", None),
        ("match.any.sync.b32 %r12, %r11, {};", lambda values, own: values == own),
    ],
    ids=["sum", "xor", "ballot", "match"],
)
def test_each_part_of_a_warp_is_for_itself(statement, exact):
    """Each mask names the lanes of its part; the others stand elsewhere."""
    values = VALUES[:64]
    text = (f"mov.u32 %r9, {LOW};\nmov.u32 %r10, %laneid;\nshr.u32 %r9, %r9, %r10;\n"
            "and.b32 %r9, %r9, 1;\nsetp.eq.u32 %p3, %r9, 0;\n@%p3 bra OTHER;\n"
            f"{statement.format(LOW)}\nbra JOIN;\nOTHER:\n{statement.format(HIGH)}\nJOIN:")
    out = voted(text, values)
    for lane in range(64):
        mask = LOW if LOW >> lane % 32 & 1 else HIGH
        part = np.array([mask >> i & 1 == 1 for i in range(32)])
        warp = values[lane // 32 * 32:][:32]
        if exact is None or statement.startswith("match"):
            said = part & (warp != 0 if exact is None else exact(warp, values[lane]))
            assert out[lane, 0] == sum(1 << i for i in range(32) if said[i])
        else:
            assert out[lane, 0] == exact(warp[part], values[lane])


def test_active_lanes():
    text = ("setp.ge.u32 %p2, %r0, 5;\nmov.u32 %r12, 0;\n@%p2 bra OVER;\nactivemask.b32 %r12;\n"
            "OVER:\n" + place("%rd8", "%rd0", "%r3", 4) + "\nst.global.u32 [%rd8], %r12;")
    out = np.zeros(32, np.uint32)
    kernel(text).launch(1, 32, out)
    assert out.tolist() == [31] * 5 + [0] * 27


def test_special_registers():
    names = ["%tid.x", "%tid.y", "%tid.z", "%ntid.x", "%ntid.y", "%ntid.z", "%ctaid.x", "%ctaid.y",
             "%ctaid.z", "%nctaid.x", "%nctaid.y", "%nctaid.z", "%laneid"]
    block, grid = (5, 4, 3), (2, 3, 2)
    text = (
        "mov.u32 %r5, %tid.y;\nmov.u32 %r6, %tid.z;\nmad.lo.u32 %r5, %r6, 4, %r5;\n"
        "mad.lo.u32 %r5, %r5, 5, %r0;\nmov.u32 %r6, %ctaid.z;\nmov.u32 %r7, %ctaid.y;\n"
        "mad.lo.u32 %r6, %r6, 3, %r7;\nmad.lo.u32 %r6, %r6, 2, %r1;\n"
        "mad.lo.u32 %r6, %r6, 60, %r5;\n"
        + place("%rd8", "%rd0", "%r6", 4 * len(names)) + "\n"
        + "\n".join(f"mov.u32 %r7, {name};\nst.global.u32 [%rd8+{4 * i}], %r7;"
                    for i, name in enumerate(names))
    )
    out = np.zeros((12, 60, len(names)), np.uint32)
    kernel(text).launch(grid, block, out)
    place_of = [(x, y, z) for z in range(3) for y in range(4) for x in range(5)]
    blocks = [(x, y, z) for z in range(2) for y in range(3) for x in range(2)]
    for b, thread in np.ndindex(12, 60):
        exact = [*place_of[thread], *block, *blocks[b], *grid, thread % 32]
        assert out[b, thread].tolist() == exact
