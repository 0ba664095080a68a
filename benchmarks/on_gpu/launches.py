"""Which kernels some work launches on a GPU, found without one: a device that only writes down."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.ops.cuda.compile import Program
from minicnn.ops.cuda.device import Grid
from minicnn.ptx.compiler import TARGET

ALIGNMENT = 256


class Launched(NamedTuple):
    """A launch that was asked for."""

    program: Program
    grid: Grid
    threads: int


class Recorder:
    """A device for `use_device` that compiles kernels and runs none.

    What comes back from it is zeros. Arrays take no memory, so that the work may be as large as on
    a GPU.

    Parameters
    ----------
    multiprocessors : int, default 132
        Of the GPU that it stands for.
    capability : (int, int), default (9, 0)
        Its compute capability. A process compiles each kernel once, for one of them.

    Attributes
    ----------
    launches : list of Launched
        All that were asked for, in order.
    """

    def __init__(
        self, multiprocessors: int = 132, capability: tuple[int, int] = TARGET
    ) -> None:
        self.multiprocessors, self.capability = multiprocessors, capability
        self.launches: list[Launched] = []
        self._end = ALIGNMENT

    def allocate(self, nbytes: int) -> int:
        address = self._end
        self._end += -(-max(nbytes, 1) // ALIGNMENT) * ALIGNMENT
        return address

    def free(self, address: int) -> None:
        """No address is used twice."""

    def forget(self, address: int) -> None:
        """Nothing is known of any byte."""

    def upload(self, address: int, host: np.ndarray) -> None:
        """Nothing is kept."""

    def download(self, address: int, host: np.ndarray) -> None:
        host.fill(0)

    def copy(self, address: int, source: int, nbytes: int) -> None:
        """Nothing is kept."""

    def launch(self, program: Any, grid: Grid, threads: int, values: Sequence[Any]) -> None:
        self.launches.append(Launched(program, grid, threads))

    def synchronize(self) -> None:
        """There is nothing to wait for."""

    def stream_handle(self) -> int:
        return 1

    def describe(self) -> dict[str, Any]:
        return {"gpu": "none: launches are only written down"}
