"""What is known of every CUDA kernel without a GPU: registers, instructions, bytes, waves.

    MINICNN_CUDA_DEVICE=interpreter python benchmarks/cuda_static.py [--markdown]

The kernels are those that a training step of the paper's network launches at batch 128 and 512, and
those of small problems with every operation. Registers, stack, spills and shared memory are the
assembler's. The share of multiply-adds in the main loop is a disassembler's, where nvdisasm is
installed (package nvidia-cuda-nvdisasm). Instructions, sectors, passes and bytes are counted by the
interpreter, in a training step of the paper's network with two images on a device of two
multiprocessors, and in the small problems. Nothing here is a time.
"""

import argparse
import multiprocessing
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from on_gpu.kernel_cases import solve, train
from on_gpu.launches import Recorder
from on_gpu.machine_code import (
    Figures,
    disassembler,
    figures,
    main_loop,
    multiply_adds,
    share,
)
from rich.console import Console

from minicnn import terminal
from minicnn.ops.cuda import gemm_plan
from minicnn.ops.cuda.device import Interpreter
from minicnn.ops.cuda.winograd import FREQUENCIES
from minicnn.ptx import Launch
from minicnn.ptx.compiler import TARGET

BATCHES = 128, 512
IMAGES = 2
"""Of the training step that is counted, on as many multiprocessors."""
STEPS = 8
"""Of the sum, in the main loop of a product."""
LAYERS = {"c2": (48, 64, 64), "c3": (24, 64, 128), "c4": (24, 128, 128), "c5": (12, 128, 256),
          "c6": (12, 256, 256)}
"""Of the paper's network: pixels along an image's side, channels, filters."""


# -- which kernels --------------------------------------------------------------------------------


@dataclass
class Found:
    """A kernel, and what is known of it.

    Attributes
    ----------
    name : str
    real : str
        f32 or f64.
    threads : int
        Of a block.
    figures : Figures
    launches : list of int
        In a step of the paper's network, at each of `BATCHES`.
    share : float
        Of multiply-adds in the main loop; 0 where nobody has looked.
    results : int
        Of a thread, in a matrix product: else 0.
    """

    name: str
    real: str
    threads: int
    figures: Figures
    launches: list[int] = field(default_factory=lambda: [0] * len(BATCHES))
    share: float = 0.0
    results: int = 0


def compiled(capability: tuple[int, int]) -> dict[str, Found]:
    """All kernels for an architecture by their PTX, in an order that is the same for each."""
    found: dict[str, Found] = {}
    works = [(train, batch) for batch in BATCHES] + [(solve, np.float32), (solve, np.float64)]
    for number, (work, argument) in enumerate(works):
        device = Recorder(capability=capability)
        work(device, argument)
        real = "f64" if argument is np.float64 else "f32"
        for program, _, threads in device.launches:
            if program.text not in found:
                found[program.text] = found_in(program, real, threads, capability)
            if number < len(BATCHES):
                found[program.text].launches[number] += 1
    return found


def found_in(program: Any, real: str, threads: int, capability: tuple[int, int]) -> Found:
    """What the assembler and the disassembler say."""
    known, code = figures(program.text, capability)
    found = Found(program.name, real, threads, known)
    if disassembler():
        loop = main_loop(code)
        if multiply_adds(loop) >= 32 * STEPS:
            found.share, found.results = share(loop), multiply_adds(loop) // STEPS
    return found


# -- what the interpreter counts ------------------------------------------------------------------


class Counting(Interpreter):
    """The interpreter, which keeps what each launch cost, by the kernel's PTX."""

    def __init__(self, multiprocessors: int) -> None:
        super().__init__()
        self.multiprocessors, self.races = multiprocessors, False
        self.costs: defaultdict[str, list[Launch]] = defaultdict(list)

    def launch(self, program: Any, grid: Any, threads: int, values: Any) -> None:
        with self.recorded() as launches:
            super().launch(program, grid, threads, values)
        self.costs[program.text] += launches


def counted() -> tuple[dict[str, list[Launch]], dict[str, list[Launch]]]:
    """Launches of the paper's network, and of the small problems, by PTX."""
    paper, small = Counting(IMAGES), Counting(1)
    train(paper, IMAGES)
    for dtype in (np.float32, np.float64):
        solve(small, dtype)
    return paper.costs, small.costs


def costs_of(launches: list[Launch]) -> list[str]:
    """Instructions a thread, sectors and passes above the least, and bytes moved a launch."""
    if not launches:
        return [""] * 4
    instructions = sum(sum(launch.counts.values()) for launch in launches)
    threads = sum(launch.threads for launch in launches)
    requests = [request for launch in launches for request in launch.requests]
    above = [
        sum(request.cost - request.least for request in requests if request.space == space)
        for space in ("global", "shared")
    ]
    moved = sum(request.moved for request in requests if request.space == "global")
    return [f"{instructions / threads:,.0f}", *(f"{number:,}" for number in above),
            f"{moved / len(launches):,.0f}"]


