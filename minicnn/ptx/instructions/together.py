"""What the lanes of a warp, or the threads of a block, do together."""

from typing import TYPE_CHECKING

from minicnn.ptx import warps
from minicnn.ptx.errors import PTXError
from minicnn.ptx.instructions.registry import writes
from minicnn.ptx.lowering import Instruction
from minicnn.ptx.operands import as_bits, listed

if TYPE_CHECKING:
    from minicnn.ptx.translation import Translation


@writes("shfl")
def _shuffle(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, *operands = instruction.operands
    targets, mode = target.split("|"), warps.SHUFFLES[instruction.parts[2]]
    values, by, clamps, masks = code.values(operands, "u32")
    code.statements.append(f"result, inside = X.shuffle({values}, {by}, {clamps}, {masks}, {mode}, "
                           f"active, {instruction.line})")
    code.put(targets[0], "u32", "result")
    if len(targets) == 2:
        code.put(targets[1], "pred", "inside")


@writes("vote", "match", "redux")
def _vote(code: "Translation", instruction: Instruction, kind: str) -> None:
    target, source, mask = instruction.operands
    name, what = instruction.parts[0], instruction.parts[1 if instruction.parts[1] != "sync"
                                                         else 2]
    masks = code.value(mask, "u32")
    if name == "vote":
        code.put(target, "u32" if what == "ballot" else "pred",
                 f"X.vote({code.value(source, 'pred')}, {masks}, {what!r}, active)")
    elif name == "match":
        targets = target.split("|")
        code.statements.append(f"result, same = X.match({code.value(source, as_bits(kind))}, "
                               f"{masks}, {what!r}, active)")
        code.put(targets[0], "u32", "result")
        if len(targets) == 2:
            code.put(targets[1], "pred", "same")
    else:
        code.put(target, kind, f"warps.reduce({what!r}, lanes_of({code.value(source, kind)}), "
                               f"active, lanes_of({masks}))")


@writes("activemask")
def _active_mask(code: "Translation", instruction: Instruction, kind: str) -> None:
    code.put(instruction.operands[0], "u32",
             "X.vote(active, np.uint32(0xFFFFFFFF), 'ballot', active)")


@writes("bar", "barrier")
def _barrier(code: "Translation", instruction: Instruction, kind: str) -> None:
    """Of a warp; or what a block's barrier gives, when all its threads have come."""
    if "warp" in instruction.parts:
        masks = code.value(instruction.operands[-1], "u32")
        code.statements.append(f"X.pass_warp_barrier({masks}, active)")
        return
    target, *_, source = instruction.operands
    what = next(part for part in instruction.parts if part in ("popc", "and", "or"))
    code.put(target, "u32" if what == "popc" else "pred",
             f"X.block_vote({code.value(source, 'pred')}, {what!r}, active)")


@writes("mma")
def _matrix_product(code: "Translation", instruction: Instruction, kind: str) -> None:
    name = instruction.name
    targets, a, b, c = (listed(token) for token in instruction.operands)
    if [len(group) for group in (targets, a, b, c)] != [4, 4, 2, 4]:
        raise PTXError("the fragments of this matrix product have 4, 4, 2 and 4 registers")
    groups = ", ".join(
        "[" + ", ".join(f"lanes_of({code.value(token, seen)})" for token in group) + "]"
        for group, seen in ((a, "u32"), (b, "u32"), (c, "f32")))
    code.statements += [f"X.require_whole_warps(active, {instruction.line})",
                        f"result = warps.matrix_product({name!r}, {groups})"]
    for number, target in enumerate(targets):
        code.put(target, "f32", f"result[{number}]")
