"""What runs the kernels: a GPU through cuda.core, or the interpreter of their PTX.

The verbs are allocate, upload, download, launch and synchronize, with copy, forget and free beside
them. Whoever calls them does not know which device answers: it is the same PTX, and the same host
code with the same launches.
"""

import functools
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from minicnn.errors import InputError
from minicnn.ptx import Kernel, Launch, Memory, load
from minicnn.ptx.compiler import TARGET

Grid = int | tuple[int, ...]


class Program(Protocol):
    """A compiled kernel, as a device takes it."""

    @property
    def text(self) -> str:
        """Its PTX, with one entry."""

    def machine_code(self, capability: tuple[int, int]) -> Any:
        """What a GPU of this compute capability runs, as cuda.core's kernel."""


class Device(Protocol):
    """The verbs, and what the host must know of the machine. Addresses and sizes are in bytes."""

    capability: tuple[int, int]
    multiprocessors: int

    def __hash__(self) -> int:
        """Blocks of memory are kept by their device."""

    def allocate(self, nbytes: int) -> int:
        """The address of so many fresh bytes, aligned to 256; MemoryError where there are none."""

    def free(self, address: int) -> None:
        """Give an allocation back."""

    def forget(self, address: int) -> None:
        """Count the bytes of an allocation as never written."""

    def upload(self, address: int, host: np.ndarray) -> None:
        """Copy a C-contiguous array of the host's to the device."""

    def download(self, address: int, host: np.ndarray) -> None:
        """Fill a C-contiguous array of the host's, after all that was launched before."""

    def copy(self, address: int, source: int, nbytes: int) -> None:
        """Copy inside the device."""

    def launch(self, program: Program, grid: Grid, threads: int, values: Sequence[Any]) -> None:
        """Run a kernel; values are addresses, and NumPy scalars of the kernel's own types."""

    def synchronize(self) -> None:
        """Wait until all that was launched is done."""

    def stream_handle(self) -> int:
        """The stream of all work, as other CUDA libraries name it."""

    def describe(self) -> dict[str, Any]:
        """What it is, JSON-ready."""


_making = threading.Lock()

_in_use: list[Device] = []
"""Devices that `use_device` has chosen; the last is in use."""


def device() -> Device:
    """The device that all work goes to: of `use_device`, or else of the whole process.

    Raises
    ------
    InputError
        Where ``MINICNN_CUDA_DEVICE`` names none.
    """
    if _in_use:
        return _in_use[-1]
    with _making:  # two threads that come first at once get the same
        return _of_process()


@contextmanager
def use_device(chosen: Device) -> Iterator[None]:
    """Within the block, all work of this process goes to another device.

    Its compute capability must be that of the device before: kernels are compiled once. Arrays stay
    on the device that they were made on.

    Parameters
    ----------
    chosen : Device
        Whatever has the verbs, such as one that only counts.
    """
    _in_use.append(chosen)
    try:
        yield
    finally:
        _in_use.pop()


@functools.cache
def _of_process() -> Device:
    """What ``MINICNN_CUDA_DEVICE`` names: gpu (default) or interpreter."""
    name = os.environ.get("MINICNN_CUDA_DEVICE") or "gpu"
    if name == "interpreter":
        return Interpreter()
    if name == "gpu":
        return Gpu()
    raise InputError(f"MINICNN_CUDA_DEVICE: expected gpu or interpreter, got {name!r}")


