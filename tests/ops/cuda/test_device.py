"""The devices: what a machine lacks, and what a GPU is handed, as far as no GPU is needed."""

import ctypes
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident, local
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from minicnn.ops.cuda import describe
from minicnn.ops.cuda.array import asarray, empty
from minicnn.ops.cuda.device import Gpu, Interpreter, device, use_device
from minicnn.ops.cuda.tables import table_of
from minicnn.ptx import PTXFault


def run(program: str, **environment: str) -> subprocess.CompletedProcess:
    """A fresh process; without the device that these tests name."""
    kept = {name: value for name, value in os.environ.items() if name != "MINICNN_CUDA_DEVICE"}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          env=kept | environment, check=False)


def test_nothing_is_imported_until_it_is_asked_for() -> None:
    program = """if True:
        import sys, minicnn, minicnn.ops.cuda
        from minicnn.ops.backend import every_backend
        every_backend()
        brought = {"numba.cuda", "minicnn.ptx.compiler", "cuda.core"} & set(sys.modules)
        print(sorted(brought))
    """
    assert run(program).stdout == "[]\n"


def test_another_device_is_refused() -> None:
    program = "from minicnn.ops.cuda.device import device; device()"
    result = run(program, MINICNN_CUDA_DEVICE="abacus")
    assert "MINICNN_CUDA_DEVICE: expected gpu or interpreter, got 'abacus'" in result.stderr


def test_the_interpreter_says_what_it_is() -> None:
    assert describe()["gpu"] == "interpreter"
    assert describe()["numba-cuda"].startswith("0.30")


# -- a GPU's driver, played by what it would be asked ------------------------------------------


class Driver:
    """Answers as cuda.bindings.driver does, and notes what it was asked."""

    CUresult = SimpleNamespace(
        CUDA_SUCCESS=SimpleNamespace(name="CUDA_SUCCESS"),
        CUDA_ERROR_OUT_OF_MEMORY=SimpleNamespace(name="CUDA_ERROR_OUT_OF_MEMORY"),
    )

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> tuple[Any, ...]:
            self.asked.append((name, *arguments))
            return (self.CUresult.CUDA_SUCCESS,)

        return call

    def cuMemAlloc(self, nbytes: int) -> tuple[Any, Any]:
        if nbytes > 1000:
            return self.CUresult.CUDA_ERROR_OUT_OF_MEMORY, None
        return self.CUresult.CUDA_SUCCESS, 4096


@pytest.fixture
def gpu() -> Gpu:
    made = object.__new__(Gpu)
    made._driver, made._threads = Driver(), local()
    made._device = SimpleNamespace(set_current=lambda: None)
    made._stream = SimpleNamespace(handle=77, sync=lambda: made._driver.asked.append(("sync",)))
    made._configs, made.capability = {}, (9, 0)
    made._config = lambda grid, block: ("config", grid, block)
    made._launch = lambda *arguments: made._driver.asked.append(("launch", *arguments))
    return made


def test_a_gpu_copies_in_its_stream_and_waits_only_for_what_comes_home(gpu: Gpu) -> None:
    host = np.zeros(4, np.float32)
    gpu.upload(4096, host)
    gpu.copy(8192, 4096, 16)
    gpu.download(8192, host)
    (name, address, place, *rest), *others = gpu._driver.asked
    assert (name, address, rest) == ("cuMemcpyHtoDAsync", 4096, [16, 77])
    assert place != host.ctypes.data  # of a copy: the caller's may change at once
    assert others == [
        ("cuMemcpyDtoDAsync", 8192, 4096, 16, 77),
        ("cuMemcpyDtoHAsync", host.ctypes.data, 8192, 16, 77),
        ("sync",),
    ]


def test_every_thread_of_the_host_is_made_ready_once(gpu: Gpu) -> None:
    made_ready = []
    gpu._device = SimpleNamespace(set_current=lambda: made_ready.append(get_ident()))
    for _ in range(2):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(gpu.allocate, 10).result()
            pool.submit(gpu.copy, 4096, 8192, 16).result()
    gpu.allocate(10)
    assert len(made_ready) == 3


def test_a_gpu_without_memory_raises_memory_error(gpu: Gpu) -> None:
    assert gpu.allocate(1000) == 4096
    with pytest.raises(MemoryError, match="no 2,000 bytes left"):
        gpu.allocate(2000)


def test_a_launch_hands_on_grid_threads_and_values(gpu: Gpu) -> None:
    program = SimpleNamespace(machine_code=lambda capability: ("code", capability))
    gpu.launch(program, (3, 2), 256, [4096, np.uint32(5)])
    assert gpu._driver.asked == [
        ("launch", gpu._stream, ("config", (3, 2), 256), ("code", (9, 0)), 4096, 5)
    ]


def test_the_driver_has_every_function_that_a_gpu_calls() -> None:
    from cuda.bindings import driver

    for name, arguments in [("cuMemAlloc", 1), ("cuMemFree", 1), ("cuMemcpyHtoDAsync", 4),
                            ("cuMemcpyDtoHAsync", 4), ("cuMemcpyDtoDAsync", 4),
                            ("cuDriverGetVersion", 0)]:
        signature = (getattr(driver, name).__doc__ or "").splitlines()[0]
        inside = signature.partition("(")[2].rstrip(")")
        assert len(inside.split(",")) * bool(inside) == arguments, signature


def test_cuda_core_packs_values_in_the_sizes_of_their_types() -> None:
    from cuda.core._kernel_arg_handler import ParamHolder

    values = [1 << 40, np.uint32(5), np.float32(1.5), np.float64(2.5), np.uint64(2**63 + 1)]
    holder = ParamHolder(values)
    places = ctypes.cast(holder.ptr, ctypes.POINTER(ctypes.c_void_p))
    for value, place in zip(values, places, strict=False):
        expected = np.uint64(value) if isinstance(value, int) else value
        size = expected.dtype.itemsize
        assert ctypes.string_at(place, size) == expected.tobytes()


def test_values_that_no_kernel_wrote_do_not_come_home() -> None:
    with use_device(Interpreter()):
        fresh = empty((3, 4), np.float32)
        with pytest.raises(PTXFault, match="nobody wrote byte 0"):
            np.asarray(fresh)
        with pytest.raises(PTXFault, match="nobody wrote byte 0"):
            np.asarray(fresh.copy())
        fresh[...] = 2
        assert np.asarray(fresh.copy()).tolist() == [[2] * 4] * 3


def test_there_is_one_device_in_a_process() -> None:
    assert device() is device()


def test_another_device_is_used_within_a_block() -> None:
    usual, first, second = device(), Interpreter(), Interpreter()
    x = asarray(np.arange(5.0), np.dtype(float))
    weights = [asarray(np.zeros(3), np.dtype(float))]
    table_of(weights)
    with pytest.raises(ZeroDivisionError), use_device(first):
        assert device() is first
        here = asarray(np.ones(4), np.dtype(float))
        assert first.memory.read(here.pointer, 32).tobytes() == np.ones(4).tobytes()
        with use_device(second):
            assert device() is second
        assert device() is first
        for table in table_of(weights):  # the same addresses on another device
            assert first.memory.read(table.pointer, table.nbytes).size == table.nbytes
        raise ZeroDivisionError
    assert device() is usual
    np.testing.assert_array_equal(np.asarray(x), np.arange(5.0))
    assert table_of(weights) == table_of(weights)
