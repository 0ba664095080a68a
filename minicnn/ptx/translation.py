"""A basic block → a Python function whose statements are NumPy ufuncs over all lanes.

Every method below writes the statements of some opcodes. In them ``m`` is where a statement counts:
True for all lanes, or an array of Booleans; ``active`` is always such an array, without lanes that
have ended; and ``X`` is the machine that runs them.
"""

import re
from collections.abc import Callable

from minicnn.ptx import warps
from minicnn.ptx.access import ATOMICS
from minicnn.ptx.errors import PTXError
from minicnn.ptx.grammar import check
from minicnn.ptx.memory import LOCAL, SHARED
from minicnn.ptx.operands import Operands, as_bits, dtype_of, listed
from minicnn.ptx.parsing import WIDTH, Block, Instruction, Lowered

Method = Callable[["Translation", Instruction, str], None]

_METHODS: dict[str, Method] = {}


def writes(*opcodes: str) -> Callable[[Method], Method]:
    """The opcodes that a method translates."""
    def enter(method: Method) -> Method:
        _METHODS.update(dict.fromkeys(opcodes, method))
        return method
    return enter


COMPARISONS = {
    "eq": "np.equal", "ne": "np.not_equal", "lt": "np.less", "le": "np.less_equal",
    "gt": "np.greater", "ge": "np.greater_equal", "lo": "np.less", "ls": "np.less_equal",
    "hi": "np.greater", "hs": "np.greater_equal",
}
UNORDERED = {"equ": "ne", "neu": "eq", "ltu": "ge", "leu": "gt", "gtu": "le", "geu": "lt"}
"""Comparisons that NaN makes true, by the ordered one that is their opposite."""

LOGIC = {"and": "np.bitwise_and", "or": "np.bitwise_or", "xor": "np.bitwise_xor"}
FLOAT_FUNCTIONS = {"ex2": "np.exp2", "lg2": "np.log2", "sin": "np.sin", "cos": "np.cos",
                   "tanh": "np.tanh"}
DIRECTED = ("rn", "rz", "rm", "rp")
SPACES = ("global", "shared", "local", "const", "param")


