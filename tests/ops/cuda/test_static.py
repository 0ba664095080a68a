"""What is known of every kernel without a GPU: registers, slow instructions, the main loop.

The kernels are those of a training step of the paper's network at batch 128 and 512, and of small
problems with every operation.
"""

from typing import NamedTuple

import numpy as np
import pytest

pytest.importorskip("numba_cuda", reason="kernels are compiled by numba-cuda")

from on_gpu.kernel_cases import solve, train
from on_gpu.launches import Recorder
from on_gpu.machine_code import (
    Figures,
    disassembler,
    figures,
    main_loop,
    main_loop_of_ptx,
    multiply_adds,
    share,
    slow_instructions,
)

from minicnn.ops.cuda.device import Interpreter

STEPS = 8
"""Of the sum, in the main loop of a product."""

REGISTERS = 65536
"""Of a multiprocessor."""


class Kernel(NamedTuple):
    """A kernel as the assembler has left it."""

    name: str
    text: str
    threads: int
    figures: Figures
    code: bytes

    @property
    def results(self) -> int:
        """Of a thread, in a matrix product; 0 in other kernels."""
        fmas = multiply_adds(main_loop_of_ptx(self.text))
        return fmas // STEPS if fmas >= 32 * STEPS else 0


@pytest.fixture(scope="module")
def kernels() -> list[Kernel]:
    """All kernels for float32."""
    recorder = Recorder()
    with pytest.MonkeyPatch.context() as patch:  # before the fixture of every test
        patch.setenv("MINICNN_CUDA_DEVICE", "interpreter")
        for batch in (128, 512):
            train(recorder, batch)
        solve(recorder, np.float32)
    found = {program.text: (program.name, threads) for program, _, threads in recorder.launches}
    return [Kernel(name, text, threads, *figures(text, (9, 0)))
            for text, (name, threads) in found.items()]


@pytest.mark.slow(20)
def test_everything_is_in_registers_and_nothing_is_divided_in_64_bits(
    kernels: list[Kernel]
) -> None:
    assert len({kernel.name for kernel in kernels}) >= 40
    for kernel in kernels:
        assert (kernel.figures.stack, kernel.figures.spills) == (0, 0), kernel.name
        assert slow_instructions(kernel.text) == [], kernel.name
        assert kernel.figures.registers * kernel.threads <= REGISTERS, kernel.name


@pytest.mark.slow(20)
def test_products_fit_twice_on_a_multiprocessor(kernels: list[Kernel]) -> None:
    products = [kernel for kernel in kernels if kernel.results]
    assert {kernel.results for kernel in products} == {64, 128}
    for kernel in products:
        assert 4096 <= kernel.figures.shared <= 48 * 1024
        assert kernel.figures.registers <= 255
        if kernel.results == 64 and kernel.threads == 256:
            assert kernel.figures.registers <= 128


LEAST = {(128, 64): 0.87, (128, 128): 0.87, (64, 256): 0.8}
"""The part of the main loop's instructions that are multiply-adds, by a thread's results and a
block's threads, in tiles of the paper's network."""


@pytest.mark.slow(20)
def test_the_main_loop_of_a_product_is_multiply_adds(kernels: list[Kernel]) -> None:
    seen = set()
    for kernel in kernels:
        size = kernel.results, kernel.threads
        if size in LEAST:
            seen.add(size)
            loops = [main_loop_of_ptx(kernel.text)]
            if disassembler():
                loops.append(main_loop(kernel.code))
            for loop in loops:
                assert multiply_adds(loop) == STEPS * kernel.results
                assert share(loop) >= LEAST[size], loop
    assert seen == LEAST.keys()


@pytest.mark.slow(10)
def test_no_sector_and_no_pass_too_many_in_a_step_of_the_papers_network() -> None:
    device = Interpreter()
    device.multiprocessors, device.races = 2, False
    with device.recorded() as launches:
        train(device, 2)
    assert len({launch.kernel.title for launch in launches}) >= 20
    for launch in launches:
        if all(request.width < 16 for request in launch.requests if request.space == "global"):
            continue  # seven classes, moved number by number
        product = launch.kernel.title == "multiply"
        for space in ("global", "shared") if product else ("global",):
            requests = [request for request in launch.requests if request.space == space]
            least = sum(request.least for request in requests)
            # a dense layer's bias is read once a block, one number by one
            most = 1.01 * least if product and space == "global" else least
            assert sum(request.cost for request in requests) <= most, launch.report()
