"""Numbers: sums, products, quotients, roots, extrema; of integers and of floats."""

from typing import TYPE_CHECKING

from minicnn.ptx.instructions.registry import writes
from minicnn.ptx.lowering import Instruction
from minicnn.ptx.operands import as_bits, dtype_of
from minicnn.ptx.parsing import WIDTH

if TYPE_CHECKING:
    from minicnn.ptx.translation import Translation

FLOAT_FUNCTIONS = {"ex2": "np.exp2", "lg2": "np.log2", "sin": "np.sin", "cos": "np.cos",
                   "tanh": "np.tanh"}
DIRECTED = ("rn", "rz", "rm", "rp")


@writes("add", "sub")
def _sum(code: "Translation", instruction: Instruction, kind: str) -> None:
    add, parts = instruction.parts[0] == "add", instruction.parts
    if kind[0] == "f":
        a, b = code.floats(instruction, kind)
        mode = rounding_mode(parts)
        if mode != "rn":
            code.finish(instruction, kind,
                        f"rounding.add({a}, {b if add else '-' + b}, {mode!r})")
        elif set(parts) & {"sat", "ftz"}:
            code.finish(instruction, kind, f"{a} {'+' if add else '-'} {b}")
        else:
            code.ufunc("np.add" if add else "np.subtract", instruction.operands[0], kind, a, b)
        return
    if "sat" in parts:
        a, b = code.values(instruction.operands[1:], kind)
        wide = f"{a}.astype(np.int64) {'+' if add else '-'} {b}"
        code.put(instruction.operands[0], kind, f"np.clip({wide}, -2**31, 2**31 - 1)")
    elif "cc" in parts:
        _carried(code, instruction, kind, "0")
    else:
        a, b = code.values(instruction.operands[1:], as_bits(kind))
        code.ufunc("np.add" if add else "np.subtract", instruction.operands[0], as_bits(kind),
                   a, b)


@writes("addc", "subc")
def _sum_with_carry(code: "Translation", instruction: Instruction, kind: str) -> None:
    _carried(code, instruction, kind, "X.carry")


def _carried(code: "Translation", instruction: Instruction, kind: str, carry: str) -> None:
    """a ± b ± carry; with .cc, the carry for the next instruction."""
    name, bits = instruction.parts[0][:3], as_bits(kind)
    a, b = code.values(instruction.operands[1:], bits)
    code.statements.append(f"result, carry = arithmetic.{name}_with_carry({a}, {b}, {carry})")
    _keep_carry(code, instruction)
    code.put(instruction.operands[0], bits, "result")


def _keep_carry(code: "Translation", instruction: Instruction) -> None:
    if "cc" in instruction.parts:
        code.statements.append("np.copyto(X.carry, carry, where=m)")


