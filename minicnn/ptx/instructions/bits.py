"""Words as bits: logic, shifts, fields, counts."""

from typing import TYPE_CHECKING

from minicnn.ptx.errors import PTXError
from minicnn.ptx.instructions.registry import writes
from minicnn.ptx.lowering import Instruction
from minicnn.ptx.operands import LOGIC, as_bits
from minicnn.ptx.parsing import WIDTH

if TYPE_CHECKING:
    from minicnn.ptx.translation import Translation


@writes("and", "or", "xor")
def _logic(code: "Translation", instruction: Instruction, kind: str) -> None:
    bits = as_bits(kind)
    code.ufunc(LOGIC[instruction.parts[0]], instruction.operands[0], bits,
               *code.values(instruction.operands[1:], bits))


@writes("not", "cnot")
def _not(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, source = instruction.operands
    bits = as_bits(kind)
    function = "np.invert" if instruction.parts[0] == "not" else "np.logical_not"
    if function == "np.invert":
        code.ufunc(function, target, bits, code.value(source, bits))
    else:
        code.put(target, bits, f"np.logical_not({code.value(source, bits)})")


@writes("shl", "shr")
def _shift(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, source, by = instruction.operands
    left = instruction.parts[0] == "shl"
    seen = kind if not left and kind[0] == "s" else as_bits(kind)
    if by.isdecimal() and int(by) < 8 * WIDTH[kind]:
        code.ufunc("np.left_shift" if left else "np.right_shift", target, seen,
                   code.value(source, seen), code.constant(int(by), seen))
    else:
        code.put(target, seen, f"arithmetic.shift_{'left' if left else 'right'}"
                               f"({code.value(source, seen)}, {code.value(by, 'u32')})")


@writes("shf")
def _funnel_shift(code: "Translation", instruction: Instruction, kind: str) -> None:
    way, mode = instruction.parts[1:3]
    operands = ", ".join(code.values(instruction.operands[1:4], "u32"))
    code.put(instruction.operands[0], "u32",
             f"arithmetic.funnel_shift({operands}, {way!r}, {mode!r})")


@writes("bfe", "bfi", "prmt", "lop3")
def _bit_field(code: "Translation", instruction: Instruction, kind: str) -> None:
    name, (target, *operands) = instruction.parts[0], instruction.operands
    if name == "bfe":
        a, start, length = operands
        code.put(target, kind, f"arithmetic.extract_bits({code.value(a, kind)}, "
                 f"{', '.join(code.values([start, length], 'u32'))})")
    elif name == "bfi":
        bits = as_bits(kind)
        code.put(target, bits, f"arithmetic.insert_bits("
                 f"{', '.join(code.values(operands[:2], bits))}, "
                 f"{', '.join(code.values(operands[2:4], 'u32'))})")
    elif name == "prmt":
        a, b, selector = code.values(operands, "u32")
        code.put(target, "u32", f"arithmetic.permute_bytes({a}, {b}, {selector})")
    else:
        a, b, c = code.values(operands[:3], "u32")
        table = int(operands[3], 0)
        if not 0 <= table <= 255:
            raise PTXError(f"a table of three operands has 8 bits, got {table}")
        code.put(target, "u32", f"arithmetic.logic3({a}, {b}, {c}, {table})")


@writes("popc", "clz", "brev", "bfind")
def _count_bits(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, source = instruction.operands
    name = instruction.parts[0]
    if name == "bfind":
        shift = "shiftamt" in instruction.parts
        code.put(target, "u32",
                 f"arithmetic.highest_bit({code.value(source, kind)}, {shift})")
        return
    bits = as_bits(kind)
    function = {"popc": "count_ones", "clz": "leading_zeros", "brev": "reverse_bits"}[name]
    code.put(target, bits if name == "brev" else "u32",
             f"arithmetic.{function}({code.value(source, bits)})")
