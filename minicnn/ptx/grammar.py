"""How each instruction may be spelled: what is not here is refused, and never passed over.

A modifier that nobody knows changes what an instruction does, so each opcode has one pattern with
the modifiers that the translation understands, in the order of the PTX manual. ``::`` counts as a
dot.
"""

import re

from minicnn.ptx.errors import PTXError
from minicnn.ptx.lowering import BARRIERS, Instruction

_ROUND = r"(?:\.r[nzmp])?"
_FLUSH = r"(?:\.ftz)?"
_CUT = r"(?:\.sat)?"
_INTEGER = r"\.[us](?:16|32|64)"
_WORD = r"\.[us](?:32|64)"
_BITS = r"\.b(?:16|32|64)"
_FLOAT = rf"(?:{_FLUSH}\.f32|\.f64)"
_ROUNDED = rf"(?:{_ROUND}{_FLUSH}{_CUT}\.f32|{_ROUND}\.f64)"
_ANY = r"(?:[bus](?:8|16|32|64)|f(?:16|32|64))"
_SCOPE = r"\.(?:cta|cluster|gpu|sys)"
_SPACE = r"(?:\.(?:const|global|local|param|shared)(?:\.(?:cta|entry|func))?)?"
_ORDER = rf"(?:\.weak|\.volatile|\.(?:relaxed|acquire|release){_SCOPE})?"
_CACHE = r"(?:\.c[agsv]|\.lu|\.w[bt])?(?:\.nc)?(?:\.L[12]\.\w+)*"
_COMPARED = (
    r"\.(?:eq|ne|lt|le|gt|ge|lo|ls|hi|hs|equ|neu|ltu|leu|gtu|geu|num|nan)(?:\.(?:and|or|xor))?"
)
_ATOMIC = (
    rf"(?:\.(?:relaxed|acquire|release|acq_rel))?(?:{_SCOPE})?(?:\.(?:global|shared)(?:\.cta)?)?"
)
_NUMBERS = (
    r"\.add\.(?:u32|s32|u64|s64|f32|f64)|\.(?:min|max)\.[us](?:32|64)|\.(?:inc|dec)\.u32"
)
_BARRIER = r"(?:\.cta)?\.(?:sync(?:\.aligned)?|red\.popc(?:\.aligned)?\.u32|" \
    r"red\.(?:and|or)(?:\.aligned)?\.pred)"

_PATTERNS = {
    "add": rf"{_INTEGER}|\.sat\.s32|\.cc{_WORD}|{_ROUNDED}",
    "sub": rf"{_INTEGER}|\.sat\.s32|\.cc{_WORD}|{_ROUNDED}",
    "addc": rf"(?:\.cc)?{_WORD}",
    "subc": rf"(?:\.cc)?{_WORD}",
    "mul": rf"\.(?:hi|lo){_INTEGER}|\.wide\.[us](?:16|32)|{_ROUNDED}",
    "mad": rf"\.(?:hi|lo)(?:\.cc)?{_INTEGER}|\.wide\.[us](?:16|32)|{_ROUND}{_FLUSH}{_CUT}\.f32"
           r"|\.rn\.f64",
    "madc": rf"\.(?:hi|lo)(?:\.cc)?{_WORD}",
    "fma": r"\.r[nzmp](?:\.ftz)?(?:\.sat)?\.f32|\.rn\.f64",
    "div": rf"{_INTEGER}|\.(?:approx|full){_FLUSH}\.f32|\.r[nzmp]{_FLOAT}",
    "rem": _INTEGER,
    "neg": rf"\.s(?:16|32|64)|{_FLOAT}",
    "abs": rf"\.s(?:16|32|64)|{_FLOAT}",
    "min": rf"{_INTEGER}|{_FLUSH}(?:\.NaN)?\.f32|\.f64",
    "max": rf"{_INTEGER}|{_FLUSH}(?:\.NaN)?\.f32|\.f64",
    "rcp": rf"\.(?:approx|r[nzmp]){_FLUSH}\.f32|\.approx\.ftz\.f64|\.r[nzmp]\.f64",
    "sqrt": rf"\.(?:approx|r[nzmp]){_FLUSH}\.f32|\.r[nzmp]\.f64",
    "rsqrt": rf"\.approx{_FLOAT}|\.approx\.ftz\.f64",
    **dict.fromkeys(("ex2", "lg2", "sin", "cos"), rf"\.approx{_FLUSH}\.f32"),
    "tanh": r"\.approx\.f32",
    "copysign": r"\.f(?:32|64)",
    "testp": r"\.(?:finite|infinite|number|notanumber|normal|subnormal)\.f(?:32|64)",
    "setp": rf"{_COMPARED}(?:\.[bus](?:16|32|64)|{_FLOAT})",
    "selp": r"\.(?:[bus](?:16|32|64)|f(?:32|64))",
    "slct": rf"{_FLUSH}\.(?:[bus](?:16|32|64)|f(?:32|64))\.(?:s32|f32)",
    **dict.fromkeys(("and", "or", "xor", "not"), rf"\.pred|{_BITS}"),
    "cnot": _BITS,
    "shl": _BITS,
    "shr": r"\.[bus](?:16|32|64)",
    "shf": r"\.[lr]\.(?:wrap|clamp)\.b32",
    "bfe": _WORD,
    "bfi": r"\.b(?:32|64)",
    "prmt": r"\.b32",
    "lop3": r"\.b32",
    **dict.fromkeys(("popc", "clz", "brev"), r"\.b(?:32|64)"),
    "bfind": rf"(?:\.shiftamt)?{_WORD}",
    "mov": r"\.(?:pred|[bus](?:16|32|64)|f(?:32|64))",
    "cvta": r"(?:\.to)?\.(?:const|global|local|shared|param)(?:\.cta|\.entry)?\.u(?:32|64)",
    "isspacep": r"\.(?:const|global|local|shared)(?:\.cta)?",
    "cvt": rf"(?:\.r[nzmp]i?)?{_FLUSH}{_CUT}\.{_ANY}\.{_ANY}|\.rna?\.tf32\.f32|"
           r"\.r[nz]\.bf16(?:x2)?\.f32|\.f(?:32|64)\.bf16",
    "ld": rf"{_ORDER}{_SPACE}{_CACHE}(?:\.v[24])?\.{_ANY}",
    "ldu": rf"(?:\.global)?(?:\.v[24])?\.{_ANY}",
    "st": rf"{_ORDER}{_SPACE}{_CACHE}(?:\.v[24])?\.{_ANY}",
    "atom": rf"{_ATOMIC}(?:\.(?:and|or|xor|exch|cas)\.b(?:32|64)|{_NUMBERS})",
    "red": rf"{_ATOMIC}(?:\.(?:and|or|xor)\.b(?:32|64)|{_NUMBERS})",
    "cp": r"\.async\.(?:commit_group|wait_group|wait_all|c[ag]\.shared(?:\.cta)?\.global"
          r"(?:\.L[12]\.\w+)*)",
    "membar": r"\.(?:cta|gl|sys)",
    "fence": rf"(?:\.sc|\.acq_rel)?{_SCOPE}",
    "nanosleep": r"\.u32",
    "prefetch": r"(?:\.global|\.local)?\.L[12](?:\.\w+)?",
    "prefetchu": r"\.L1",
    "discard": r"(?:\.global)?\.L2",
    "applypriority": r"(?:\.global)?\.L2\.evict_normal",
    "shfl": r"\.sync\.(?:up|down|bfly|idx)\.b32",
    "vote": r"\.sync\.(?:all|any|uni)\.pred|\.sync\.ballot\.b32",
    "match": r"\.(?:any|all)\.sync\.b(?:32|64)",
    "redux": r"\.sync\.(?:add|min|max)\.[us]32|\.sync\.(?:and|or|xor)\.b32",
    "activemask": r"\.b32",
    "bar": _BARRIER + r"|\.warp\.sync",
    "barrier": _BARRIER,
    "mma": r"\.sync\.aligned\.(?:m16n8k8\.row\.col\.f32\.tf32\.tf32|"
           r"m16n8k16\.row\.col\.f32\.(?:bf16\.bf16|f16\.f16))\.f32",
    "bra": r"(?:\.uni)?",
    "ret": r"(?:\.uni)?",
    "call": r"(?:\.uni)?",
    "exit": "",
    "trap": "",
}