@writes("mul")
def _product(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, *operands = instruction.operands
    if kind[0] == "f":
        a, b = code.floats(instruction, kind)
        mode = rounding_mode(instruction.parts)
        if mode != "rn":
            code.finish(instruction, kind, f"rounding.multiply({a}, {b}, {mode!r})")
        elif set(instruction.parts) & {"sat", "ftz"}:
            code.finish(instruction, kind, f"{a} * {b}")
        else:
            code.ufunc("np.multiply", target, kind, a, b)
    elif "wide" in instruction.parts:
        wide = kind[0] + str(16 * WIDTH[kind])
        a, b = (f"{x}.astype({dtype_of(wide).str!r})" for x in code.values(operands, kind))
        code.ufunc("np.multiply", target, wide, a, b)
    elif "hi" in instruction.parts:
        a, b = code.values(operands, kind)
        code.put(target, kind, f"arithmetic.multiply_high({a}, {b})")
    else:
        a, b = code.values(operands, as_bits(kind))
        code.ufunc("np.multiply", target, as_bits(kind), a, b)


@writes("fma", "mad", "madc")
def _product_and_sum(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, *operands = instruction.operands
    parts = instruction.parts
    if kind[0] == "f":
        a, b, c = code.floats(instruction, kind)
        mode = rounding_mode(parts)
        if mode != "rn":
            code.finish(instruction, kind, f"rounding.fused({a}, {b}, {c}, {mode!r})")
        elif set(parts) & {"sat", "ftz"}:
            code.finish(instruction, kind, f"fma({a}, {b}, {c})")
        else:
            out = code.target(target, kind)
            code.statements.append(
                f"fma({a}, {b}, {c}, {out}) if m is True else "
                f"np.copyto({out}, fma({a}, {b}, {c}), where=m)")
        return
    bits = as_bits(kind)
    if "wide" in parts:
        wide = kind[0] + str(16 * WIDTH[kind])
        a, b = (f"{x}.astype({dtype_of(wide).str!r})" for x in code.values(operands[:2], kind))
        code.put(target, wide, f"{a} * {b} + {code.value(operands[2], wide)}")
        return
    if "hi" in parts:
        a, b = code.values(operands[:2], kind)
        product = f"arithmetic.multiply_high({a}, {b}).view({dtype_of(bits).str!r})"
    else:
        a, b = code.values(operands[:2], bits)
        product = f"{a} * {b}"
    c = code.value(operands[2], bits)
    if "cc" in parts or parts[0] == "madc":
        carry = "X.carry" if parts[0] == "madc" else "0"
        code.statements.append(
            f"result, carry = arithmetic.add_with_carry({product}, {c}, {carry})")
        _keep_carry(code, instruction)
        code.put(target, bits, "result")
    else:
        code.put(target, bits, f"{product} + {c}")


@writes("div")
def _quotient(code: "Translation", instruction: Instruction, kind: str) -> None:
    if kind[0] == "f":
        a, b = code.floats(instruction, kind)
        mode = rounding_mode(instruction.parts)
        code.finish(instruction, kind, f"rounding.divide({a}, {b}, {mode!r})")
    else:
        a, b = code.values(instruction.operands[1:], kind)
        code.put(instruction.operands[0], kind, f"arithmetic.divide({a}, {b})")


@writes("rem")
def _remainder(code: "Translation", instruction: Instruction, kind: str) -> None:
    a, b = code.values(instruction.operands[1:], kind)
    code.put(instruction.operands[0], kind, f"arithmetic.remainder({a}, {b})")


@writes("neg", "abs")
def _sign(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, source = instruction.operands
    if "ftz" in instruction.parts:
        source = f"rounding.flush({code.value(source, kind)})"
    else:
        source = code.value(source, kind)
    code.ufunc("np.negative" if instruction.parts[0] == "neg" else "np.abs", target, kind,
               source)


@writes("min", "max")
def _extremum(code: "Translation", instruction: Instruction, kind: str) -> None:
    long = "minimum" if instruction.parts[0] == "min" else "maximum"
    if kind[0] != "f":
        code.ufunc(f"np.{long}", instruction.operands[0], kind,
                   *code.values(instruction.operands[1:], kind))
        return
    a, b = code.floats(instruction, kind)
    if "NaN" in instruction.parts:
        long += "_or_nan"
    code.finish(instruction, kind, f"rounding.{long}({a}, {b})")


@writes("rcp", "rsqrt", "sqrt")
def _root(code: "Translation", instruction: Instruction, kind: str) -> None:
    (x,) = code.floats(instruction, kind)
    mode, one = rounding_mode(instruction.parts), code.constant(1.0, kind)
    code.finish(instruction, kind, {
        "rcp": f"rounding.divide({one}, {x}, {mode!r})",
        "rsqrt": f"{one} / np.sqrt({x})",
        "sqrt": f"rounding.square_root({x}, {mode!r})",
    }[instruction.parts[0]])


@writes(*FLOAT_FUNCTIONS)
def _function(code: "Translation", instruction: Instruction, kind: str) -> None:
    (x,) = code.floats(instruction, kind)
    code.finish(instruction, kind, f"{FLOAT_FUNCTIONS[instruction.parts[0]]}({x})")


@writes("copysign")
def _copy_sign(code: "Translation", instruction: Instruction, kind: str) -> None:
    sign, magnitude = code.values(instruction.operands[1:], kind)
    code.put(instruction.operands[0], kind, f"np.copysign({magnitude}, {sign})")


@writes("testp")
def _test(code: "Translation", instruction: Instruction, kind: str) -> None:
    x = code.value(instruction.operands[1], kind)
    tiny = f"(np.abs({x}) < np.finfo({x}.dtype).tiny)"
    code.put(instruction.operands[0], "pred", {
        "finite": f"np.isfinite({x})", "infinite": f"np.isinf({x})",
        "number": f"~np.isnan({x})", "notanumber": f"np.isnan({x})",
        "normal": f"np.isfinite({x}) & (~{tiny} | ({x} == 0))",
        "subnormal": f"{tiny} & ({x} != 0)",
    }[instruction.parts[1]])


def rounding_mode(parts: list[str]) -> str:
    """How a result is rounded: to the nearest, unless the instruction says otherwise."""
    return next((part for part in parts if part in DIRECTED), "rn")
