"""Operands → Python expressions: a register is a row of bits, seen as the type that is asked for.

A register ``%r1`` of 32 bits is the arrays ``r1_u32``, ``r1_s32`` and ``r1_f32``, which share their
memory: one element a lane.
"""

import re
from typing import Any

import numpy as np

from minicnn.ptx.errors import PTXError
from minicnn.ptx.lowering import Lowered
from minicnn.ptx.parsing import WIDTH, whole_number

SPECIAL = re.compile(
    r"%(n?tid|n?ctaid)\.[xyz]|%(laneid|warpid|nwarpid|lanemask_(eq|lt|le|gt|ge)|clock|clock64|"
    r"dynamic_smem_size)")

LOGIC = {"and": "np.bitwise_and", "or": "np.bitwise_or", "xor": "np.bitwise_xor"}
SPACES = ("global", "shared", "local", "const", "param")

_KINDS = {"b": "u", "u": "u", "s": "i", "f": "f"}


def dtype_of(kind: str) -> np.dtype[Any]:
    """NumPy's type for one of PTX."""
    return np.dtype(bool) if kind == "pred" else np.dtype(f"{_KINDS[kind[0]]}{WIDTH[kind]}")


def as_bits(kind: str) -> str:
    """The unsigned type of the same width."""
    return kind if kind == "pred" else f"u{8 * WIDTH[kind]}"


def views_of(kind: str) -> list[str]:
    """The types that a register of this type is seen as."""
    if kind == "pred":
        return ["pred"]
    width = 8 * WIDTH[kind]
    return [f"u{width}", f"s{width}", *([f"f{width}"] if width > 8 else [])]


def array_name(register: str, kind: str) -> str:
    """The array that holds a register as this type."""
    return f"{register[1:]}_{kind}"


