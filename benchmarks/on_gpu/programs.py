"""The programs that are timed beside each other: minicnn on the GPU, and PyTorch both ways."""

from collections.abc import Callable
from typing import Any

from minicnn.benchmarking.programs import Minicnn, Program
from minicnn.benchmarking.timing import Task
from minicnn.benchmarking.torch_program import Torch
from minicnn.errors import InputError
from minicnn.ops.cuda import convolutions
from on_gpu.options import Options


class InTF32(Minicnn):
    """This library with its convolutions on tensor cores, where their shapes suit these."""

    def __init__(self) -> None:
        super().__init__("cuda", "minicnn TF32")

    def _task(self, run: Callable[[], Any]) -> Task:
        def run_in_tf32() -> None:
            with convolutions("auto", tf32=True):
                run()

        return super()._task(run_in_tf32)


def programs(options: Options, *, tf32: bool = False) -> list[Program]:
    """minicnn first, then PyTorch's layouts; on the interpreter PyTorch computes on the CPU.

    Parameters
    ----------
    options : Options
    tf32 : bool, default False
        Both in TF32; minicnn's convolutions alone.
    """
    device = "cuda" if options.measures else "cpu"
    own: list[Program] = [InTF32() if tf32 else Minicnn("cuda")]
    try:
        layouts = [Torch(device, channels_last=last, tf32=tf32) for last in (True, False)]
    except InputError as error:
        print(f"  without PyTorch: {error}")
        return own
    return [*own, *layouts]
