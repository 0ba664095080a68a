"""Instructions, sectors, passes and bytes, against counts made by hand."""

import numpy as np
import pytest
from ptx_texts import entry, kernel, place

from minicnn import ptx

SHARED = ".shared .align 128 .b8 buffer[32768];"


def requests(statements, *arrays, grid=1, block=32, inside=""):
    """What each memory instruction asked for, in the order of the text."""
    built = kernel(statements, arrays=len(arrays), inside=inside)
    launched = built.launch(grid, block, *arrays)
    return sorted(launched.requests, key=lambda request: request.line)


def one(*arguments, **options):
    [request] = requests(*arguments, **options)
    return request


def test_instructions_of_a_straight_text():
    text = entry(
        ".reg .b64 %rd<4>;\n.reg .b32 %r<4>;\n.reg .f32 %f<4>;\n"
        "ld.param.u64 %rd1, [p0];\nmov.u32 %r1, %tid.x;\nmul.wide.u32 %rd2, %r1, 4;\n"
        "add.s64 %rd3, %rd1, %rd2;\nld.global.f32 %f1, [%rd3];\nfma.rn.f32 %f2, %f1, %f1, %f1;\n"
        "fma.rn.f32 %f3, %f2, %f1, %f1;\nst.global.f32 [%rd3], %f3;\nret;", "u64",
    )
    launched = ptx.load(text)["kernel"].launch(3, 50, np.zeros(50, np.float32), races=False)
    assert sum(launched.counts.values()) == 9 * 150
    assert sum(n for kind, n in launched.counts.items() if kind.startswith("fma")) == 2 * 150
    assert sum(n for kind, n in launched.counts.items() if kind.startswith("ld.global")) == 150


def test_lines_that_ran():
    """Of 40 threads, 8 go the long way; nobody comes to the line behind the end."""
    text = entry(
        ".reg .b32 %r<4>;\n.reg .pred %p<2>;\nmov.u32 %r1, %tid.x;\nsetp.ge.u32 %p1, %r1, 8;\n"
        "@%p1 bra DONE;\nadd.u32 %r2, %r1, 1;\nDONE:\nret;\nmov.u32 %r3, 1;\nret;", "u64",
    )
    lines = text.split("\n")
    launched = ptx.load(text)["kernel"].launch(1, 40, np.zeros(1))
    ran = {lines[number - 1].split()[0]: count for number, count in launched.lines.items()}
    assert ran == {"mov.u32": 40, "setp.ge.u32": 40, "@%p1": 40, "add.u32": 8, "ret;": 40}


def test_instructions_of_loops_and_branches():
    """Thread t adds t times; each round is three instructions, the start two and the end one."""
    text = entry(
        ".reg .b32 %r<4>;\n.reg .pred %p<2>;\nmov.u32 %r1, %tid.x;\nmov.u32 %r2, 0;\nROUND:\n"
        "setp.ge.u32 %p1, %r2, %r1;\n@%p1 bra END;\nadd.u32 %r2, %r2, 1;\nbra ROUND;\nEND:\nret;"
    )
    launched = ptx.load(text)["kernel"].launch(1, 40)
    rounds = sum(range(40))
    assert sum(launched.counts.values()) == 40 * (2 + 2 + 1) + 4 * rounds
    assert sum(n for kind, n in launched.counts.items() if kind.startswith("add")) == rounds
    assert sum(n for kind, n in launched.counts.items() if kind.startswith("bra")) == \
        2 * rounds + 40


def test_a_barrier_counts_once_for_each_thread_whenever_it_comes():
    launched = kernel(
        "and.b32 %r9, %r0, 3;\nmov.u32 %r10, 0;\nROUND:\nadd.u32 %r10, %r10, 1;\n"
        "setp.le.u32 %p1, %r10, %r9;\n@%p1 bra ROUND;\nbar.sync 0;", arrays=0,
    ).launch(2, 64)
    assert sum(n for kind, n in launched.counts.items() if kind.startswith("bar")) == 128


@pytest.mark.parametrize(
    ("stride", "sectors", "direction"),
    [(0, 1, "load")] + [
        (stride, sectors, direction) for direction in ("load", "store")
        for stride, sectors in [(1, 4), (2, 8), (4, 16), (8, 32), (32, 32), (100, 32)]
    ],
)
def test_sectors_of_a_stride(stride, sectors, direction):
    """32 lanes of 4 bytes: 8 elements lie in a sector of 32 bytes."""
    access = "ld.global.u32 %r9, [%rd8];" if direction == "load" else "st.global.u32 [%rd8], %r0;"
    array = np.zeros(32 * max(1, stride), np.uint32)
    found = one(place("%rd8", "%rd0", "%r0", 4 * stride) + "\n" + access, array)
    assert (found.space, found.write, found.width) == ("global", direction == "store", 4)
    assert (found.warps, found.cost, found.moved) == (1, sectors, 32 * sectors)
    assert found.least == (1 if stride == 0 else 4)


