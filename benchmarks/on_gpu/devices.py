"""Devices in the real one's place: one that only compiles, one that does nothing, a stopwatch.

All have the verbs of `minicnn.ops.cuda.device.Device`.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np


class Absent:
    """Memory without content: every download gives zeros, and launches are counted.

    Parameters
    ----------
    capability : (int, int)
    multiprocessors : int
        Of the GPU that it stands for: plans depend on them.
    """

    def __init__(self, capability: tuple[int, int], multiprocessors: int) -> None:
        self.capability, self.multiprocessors = capability, multiprocessors
        self.launches = 0
        self._next = 4096

    def allocate(self, nbytes: int) -> int:
        address, self._next = self._next, self._next + -(-nbytes // 256) * 256
        return address

    def free(self, address: int) -> None:
        """No memory was taken."""

    def forget(self, address: int) -> None:
        """Nothing is remembered."""

    def upload(self, address: int, host: np.ndarray) -> None:
        """Nothing is kept."""

    def download(self, address: int, host: np.ndarray) -> None:
        host[...] = 0

    def copy(self, address: int, source: int, nbytes: int) -> None:
        """There is nothing to copy."""

    def launch(self, program: Any, grid: Any, threads: int, values: Sequence[Any]) -> None:
        self.launches += 1

    def synchronize(self) -> None:
        """Nothing is under way."""

    def stream_handle(self) -> int:
        return 1

    def describe(self) -> dict[str, Any]:
        return {"gpu": "absent"}


class Compiler(Absent):
    """Each launch leaves PTX and machine code on the disk, for the processes that come after."""

    def __init__(self, capability: tuple[int, int], multiprocessors: int) -> None:
        super().__init__(capability, multiprocessors)
        self.programs: dict[str, int] = {}

    def launch(self, program: Any, grid: Any, threads: int, values: Sequence[Any]) -> None:
        if program.text not in self.programs:
            self.programs[program.text] = len(program.cubin(self.capability))
        super().launch(program, grid, threads, values)


class Stopwatch:
    """Another device, with the time of every launch: by events of the GPU, or by the clock.

    Parameters
    ----------
    on : Device
        What does the work.
    """

    def __init__(self, on: Any) -> None:
        self._on = on
        self._by_events = on.describe()["gpu"] != "interpreter"
        self._marks: list[tuple[str, Any, Any]] = []

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._on, verb)

    def launch(self, program: Any, grid: Any, threads: int, values: Sequence[Any]) -> None:
        began = self._mark()
        self._on.launch(program, grid, threads, values)
        self._marks.append((program.name, began, self._mark()))

    def times(self) -> list[tuple[str, float]]:
        """The kernels launched since the last call, each with its milliseconds."""
        self._on.synchronize()
        marks, self._marks = self._marks, []
        return [(name, self._between(began, ended)) for name, began, ended in marks]

    def _mark(self) -> Any:
        if not self._by_events:
            return time.perf_counter()
        event = _required(driver().cuEventCreate(0))
        _required(driver().cuEventRecord(event, self._on.stream_handle()))
        return event

    def _between(self, began: Any, ended: Any) -> float:
        if isinstance(began, float):
            return float(1e3 * (ended - began))
        milliseconds = float(_required(driver().cuEventElapsedTime(began, ended)))
        for event in (began, ended):
            _required(driver().cuEventDestroy(event))
        return milliseconds


def driver() -> Any:
    """CUDA's driver, as Python's functions."""
    from cuda.bindings import driver

    return driver


def _required(answer: tuple[Any, ...]) -> Any:
    """What the driver gives beside its status, which must be success."""
    status, *values = answer
    if status != driver().CUresult.CUDA_SUCCESS:
        raise RuntimeError(f"the CUDA driver reports {status.name}")
    return values[0] if values else None