class Translation(Operands):
    """The Python text of a kernel's blocks.

    Parameters
    ----------
    lowered : Lowered
    offsets : dict of str to int
        Where its shared and local variables begin.
    """

    def __init__(self, lowered: Lowered, offsets: dict[str, int]) -> None:
        super().__init__(lowered, offsets)
        self.statements: list[str] = []
        self.accesses: list[tuple[Instruction, bool, int]] = []
        self.narrowest = 4
        self.text = "\n".join(self._block(block) for block in lowered.blocks)

    def _block(self, block: Block) -> str:
        """One function, and for a block where lanes wait for each other the mask of the lanes."""
        self.statements = []
        for sync in (block.barrier, block.end):
            if sync is not None:
                check(sync)
        for instruction in block.body:
            self._instruction(instruction)
        body = "".join(f"    {line}\n" for line in self.statements or ["pass"])
        text = f"def block_{block.number}(m, active):\n{body}"
        if block.warp is not None:
            text += f"def mask_{block.number}():\n    return {self._mask(block.warp)}\n"
        return text

    def _mask(self, instruction: Instruction) -> str:
        """The lanes that have to come to an instruction: its last operand, if it has one."""
        if instruction.parts[0] in ("mma", "activemask"):
            return "lanes_of(np.uint32(0xFFFFFFFF))" if instruction.parts[0] == "mma" else "None"
        if "sync" not in instruction.parts or not instruction.operands:
            raise self._error(instruction, "needs .sync and the mask of its lanes")
        return f"lanes_of({self.value(instruction.operands[-1], 'u32')})"

    def _instruction(self, instruction: Instruction) -> None:
        """Append an instruction's statements, under its guard if it has one."""
        method = _METHODS.get(instruction.parts[0])
        if method is None:
            raise self._error(instruction, "is an instruction that is not supported")
        check(instruction)
        kind = next((part for part in reversed(instruction.parts) if part in WIDTH), "")
        before = self.statements
        self.statements = []
        try:
            method(self, instruction, kind)
        except PTXError as error:
            raise self._error(instruction, error.reason) from None
        except (ValueError, KeyError, IndexError, StopIteration, OverflowError) as error:
            raise self._error(instruction, "is not what its opcode takes") from error
        if instruction.guard:
            guard = self.value(instruction.guard, "pred")
            self.statements = [
                f"before = m, active; active = m = active & {'~' * instruction.negated}{guard}",
                *self.statements, "m, active = before",
            ]
        self.statements = before + self.statements

    @staticmethod
    def _error(instruction: Instruction, reason: str) -> PTXError:
        return PTXError(f"line {instruction.line}: {instruction.text[:80]!r}: {reason}")

    def put(self, token: str, kind: str, expression: str, widen: bool = False) -> None:
        """register = expression, in the lanes that count."""
        if token == "_":
            return
        target = self.target(token, kind, widen)
        self.statements.append(f"np.copyto({target}, {expression}, where=m, casting='unsafe')")

    def ufunc(self, function: str, token: str, kind: str, *operands: str) -> None:
        """register = function(operands): NumPy writes the register itself."""
        self.statements.append(
            f"{function}({', '.join(operands)}, out={self.target(token, kind)}, where=m)")

    def values(self, tokens: list[str], kind: str) -> list[str]:
        """Several operands of one type."""
        return [self.value(token, kind) for token in tokens]

    def finish(self, instruction: Instruction, kind: str, expression: str) -> None:
        """Write a floating-point result: cut to [0, 1], or without subnormal numbers, if asked."""
        if "ftz" in instruction.parts and kind == "f32":
            expression = f"rounding.flush({expression})"
        if "sat" in instruction.parts:
            expression = f"rounding.saturate({expression})"
        self.put(instruction.operands[0], kind, expression)

    def floats(self, instruction: Instruction, kind: str) -> list[str]:
        """The operands of a floating-point instruction, flushed if it says so."""
        found = self.values(instruction.operands[1:], kind)
        if "ftz" in instruction.parts and kind == "f32":
            found = [f"rounding.flush({operand})" for operand in found]
        return found

    # ------------------------------------------------------------------------------ arithmetic

    @writes("add", "sub")
    def _sum(self, instruction: Instruction, kind: str) -> None:
        add, parts = instruction.parts[0] == "add", instruction.parts
        if kind[0] == "f":
            a, b = self.floats(instruction, kind)
            mode = rounding_mode(parts)
            if mode != "rn":
                self.finish(instruction, kind,
                            f"rounding.add({a}, {b if add else '-' + b}, {mode!r})")
            elif set(parts) & {"sat", "ftz"}:
                self.finish(instruction, kind, f"{a} {'+' if add else '-'} {b}")
            else:
                self.ufunc("np.add" if add else "np.subtract", instruction.operands[0], kind, a, b)
            return
        if "sat" in parts:
            a, b = self.values(instruction.operands[1:], kind)
            wide = f"{a}.astype(np.int64) {'+' if add else '-'} {b}"
            self.put(instruction.operands[0], kind, f"np.clip({wide}, -2**31, 2**31 - 1)")
        elif "cc" in parts:
            self._carried(instruction, kind, "0")
        else:
            a, b = self.values(instruction.operands[1:], as_bits(kind))
            self.ufunc("np.add" if add else "np.subtract", instruction.operands[0], as_bits(kind),
                       a, b)

    @writes("addc", "subc")
    def _sum_with_carry(self, instruction: Instruction, kind: str) -> None:
        self._carried(instruction, kind, "X.carry")

    def _carried(self, instruction: Instruction, kind: str, carry: str) -> None:
        """a ± b ± carry; with .cc, the carry for the next instruction."""
        name, bits = instruction.parts[0][:3], as_bits(kind)
        a, b = self.values(instruction.operands[1:], bits)
        self.statements.append(f"result, carry = arithmetic.{name}_with_carry({a}, {b}, {carry})")
        self._keep_carry(instruction)
        self.put(instruction.operands[0], bits, "result")

    def _keep_carry(self, instruction: Instruction) -> None:
        if "cc" in instruction.parts:
            self.statements.append("np.copyto(X.carry, carry, where=m)")

    @writes("mul")
    def _product(self, instruction: Instruction, kind: str) -> None:
        target, *operands = instruction.operands
        if kind[0] == "f":
            a, b = self.floats(instruction, kind)
            mode = rounding_mode(instruction.parts)
            if mode != "rn":
                self.finish(instruction, kind, f"rounding.multiply({a}, {b}, {mode!r})")
            elif set(instruction.parts) & {"sat", "ftz"}:
                self.finish(instruction, kind, f"{a} * {b}")
            else:
                self.ufunc("np.multiply", target, kind, a, b)
        elif "wide" in instruction.parts:
            wide = kind[0] + str(16 * WIDTH[kind])
            a, b = (f"{x}.astype({dtype_of(wide).str!r})" for x in self.values(operands, kind))
            self.ufunc("np.multiply", target, wide, a, b)
        elif "hi" in instruction.parts:
            a, b = self.values(operands, kind)
            self.put(target, kind, f"arithmetic.multiply_high({a}, {b})")
        else:
            a, b = self.values(operands, as_bits(kind))
            self.ufunc("np.multiply", target, as_bits(kind), a, b)

    @writes("fma", "mad", "madc")
    def _product_and_sum(self, instruction: Instruction, kind: str) -> None:
        target, *operands = instruction.operands
        parts = instruction.parts
        if kind[0] == "f":
            a, b, c = self.floats(instruction, kind)
            mode = rounding_mode(parts)
            if mode != "rn":
                self.finish(instruction, kind, f"rounding.fused({a}, {b}, {c}, {mode!r})")
            elif set(parts) & {"sat", "ftz"}:
                self.finish(instruction, kind, f"fma({a}, {b}, {c})")
            else:
                out = self.target(target, kind)
                self.statements.append(
                    f"fma({a}, {b}, {c}, {out}) if m is True else "
                    f"np.copyto({out}, fma({a}, {b}, {c}), where=m)")
            return
        bits = as_bits(kind)
        if "wide" in parts:
            wide = kind[0] + str(16 * WIDTH[kind])
            a, b = (f"{x}.astype({dtype_of(wide).str!r})" for x in self.values(operands[:2], kind))
            self.put(target, wide, f"{a} * {b} + {self.value(operands[2], wide)}")
            return
        if "hi" in parts:
            a, b = self.values(operands[:2], kind)
            product = f"arithmetic.multiply_high({a}, {b}).view({dtype_of(bits).str!r})"
        else:
            a, b = self.values(operands[:2], bits)
            product = f"{a} * {b}"
        c = self.value(operands[2], bits)
        if "cc" in parts or parts[0] == "madc":
            carry = "X.carry" if parts[0] == "madc" else "0"
            self.statements.append(
                f"result, carry = arithmetic.add_with_carry({product}, {c}, {carry})")
            self._keep_carry(instruction)
            self.put(target, bits, "result")
        else:
            self.put(target, bits, f"{product} + {c}")

    @writes("div")
    def _quotient(self, instruction: Instruction, kind: str) -> None:
        if kind[0] == "f":
            a, b = self.floats(instruction, kind)
            mode = rounding_mode(instruction.parts)
            self.finish(instruction, kind, f"rounding.divide({a}, {b}, {mode!r})")
        else:
            a, b = self.values(instruction.operands[1:], kind)
            self.put(instruction.operands[0], kind, f"arithmetic.divide({a}, {b})")

    @writes("rem")
    def _remainder(self, instruction: Instruction, kind: str) -> None:
        a, b = self.values(instruction.operands[1:], kind)
        self.put(instruction.operands[0], kind, f"arithmetic.remainder({a}, {b})")

    @writes("neg", "abs")
    def _sign(self, instruction: Instruction, kind: str) -> None:
        target, source = instruction.operands
        if "ftz" in instruction.parts:
            source = f"rounding.flush({self.value(source, kind)})"
        else:
            source = self.value(source, kind)
        self.ufunc("np.negative" if instruction.parts[0] == "neg" else "np.abs", target, kind,
                   source)

    @writes("min", "max")
    def _extremum(self, instruction: Instruction, kind: str) -> None:
        long = "minimum" if instruction.parts[0] == "min" else "maximum"
        if kind[0] != "f":
            self.ufunc(f"np.{long}", instruction.operands[0], kind,
                       *self.values(instruction.operands[1:], kind))
            return
        a, b = self.floats(instruction, kind)
        if "NaN" in instruction.parts:
            long += "_or_nan"
        self.finish(instruction, kind, f"rounding.{long}({a}, {b})")

    @writes("rcp", "rsqrt", "sqrt")
    def _root(self, instruction: Instruction, kind: str) -> None:
        (x,) = self.floats(instruction, kind)
        mode, one = rounding_mode(instruction.parts), self.constant(1.0, kind)
        self.finish(instruction, kind, {
            "rcp": f"rounding.divide({one}, {x}, {mode!r})",
            "rsqrt": f"{one} / np.sqrt({x})",
            "sqrt": f"rounding.square_root({x}, {mode!r})",
        }[instruction.parts[0]])

    @writes(*FLOAT_FUNCTIONS)
    def _function(self, instruction: Instruction, kind: str) -> None:
        (x,) = self.floats(instruction, kind)
        self.finish(instruction, kind, f"{FLOAT_FUNCTIONS[instruction.parts[0]]}({x})")

    @writes("copysign")
    def _copy_sign(self, instruction: Instruction, kind: str) -> None:
        sign, magnitude = self.values(instruction.operands[1:], kind)
        self.put(instruction.operands[0], kind, f"np.copysign({magnitude}, {sign})")

    @writes("testp")
    def _test(self, instruction: Instruction, kind: str) -> None:
        x = self.value(instruction.operands[1], kind)
        tiny = f"(np.abs({x}) < np.finfo({x}.dtype).tiny)"
        self.put(instruction.operands[0], "pred", {
            "finite": f"np.isfinite({x})", "infinite": f"np.isinf({x})",
            "number": f"~np.isnan({x})", "notanumber": f"np.isnan({x})",
            "normal": f"np.isfinite({x}) & (~{tiny} | ({x} == 0))",
            "subnormal": f"{tiny} & ({x} != 0)",
        }[instruction.parts[1]])

    # --------------------------------------------------------------------- comparing, choosing

    @writes("setp")
    def _compare(self, instruction: Instruction, kind: str) -> None:
        parts, operands = instruction.parts, instruction.operands
        comparison, targets = parts[1], operands[0].split("|")
        a, b = self.values(operands[1:3], kind)
        if "ftz" in parts:
            a, b = (f"rounding.flush({x})" for x in (a, b))
        combined = next((part for part in parts[2:] if part in LOGIC), None)
        if comparison in COMPARISONS and not combined and len(targets) == 1 and not (
                kind[0] == "f" and comparison == "ne"):
            self.ufunc(COMPARISONS[comparison], targets[0], "pred", a, b)
            return
        expression = comparison_text(comparison, kind, a, b)
        if combined:
            other = f"({self.value(operands[3], 'pred')})"
            self.put(targets[0], "pred", f"{LOGIC[combined]}({expression}, {other})")
            if len(targets) == 2:
                opposite = f"{LOGIC[combined]}(~({expression}), {other})"
                self.statements.insert(-1, f"opposite = {opposite}")
                self.put(targets[1], "pred", "opposite")
            return
        self.statements.append(f"result = {expression}")
        self.put(targets[0], "pred", "result")
        if len(targets) == 2:
            self.put(targets[1], "pred", "~result")

    @writes("selp")
    def _select(self, instruction: Instruction, kind: str) -> None:
        target, a, b, condition = instruction.operands
        bits = as_bits(kind)
        self.put(target, bits, f"np.where({self.value(condition, 'pred')}, {self.value(a, bits)}, "
                               f"{self.value(b, bits)})")

    @writes("slct")
    def _select_by_sign(self, instruction: Instruction, kind: str) -> None:
        target, a, b, number = instruction.operands
        bits = as_bits(next(part for part in instruction.parts if part in WIDTH))
        self.put(target, bits, f"np.where({self.value(number, kind)} >= 0, {self.value(a, bits)}, "
                               f"{self.value(b, bits)})")

    # ------------------------------------------------------------------------------------ bits

    @writes("and", "or", "xor")
    def _logic(self, instruction: Instruction, kind: str) -> None:
        bits = as_bits(kind)
        self.ufunc(LOGIC[instruction.parts[0]], instruction.operands[0], bits,
                   *self.values(instruction.operands[1:], bits))

    @writes("not", "cnot")
    def _not(self, instruction: Instruction, kind: str) -> None:
        target, source = instruction.operands
        bits = as_bits(kind)
        function = "np.invert" if instruction.parts[0] == "not" else "np.logical_not"
        if function == "np.invert":
            self.ufunc(function, target, bits, self.value(source, bits))
        else:
            self.put(target, bits, f"np.logical_not({self.value(source, bits)})")

    @writes("shl", "shr")
    def _shift(self, instruction: Instruction, kind: str) -> None:
        target, source, by = instruction.operands
        left = instruction.parts[0] == "shl"
        seen = kind if not left and kind[0] == "s" else as_bits(kind)
        if by.isdecimal() and int(by) < 8 * WIDTH[kind]:
            self.ufunc("np.left_shift" if left else "np.right_shift", target, seen,
                       self.value(source, seen), self.constant(int(by), seen))
        else:
            self.put(target, seen, f"arithmetic.shift_{'left' if left else 'right'}"
                                   f"({self.value(source, seen)}, {self.value(by, 'u32')})")

    @writes("shf")
    def _funnel_shift(self, instruction: Instruction, kind: str) -> None:
        way, mode = instruction.parts[1:3]
        operands = ", ".join(self.values(instruction.operands[1:4], "u32"))
        self.put(instruction.operands[0], "u32",
                 f"arithmetic.funnel_shift({operands}, {way!r}, {mode!r})")

    @writes("bfe", "bfi", "prmt", "lop3")
    def _bit_field(self, instruction: Instruction, kind: str) -> None:
        name, (target, *operands) = instruction.parts[0], instruction.operands
        if name == "bfe":
            a, start, length = operands
            self.put(target, kind, f"arithmetic.extract_bits({self.value(a, kind)}, "
                     f"{', '.join(self.values([start, length], 'u32'))})")
        elif name == "bfi":
            bits = as_bits(kind)
            self.put(target, bits, f"arithmetic.insert_bits("
                     f"{', '.join(self.values(operands[:2], bits))}, "
                     f"{', '.join(self.values(operands[2:4], 'u32'))})")
        elif name == "prmt":
            a, b, selector = self.values(operands, "u32")
            self.put(target, "u32", f"arithmetic.permute_bytes({a}, {b}, {selector})")
        else:
            a, b, c = self.values(operands[:3], "u32")
            table = int(operands[3], 0)
            if not 0 <= table <= 255:
                raise PTXError(f"a table of three operands has 8 bits, got {table}")
            self.put(target, "u32", f"arithmetic.logic3({a}, {b}, {c}, {table})")

    @writes("popc", "clz", "brev", "bfind")
    def _count_bits(self, instruction: Instruction, kind: str) -> None:
        target, source = instruction.operands
        name = instruction.parts[0]
        if name == "bfind":
            shift = "shiftamt" in instruction.parts
            self.put(target, "u32",
                     f"arithmetic.highest_bit({self.value(source, kind)}, {shift})")
            return
        bits = as_bits(kind)
        function = {"popc": "count_ones", "clz": "leading_zeros", "brev": "reverse_bits"}[name]
        self.put(target, bits if name == "brev" else "u32",
                 f"arithmetic.{function}({self.value(source, bits)})")

    # ------------------------------------------------------------------------ moving, converting

    @writes("mov")
    def _move(self, instruction: Instruction, kind: str) -> None:
        target, source = instruction.operands
        if target.startswith("{"):
            parts = listed(target)
            piece = 8 * WIDTH[kind] // len(parts)
            whole = self.value(source, as_bits(kind))
            self.statements.append(f"whole = {whole}")
            for number, part in enumerate(parts):
                by = self.constant(piece * number, as_bits(kind))
                self.put(part, f"u{piece}", f"whole >> {by}")
        elif source.startswith("{"):
            parts = listed(source)
            piece = 8 * WIDTH[kind] // len(parts)
            dtype = dtype_of(as_bits(kind)).str
            self.put(target, as_bits(kind), " | ".join(
                f"({self.value(part, f'u{piece}')}.astype({dtype!r}) << "
                f"{self.constant(piece * number, as_bits(kind))})"
                for number, part in enumerate(parts)))
        elif kind == "pred":
            self.put(target, kind, self.value(source, kind))
        else:
            self.put(target, as_bits(kind), self.value(source, as_bits(kind)
                     if not re.fullmatch(r"-?\d+\.\d*([eE][-+]?\d+)?", source) else kind))

    @writes("cvta")
    def _convert_address(self, instruction: Instruction, kind: str) -> None:
        target, source = instruction.operands
        space = next(part for part in instruction.parts if part in SPACES)
        start = {"shared": SHARED, "local": LOCAL}.get(space, 0)
        value = self.value(source, as_bits(kind))
        if start:
            way = "-" if "to" in instruction.parts else "+"
            value = f"{value} {way} {self.constant(start, as_bits(kind))}"
        self.put(target, as_bits(kind), value)

    @writes("isspacep")
    def _in_space(self, instruction: Instruction, kind: str) -> None:
        value = self.value(instruction.operands[1], "u64")
        ranges = {"shared": (SHARED, LOCAL), "local": (LOCAL, 1 << 46), "global": (0, SHARED)}
        low, high = ranges[instruction.parts[1]]
        self.put(instruction.operands[0], "pred",
                 f"({value} >= {self.constant(low, 'u64')}) & "
                 f"({value} < {self.constant(high, 'u64')})")

    @writes("cvt")
    def _convert(self, instruction: Instruction, kind: str) -> None:
        parts, (target, *sources) = instruction.parts, instruction.operands
        mode = next((part for part in parts if re.fullmatch(r"r[nzmp]i?|rna", part)), "")
        named = [part for part in parts[1:] if part in WIDTH or part in ("tf32", "bf16", "bf16x2")]
        to, source = named[0], named[1]
        if to == "tf32":
            bits = self.value(sources[0], "u32")
            self.put(target, "b32", f"arithmetic.to_tf32({bits}, {mode!r})")
        elif to == "bf16x2":
            high, low = (f"arithmetic.to_bf16({self.value(x, 'u32')}, {mode!r})" for x in sources)
            self.put(target, "b32", f"{high} << np.uint32(16) | {low}")
        elif to == "bf16":
            bits = self.value(sources[0], "u32")
            self.put(target, "b16", f"arithmetic.to_bf16({bits}, {mode!r})", widen=True)
        elif source == "bf16":
            bits = f"({self.value(sources[0], 'u16')}.astype(np.uint32) << np.uint32(16))"
            self.put(target, to, f"arithmetic.convert({bits}.view(np.float32), "
                                 f"{dtype_of(to).str!r}, {mode!r}, {'sat' in parts})", widen=True)
        else:
            value = self.value(sources[0], source, narrow=True)
            if "ftz" in parts and source == "f32":
                value = f"rounding.flush({value})"
            self.put(target, to, f"arithmetic.convert({value}, {dtype_of(to).str!r}, {mode!r}, "
                                 f"{'sat' in parts})", widen=True)

    # ---------------------------------------------------------------------------------- memory

    def _space(self, instruction: Instruction) -> str:
        return next((part for part in instruction.parts if part in SPACES), "generic")

    def _access(self, instruction: Instruction, token: str, writes_too: bool, width: int,
                piece: int) -> str:
        """``space, addresses, offset, number``: where an instruction goes, and its number."""
        space, (address, offset, variable) = self._space(instruction), self.address(token)
        if variable:
            space, address = self._variable(variable, space)
        self.narrowest = min(self.narrowest, piece)
        self.accesses.append((instruction, writes_too, width))
        if space == "const":
            space = "global"
        return f"{space!r}, {address}, {offset}, {len(self.accesses) - 1}"

    def _variable(self, name: str, space: str) -> tuple[str, str]:
        """The space and the address of a variable that stands between the brackets."""
        own = self.variables[name].space
        if space in ("generic", "param") and own in ("shared", "local"):
            space = own
        address = self.symbol(name, 0, "u64")
        return space, f"lanes_of({address})"

    def _strong(self, instruction: Instruction) -> bool:
        return bool({"volatile", "relaxed", "acquire", "release", "atom", "red"}
                    & set(instruction.parts))

    @writes("ld", "ldu")
    def _load(self, instruction: Instruction, kind: str) -> None:
        targets = listed(instruction.operands[0])
        if "param" in instruction.parts:
            _, offset, variable = self.address(instruction.operands[1])
            if not variable:
                raise PTXError("parameters at computed addresses are not supported")
            if self.variables[variable].space == "param":
                for number, target in enumerate(targets):
                    self.put(target, kind, self.parameter(
                        variable, offset + number * WIDTH[kind], kind), widen=True)
                return
        seen = "u" + kind[1:] if kind[0] == "f" else kind
        arrays = ", ".join("None" if target == "_" else self.target(target, seen, widen=True)
                           for target in targets)
        where = self._access(instruction, instruction.operands[1], False,
                             WIDTH[kind] * len(targets), WIDTH[kind])
        self.statements.append(f"X.load({where}, {dtype_of(seen).str!r}, ({arrays},), active, "
                               f"{self._strong(instruction)})")

    @writes("st")
    def _store(self, instruction: Instruction, kind: str) -> None:
        sources, bits = listed(instruction.operands[1]), as_bits(kind)
        if instruction.operands[0].startswith("[") and "param" in instruction.parts:
            _, _, variable = self.address(instruction.operands[0])
            if not variable or self.variables[variable].space != "local":
                raise PTXError("a kernel cannot write its parameters")
        values = ", ".join(self.value(source, bits, narrow=True) for source in sources)
        where = self._access(instruction, instruction.operands[0], True,
                             WIDTH[kind] * len(sources), WIDTH[kind])
        self.statements.append(f"X.store({where}, {dtype_of(bits).str!r}, ({values},), active, "
                               f"{self._strong(instruction)})")

    @writes("atom", "red")
    def _atomic(self, instruction: Instruction, kind: str) -> None:
        operands = list(instruction.operands)
        target = operands.pop(0) if instruction.parts[0] == "atom" else "_"
        operation = next(part for part in instruction.parts[1:] if part in ATOMICS)
        seen = kind if kind[0] in "sf" and operation in ("add", "min", "max") else as_bits(kind)
        array = "None" if target == "_" else self.target(target, seen)
        values = ", ".join(self.values(operands[1:], seen))
        where = self._access(instruction, operands[0], True, WIDTH[kind], WIDTH[kind])
        self.statements.append(f"X.atomic({where}, {dtype_of(seen).str!r}, {operation!r}, {array}, "
                               f"({values},), active)")

    @writes("cp")
    def _copy(self, instruction: Instruction, kind: str) -> None:
        if "commit_group" in instruction.parts:
            self.statements.append("X.commit(active)")
        elif {"wait_group", "wait_all"} & set(instruction.parts):
            keep = int(instruction.operands[0], 0) if "wait_group" in instruction.parts else -1
            self.statements.append(f"X.wait({keep}, active)")
        else:
            to, source, size = instruction.operands[:3]
            width = int(size)
            if width not in (4, 8, 16) or ("cg" in instruction.parts and width != 16):
                raise PTXError("cp.async copies 4, 8 or 16 bytes, with .cg 16")
            filled = self.value(instruction.operands[3], "u32") if len(instruction.operands) > 3 \
                else self.constant(width, "u32")
            places = []
            for token, space, writes_too in ((to, "shared", True), (source, "global", False)):
                address, offset, variable = self.address(token)
                if variable:
                    address = f"lanes_of({self.symbol(variable, 0, 'u64')})"
                self.accesses.append((instruction, writes_too, width))
                places.append(f"({space!r}, {address}, {offset}, {len(self.accesses) - 1})")
            self.statements.append(
                f"X.copy_async({', '.join(places)}, {width}, lanes_of({filled}), active)")

    @writes("membar", "fence", "nanosleep", "prefetch", "prefetchu", "discard", "applypriority")
    def _nothing(self, instruction: Instruction, kind: str) -> None:
        """What changes no value: all memory is seen at once here."""

    # ------------------------------------------------------------------------------- together

    @writes("shfl")
    def _shuffle(self, instruction: Instruction, kind: str) -> None:
        target, a, b, c = instruction.operands[:4]
        targets, mode = target.split("|"), warps.SHUFFLES[instruction.parts[2]]
        self.statements.append(
            f"result, inside = X.shuffle({self.value(a, 'u32')}, {self.value(b, 'u32')}, "
            f"{self.value(c, 'u32')}, {mode}, active, {instruction.line})")
        self.put(targets[0], "u32", "result")
        if len(targets) == 2:
            self.put(targets[1], "pred", "inside")

    @writes("vote", "match", "redux")
    def _vote(self, instruction: Instruction, kind: str) -> None:
        target, source, mask = instruction.operands
        name, what = instruction.parts[0], instruction.parts[1 if instruction.parts[1] != "sync"
                                                             else 2]
        masks = self.value(mask, "u32")
        if name == "vote":
            self.put(target, "u32" if what == "ballot" else "pred",
                     f"X.vote({self.value(source, 'pred')}, {masks}, {what!r}, active)")
        elif name == "match":
            targets = target.split("|")
            self.statements.append(f"result, same = X.match({self.value(source, as_bits(kind))}, "
                                   f"{masks}, {what!r}, active)")
            self.put(targets[0], "u32", "result")
            if len(targets) == 2:
                self.put(targets[1], "pred", "same")
        else:
            self.put(target, kind, f"warps.reduce({what!r}, lanes_of({self.value(source, kind)}), "
                                   f"active, lanes_of({masks}))")

    @writes("activemask")
    def _active_mask(self, instruction: Instruction, kind: str) -> None:
        self.put(instruction.operands[0], "u32",
                 "X.vote(active, np.uint32(0xFFFFFFFF), 'ballot', active)")

    @writes("bar", "barrier")
    def _barrier(self, instruction: Instruction, kind: str) -> None:
        """Of a warp; or what a block's barrier gives, when all its threads have come."""
        if "warp" in instruction.parts:
            self.statements.append("X.pass_warp_barrier(active)")
            return
        target, *_, source = instruction.operands
        what = next(part for part in instruction.parts if part in ("popc", "and", "or"))
        self.put(target, "u32" if what == "popc" else "pred",
                 f"X.block_vote({self.value(source, 'pred')}, {what!r}, active)")

    @writes("mma")
    def _matrix_product(self, instruction: Instruction, kind: str) -> None:
        name = instruction.name
        targets, a, b, c = (listed(token) for token in instruction.operands)
        if [len(group) for group in (targets, a, b, c)] != [4, 4, 2, 4]:
            raise PTXError("the fragments of this matrix product have 4, 4, 2 and 4 registers")
        groups = ", ".join(
            "[" + ", ".join(f"lanes_of({self.value(token, seen)})" for token in group) + "]"
            for group, seen in ((a, "u32"), (b, "u32"), (c, "f32")))
        self.statements.append(f"result = warps.matrix_product({name!r}, {groups})")
        for number, target in enumerate(targets):
            self.put(target, "f32", f"result[{number}]")


def rounding_mode(parts: list[str]) -> str:
    """How a result is rounded: to the nearest, unless the instruction says otherwise."""
    return next((part for part in parts if part in DIRECTED), "rn")


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

