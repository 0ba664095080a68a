"""The main loop of a kernel as machine code, where NVIDIA's disassembler is installed."""

import re
import shutil
import subprocess
import sysconfig
from collections import Counter
from pathlib import Path

import pytest


def disassembler() -> str:
    """Where nvdisasm is (package nvidia-cuda-nvdisasm); the test is skipped where it is not."""
    packages = Path(sysconfig.get_paths()["purelib"])
    found = next(packages.glob("nvidia/*/bin/nvdisasm"), shutil.which("nvdisasm"))
    if found is None:
        pytest.skip("nvdisasm is missing: pip install nvidia-cuda-nvdisasm")
    return str(found)


def main_loop(text: str, capability: tuple[int, int], folder: Path) -> Counter[str]:
    """How often each instruction stands in the loop of a PTX text that has the most FFMA."""
    from minicnn.ops.cuda.compile import link

    binary = folder / "kernel.cubin"
    binary.write_bytes(link(text, capability)[0].code)
    listing = subprocess.run(
        [disassembler(), "-c", str(binary)], capture_output=True, text=True, check=True
    ).stdout
    names: list[str] = []
    labels: dict[str, int] = {}
    loops: list[Counter[str]] = []
    for line in listing.splitlines():
        if label := re.match(r"\s*(\.L_x_\d+):", line):
            labels[label[1]] = len(names)
        if found := re.match(r"\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9]*)", line):
            names.append(found[1])
            target = re.search(r"BRA.*`\((\.L_x_\d+)\)", line)
            if target and target[1] in labels:  # a branch back
                loops.append(Counter(names[labels[target[1]]:]))
    return max(loops, key=lambda loop: loop["FFMA"])
