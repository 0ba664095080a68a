"""Texts that are cut, edited, foreign or absurd end in one line, and never in another error."""

import random
import re

import numpy as np
import pytest
from centre_rows import TEXT, THREADS, case, right
from hypothesis import example, given, settings, strategies as st
from ptx_texts import HEADER, REGISTERS, entry, kernel

from minicnn import ptx

START = TEXT.index(".version")
"""Before it stand comments alone."""


def run(text):
    """Load, and launch on the real kernel's arguments; the arrays, or the one line of the error."""
    try:
        found = ptx.load(text)
        x, y = case()
        if "centre_rows" in found:
            found["centre_rows"].launch(3, THREADS, x, y, 200, limit=2000)
    except ptx.PTXError as error:
        message = str(error)
        assert message and "\n" not in message and len(message) < 1100
        return message
    return x, y


def refused(text, *, match=""):
    """The message with which a text ends, when it is loaded or launched."""
    with pytest.raises(ptx.PTXError, match=match) as caught:
        for built in ptx.load(text).values():
            built.launch(1, 32)
    message = str(caught.value)
    assert message and "\n" not in message
    return message


@pytest.mark.parametrize("columns", [1, 31, 127, 128, 129, 500, 1000])
def test_the_whole_text_runs(columns):
    x, y = case(4, columns)
    ptx.load(TEXT)["centre_rows"].launch(4, THREADS, x, y, columns)
    assert right(x, y)


def test_every_beginning_of_a_text():
    """A prefix that ends before the last brace has no kernel."""
    last = TEXT.rindex("}")
    rng = random.Random(1)
    for end in {*rng.sample(range(last), 150), 0, 1, START, START + 5, last - 1, last}:
        try:
            found = ptx.load(TEXT[:end])
        except ptx.PTXError as error:
            assert "\n" not in str(error)
        else:
            assert "centre_rows" not in found, end
    assert "centre_rows" in ptx.load(TEXT[: last + 1])


def test_texts_without_a_line():
    """Each line left out in turn; what still runs is right, wrong or a fault, but no crash."""
    lines = TEXT.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(".version"))
    for i in random.Random(2).sample(range(first, len(lines)), 90):
        run("\n".join(lines[:i] + lines[i + 1:]))


def test_texts_with_other_characters():
    rng = random.Random(3)
    alphabet = "{}[]();:,.%@!<>0123456789abcxyz_$+-= \n\t\"'\\/*|\x00é☃"
    for _ in range(150):
        characters = list(TEXT)
        for _ in range(rng.choice([1, 1, 2, 5])):
            at = rng.randrange(START, len(characters))
            characters[at] = rng.choice(["", rng.choice(alphabet), characters[at] * 2])
        run("".join(characters))


def test_texts_with_other_numbers():
    """Sizes and counts a million times too large among them."""
    numbers = [match.span() for match in re.finditer(r"(?<![\w.])-?\d+|(?<=[<\[])\d+", TEXT)
               if match.start() > START]
    rng = random.Random(4)
    for start, end in rng.sample(numbers, min(60, len(numbers))):
        for value in ("99999999999999999999", "-1", "1e9", "0x", "4294967295"):
            if rng.random() < 0.5:
                run(TEXT[:start] + value + TEXT[end:])


def test_texts_with_other_opcodes():
    opcodes = sorted({match[1] for match in re.finditer(r"\n\t([a-z][\w.]+)", TEXT)})
    rng = random.Random(5)
    for old in opcodes:
        new = rng.choice(opcodes)
        run(re.sub(rf"\n\t{re.escape(old)}(?=\s)", f"\n\t{new}", TEXT, count=1))


@settings(max_examples=60)
@given(st.text(max_size=200))
@example("")
@example("\n\n")
@example(".version")
@example(".version 8.0")
@example("{" * 5000)
@example("(" * 5000)
@example("/*")
@example("//" * 10000)
@example(".version 8.0\n.entry")
@example(".version 8.0\n.target sm_90\n.address_size 64\n.entry a(")
@example("\x00\x01\x02\xff" * 50)
@example("def kernel():\n    pass\n")
def test_texts_that_are_no_ptx(text):
    assert isinstance(run(text), str) or not list(ptx.load(text))


