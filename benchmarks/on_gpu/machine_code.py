"""What the assembler and a disassembler say of a kernel, without a GPU."""

import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from minicnn.ops.cuda.compile import link

SLOW = ("div.u64", "rem.u64", "div.s64", "rem.s64", "mul.hi.u64")
"""Instructions of PTX that become a hundred: divisions in 64 bits, also by a constant."""

FMA = ("FFMA", "DFMA")


class Figures(NamedTuple):
    """What a thread and a block of a kernel take.

    Attributes
    ----------
    registers : int
        Of a thread.
    stack, spills : int
        Bytes a thread.
    shared : int
        Bytes a block.
    """

    registers: int
    stack: int
    spills: int
    shared: int


def figures(text: str, capability: tuple[int, int]) -> tuple[Figures, bytes]:
    """What the assembler reports for a PTX text, and the machine code."""
    code, report = link(text, capability)

    def numbers(pattern: str) -> list[int]:
        return [int(number) for number in re.findall(pattern, report)]

    shared = re.findall(r"\.shared\s.*\.b8\s+\w+\[(\d+)\]", text)
    return Figures(
        max(numbers(r"Used (\d+) registers")), sum(numbers(r"(\d+) bytes stack frame")),
        sum(numbers(r"(\d+) bytes spill")), sum(map(int, shared)),
    ), bytes(code.code)


def slow_instructions(text: str) -> list[str]:
    """Those of `SLOW` that a PTX text has."""
    return [instruction for instruction in SLOW if instruction in text]


def disassembler() -> str:
    """Where nvdisasm is (package nvidia-cuda-nvdisasm); "" where it is not."""
    packages = Path(sysconfig.get_paths()["purelib"])
    return str(next(packages.glob("nvidia/*/bin/nvdisasm"), shutil.which("nvdisasm") or ""))


def main_loop(code: bytes) -> Counter[str]:
    """How often each instruction stands in the loop with the most multiply-adds.

    Empty where the machine code has no loop. It takes `disassembler`.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kernel.cubin"
        file.write_bytes(code)
        listing = subprocess.run(
            [disassembler(), "-c", str(file)], capture_output=True, text=True, check=True
        ).stdout
    return _fullest_loop(
        listing.splitlines(), r"\s*(\.L_x_\d+):",
        r"\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9]*)", r"BRA.*`\((\.L_x_\d+)\)",
    )


def main_loop_of_ptx(text: str) -> Counter[str]:
    """The same of a PTX text, before the assembler has drawn it up: it takes no disassembler.

    Multiply-adds are called FFMA and DFMA as in machine code, other instructions by their opcodes.
    Copies between registers, ``mov``, are left out: most of them vanish.
    """
    names = text.replace("fma.rn.f32", "FFMA").replace("fma.rn.f64", "DFMA")
    loop = _fullest_loop(
        names.splitlines(), r"\s*(\$L__BB\w+):", r"\s+(?:@!?%p\d+\s+)?([A-Za-z]\w*)",
        r"\bbra\S*\s+(\$L__BB\w+);",
    )
    del loop["mov"]
    return loop


def _fullest_loop(lines: Iterable[str], label: str, opcode: str, branch: str) -> Counter[str]:
    """The loop with the most multiply-adds: what lies between a label and a branch back to it."""
    names: list[str] = []
    labels: dict[str, int] = {}
    loops: list[Counter[str]] = [Counter()]
    for line in lines:
        if here := re.match(label, line):
            labels[here[1]] = len(names)
        elif found := re.match(opcode, line):
            names.append(found[1])
            target = re.search(branch, line)
            if target and target[1] in labels:
                loops.append(Counter(names[labels[target[1]]:]))
    return max(loops, key=multiply_adds)


def multiply_adds(loop: Counter[str]) -> int:
    """How many of a loop's instructions are multiply-adds."""
    return sum(loop[name] for name in FMA)


def share(loop: Counter[str]) -> float:
    """The part of a loop's instructions that are multiply-adds; 0 of none."""
    return multiply_adds(loop) / max(loop.total(), 1)
