"""Texts that are cut, edited, foreign or absurd end in one line, and never in another error."""

import random
import re

import pytest
from centre_rows import TEXT, THREADS, case, right
from hypothesis import example, given, settings, strategies as st
from ptx_texts import HEADER, REGISTERS, entry

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


def refused(text, *, match=None):
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
