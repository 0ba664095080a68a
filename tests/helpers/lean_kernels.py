"""What every CUDA kernel owes: all of it in registers, and no division of 64 bits."""

import re
from typing import Any

SLOW = ("div.u64", "rem.u64", "div.s64", "rem.s64", "mul.hi.u64")


def assert_lean(kernel: Any, *kinds: str) -> int:
    """Compile a kernel for arguments of these kinds, link it, and read what the linker says.

    Returns the registers of a thread.
    """
    from minicnn.ops.cuda.compile import link

    text = kernel.program(*kinds).text
    _, report = link(text, (9, 0))
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in report
    assert not [instruction for instruction in SLOW if instruction in text]
    (count,) = re.findall(r"Used (\d+) registers", report)
    return int(count)