class Operands:
    """The operands of one kernel's instructions, and the constants that they need."""

    def __init__(self, lowered: Lowered, offsets: dict[str, int]) -> None:
        self.registers, self.variables = lowered.registers, lowered.variables
        self.offsets = offsets  # of shared and local variables
        self.constants: dict[str, Any] = {}
        self.symbols: dict[str, str] = {}  # global variables whose addresses a launch fills in
        self.parameters: dict[str, tuple[str, int, str]] = {}
        self.specials: set[str] = set()
        self._names: dict[tuple[str, str], str] = {}

    def constant(self, value: int | float, kind: str) -> str:
        """A name for a number: an array without axes, which NumPy takes as it is."""
        key = (repr(value), kind)
        if key not in self._names:
            name = self._names[key] = f"c{len(self._names)}"
            dtype = dtype_of(kind)
            if isinstance(value, int) and kind != "pred":
                bits = np.array(value & ((1 << 8 * WIDTH[kind]) - 1), f"u{WIDTH[kind]}")
                self.constants[name] = bits.view(dtype)
            else:
                self.constants[name] = np.array(value, dtype)
        return self._names[key]

    def value(self, token: str, kind: str, narrow: bool = False) -> str:
        """An operand as an array of a PTX type.

        With `narrow`, a wider register gives its lower bits, as stores and conversions do.
        """
        if token.startswith("!"):
            return f"~{self.value(token[1:].strip(), kind, narrow)}"
        if token.startswith("-%"):
            return f"-{self.value(token[1:], kind, narrow)}"
        if token in self.registers:
            return self._register(token, kind, narrow)
        if SPECIAL.fullmatch(token):
            self.specials.add(token[1:])
            name = f"special_{token[1:].replace('.', '_')}"
            plain = "u64" if token == "%clock64" else "u32"
            return name if kind in ("u32", "b32") and plain == "u32" else \
                f"{name}.astype({dtype_of(kind).str!r})"
        if token == "WARP_SZ":
            return self.constant(32, kind)
        if re.fullmatch(r"0[fF][0-9a-fA-F]{8}|0[dD][0-9a-fA-F]{16}", token):
            return self._float_bits(token, kind)
        if re.fullmatch(r"-?\d+\.\d*([eE][-+]?\d+)?", token) and kind[0] == "f":
            return self.constant(float(token), kind)
        if re.fullmatch(r"-?(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)U?", token):
            number = whole_number(token, 0)
            if kind == "pred":
                return self.constant(number != 0, kind)
            if kind[0] == "f":
                raise PTXError(f"expected a number as {kind}, got {token[:40]!r}")
            return self.constant(number, kind)
        symbol = re.fullmatch(r"([\w$]+)(?:\s*\+\s*(-?\w+))?", token)
        if symbol and symbol[1] in self.variables:
            return self.symbol(symbol[1], whole_number(symbol[2] or "0", 0), kind)
        raise PTXError(f"what is {token[:60]!r}?")

    def _register(self, token: str, kind: str, narrow: bool) -> str:
        declared = self.registers[token]
        if (declared == "pred") != (kind == "pred"):
            raise PTXError(f"{token} is .{declared}, expected .{kind}")
        have, want = WIDTH[declared], WIDTH[kind]
        if have == want:
            known = kind if kind == "pred" or kind[0] in "sf" else as_bits(kind)
            return array_name(token, known)
        if have > want and narrow and kind[0] != "f":
            return f"{array_name(token, as_bits(declared))}.astype({dtype_of(kind).str!r})"
        raise PTXError(f"{token} has {8 * have} bits, .{kind} needs {8 * want}")

    def _float_bits(self, token: str, kind: str) -> str:
        width = (len(token) - 2) // 2
        if width != WIDTH[kind]:
            raise PTXError(f"{token} is a number of {8 * width} bits, .{kind} has another width")
        return self.constant(int(token[2:], 16), kind)

    def symbol(self, name: str, offset: int, kind: str) -> str:
        """A variable's address."""
        if name in self.offsets:
            return self.constant(self.offsets[name] + offset, kind)
        if self.variables[name].space == "param":
            raise PTXError(f"the address of the parameter {name[:40]!r} is not supported")
        place = self.symbols.setdefault(name, f"symbol_{len(self.symbols)}")
        plus = f"({place} + {self.constant(offset, 'u64')})" if offset else place
        return plus if WIDTH[kind] == 8 else f"{plus}.astype({dtype_of(kind).str!r})"

    def target(self, token: str, kind: str, widen: bool = False) -> str:
        """The array that an instruction of this type writes; `widen`: a wider one may take it."""
        if token not in self.registers:
            raise PTXError(f"expected a register, got {token[:40]!r}")
        declared = self.registers[token]
        if declared == "pred" or kind == "pred":
            return self._register(token, kind, False)
        have, want = WIDTH[declared], WIDTH[kind]
        if have != want and not (widen and have > want and kind[0] != "f"):
            raise PTXError(f"{token} has {8 * have} bits, .{kind} has {8 * want}")
        known = kind if kind[0] in "sf" and have == want else \
            f"{'s' if kind[0] == 's' else 'u'}{8 * have}"
        return array_name(token, known)

    def address(self, token: str) -> tuple[str, int, str]:
        """``[%rd1+16]`` → an expression of addresses, the bytes to add, the variable if it is one.
        """
        match = re.fullmatch(r"\[\s*([%\w$]+)\s*(?:\+\s*(-?\w+))?\s*\]", token)
        if match is None:
            raise PTXError(f"expected an address, got {token[:60]!r}")
        offset = whole_number(match[2], 0) if match[2] else 0
        if not -(1 << 31) <= offset < 1 << 32:
            raise PTXError(f"an offset has 32 bits, got {match[2][:40]}")
        if match[1] in self.registers:
            declared = self.registers[match[1]]
            if WIDTH[declared] not in (4, 8):
                raise PTXError(f"{match[1]} is no address")
            return array_name(match[1], as_bits(declared)), offset, ""
        if match[1] in self.variables:
            return "", offset, match[1]
        return f"lanes_of({self.constant(whole_number(match[1], 0), 'u64')})", offset, ""

    def parameter(self, name: str, offset: int, kind: str) -> str:
        """A piece of a kernel's parameter: an array of one number that a launch fills in."""
        if not 0 <= offset <= self.variables[name].size - WIDTH[kind]:
            raise PTXError(f"{name[-40:]!r} has {self.variables[name].size} bytes")
        own = f"parameter_{list(self.variables).index(name)}_{offset}_{kind}"
        self.parameters[own] = name, offset, kind
        return own


def listed(token: str) -> list[str]:
    """The registers of ``{%f1, %f2}``, or the one."""
    return [word.strip() for word in token[1:-1].split(",")] if token.startswith("{") else [token]