@pytest.mark.parametrize("text", [b".version 8.0", None, 5])
def test_what_is_no_text_at_all(text):
    with pytest.raises((ptx.PTXError, TypeError)) as caught:
        ptx.load(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 300000, " " * 300000, "\n" * 300000, ".reg " * 60000, "@" * 100000,
        HEADER + ".global .b8 x[" + "1" * 5000 + "];",
        HEADER + "// " + "x" * 300000,
        entry("{" * 20000 + "}" * 20000 + "ret;"),
        entry(REGISTERS + "add.s32 %r1, " + "(" * 20000 + ";"),
        entry(REGISTERS + "mov.u32 %r1, " + "-" * 20000 + "1;"),
        entry(REGISTERS + "mov.u32 %r1, " + "9" * 6000 + ";"),
        entry(".reg .b32 " + ", ".join(f"%q{i}" for i in range(20000)) + ";\nret;"),
        entry(".reg .b32 %r<4000000000>;\nret;"),
        entry(".shared .b8 x[99999999];\nret;"),
        entry(".local .b8 x[999999999999];\nret;"),
        entry(".shared .align 3 .b8 x[16];\nret;"),
    ],
    ids=range(16),
)
def test_absurd_sizes_end_soon(text):
    try:
        for built in ptx.load(text).values():
            built.launch(1, 32)
    except ptx.PTXError as error:
        assert "\n" not in str(error) and len(str(error)) < 1100