@pytest.mark.parametrize(("shift", "sectors"), [(0, 4), (1, 5), (7, 5), (8, 4), (9, 5)])
def test_sectors_of_a_misaligned_start(shift, sectors):
    found = one(place("%rd8", "%rd0", "%r0", 4) + f"\nld.global.u32 %r9, [%rd8+{4 * shift}];",
                np.zeros(64, np.uint32))
    assert (found.cost, found.least) == (sectors, 4)


@pytest.mark.parametrize(
    ("kind", "value", "size", "sectors"),
    [("u8", "%h1", 1, 1), ("u16", "%h1", 2, 2), ("u32", "%r9", 4, 4), ("u64", "%rd9", 8, 8),
     ("v2.u32", "{%r9, %r10}", 8, 8), ("v4.u32", "{%r9, %r10, %r11, %r12}", 16, 16)],
)
def test_sectors_of_every_width(kind, value, size, sectors):
    found = one(place("%rd8", "%rd0", "%r0", size) + f"\nld.global.{kind} {value}, [%rd8];",
                np.zeros(1024, np.uint8))
    assert (found.width, found.cost, found.least) == (size, sectors, sectors)


def test_sectors_of_lanes_in_disorder_and_of_a_part_of_them():
    """The order of the lanes does not matter; those that stay away do not count."""
    array = np.zeros(32, np.uint32)
    found = one("xor.b32 %r9, %r0, 21;\n" + place("%rd8", "%rd0", "%r9", 4)
                + "\nld.global.u32 %r10, [%rd8];", array)
    assert found.cost == 4
    found = one("setp.lt.u32 %p1, %r0, 9;\n" + place("%rd8", "%rd0", "%r0", 4)
                + "\n@%p1 ld.global.u32 %r10, [%rd8];", array)
    assert (found.warps, found.cost, found.least) == (1, 2, 2)


def test_requests_of_warps_that_stay_away_do_not_count():
    found = one("setp.lt.u32 %p1, %r0, 32;\n" + place("%rd8", "%rd0", "%r0", 4)
                + "\n@%p1 ld.global.u32 %r10, [%rd8];", np.zeros(32, np.uint32), block=128, grid=5)
    assert (found.warps, found.cost) == (5, 20)


def test_every_round_of_a_loop_counts():
    found = one("mov.u32 %r9, 0;\n" + place("%rd8", "%rd0", "%r0", 4) + "\nROUND:\n"
                "ld.global.u32 %r10, [%rd8];\nadd.u32 %r9, %r9, 1;\nsetp.lt.u32 %p1, %r9, 7;\n"
                "@%p1 bra ROUND;", np.zeros(64, np.uint32), block=64, grid=3)
    assert (found.warps, found.cost, found.moved) == (42, 7 * 3 * 8, 7 * 3 * 8 * 32)


@pytest.mark.parametrize("direction", ["load", "store"])
@pytest.mark.parametrize(
    ("stride", "passes"), [(1, 1), (2, 2), (3, 1), (4, 4), (8, 8), (16, 16), (32, 32), (33, 1),
                           (31, 1), (64, 32)],
)
def test_passes_of_a_stride(stride, passes, direction):
    """Lane n at word n·stride: as many words of one bank as the stride has twos, at most 32."""
    start = f"mov.u32 %r8, buffer;\nmad.lo.u32 %r9, %r0, {4 * stride}, %r8;\n" \
        "st.shared.u32 [%r9], %r0;\n"
    found = requests(start + "ld.shared.u32 %r10, [%r9];", inside=SHARED)
    request = found[direction == "load"]
    assert (request.space, request.write) == ("shared", direction == "store")
    assert (request.warps, request.cost, request.least) == (1, passes, 1)
    assert request.moved == 128


FILL = "mov.u32 %r8, buffer;\nmad.lo.u32 %r9, %r0, 16, %r8;\n" \
    "st.shared.v4.u32 [%r9], {%r0, %r0, %r0, %r0};\nbar.sync 0;\n"


@pytest.mark.parametrize(
    ("index", "passes"),
    [("mov.u32 %r10, 0;", 1), ("shr.u32 %r10, %r0, 1;", 1), ("and.b32 %r10, %r0, 1;", 1),
     ("shl.b32 %r10, %r0, 5;\nand.b32 %r10, %r10, 32;", 2),
     ("shl.b32 %r10, %r0, 5;\nand.b32 %r10, %r10, 96;", 4)],
    ids=["all one word", "pairs", "two words", "two words of one bank", "four of one bank"],
)
def test_passes_of_words_that_lanes_share(index, passes):
    """A word goes to all lanes that ask for it at once."""
    found = requests(FILL + index + "\nmad.lo.u32 %r11, %r10, 4, %r8;\nld.shared.u32 %r12, [%r11];",
                     inside=SHARED)
    assert found[-1].cost == passes