# -- tables ---------------------------------------------------------------------------------------

KERNEL = ["kernel", "numbers", "threads", "results"]
COSTS = ["instructions a thread", "sectors above least", "passes above least", "bytes a launch"]


def static_rows(everywhere: list[dict[str, Found]]) -> Iterator[list[str]]:
    """A row for each kernel, with what the assemblers for all architectures say."""
    for kernels in zip(*(found.values() for found in everywhere), strict=True):
        first = kernels[0]
        assert {kernel.name for kernel in kernels} == {first.name}
        yield [
            first.name, first.real, str(first.threads), str(first.results or ""),
            *(str(number or "") for number in first.launches),
            *(str(kernel.figures.registers) for kernel in kernels),
            str(sum(kernel.figures.stack + kernel.figures.spills for kernel in kernels)),
            str(max(kernel.figures.shared for kernel in kernels)),
            *(f"{100 * kernel.share:.0f}" if kernel.share else "" for kernel in kernels),
        ]


def cost_rows(found: dict[str, Found], costs: dict[str, list[Launch]]) -> Iterator[list[str]]:
    """A row for each kernel that ran."""
    for text, launches in costs.items():
        kernel = found.get(text)
        if kernel is not None:
            yield [kernel.name, kernel.real, str(kernel.threads), str(kernel.results or ""),
                   *costs_of(launches)]


def wave_rows() -> Iterator[list[str]]:
    """For each product of the paper's network, which part of the multiply-adds counts."""
    for name, images, sizes, split in products():
        how = gemm_plan.plan(*sizes, np.dtype(np.float32), 132, split=split)
        tile = how.tile
        yield [name, str(images), f"{tile.block_rows}×{tile.block_columns}",
               f"{tile.rows}×{tile.columns}", str(how.blocks(sizes[0])), str(how.splits),
               f"{how.efficiency(*sizes, 132):.2f}"]


def products() -> Iterator[tuple[str, int, tuple[int, int, int, int], bool]]:
    """Layer and direction, images, (products, rows, columns, depth), and whether sums are split."""
    for images in BATCHES:
        for layer, (side, channels, filters) in LAYERS.items():
            tiles = images * (side // 4) ** 2
            yield f"{layer} y", images, (FREQUENCIES, tiles, filters, channels), False
            yield f"{layer} dx", images, (FREQUENCIES, tiles, channels, filters), False
            yield f"{layer} dw", images, (FREQUENCIES, channels, filters, tiles), True
        yield "dense y", images, (1, images, 256, 9216), True
        yield "dense dx", images, (1, images, 9216, 256), True
        yield "dense dw", images, (1, 9216, 256, images), True


def show(title: str, headings: list[str], rows: Iterable[list[str]], markdown: bool) -> None:
    """Print a table, for a terminal or as Markdown."""
    if markdown:
        print(f"\n### {title}\n")
        for cells in (headings, ["---"] * len(headings), *rows):
            print(f"| {' | '.join(cells)} |")
        return
    columns = [terminal.Column(heading, right=number > 1) for number, heading in
               enumerate(headings)]
    Console().print(terminal.table(columns, rows, title=title, compact=True))


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="for docs/cuda.md")
    parser.add_argument("--capabilities", nargs="+", default=["8.0", "9.0", "10.0"],
                        help="compute capabilities to assemble for; default 8.0 9.0 10.0")
    options = parser.parse_args()
    markdown = options.markdown
    capabilities = [(int(major), int(minor)) for major, minor in
                    (text.split(".") for text in options.capabilities)]
    with multiprocessing.get_context("spawn").Pool(2, maxtasksperchild=1) as processes:
        everywhere = processes.map(compiled, capabilities, chunksize=1)  # a process for each
    names = [f"{major}.{minor}" for major, minor in capabilities]
    headings = [
        *KERNEL, *(f"launches, {images}" for images in BATCHES),
        *(f"registers, {name}" for name in names), "stack and spills", "shared bytes",
        *(f"FMA %, {name}" for name in names),
    ]
    show("Registers and machine code", headings, static_rows(everywhere), markdown)
    if not disassembler():
        print("nvdisasm is missing: no share of multiply-adds (pip install nvidia-cuda-nvdisasm)")
    here = everywhere[capabilities.index(TARGET)] if TARGET in capabilities else compiled(TARGET)
    paper, small = counted()
    headings = [*KERNEL, *COSTS]
    show(f"Counted in a training step of {IMAGES} images", headings, cost_rows(here, paper),
         markdown)
    rest = {text: launches for text, launches in small.items() if text not in paper}
    show("Counted in the small problems", headings, cost_rows(here, rest), markdown)
    show("Waves on 132 multiprocessors", ["product", "images", "block", "thread", "blocks",
         "parts of a sum", "needed part of the multiply-adds"], wave_rows(), markdown)


if __name__ == "__main__":
    main()
