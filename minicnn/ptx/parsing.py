"""PTX text → its functions and variables; a function's body is cut into statements."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from minicnn.ptx.errors import PTXError

WIDTH = {
    f"{kind}{8 * width}": width for kind in "bus" for width in (1, 2, 4, 8)
} | {"f16": 2, "f32": 4, "f64": 8, "pred": 1}
"""Bytes of a value of each PTX type."""

MOST = {
    "shared": 48 << 10, "local": 512 << 10, "param": 32764, "global": 1 << 40, "const": 1 << 16,
}
"""The most bytes that a variable of each space may have."""

MOST_WITH_DYNAMIC = 227 << 10
"""The most bytes of shared memory of a block: those beyond the variables' have to be dynamic."""


class Statement(NamedTuple):
    """A piece of a function's body: ``text`` is an instruction or a directive without its ``;``."""

    line: int
    kind: str  # "{", "}", "label", "statement"
    text: str


@dataclass(slots=True)
class Variable:
    """A named place of memory, or a parameter."""

    name: str
    space: str
    type: str
    size: int
    alignment: int
    values: bytes = b""


@dataclass(slots=True)
class Function:
    """An ``.entry`` or ``.func`` as it stands in the text."""

    name: str
    line: int
    parameters: list[Variable]
    results: list[Variable]
    body: list[Statement]
    most_threads: int = 1024


# ------------------------------------------------------------------------------ cutting the text


class Source:
    """The text without its comments, that knows its lines."""

    def __init__(self, text: str) -> None:
        blank = lambda match: re.sub(r"[^\n]", " ", match[0])  # noqa: E731
        self.text = re.sub(r"/\*.*?\*/|//[^\n]*", blank, text, flags=re.S)
        self._ends = [match.start() for match in re.finditer("\n", self.text)]

    def line(self, place: int) -> int:
        """The line, from 1, of a place in the text."""
        return bisect_right(self._ends, place - 1) + 1

    def fail(self, place: int, reason: str) -> PTXError:
        """The error that names the line."""
        return PTXError(f"line {self.line(place)}: {reason}")

    def until(self, start: int, end: str, what: str) -> int:
        """Where the next `end` stands."""
        place = self.text.find(end, start)
        if place < 0:
            raise self.fail(start, f"{what} has no {end!r}: the text ends too early")
        return place


SPACE = re.compile(r"\s+")
LABEL = re.compile(r"([\w$%.]+)\s*:(?!:)")
OF_A_LINE = re.compile(r"\.(loc|file|version|target|address_size)\b[^\n]*")
LINKAGE = re.compile(r"\.(visible|extern|weak|common)\b")


def statements(source: Source, start: int) -> tuple[list[Statement], int]:
    """The body of a function whose ``{`` stands before `start`, and where it ends."""
    text, found, depth, place = source.text, [], 1, start
    while depth:
        if space := SPACE.match(text, place):
            place = space.end()
        if place >= len(text):
            raise source.fail(start, "this function has no '}': the text ends too early")
        if text[place] in "{}":
            depth += 1 if text[place] == "{" else -1
            found.append(Statement(source.line(place), text[place], ""))
            place += 1
        elif directive := OF_A_LINE.match(text, place):
            place = directive.end()
        elif label := LABEL.match(text, place):
            found.append(Statement(source.line(place), "label", label[1]))
            place = label.end()
        else:
            end = source.until(place, ";", "a statement")
            words = " ".join(text[place:end].split())
            if words:
                found.append(Statement(source.line(place), "statement", words))
            place = end + 1
    return found[:-1], place


VARIABLE = re.compile(
    r"\.(?P<space>global|const|shared|local|param)\s+(?:\.align\s+(?P<alignment>\d+)\s+)?"
    r"(?:\.(?P<vector>v[24])\s+)?\.(?P<type>\w+)\s*(?:\.ptr[\s\w.]*?\s)?\s*(?P<name>[\w$%]+)\s*"
    r"(?P<sizes>(?:\[\s*\w*\s*\]\s*)*)(?:=\s*(?P<values>.+))?$", re.S,
)