@pytest.mark.parametrize(
    ("kind", "value", "size", "step", "passes", "least"),
    [
        ("v4.u32", "{%r12, %r13, %r14, %r15}", 16, 16, 4, 4),
        ("v4.u32", "{%r12, %r13, %r14, %r15}", 16, 0, 4, 4),
        ("v4.u32", "{%r12, %r13, %r14, %r15}", 16, 32, 8, 4),
        ("v4.u32", "{%r12, %r13, %r14, %r15}", 16, 128, 32, 4),
        ("v2.u32", "{%r12, %r13}", 8, 8, 2, 2),
        ("u64", "%rd12", 8, 8, 2, 2),
        ("v2.u32", "{%r12, %r13}", 8, 16, 4, 2),
        ("u16", "%h1", 2, 2, 1, 1),
        ("u8", "%h1", 1, 1, 1, 1),
    ],
)
def test_passes_of_every_width(kind, value, size, step, passes, least):
    """8 bytes a lane are served a half of the warp at a time, 16 bytes a quarter."""
    clear = "mov.u32 %r8, buffer;\nmov.u32 %r10, 0;\nmad.lo.u32 %r9, %r0, 16, %r8;\nROUND:\n" \
        "st.shared.v4.u32 [%r9], {%r0, %r0, %r0, %r0};\nadd.u32 %r9, %r9, 512;\n" \
        "add.u32 %r10, %r10, 1;\nsetp.lt.u32 %p1, %r10, 8;\n@%p1 bra ROUND;\nbar.sync 0;\n"
    found = requests(clear + f"mad.lo.u32 %r11, %r0, {step}, %r8;\n"
                     f"ld.shared.{kind} {value}, [%r11];", inside=SHARED)
    assert (found[-1].cost, found[-1].least) == (passes, least)
    assert found[-1].moved == 32 * size


def test_blocks_have_their_own_banks():
    """Requests of different blocks and warps do not meet."""
    found = requests("mov.u32 %r8, buffer;\nmad.lo.u32 %r9, %r0, 4, %r8;\n"
                     "st.shared.u32 [%r9], %r0;", inside=SHARED, block=96, grid=4)
    assert (found[0].warps, found[0].cost, found[0].moved) == (12, 12, 4 * 96 * 4)


def test_copies_count_on_both_sides():
    found = requests("mov.u32 %r8, buffer;\nmad.lo.u32 %r9, %r0, 16, %r8;\n"
                     + place("%rd8", "%rd0", "%r0", 16)
                     + "\ncp.async.cg.shared.global [%r9], [%rd8], 16;\ncp.async.wait_all;",
                     np.zeros(128, np.uint32), inside=SHARED)
    spaces = {request.space: request for request in found}
    assert spaces["global"].cost == 16 and not spaces["global"].write
    assert spaces["shared"].cost == 4 and spaces["shared"].write


def test_nothing_is_counted_where_the_caller_says_so():
    array = np.zeros(32, np.uint32)
    built = kernel(place("%rd8", "%rd0", "%r0", 4) + "\nst.global.u32 [%rd8], %r0;")
    launched = built.launch(1, 32, array, counting=False)
    assert array.tolist() == list(range(32))
    assert not list(launched.requests)
    launched.report()


def test_two_launches_are_counted_apart():
    built = kernel(place("%rd8", "%rd0", "%r3", 4) + "\nst.global.u32 [%rd8], %r0;")
    first = built.launch(1, 32, np.zeros(32, np.uint32))
    second = built.launch(2, 32, np.zeros(64, np.uint32))
    assert 2 * sum(first.counts.values()) == sum(second.counts.values())
    assert [request.warps for request in first.requests] == [1]
    assert [request.warps for request in second.requests] == [2]


def test_the_report_is_a_table_that_names_what_was_counted():
    body = place("%rd8", "%rd0", "%r3", 64) + "\nld.global.u32 %r9, [%rd8];\n" \
        + place("%rd9", "%rd1", "%r3", 4) + "\nst.global.u32 [%rd9], %r9;"
    built = kernel(body, arrays=2)
    launched = built.launch(2, 64, np.zeros(16 * 128, np.uint32), np.zeros(128, np.uint32))
    report = launched.report()
    lines = report.splitlines()
    assert "kernel" in lines[0] and "128" in lines[0] and "instructions a thread" in lines[0]
    total = sum(launched.counts.values()) / 128
    assert f"{total:.1f}" in lines[0]
    load, store = (next(line for line in lines if word in line and str(request.line) in line)
                   for word, request in zip(("ld.global", "st.global"),
                                            sorted(launched.requests), strict=True))
    assert "32.0" in load and "4.0" in load and "4,096" in load and "*" in load
    assert "4.0" in store and "512" in store and "*" not in store
    assert max(map(len, lines)) <= 100


def test_a_report_of_nothing():
    launched = ptx.load(entry("ret;"))["kernel"].launch(1, 1)
    assert "kernel" in launched.report()
