"""Kernels become PTX once, are found again on disk, and link without a GPU."""

import functools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

from minicnn.errors import InputError
from minicnn.ops.cuda import compile as compiling
from minicnn.ops.cuda.array import asarray, empty
from minicnn.ops.cuda.compile import cuda, device_function, kernel, link, uint32


@device_function
def squared(value: Any) -> Any:
    return value * value


@functools.cache
def scale_kernel(channels: int) -> compiling.Kernel:
    @kernel(threads=64)
    def scale(x, factors, y, count, shift):  # type: ignore[no-untyped-def]
        i = uint32(cuda.grid(1))
        if i < count:
            y[i] = squared(x[i]) * factors[i % uint32(channels)] + shift

    return scale


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path))
    scale_kernel.cache_clear()
    return tmp_path / "cuda"


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the kernels that were compiled."""
    names: list[str] = []
    original = compiling.to_ptx

    def counted(function: Callable[..., None], *args: Any, **kwargs: Any) -> str:
        names.append(function.__name__)
        return original(function, *args, **kwargs)

    monkeypatch.setattr(compiling, "to_ptx", counted)
    return names


def run_scale(dtype: type, channels: int = 5) -> None:
    rng = np.random.default_rng(3)
    x, factors = rng.standard_normal((31, channels)), rng.standard_normal(channels)
    x, factors = x.astype(dtype), factors.astype(dtype)
    y = empty(x.shape, dtype)
    arrays = (asarray(array, dtype) for array in (x, factors))
    scale_kernel(channels)[-(-x.size // 64)](*arrays, y, x.size, 0.1)
    expected = x.astype(np.float64) ** 2 * factors + dtype(0.1)
    np.testing.assert_allclose(np.asarray(y), expected, rtol=8 * np.finfo(dtype).eps, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_source_serves_both_dtypes(dtype: type) -> None:
    run_scale(dtype)
    text = scale_kernel(5).program(*(3 * [f"*{np.dtype(dtype).char}"]), "I",
                                   np.dtype(dtype).char).text
    assert ("f64" in text) == (dtype is np.float64)


def test_a_kernel_is_compiled_once_and_then_found_on_disk(
    compilations: list[str], empty_cache: Path
) -> None:
    run_scale(np.float32)
    run_scale(np.float32)
    assert compilations == ["scale"]
    scale_kernel.cache_clear()  # as in a new process
    run_scale(np.float32)
    assert compilations == ["scale"]
    assert [path.suffix for path in empty_cache.iterdir()] == [".ptx"]


def nothing(kept: bytes) -> bytes:
    return b""


def cut(kept: bytes) -> bytes:
    return kept[:-100]


def another_operation(kept: bytes) -> bytes:
    return kept.replace(b"mul", b"add")


def noise(kept: bytes) -> bytes:
    return bytes(range(256))


@pytest.mark.parametrize("damage", [nothing, cut, another_operation, noise])
def test_a_damaged_file_is_compiled_again(
    damage: Callable[[bytes], bytes], compilations: list[str], empty_cache: Path
) -> None:
    run_scale(np.float32)
    (file,) = empty_cache.iterdir()
    damaged = damage(file.read_bytes())
    assert damaged != file.read_bytes()
    file.write_bytes(damaged)
    for _ in range(2):  # and kept again
        scale_kernel.cache_clear()
        run_scale(np.float32)
    assert compilations == ["scale", "scale"]


def test_frozen_numbers_and_dtypes_make_kernels_of_their_own(compilations: list[str]) -> None:
    run_scale(np.float32, 5)
    run_scale(np.float32, 6)
    run_scale(np.float64, 6)
    assert len(compilations) == 3


def test_a_folder_that_cannot_be_written_costs_time_and_nothing_else(
    compilations: list[str], empty_cache: Path
) -> None:
    empty_cache.write_text("a file where the folder should be")
    run_scale(np.float32)
    scale_kernel.cache_clear()
    run_scale(np.float32)
    assert len(compilations) == 2


def test_the_digest_follows_all_that_a_kernel_calls() -> None:
    def made(number: int, call: Callable[[Any], Any]) -> Callable[..., None]:
        def add(x, y):  # type: ignore[no-untyped-def]
            y[0] = call(x[0]) + number

        return add

    @device_function
    def doubled(value: Any) -> Any:
        return value + value

    @device_function
    def doubled_again(value: Any) -> Any:
        # another comment
        return value + value

    digest = compiling.digest
    assert digest(made(1, doubled)) == digest(made(1, doubled))
    assert digest(made(1, doubled)) != digest(made(2, doubled))
    assert digest(made(1, doubled)) != digest(made(1, squared))
    assert digest(made(1, doubled), (9, 0)) != digest(made(1, doubled), (8, 0))
    assert compiling._meaning(doubled, ()) == compiling._meaning(doubled_again, ())


def test_the_digest_follows_what_is_looked_up_in_a_module() -> None:
    sizes = ModuleType("sizes")
    digests = set()
    for size in (2, 3):
        vars(sizes)["SIZE"] = size

        code = compile("def scale(x): x[0] *= sizes.SIZE", "scale.py", "exec").co_consts[0]
        digests.add(compiling.digest(FunctionType(code, {"sizes": sizes})))
    assert len(digests) == 2


def test_what_no_kernel_can_take_is_refused_in_a_sentence() -> None:
    x = empty((4,), np.float32)
    with pytest.raises(TypeError, match="scale: expected arrays on the device and numbers, got nd"):
        scale_kernel(5)[1](np.ones(4, np.float32), x, x, 4, 0.5)


def test_the_digest_is_the_same_in_another_process() -> None:
    program = """if True:
        from minicnn.ops.cuda.compile import digest
        from minicnn.ops.cuda.array import empty
        from minicnn.ops.cuda.intrinsics import load4, store4
        def move(x, y):
            a, b, c, d = load4(x, 0)
            store4(y, 0, d, c, b, a)
        print(digest(move, 256, {"a": 1}))
    """
    runs = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                       check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1


def test_numbers_that_need_more_than_32_bits_are_refused() -> None:
    x = empty((4,), np.float32)
    with pytest.raises(OverflowError, match="scale: expected numbers of 32 bits, got 4294967296"):
        scale_kernel(5)[1](x, x, x, 2**32, 0.5)
    with pytest.raises(OverflowError, match="got -1"):
        scale_kernel(5)[1](x, x, x, -1, 0.5)


def test_a_numpy_scalar_keeps_its_type_and_a_float_takes_that_of_the_arrays() -> None:
    arguments = empty((3,), np.float32), 0.5, np.float64(0.5), np.uint64(2**40), 7
    kinds, values = scale_kernel(3)._taken(arguments)
    assert kinds == ("*f", "f", "d", "L", "I")
    assert [value.dtype for value in values[1:]] == ["f", "d", "L", "I"]


def test_the_linker_reports_registers_without_a_gpu() -> None:
    text = scale_kernel(5).program("*f", "*f", "*f", "I", "f").text
    code, report = link(text, (9, 0))
    assert "0 bytes stack frame, 0 bytes spill stores" in report
    assert len(bytes(code.code)) > 500
    with pytest.raises(InputError, match=r"cannot link PTX 9.9 for sm_90: .* in one version"):
        link(re.sub(r"\.version \S+", ".version 9.9", text), (9, 0))


def test_someone_is_told_of_the_first_compilation_alone() -> None:
    said = []
    with compiling.on_first_compilation(lambda: said.append(1)):
        run_scale(np.float32, 7)
        run_scale(np.float32, 8)
    assert said == [1]
    with compiling.on_first_compilation(lambda: said.append(1)):
        run_scale(np.float32, 8)
    run_scale(np.float32, 9)
    assert said == [1]