GRAMMAR = {opcode: re.compile(pattern) for opcode, pattern in _PATTERNS.items()}
"""The modifiers of each opcode."""


_COUNTS = {
    0: "membar fence ret exit trap",
    1: "nanosleep prefetch prefetchu activemask bra",
    2: "neg abs rcp sqrt rsqrt ex2 lg2 sin cos tanh testp not cnot popc clz brev bfind mov cvta "
       "isspacep cvt ld ldu st red discard applypriority",
    3: "add sub addc subc mul div rem min max copysign setp and or xor shl shr atom vote match "
       "redux",
    4: "mad madc fma selp slct shf bfe prmt mma",
    5: "bfi lop3 shfl",
}

OPERANDS = {opcode: count for count, opcodes in _COUNTS.items() for opcode in opcodes.split()}
"""How many operands each opcode has, but for `_MORE_OPERANDS`; cp and barriers are for themselves.
"""

_MORE_OPERANDS = {"atom": ("cas",), "setp": ("and", "or", "xor"), "cvt": ("bf16x2",)}
"""Modifiers with which an opcode has one more."""

_BARRIER_OPERANDS = {"sync": 1, "red": 3}


def check(instruction: Instruction) -> None:
    """Refuse an instruction that is spelled otherwise than its opcode allows."""
    opcode, *modifiers = instruction.parts
    pattern = GRAMMAR.get(opcode)
    where = f"line {instruction.line}: {instruction.text[:80]!r}"
    if pattern is not None and not pattern.fullmatch("".join(f".{word}" for word in modifiers)):
        raise PTXError(f"{where}: {instruction.name[:60]!r} is not supported: its modifiers or its "
                       "type are unknown")
    if opcode in OPERANDS:
        more = not set(modifiers).isdisjoint(_MORE_OPERANDS.get(opcode, ()))
        if len(instruction.operands) != OPERANDS[opcode] + more:
            raise PTXError(f"{where}: expected {OPERANDS[opcode] + more} operands, got "
                           f"{len(instruction.operands)}")
    if opcode in BARRIERS and "warp" not in modifiers:
        count = _BARRIER_OPERANDS["red" if "red" in modifiers else "sync"]
        first = 1 if "red" in modifiers else 0
        if len(instruction.operands) != count or not instruction.operands[first].isdecimal():
            raise PTXError(f"{where}: expected the number of a barrier at which all threads of the "
                           "block meet, and no count of threads")