def variable(text: str, line: int) -> Variable:
    """A declaration such as ``.shared .align 4 .b8 tile[64]``."""
    match = VARIABLE.match(text.strip())
    if match is None or match["type"] not in WIDTH:
        raise PTXError(f"line {line}: expected a declaration, got {text.strip()[:60]!r}")
    width, count = WIDTH[match["type"]] * int((match["vector"] or "v1")[1]), 1
    for size in re.findall(r"\[\s*(\w*)\s*\]", match["sizes"]):
        count *= whole_number(size, line) if size else 0
    values = initial_values(match["values"], match["type"], line) if match["values"] else b""
    size = max(width * count, len(values) if match["sizes"] else 0)
    alignment = int(match["alignment"] or width)
    if not 0 <= size <= MOST[match["space"]] or len(values) > size:
        raise PTXError(f"line {line}: {match['name']} has {size} bytes of {match['space']} memory, "
                       f"at most {MOST[match['space']]} are possible")
    if alignment & (alignment - 1) or not 0 < alignment <= 1 << 10:
        raise PTXError(f"line {line}: an alignment is a power of two, got {alignment}")
    return Variable(match["name"], match["space"], match["type"], size, alignment, values)


def whole_number(text: str, line: int) -> int:
    """A PTX integer: decimal, or 0x, 0b, or 0 and octal digits."""
    word = text.rstrip("U")
    try:
        return int(word, 8) if re.fullmatch(r"-?0[0-7]+", word) else int(word, 0)
    except ValueError:
        raise PTXError(f"line {line}: expected a whole number, got {text[:40]!r}") from None


def initial_values(text: str, kind: str, line: int) -> bytes:
    """The bytes of ``{1, 2, 3}`` or of a single value."""
    data = bytearray()
    for word in text.strip().strip("{}").replace("{", " ").replace("}", " ").split(","):
        token = word.strip()
        if float_bits := re.fullmatch(r"0[fFdD]([0-9a-fA-F]+)", token):
            value = int(float_bits[1], 16)
        elif kind[0] == "f" and re.fullmatch(r"-?\d+\.\d*(?:[eE][-+]?\d+)?", token):
            value = int.from_bytes(np.array(float(token), f"<f{WIDTH[kind]}").tobytes(), "little")
        else:
            value = whole_number(token, line)
        data += (value & ((1 << 8 * WIDTH[kind]) - 1)).to_bytes(WIDTH[kind], "little")
    return bytes(data)


# -------------------------------------------------------------------------------------- the module


class Parsed(NamedTuple):
    """All that stands in a text."""

    variables: dict[str, Variable]
    functions: dict[str, Function]
    entries: dict[str, Function]


HEAD = re.compile(
    r"\.(?P<kind>entry|func)\s*(?P<results>\([^)]*\))?\s*(?P<name>[\w$%]+)\s*"
    r"(?P<parameters>\([^)]*\))?(?P<directives>[^{;]*)(?P<end>[{;])", re.S,
)


def parse(text: str) -> Parsed:
    """Cut a whole PTX text."""
    source, parsed = Source(text), Parsed({}, {}, {})
    if not re.search(r"\.version\s+\d+\.\d+", source.text):
        raise PTXError("line 1: expected PTX, which begins with .version, got "
                       f"{text.strip()[:40]!r}")
    place = 0
    while True:
        while skipped := (SPACE.match(source.text, place) or LINKAGE.match(source.text, place)
                          or OF_A_LINE.match(source.text, place)):
            place = skipped.end()
        if place >= len(source.text):
            return parsed
        place = _top_level(source, place, parsed)


def _top_level(source: Source, place: int, parsed: Parsed) -> int:
    """Read one function, variable or section; returns where it ends."""
    if head := HEAD.match(source.text, place):
        line = source.line(place)
        threads = re.search(r"\.(?:max|req)ntid\s+([\d\s,]+)", head["directives"])
        function = Function(
            head["name"], line, _parameters(head["parameters"], line),
            _parameters(head["results"], line), [],
            min(1024, int(np.prod([int(n) for n in re.findall(r"\d+", threads[1])], dtype=object)))
            if threads else 1024,
        )
        if head["end"] == ";":
            return head.end()
        function.body, end = statements(source, head.end())
        kept = parsed.entries if head["kind"] == "entry" else parsed.functions
        if function.name in kept:
            raise source.fail(place, f"{function.name} is there twice")
        kept[function.name] = function
        return end
    if re.match(r"\.(global|const|shared)\b", source.text[place:place + 10]):
        end = source.until(place, ";", "a declaration")
        found = variable(source.text[place:end], source.line(place))
        parsed.variables[found.name] = found
        return end + 1
    if source.text.startswith(".section", place):
        return source.until(place, "}", "a section") + 1
    if re.match(r"\.(alias|pragma)\b", source.text[place:place + 8]):
        return source.until(place, ";", "a directive") + 1
    got = source.text[place:].split("\n")[0].strip()[:40]
    raise source.fail(place, f"expected a declaration or a function, got {got!r}")


def _parameters(text: str | None, line: int) -> list[Variable]:
    """The parameters of a function's head."""
    inside = (text or "()").strip()[1:-1].strip()
    return [variable(piece, line) for piece in inside.split(",")] if inside else []