UNKNOWN = {
    "an opcode": "frobnicate.s32 %r1, %r2;",
    "a real one that kernels here do not use":
        "tex.2d.v4.f32.s32 {%f1, %f2, %f3, %f4}, [t, {%r1, %r2}];",
    "a type": "add.s48 %r1, %r2, %r3;",
    "a register": "add.s32 %r1, %r2, %unknown;",
    "a destination": "add.s32 %unknown, %r1, %r2;",
    "a variable": "mov.u32 %r1, nothing_of_this_name;",
    "a special register": "mov.u32 %r1, %frobs;",
    "a label": "bra NOWHERE;",
    "a parameter": "ld.param.u32 %r1, [p77];",
    "a function": "call frobnicate, ();",
    "a comparison": "setp.frob.s32 %p1, %r1, %r2;",
    "a number": "add.s32 %r1, %r2, 12cats;",
    "a float of too few digits": "add.f32 %f1, %f2, 0f12;",
    "a number as a destination": "add.s32 5, %r2, %r3;",
    "too few operands": "add.s32 %r1, %r2;",
    "too many operands": "add.s32 %r1, %r2, %r3, %r4;",
    "no operands": "add.s32;",
    "a guard that is no predicate": "@%r1 add.s32 %r1, %r2, %r3;",
    "a predicate as a number": "add.s32 %r1, %p1, %r3;",
    "a number as a predicate": "selp.s32 %r1, %r2, %r3, %r4;",
    "a wide result in a narrow register": "mul.wide.s32 %r1, %r2, %r3;",
    "a narrow register as a wide operand": "add.s64 %rd1, %rd2, %r3;",
    "an address without brackets": "ld.global.u32 %r1, %rd1;",
    "an address of three": "ld.global.u32 %r1, [%rd1+%rd2];",
    "a vector of three": "ld.global.v3.u32 {%r1, %r2, %r3}, [%rd1];",
    "a vector with a register missing": "ld.global.v4.u32 {%r1, %r2, %r3}, [%rd1];",
    "a rounding that there is not": "add.rx.f32 %f1, %f2, %f3;",
    "a rounding of integers": "add.rn.s32 %r1, %r2, %r3;",
    "no type": "add %r1, %r2, %r3;",
    "a table beyond a byte": "lop3.b32 %r1, %r2, %r3, %r4, 256;",
    "a copy of five bytes": "cp.async.ca.shared.global [%r1], [%rd1], 5;",
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_is_unknown_or_does_not_fit_is_named_with_its_line(what):
    clear = "".join(f"mov.u32 %r{i}, 0;\n" for i in range(1, 5)) + "setp.eq.u32 %p1, %r1, 1;\n"
    text = entry(f"{REGISTERS}{clear}{UNKNOWN[what]}\nret;")
    number = text.splitlines().index(UNKNOWN[what]) + 1
    assert f"line {number}:" in refused(text)


SOUND = """\
add.s32 %r1, %r2, %r3
sub.u64 %rd1, %rd2, %rd3
mul.lo.s32 %r1, %r2, %r3
mul.wide.u32 %rd1, %r2, %r3
mad.lo.s32 %r1, %r2, %r3, %r4
div.s32 %r1, %r2, %r3
rem.u32 %r1, %r2, %r3
min.s32 %r1, %r2, %r3
abs.s32 %r1, %r2
neg.s32 %r1, %r2
and.b32 %r1, %r2, %r3
not.b32 %r1, %r2
shl.b32 %r1, %r2, 3
shr.u32 %r1, %r2, 3
shf.l.wrap.b32 %r1, %r2, %r3, %r4
bfe.u32 %r1, %r2, %r3, %r4
bfi.b32 %r1, %r2, %r3, %r4, %r4
prmt.b32 %r1, %r2, %r3, %r4
lop3.b32 %r1, %r2, %r3, %r4, 0x96
popc.b32 %r1, %r2
clz.b32 %r1, %r2
brev.b32 %r1, %r2
setp.lt.s32 %p1, %r2, %r3
selp.b32 %r1, %r2, %r3, %p1
mov.b32 %r1, %r2
add.rn.f32 %f1, %f2, %f3
mul.f32 %f1, %f2, %f3
fma.rn.f32 %f1, %f2, %f3, %f4
div.rn.f32 %f1, %f2, %f3
sqrt.rn.f32 %f1, %f2
rcp.rn.f32 %f1, %f2
max.f32 %f1, %f2, %f3
setp.gtu.f32 %p1, %f2, %f3
cvt.rn.f32.s32 %f1, %r2
cvt.rzi.s32.f32 %r1, %f2
cvt.u64.u32 %rd1, %r2
shfl.sync.bfly.b32 %r1, %r2, 1, 31, -1
vote.sync.ballot.b32 %r1, %p1, -1
bar.sync 0
cvta.to.global.u64 %rd1, %rd2
membar.gl""".splitlines()
CLEAR = "\n".join(
    [f"mov.u32 %r{i}, 1;" for i in range(1, 5)] + [f"mov.u64 %rd{i}, 1;" for i in range(1, 5)]
    + [f"mov.f32 %f{i}, 0f3F800000;" for i in range(1, 5)] + ["setp.eq.u32 %p1, %r1, 1;"]
)


@pytest.mark.parametrize("statement", SOUND)
def test_a_modifier_that_is_not_known_is_never_passed_over(statement):
    """The instruction itself runs, and with a word more at any place it does not."""
    text = f"{REGISTERS}{CLEAR}\n{{}};\nret;"
    ptx.load(entry(text.format(statement)))["kernel"].launch(1, 32)
    opcode, _, operands = statement.partition(" ")
    parts = opcode.split(".")
    for at in range(1, len(parts) + 1):
        changed = ".".join([*parts[:at], "frob", *parts[at:]])
        refused(entry(text.format(f"{changed} {operands}")), match="line")


@pytest.mark.parametrize(
    "extra",
    ["add.cc.u32 %r1, %r2, %r3;", "addc.u32 %r1, %r2, %r3;", "sub.cc.u32 %r1, %r2, %r3;",
     "mad.lo.cc.u32 %r1, %r2, %r3, %r4;", "set.lt.u32.s32 %r1, %r2, %r3;",
     "vadd4.u32.u32.u32 %r1, %r2, %r3, %r4;", "dp4a.u32.u32 %r1, %r2, %r3, %r4;",
     "ld.global.nc.L1::no_allocate.u32 %r1, [%rd1];", "add.ftz.f32 %f1, %f2, %f3;",
     "st.async.weak.shared::cluster.u32 [%r1], %r2, [%r3];", "wgmma.fence.sync.aligned;",
     "griddepcontrol.wait;", "brkpt;", "add.f16 %h1, %h2, %h3;", "bar.sync 3, 96;"],
)
def test_real_instructions_beyond_the_subset_run_or_are_refused_by_name(extra):
    try:
        ptx.load(entry(f"{REGISTERS}{CLEAR}\nmov.u16 %h2, 0;\nmov.u16 %h3, 0;\n{extra}\nret;"))[
            "kernel"
        ].launch(1, 32)
    except ptx.PTXError as error:
        assert "line" in str(error) and "\n" not in str(error)


def test_the_same_name_twice():
    one = entry("ret;")
    refused(one + one.removeprefix(HEADER))
    refused(entry("HERE:\nHERE:\nret;"))
    refused(entry(".reg .b32 %r1;\n.reg .b32 %r1;\nret;"))


def test_lines_are_counted_as_an_editor_does():
    text = "// a\r\n/* b\n c */\n" + HEADER + "\n.visible .entry k()\n{\n\n\n  frob.u32 %r1;\n}\n"
    number = text.splitlines().index("  frob.u32 %r1;") + 1
    assert f"line {number}:" in refused(text)


def test_line_ends_blanks_and_comments_do_not_matter():
    text = TEXT[START:]
    for changed in (text.replace("\n", "\r\n"), text.replace("\t", "   \t "),
                    text.replace(";\n", "; // so; it { goes\n"),
                    text.replace(", ", " /* , ; } */ ,\n\t\t"),
                    re.sub(r"//[^\n]*", "", TEXT).replace(";\n", "; ")):
        x, y = case()
        ptx.load(changed)["centre_rows"].launch(3, THREADS, x, y, 200)
        assert right(x, y)


# ---------------------------------------------------------------------------------------- arguments


def test_too_few_and_too_many_arguments():
    built = ptx.load(TEXT)["centre_rows"]
    x, y = case()
    for arguments in [(), (x,), (x, y), (x, y, 200, 1), (x, y, 200, x)]:
        with pytest.raises(ptx.PTXError) as caught:
            built.launch(3, THREADS, *arguments)
        assert "3" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["200", None, [1, 2], {}, object(), 2**32, -(2**31) - 1, 1.5, float("nan"), 1j,
              np.array("x"), np.array([object()])],
    ids=repr,
)
def test_arguments_that_no_kernel_can_take(value):
    x, y = case()
    with pytest.raises((ptx.PTXError, TypeError)) as caught:
        ptx.load(TEXT)["centre_rows"].launch(3, THREADS, x, y, value)
    assert "\n" not in str(caught.value)


