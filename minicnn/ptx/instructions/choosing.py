"""Comparisons, and choices by what they gave."""

from typing import TYPE_CHECKING

from minicnn.ptx.instructions.registry import writes
from minicnn.ptx.lowering import Instruction
from minicnn.ptx.operands import LOGIC, as_bits
from minicnn.ptx.parsing import WIDTH

if TYPE_CHECKING:
    from minicnn.ptx.translation import Translation

COMPARISONS = {
    "eq": "np.equal", "ne": "np.not_equal", "lt": "np.less", "le": "np.less_equal",
    "gt": "np.greater", "ge": "np.greater_equal", "lo": "np.less", "ls": "np.less_equal",
    "hi": "np.greater", "hs": "np.greater_equal",
}
UNORDERED = {"equ": "ne", "neu": "eq", "ltu": "ge", "leu": "gt", "gtu": "le", "geu": "lt"}
"""Comparisons that NaN makes true, by the ordered one that is their opposite."""


@writes("setp")
def _compare(code: "Translation", instruction: Instruction, kind: str) -> None:
    parts, operands = instruction.parts, instruction.operands
    comparison, targets = parts[1], operands[0].split("|")
    a, b = code.values(operands[1:3], kind)
    if "ftz" in parts:
        a, b = (f"rounding.flush({x})" for x in (a, b))
    combined = next((part for part in parts[2:] if part in LOGIC), None)
    if comparison in COMPARISONS and not combined and len(targets) == 1 and not (
            kind[0] == "f" and comparison == "ne"):
        code.ufunc(COMPARISONS[comparison], targets[0], "pred", a, b)
        return
    expression = comparison_text(comparison, kind, a, b)
    if combined:
        other = f"({code.value(operands[3], 'pred')})"
        code.put(targets[0], "pred", f"{LOGIC[combined]}({expression}, {other})")
        if len(targets) == 2:
            opposite = f"{LOGIC[combined]}(~({expression}), {other})"
            code.statements.insert(-1, f"opposite = {opposite}")
            code.put(targets[1], "pred", "opposite")
        return
    code.statements.append(f"result = {expression}")
    code.put(targets[0], "pred", "result")
    if len(targets) == 2:
        code.put(targets[1], "pred", "~result")


@writes("selp")
def _select(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, a, b, condition = instruction.operands
    bits = as_bits(kind)
    code.put(target, bits, f"np.where({code.value(condition, 'pred')}, {code.value(a, bits)}, "
                           f"{code.value(b, bits)})")


@writes("slct")
def _select_by_sign(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, a, b, number = instruction.operands
    bits = as_bits(next(part for part in instruction.parts if part in WIDTH))
    code.put(target, bits, f"np.where({code.value(number, kind)} >= 0, {code.value(a, bits)}, "
                           f"{code.value(b, bits)})")


def comparison_text(comparison: str, kind: str, a: str, b: str) -> str:
    """A comparison as an expression; NaN makes the unordered ones true and the others false."""
    if comparison in ("num", "nan"):
        either = f"np.isnan({a}) | np.isnan({b})"
        return either if comparison == "nan" else f"~({either})"
    if comparison == "ne" and kind[0] == "f":
        return f"({a} < {b}) | ({a} > {b})"
    if comparison in UNORDERED:
        opposite = UNORDERED[comparison]
        return f"~({comparison_text(opposite, kind, a, b)})"
    return f"{COMPARISONS[comparison]}({a}, {b})"
