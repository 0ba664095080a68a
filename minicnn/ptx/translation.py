"""A basic block → a Python function whose statements are NumPy ufuncs over all lanes.

The statements of each opcode are in `instructions`.
"""

from minicnn.ptx.errors import PTXError
from minicnn.ptx.grammar import check
from minicnn.ptx.instructions import WRITERS
from minicnn.ptx.lowering import Block, Instruction, Lowered
from minicnn.ptx.operands import Operands
from minicnn.ptx.parsing import WIDTH


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
        writer = WRITERS.get(instruction.parts[0])
        if writer is None:
            raise self._error(instruction, "is an instruction that is not supported")
        check(instruction)
        kind = next((part for part in reversed(instruction.parts) if part in WIDTH), "")
        before = self.statements
        self.statements = []
        try:
            writer(self, instruction, kind)
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
