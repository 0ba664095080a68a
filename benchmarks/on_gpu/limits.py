"""Section 4: copying, multiply-adds, loads of shared memory, launches, and the host's share."""

import time
from collections.abc import Callable, Iterator

import numpy as np

from minicnn import use_backend
from minicnn.ops.cuda.array import asarray, empty
from minicnn.ops.cuda.device import device, use_device
from on_gpu import networks
from on_gpu.devices import Absent
from on_gpu.limit_kernels import (
    CHAINS,
    LOADS,
    THREADS,
    copy,
    multiply_add_kernel,
    nothing,
    shared_load_kernel,
)
from on_gpu.options import Options
from on_gpu.records import Table, read

ROUNDS = 9


def run(options: Options) -> None:
    """Measure each; the next is tried where one fails."""
    table = Table(options.out / "limits.csv", ("what", "value", "unit", "note"))
    note = "" if options.measures else "interpreter, no time of a GPU"
    for measure in (copying, multiply_adds, shared_loads, launches, host_time):
        for what, value, unit in measure(options):
            host = unit == "ms of the host" or what == "launches a step"
            table.add(what=what, value=value, unit=unit, note="" if host else note)


Found = Iterator[tuple[str, float, str]]


def copying(options: Options) -> Found:
    """Read and written, of arrays far larger than the second-level cache."""
    count = 2**12 if options.tiny else 2**28
    x, y = empty((count,), np.float32), empty((count,), np.float32)
    x[...] = np.float32(1)
    seconds = best(lambda: copy[-(-count // 4 // THREADS)](x, y, count // 4))
    yield "copy", 2 * x.nbytes / seconds / 1e12, "TB/s"


def multiply_adds(options: Options) -> Found:
    """float32 from registers, two operations each."""
    steps, blocks = (2, 2) if options.tiny else (4096, 8 * device().multiprocessors)
    y = empty((blocks * THREADS,), np.float32)
    kernel = multiply_add_kernel(steps)
    seconds = best(lambda: kernel[blocks](y, 0.5))
    yield "multiply-adds", 2 * steps * CHAINS * y.size / seconds / 1e12, "TFLOP/s"


def shared_loads(options: Options) -> Found:
    """A 16-byte load of a warp, by how many different pieces its lanes read."""
    for pieces in (4, 8, 32):
        y = empty((THREADS,), np.float32)
        first, last = (empty((THREADS,), np.uint32) for _ in range(2))
        kernel = shared_load_kernel(pieces)
        for _ in range(2):  # the second finds its code in the cache
            kernel[1](y, first, last, 128)
        began = np.asarray(first)
        cycles = int((np.asarray(last) - began[0]).max())  # in 32 bits, which wrap around
        loads = LOADS * THREADS // 32
        yield f"16-byte load of shared memory, {pieces} pieces a warp", cycles / loads, "cycles"


def launches(options: Options) -> Found:
    """An empty kernel, many times in a row."""
    count = 3 if options.tiny else 2000
    x = asarray(np.zeros(1, np.float32), np.dtype(np.float32))

    def many() -> None:
        for _ in range(count):
            nothing[1](x)

    yield "launch", best(many) / count * 1e6, "µs"


def host_time(options: Options) -> Found:
    """A whole step of Python where no launch does anything."""
    absent = Absent(device().capability, device().multiprocessors)
    with use_device(absent), use_backend("cuda"):
        training = networks.Training(networks.BATCHES[options.tiny][0], tiny=options.tiny)
        training.step()
        before, seconds = absent.launches, []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            training.step()
            seconds.append(time.perf_counter() - began)
    yield "launches a step", (absent.launches - before) / ROUNDS, ""
    yield "a step without its launches", 1e3 * float(np.median(seconds)), "ms of the host"


def best(launch: Callable[[], None]) -> float:
    """The least seconds of some rounds, after one to warm up."""
    seconds = []
    for _ in range(ROUNDS if device().describe()["gpu"] != "interpreter" else 1):
        device().synchronize()
        began = time.perf_counter()
        launch()
        device().synchronize()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def measured(options: Options) -> dict[str, float]:
    """What an earlier section of this run found, by name."""
    return {line["what"]: float(line["value"]) for line in read(options.out / "limits.csv")}