def test_arrays_that_do_not_lie_in_one_piece():
    built = ptx.load(TEXT)["centre_rows"]
    x, y = case(3, 200)
    for odd in (x[:, ::2], x.T, x[::-1], np.asfortranarray(x)):
        with pytest.raises(ptx.PTXError, match="contiguous"):
            built.launch(3, THREADS, odd, y, 200)


def test_an_array_in_the_place_of_a_number_and_the_other_way_round():
    built = ptx.load(TEXT)["centre_rows"]
    x, y = case()
    with pytest.raises(ptx.PTXError):
        built.launch(3, THREADS, x, y, x)
    with pytest.raises(ptx.PTXError):
        built.launch(3, THREADS, 5, y, 200)      # the address 5 belongs to nobody


@pytest.mark.parametrize("grid", [0, -1, (1, 0), (1, 1, 1, 1), 1.5, "3", None, 2**31, (1, 2**16)])
def test_grids_that_there_are_not(grid):
    with pytest.raises((ptx.PTXError, TypeError)) as caught:
        kernel("", arrays=0).launch(grid, 32)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("block", [0, -32, 1025, (32, 33), (1, 1, 65), 1.5, None, (8, 8, 8, 8)])
def test_blocks_that_there_are_not(block):
    with pytest.raises((ptx.PTXError, TypeError)) as caught:
        kernel("", arrays=0).launch(1, block)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shared", [-1, 2**20, 2**40, 1.5])
def test_shared_memory_that_no_chip_has(shared):
    built = kernel("", arrays=0, before=".extern .shared .align 16 .b8 buffer[];")
    with pytest.raises((ptx.PTXError, TypeError)):
        built.launch(1, 32, shared=shared)


def test_a_block_larger_than_the_kernel_allows():
    text = entry("ret;").replace(")\n{", ")\n.maxntid 64, 1, 1\n{")
    ptx.load(text)["kernel"].launch(1, 64)
    with pytest.raises(ptx.PTXError, match="64"):
        ptx.load(text)["kernel"].launch(1, 65)


def test_a_kernel_that_is_not_there():
    with pytest.raises(KeyError):
        ptx.load(TEXT)["other"]


@pytest.mark.parametrize(
    "kind", ["s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64"]
)
def test_scalars_of_every_kind_arrive(kind):
    dtype = np.dtype({"s": "i", "u": "u", "f": "f"}[kind[0]] + str(int(kind[1:]) // 8))
    register = {"s8": "%h1", "u8": "%h1", "s16": "%h1", "u16": "%h1", "f32": "%f1", "f64": "%fd1"}
    name = register.get(kind, "%r9" if dtype.itemsize == 4 else "%rd9")
    built = kernel(f"ld.param.{kind} {name}, [p1];\nst.global.{kind} [%rd0], {name};", 1, kind)
    values = [1.5, -0.0, 1e30] if kind[0] == "f" else [np.iinfo(dtype).min, 77, np.iinfo(dtype).max]
    for value in values:
        for given_as in (dtype.type(value), value):
            out = np.zeros(1, dtype)
            built.launch(1, 1, out, given_as)
            assert out[0] == dtype.type(value)
