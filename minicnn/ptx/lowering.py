"""A parsed kernel → basic blocks of instructions, with all that it calls.

Every register and variable gets a name of its own (scopes may use one again), each called function
is copied into its caller, and the instructions are cut into blocks: one entry at the top, one way
out at the end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from minicnn.ptx.errors import PTXError
from minicnn.ptx.parsing import WIDTH, Function, Parsed, Variable, variable

MOST_REGISTERS, MOST_INSTRUCTIONS = 1 << 16, 1 << 20

BARRIERS = ("bar", "barrier")
WARP_WIDE = ("shfl", "vote", "match", "mma", "activemask", "redux")
"""Instructions at which the lanes of a warp have to be together."""


@dataclass(slots=True)
class Instruction:
    """One instruction.

    Attributes
    ----------
    line : int
        Of the text, from 1.
    text : str
    guard : str
        The register that predicates it, or nothing.
    negated : bool
        Whether the guard has to be false.
    parts : list of str
        The opcode and its modifiers: ``["ld", "global", "f32"]``.
    operands : list of str
    """

    line: int
    text: str
    guard: str
    negated: bool
    parts: list[str]
    operands: list[str]

    @property
    def name(self) -> str:
        """The opcode with its modifiers."""
        return ".".join(self.parts)


@dataclass(slots=True)
class Block:
    """A basic block: instructions that run one after the other.

    Attributes
    ----------
    number : int
    body : list of Instruction
    barrier : Instruction, optional
        Where all threads of a thread block wait for each other; such a block has no body.
    warp : Instruction, optional
        Where lanes of a warp wait for each other before the body, which is this instruction.
    end : Instruction, optional
        The branch or return; without one the next block follows.
    """

    number: int
    body: list[Instruction] = field(default_factory=list)
    barrier: Instruction | None = None
    warp: Instruction | None = None
    end: Instruction | None = None


class Lowered(NamedTuple):
    """A kernel, ready for translation."""

    blocks: list[Block]
    labels: dict[str, int]
    registers: dict[str, str]
    variables: dict[str, Variable]


IDENTIFIER = re.compile(r"(?<![\w$.%])[A-Za-z_$%][\w$]*")
GUARD = re.compile(r"@\s*(!?)\s*([%\w$]+)\s+")


class _Scope:
    """Names between two braces, and those around them."""

    def __init__(self, around: "_Scope | None") -> None:
        self.around = around
        self.names: dict[str, str] = {}
        self.ranges: dict[str, tuple[str, int]] = {}

    def find(self, name: str) -> "str | tuple[_Scope, str, str] | None":
        """What a name means here: another name, or a register of a declared range."""
        if name in self.names:
            return self.names[name]
        stem = name.rstrip("0123456789")
        number = name[len(stem):]
        if stem in self.ranges and number and int(number) < self.ranges[stem][1] \
                and str(int(number)) == number:
            return self, name, self.ranges[stem][0]
        return self.around.find(name) if self.around else None


class Lowering:
    """One kernel with all that it calls."""

    def __init__(self, parsed: Parsed, entry: Function) -> None:
        self.parsed, self.entry = parsed, entry
        self.registers: dict[str, str] = {}
        self.variables: dict[str, Variable] = {}
        self.sequence: list[str | Instruction] = []
        self._names: set[str] = set()
        self._copies = 0

    def run(self) -> Lowered:
        """The kernel's blocks."""
        top = _Scope(None)
        for found in (*self.parsed.variables.values(), *self.entry.parameters):
            self.variables[found.name] = found
            self._names.add(found.name)
            top.names[found.name] = found.name
        self._function(self.entry, top, "", ())
        self._check_names()
        return Lowered(*_blocks(self.sequence), self.registers, self.variables)

    def _own_name(self, name: str) -> str:
        """A name that nothing else in the kernel has."""
        stem = re.sub(r"\W", "_", name.lstrip("%"))
        own, number = stem, 1
        while own in self._names:
            number += 1
            own = f"{stem}_{number}"
        self._names.add(own)
        return own

    def _register(self, scope: _Scope, name: str, kind: str) -> str:
        own = "%" + self._own_name(name)
        self.registers[own] = kind
        scope.names[name] = own
        if len(self.registers) > MOST_REGISTERS:
            raise PTXError(f"{self.entry.name} has more than {MOST_REGISTERS} registers")
        return own

    def _function(self, function: Function, scope: _Scope, prefix: str, calls: tuple[str, ...]
                  ) -> None:
        """Append the instructions of a function; `prefix` makes the labels of a copy its own."""
        scope = _Scope(scope)
        for line, kind, text in function.body:
            if kind == "{":
                scope = _Scope(scope)
            elif kind == "}":
                assert scope.around is not None
                scope = scope.around
            elif kind == "label":
                self.sequence.append(prefix + text)
            elif text.startswith("."):
                self._declare(scope, text, line)
            else:
                self._instruction(scope, self._read(scope, text, line), prefix, calls)
            if len(self.sequence) > MOST_INSTRUCTIONS:
                raise PTXError(f"line {line}: more than {MOST_INSTRUCTIONS} instructions")

    def _declare(self, scope: _Scope, text: str, line: int) -> None:
        """A register or a variable of a function's body."""
        if text.startswith(".reg"):
            match = re.match(r"\.reg\s+(?:\.v[24]\s+)?\.(\w+)\s+(.+)$", text)
            if match is None or match[1] not in WIDTH:
                raise PTXError(f"line {line}: expected registers, got {text[:60]!r}")
            for item in match[2].split(","):
                ranged = re.fullmatch(r"\s*([%\w$]+?)<\s*(\d+)\s*>\s*", item)
                if ranged:
                    if ranged[1] in scope.ranges:
                        raise PTXError(f"line {line}: the registers {ranged[1]} are there twice")
                    scope.ranges[ranged[1]] = match[1], int(ranged[2])
                elif re.fullmatch(r"\s*[%\w$]+\s*", item):
                    if item.strip() in scope.names:
                        raise PTXError(f"line {line}: {item.strip()[:40]} is there twice")
                    self._register(scope, item.strip(), match[1])
                else:
                    raise PTXError(f"line {line}: expected a register, got {item.strip()[:40]!r}")
        elif re.match(r"\.(shared|local|param|global|const)\b", text):
            found = variable(text, line)
            own = self._own_name(found.name)
            scope.names[found.name] = own
            found.name, found.space = own, "local" if found.space == "param" else found.space
            self.variables[own] = found
        elif not re.match(r"\.(pragma|loc)\b", text):
            raise PTXError(f"line {line}: unknown directive {text[:40]!r}")

    def _read(self, scope: _Scope, text: str, line: int) -> Instruction:
        """An instruction whose operands have their own names."""
        guard = GUARD.match(text)
        body = text[guard.end():] if guard else text
        opcode, _, rest = body.partition(" ")
        if not re.fullmatch(r"[a-z][\w.:]*", opcode):
            raise PTXError(f"line {line}: expected an instruction, got {text[:60]!r}")
        if opcode.split(".")[0] == "call":
            operands = split_operands(rest, line)
        else:
            operands = split_operands(
                IDENTIFIER.sub(lambda match: self._meaning(scope, match[0]), rest), line)
        return Instruction(
            line, text, self._meaning(scope, guard[2]) if guard else "",
            bool(guard and guard[1]), opcode.replace("::", ".").split("."), operands,
        )

    def _meaning(self, scope: _Scope, name: str) -> str:
        found = scope.find(name)
        if isinstance(found, tuple):
            return self._register(*found)
        return found or name

    def _instruction(self, scope: _Scope, instruction: Instruction, prefix: str,
                     calls: tuple[str, ...]) -> None:
        parts = instruction.parts
        if parts[0] == "call":
            self._call(scope, instruction, prefix, calls)
            return
        if parts[0] == "bra":
            if len(instruction.operands) != 1:
                raise PTXError(f"line {instruction.line}: bra takes one label")
            # a label is no register or variable, so it still has the text's name
            instruction.operands[0] = prefix + instruction.operands[0]
        elif parts[0] == "ret" and calls:
            instruction.parts, instruction.operands = ["bra"], [prefix + "end"]
        self.sequence.append(instruction)

    def _call(self, scope: _Scope, instruction: Instruction, prefix: str, calls: tuple[str, ...]
              ) -> None:
        """Put a copy of the called function here: its parameters are the caller's variables."""
        line, operands = instruction.line, instruction.operands
        results = split_operands(operands.pop(0)[1:-1], line) if operands[:1] and \
            operands[0].startswith("(") else []
        name = operands[0] if operands else ""
        function = self.parsed.functions.get(name)
        given = split_operands(operands[1][1:-1], line) if len(operands) > 1 else []
        if function is None:
            raise PTXError(f"line {line}: calls {name[:60]!r}, which this text does not define")
        if name in calls:
            raise PTXError(f"line {line}: {name} calls itself, which is not supported")
        if (len(results), len(given)) != (len(function.results), len(function.parameters)):
            raise PTXError(f"line {line}: {name} takes {len(function.parameters)} parameters and "
                           f"gives {len(function.results)}")
        self._copies += 1
        inner = f"{self._copies}:"
        names = _Scope(None)
        names.names.update({name: name for name in self.parsed.variables})
        for formal, actual in zip((*function.results, *function.parameters), (*results, *given),
                                  strict=True):
            own = self._meaning(scope, actual)
            if own not in self.variables:
                raise PTXError(f"line {line}: {actual[:40]!r} is no .param variable")
            names.names[formal.name] = own
        if instruction.guard:
            self.sequence.append(Instruction(line, instruction.text, instruction.guard,
                                             not instruction.negated, ["bra"], [inner + "end"]))
        self._function(function, names, inner, (*calls, name))
        self.sequence.append(inner + "end")

    def _check_names(self) -> None:
        """Every guard has to be a predicate."""
        for item in self.sequence:
            if isinstance(item, Instruction) and item.guard \
                    and self.registers.get(item.guard) != "pred":
                raise PTXError(f"line {item.line}: {item.guard} is no predicate")


