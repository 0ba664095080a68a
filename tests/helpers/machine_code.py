"""What the assembler says of a CUDA kernel, and what its PTX must not hold."""

import re

from minicnn.ops.cuda.compile import Kernel, link

LONG = ("div.u64", "rem.u64", "div.s64", "rem.s64", "mul.hi.u64")
"""Instructions that take a hundred where their 32-bit forms take a few."""


def registers(kernel: Kernel, *kinds: str) -> int:
    """Registers a thread of a kernel, which has no stack, spills nothing, divides in 32 bits."""
    text = kernel.program(*kinds).text
    _, report = link(text, (9, 0))
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in report, kernel.name
    assert ".local" not in text
    assert not any(instruction in text for instruction in LONG), kernel.name
    found = re.search(r"Used (\d+) registers", report)
    assert found
    return int(found[1])