class Interpreter:
    """The PTX interpreter as a device: it checks every access, and counts if it is asked to.

    It stands for a GPU of compute capability 9.0 with 132 multiprocessors.

    Attributes
    ----------
    memory : minicnn.ptx.Memory
    races : bool
        Whether races are looked for; a test that is not about them may do without, and is faster.
    """

    capability = TARGET
    multiprocessors = 132

    def __init__(self) -> None:
        self.memory = Memory()
        self.races = True
        self._records: list[Launch] | None = None

    def allocate(self, nbytes: int) -> int:
        return self.memory.allocate(nbytes)

    def free(self, address: int) -> None:
        self.memory.free(address)

    def forget(self, address: int) -> None:
        self.memory.forget(address)

    def upload(self, address: int, host: np.ndarray) -> None:
        self.memory.write(address, host)

    def download(self, address: int, host: np.ndarray) -> None:
        host.reshape(-1).view(np.uint8)[:] = self.memory.read(
            address, host.nbytes, checked=True)

    def copy(self, address: int, source: int, nbytes: int) -> None:
        self.memory.copy(address, source, nbytes)

    def launch(self, program: Program, grid: Grid, threads: int, values: Sequence[Any]) -> None:
        kernel = _interpreted(program.text)
        launch = kernel.launch(
            grid, threads, *values, memory=self.memory, races=self.races,
            counting=self._records is not None,
        )
        if self._records is not None:
            self._records.append(launch)

    def synchronize(self) -> None:
        """Every launch is done when it returns."""

    def stream_handle(self) -> int:
        return 1  # the default stream, as the interface of CUDA arrays numbers it

    def describe(self) -> dict[str, Any]:
        return {"gpu": "interpreter"}

    @contextmanager
    def recorded(self) -> Iterator[list[Launch]]:
        """Within the block, count; the list grows by each launch, in order."""
        before, self._records = self._records, []
        try:
            yield self._records
        finally:
            self._records = before


@functools.lru_cache(maxsize=512)
def _interpreted(text: str) -> Kernel:
    """The only kernel of a PTX text, parsed."""
    (kernel,) = load(text).values()
    return kernel


class Gpu:
    """The first GPU of the machine, through cuda.core; all work is in one stream."""

    def __init__(self) -> None:
        from cuda.bindings import driver
        from cuda.core import Device as CoreDevice, LaunchConfig, launch

        self._driver, self._config, self._launch = driver, LaunchConfig, launch
        self._device = CoreDevice(0)
        self._device.set_current()
        self._stream = self._device.create_stream()
        self._threads = threading.local()
        self._configs: dict[tuple[Grid, int], Any] = {}
        major, minor = self._device.compute_capability
        self.capability = (int(major), int(minor))
        self.multiprocessors = int(self._device.properties.multiprocessor_count)

    def _begin(self) -> None:
        """Let this thread of the host work on the GPU; the driver asks it of each."""
        if not hasattr(self._threads, "ready"):
            self._device.set_current()
            self._threads.ready = True

    def allocate(self, nbytes: int) -> int:
        self._begin()
        status, address = self._driver.cuMemAlloc(nbytes)
        if status == self._driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
            raise MemoryError(f"the GPU has no {nbytes:,} bytes left in one piece")
        self._require(status)
        return int(address)

    def free(self, address: int) -> None:
        self._begin()
        self._require(*self._driver.cuMemFree(address))

    def forget(self, address: int) -> None:
        """A GPU does not know what was written."""

    def upload(self, address: int, host: np.ndarray) -> None:
        self._begin()
        # a copy: of memory that is locked to its place, the caller's may be read after this returns
        staged = host.copy()
        self._require(*self._driver.cuMemcpyHtoDAsync(
            address, staged.ctypes.data, staged.nbytes, self._stream.handle
        ))

    def download(self, address: int, host: np.ndarray) -> None:
        self._begin()
        self._require(*self._driver.cuMemcpyDtoHAsync(
            host.ctypes.data, address, host.nbytes, self._stream.handle
        ))
        self._stream.sync()

    def copy(self, address: int, source: int, nbytes: int) -> None:
        self._begin()
        self._require(*self._driver.cuMemcpyDtoDAsync(
            address, source, nbytes, self._stream.handle
        ))

    def launch(self, program: Program, grid: Grid, threads: int, values: Sequence[Any]) -> None:
        self._begin()
        shape = grid, threads
        config = self._configs.get(shape)
        if config is None:
            config = self._configs[shape] = self._config(grid=grid, block=threads)
        self._launch(self._stream, config, program.machine_code(self.capability), *values)

    def synchronize(self) -> None:
        self._stream.sync()

    def stream_handle(self) -> int:
        return int(self._stream.handle)

    def describe(self) -> dict[str, Any]:
        status, version = self._driver.cuDriverGetVersion()
        self._require(status)
        return {
            "gpu": self._device.name,
            "multiprocessors": self.multiprocessors,
            "driver": f"{version // 1000}.{version % 1000 // 10}",
        }

    def _require(self, status: Any) -> None:
        """Raise what the driver reports."""
        if status != self._driver.CUresult.CUDA_SUCCESS:
            raise RuntimeError(f"the CUDA driver reports {status.name}")