def split_operands(text: str, line: int) -> list[str]:
    """Cut at the commas outside all brackets."""
    found, depth, word = [], 0, ""
    for character in text:
        depth += (character in "[{(") - (character in ")}]")
        if depth < 0:
            break
        if character == "," and not depth:
            found.append(word.strip())
            word = ""
        else:
            word += character
    if depth:
        raise PTXError(f"line {line}: brackets do not match in {text[:60]!r}")
    if word.strip() or found:
        found.append(word.strip())
    if "" in found:
        raise PTXError(f"line {line}: an operand is missing in {text[:60]!r}")
    return found


def _blocks(sequence: list[str | Instruction]) -> tuple[list[Block], dict[str, int]]:
    """Cut a sequence of labels and instructions into basic blocks."""
    blocks, labels = [Block(0)], {}

    def begin() -> Block:
        last = blocks[-1]
        if last.body or last.barrier or last.warp or last.end:
            blocks.append(Block(len(blocks)))
        return blocks[-1]

    for item in sequence:
        if isinstance(item, str):
            if item in labels:
                raise PTXError(f"the label {item!r} is there twice")
            labels[item] = begin().number
        elif item.parts[0] in ("bra", "ret", "exit", "trap"):
            blocks[-1].end = item
            begin()
        elif item.parts[0] in BARRIERS and "warp" not in item.parts:
            begin().barrier = item
            begin()
            if "red" in item.parts:  # its result is known when all are there
                blocks[-1].body.append(item)
        elif item.parts[0] in (*WARP_WIDE, *BARRIERS):
            block = begin()
            block.warp = item
            block.body.append(item)
            begin()
        else:
            blocks[-1].body.append(item)
    blocks.append(Block(len(blocks), end=Instruction(0, "ret", "", False, ["ret"], [])))
    for block in blocks:
        if block.end and block.end.parts[0] == "bra" and block.end.operands[0] not in labels:
            raise PTXError(f"line {block.end.line}: no label {block.end.operands[0][:40]!r}")
    return blocks, labels


def lower(parsed: Parsed) -> Iterator[tuple[Function, Lowered]]:
    """Every kernel of a text."""
    for entry in parsed.entries.values():
        yield entry, Lowering(parsed, entry).run()
