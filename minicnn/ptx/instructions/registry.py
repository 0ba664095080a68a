"""Which function translates an opcode.

A function gets the translation that it adds statements to, an instruction, and the instruction's
last type. In the statements ``m`` is where they count: True for all lanes, or an array of Booleans;
``active`` is always such an array, without lanes that have ended; ``X`` is the machine.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from minicnn.ptx.lowering import Instruction

if TYPE_CHECKING:
    from minicnn.ptx.translation import Translation

Writer = Callable[["Translation", Instruction, str], None]

WRITERS: dict[str, Writer] = {}
"""The function of every opcode."""


def writes(*opcodes: str) -> Callable[[Writer], Writer]:
    """Enter a function as the one of these opcodes."""
    def enter(writer: Writer) -> Writer:
        WRITERS.update(dict.fromkeys(opcodes, writer))
        return writer
    return enter
