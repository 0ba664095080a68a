"""Values that stay what they are: copies, vectors, addresses, conversions."""

import re
from typing import TYPE_CHECKING

from minicnn.ptx.instructions.registry import writes
from minicnn.ptx.lowering import Instruction
from minicnn.ptx.memory import LOCAL, SHARED
from minicnn.ptx.operands import SPACES, as_bits, dtype_of, listed
from minicnn.ptx.parsing import WIDTH

if TYPE_CHECKING:
    from minicnn.ptx.translation import Translation


@writes("mov")
def _move(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, source = instruction.operands
    if target.startswith("{"):
        parts = listed(target)
        piece = 8 * WIDTH[kind] // len(parts)
        whole = code.value(source, as_bits(kind))
        code.statements.append(f"whole = {whole}")
        for number, part in enumerate(parts):
            by = code.constant(piece * number, as_bits(kind))
            code.put(part, f"u{piece}", f"whole >> {by}")
    elif source.startswith("{"):
        parts = listed(source)
        piece = 8 * WIDTH[kind] // len(parts)
        dtype = dtype_of(as_bits(kind)).str
        code.put(target, as_bits(kind), " | ".join(
            f"({code.value(part, f'u{piece}')}.astype({dtype!r}) << "
            f"{code.constant(piece * number, as_bits(kind))})"
            for number, part in enumerate(parts)))
    elif kind == "pred":
        code.put(target, kind, code.value(source, kind))
    else:
        code.put(target, as_bits(kind), code.value(source, as_bits(kind)
                 if not re.fullmatch(r"-?\d+\.\d*([eE][-+]?\d+)?", source) else kind))


@writes("cvta")
def _convert_address(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, source = instruction.operands
    space = next(part for part in instruction.parts if part in SPACES)
    start = {"shared": SHARED, "local": LOCAL}.get(space, 0)
    value = code.value(source, as_bits(kind))
    if start:
        way = "-" if "to" in instruction.parts else "+"
        value = f"{value} {way} {code.constant(start, as_bits(kind))}"
    code.put(target, as_bits(kind), value)


@writes("isspacep")
def _in_space(code: "Translation", instruction: Instruction, kind: str) -> None:
    value = code.value(instruction.operands[1], "u64")
    ranges = {"shared": (SHARED, LOCAL), "local": (LOCAL, 1 << 46), "global": (0, SHARED)}
    low, high = ranges[instruction.parts[1]]
    code.put(instruction.operands[0], "pred",
             f"({value} >= {code.constant(low, 'u64')}) & "
             f"({value} < {code.constant(high, 'u64')})")


@writes("cvt")
def _convert(code: "Translation", instruction: Instruction, kind: str) -> None:
    parts, (target, *sources) = instruction.parts, instruction.operands
    mode = next((part for part in parts if re.fullmatch(r"r[nzmp]i?|rna", part)), "")
    named = [part for part in parts[1:] if part in WIDTH or part in ("tf32", "bf16", "bf16x2")]
    to, source = named[0], named[1]
    if to == "tf32":
        bits = code.value(sources[0], "u32")
        code.put(target, "b32", f"arithmetic.to_tf32({bits}, {mode!r})")
    elif to == "bf16x2":
        high, low = (f"arithmetic.to_bf16({code.value(x, 'u32')}, {mode!r})" for x in sources)
        code.put(target, "b32", f"{high} << np.uint32(16) | {low}")
    elif to == "bf16":
        bits = code.value(sources[0], "u32")
        code.put(target, "b16", f"arithmetic.to_bf16({bits}, {mode!r})", widen=True)
    elif source == "bf16":
        bits = f"({code.value(sources[0], 'u16')}.astype(np.uint32) << np.uint32(16))"
        code.put(target, to, f"arithmetic.convert({bits}.view(np.float32), "
                             f"{dtype_of(to).str!r}, {mode!r}, {'sat' in parts})", widen=True)
    else:
        value = code.value(sources[0], source, narrow=True)
        if "ftz" in parts and source == "f32":
            value = f"rounding.flush({value})"
        code.put(target, to, f"arithmetic.convert({value}, {dtype_of(to).str!r}, {mode!r}, "
                             f"{'sat' in parts})", widen=True)
