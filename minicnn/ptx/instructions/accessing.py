"""Memory: loads, stores, atomic operations, asynchronous copies."""

from typing import TYPE_CHECKING

from minicnn.ptx.access import ATOMICS
from minicnn.ptx.errors import PTXError
from minicnn.ptx.instructions.registry import writes
from minicnn.ptx.lowering import Instruction
from minicnn.ptx.operands import SPACES, as_bits, dtype_of, listed
from minicnn.ptx.parsing import WIDTH
from minicnn.ptx.races import PLAIN, STRONG

if TYPE_CHECKING:
    from minicnn.ptx.translation import Translation


def _space(instruction: Instruction) -> str:
    return next((part for part in instruction.parts if part in SPACES), "generic")


def _access(code: "Translation", instruction: Instruction, token: str, writes_too: bool, width: int,
            piece: int) -> str:
    """``space, addresses, offset, number``: where an instruction goes, and its number."""
    space, (address, offset, variable) = _space(instruction), code.address(token)
    if variable:
        space, address = _variable(code, variable, space)
    code.narrowest = min(code.narrowest, piece)
    code.accesses.append((instruction, writes_too, width))
    if space == "const":
        space = "global"
    return f"{space!r}, {address}, {offset}, {len(code.accesses) - 1}"


def _variable(code: "Translation", name: str, space: str) -> tuple[str, str]:
    """The space and the address of a variable that stands between the brackets."""
    own = code.variables[name].space
    if space in ("generic", "param") and own in ("shared", "local"):
        space = own
    address = code.symbol(name, 0, "u64")
    return space, f"lanes_of({address})"


def _strength(instruction: Instruction) -> int:
    """How a load or store stands to other threads' accesses (see `races`)."""
    strong = {"volatile", "relaxed", "acquire", "release"} & set(instruction.parts)
    return STRONG if strong else PLAIN


@writes("ld", "ldu")
def _load(code: "Translation", instruction: Instruction, kind: str) -> None:
    targets = listed(instruction.operands[0])
    if "param" in instruction.parts:
        _, offset, variable = code.address(instruction.operands[1])
        if not variable:
            raise PTXError("parameters at computed addresses are not supported")
        if code.variables[variable].space == "param":
            for number, target in enumerate(targets):
                code.put(target, kind, code.parameter(
                    variable, offset + number * WIDTH[kind], kind), widen=True)
            return
    seen = "u" + kind[1:] if kind[0] == "f" else kind
    arrays = ", ".join("None" if target == "_" else code.target(target, seen, widen=True)
                       for target in targets)
    where = _access(code, instruction, instruction.operands[1], False,
                         WIDTH[kind] * len(targets), WIDTH[kind])
    code.statements.append(f"X.load({where}, {dtype_of(seen).str!r}, ({arrays},), active, "
                           f"{_strength(instruction)})")


@writes("st")
def _store(code: "Translation", instruction: Instruction, kind: str) -> None:
    sources, bits = listed(instruction.operands[1]), as_bits(kind)
    if instruction.operands[0].startswith("[") and "param" in instruction.parts:
        _, _, variable = code.address(instruction.operands[0])
        if not variable or code.variables[variable].space != "local":
            raise PTXError("a kernel cannot write its parameters")
    values = ", ".join(code.value(source, bits, narrow=True) for source in sources)
    where = _access(code, instruction, instruction.operands[0], True,
                         WIDTH[kind] * len(sources), WIDTH[kind])
    code.statements.append(f"X.store({where}, {dtype_of(bits).str!r}, ({values},), active, "
                           f"{_strength(instruction)})")


@writes("atom", "red")
def _atomic(code: "Translation", instruction: Instruction, kind: str) -> None:
    operands = list(instruction.operands)
    target = operands.pop(0) if instruction.parts[0] == "atom" else "_"
    operation = next(part for part in instruction.parts[1:] if part in ATOMICS)
    seen = kind if kind[0] in "sf" and operation in ("add", "min", "max") else as_bits(kind)
    array = "None" if target == "_" else code.target(target, seen)
    values = ", ".join(code.values(operands[1:], seen))
    where = _access(code, instruction, operands[0], True, WIDTH[kind], WIDTH[kind])
    code.statements.append(f"X.atomic({where}, {dtype_of(seen).str!r}, {operation!r}, {array}, "
                           f"({values},), active)")


@writes("cp")
def _copy(code: "Translation", instruction: Instruction, kind: str) -> None:
    if "commit_group" in instruction.parts:
        code.statements.append("X.copies.commit(active)")
    elif {"wait_group", "wait_all"} & set(instruction.parts):
        keep = int(instruction.operands[0], 0) if "wait_group" in instruction.parts else -1
        code.statements.append(f"X.copies.wait({keep}, active)")
    else:
        to, source, size = instruction.operands[:3]
        width = int(size)
        if width not in (4, 8, 16) or ("cg" in instruction.parts and width != 16):
            raise PTXError("cp.async copies 4, 8 or 16 bytes, with .cg 16")
        filled = code.value(instruction.operands[3], "u32") if len(instruction.operands) > 3 \
            else code.constant(width, "u32")
        places = []
        for token, space, writes_too in ((to, "shared", True), (source, "global", False)):
            address, offset, variable = code.address(token)
            if variable:
                address = f"lanes_of({code.symbol(variable, 0, 'u64')})"
            code.accesses.append((instruction, writes_too, width))
            places.append(f"({space!r}, {address}, {offset}, {len(code.accesses) - 1})")
        code.statements.append(
            f"X.copies.begin({', '.join(places)}, {width}, lanes_of({filled}), active)")


@writes("membar", "fence", "nanosleep", "prefetch", "prefetchu", "discard", "applypriority")
def _nothing(code: "Translation", instruction: Instruction, kind: str) -> None:
    """What changes no value: all memory is seen at once here."""
