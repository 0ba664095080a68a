"""Kernels written in Python, compiled to PTX and run here."""

import math
import subprocess
import sys

import numpy as np
import pytest

from minicnn import ptx
from minicnn.ptx.requirement import installed

needs_compiler = pytest.mark.skipif(not installed(), reason="needs numba-cuda")


@needs_compiler
@pytest.mark.slow(seconds=3)
def test_arrays_of_every_number_of_axes_and_numbers_of_every_type() -> None:
    from numba import cuda

    @ptx.kernel
    def scale(x, y, factor, shift):
        row, column = cuda.grid(2)
        if row < x.shape[0] and column < x.shape[1]:
            y[row, column] = x[row, column] * factor + shift[()]

    for dtype in (np.float32, np.float64, np.int32):
        x = np.arange(35).reshape(5, 7).astype(dtype)
        y, shift = np.zeros((5, 7)), np.array(0.5)
        run = scale[(2, 2), (4, 4)](x, y, np.float32(3), shift)
        assert np.array_equal(y, x * 3 + 0.5) and "st.global.f64" in run.report()
    assert len(scale._compiled) == 3


@needs_compiler
@pytest.mark.slow(seconds=3)
def test_functions_of_the_mathematical_library() -> None:
    """In float64 some are functions that the kernel calls."""
    from numba import cuda

    @ptx.kernel
    def several(x, y):
        i = cuda.grid(1)
        if i < x.size:
            y[i, 0] = x[i] ** 2.5
            y[i, 1] = math.exp(x[i])
            y[i, 2] = math.log(x[i])
            y[i, 3] = math.sin(1000000000000 * x[i])
            y[i, 4] = math.tanh(x[i])
            y[i, 5] = math.erf(x[i])

    x = np.random.default_rng(0).uniform(0.01, 9, 200)
    with np.errstate(all="ignore"):
        right = np.stack([x**2.5, np.exp(x), np.log(x), np.sin(1e12 * x), np.tanh(x),
                          np.vectorize(math.erf)(x)], axis=1)
    for dtype, tolerance in ((np.float64, 1e-14), (np.float32, 1e-6)):
        y = np.full((200, 6), np.nan, dtype)
        several[2, 128](x.astype(dtype), y)
        columns = [0, 1, 2, 3, 4, 5] if dtype == np.float64 else [0, 1, 2, 4, 5]
        np.testing.assert_allclose(y[:, columns], right[:, columns], rtol=tolerance,
                                   atol=tolerance)


@needs_compiler
@pytest.mark.slow(seconds=2)
def test_a_missing_barrier_is_a_race() -> None:
    from numba import cuda, float32

    @ptx.kernel
    def reverse(x):
        shared = cuda.shared.array(64, float32)
        i = cuda.threadIdx.x
        shared[i] = x[i]
        x[i] = shared[63 - i]

    with pytest.raises(ptx.PTXFault, match="a race|nobody wrote"):
        reverse[1, 64](np.arange(64, dtype=np.float32))


@needs_compiler
def test_what_is_no_launch() -> None:
    kernel = ptx.kernel(lambda x: None)
    with pytest.raises(ptx.PTXError, match="needs a grid"):
        kernel(1)
    with pytest.raises(ptx.PTXError, match="C-contiguous"):
        kernel[1, 32](np.zeros((4, 4))[:, 1])
    with pytest.raises(ptx.PTXError, match="arrays and numbers"):
        kernel[1, 32]("x")


def test_without_the_compiler_it_says_what_to_install() -> None:
    program = (
        "import sys, numpy as np; sys.modules['numba_cuda'] = None\n"
        "import importlib.util; importlib.util.find_spec = lambda name: None\n"
        "from minicnn import ptx\n"
        "try:\n    ptx.kernel(lambda x: None)[1, 32](np.zeros(4))\n"
        "except ValueError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert 'pip install "minicnn[cuda]"' in done.stdout and done.stdout.count("\n") == 1, done


@needs_compiler
@pytest.mark.slow(seconds=3)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint64])
def test_atomic_operations_from_many_blocks(dtype: type) -> None:
    """The extrema of floats are loops of compare-and-swap around a plain read."""
    from numba import cuda

    @ptx.kernel
    def reduce(x, found):
        i = cuda.grid(1)
        if i < x.size:
            cuda.atomic.add(found, 0, x[i])
            cuda.atomic.max(found, 1, x[i])
            cuda.atomic.min(found, 2, x[i])

    x = np.random.default_rng(0).permutation(300).astype(dtype)
    found = np.array([0, 0, 1000], dtype)
    reduce[3, 128](x, found)
    assert found.tolist() == [x.sum(), 299, 0]


@needs_compiler
@pytest.mark.slow(seconds=2)
def test_dynamic_shared_memory_has_the_size_that_the_launch_gives() -> None:
    from numba import cuda, float32

    @ptx.kernel
    def reverse(x):
        shared = cuda.shared.array(0, float32)
        i = cuda.threadIdx.x
        shared[i] = x[i]
        cuda.syncthreads()
        x[i] = shared[cuda.blockDim.x - 1 - i]

    x = np.arange(64, dtype=np.float32)
    reverse[1, 64, 0, 256](x)
    assert np.array_equal(x, np.arange(63, -1, -1))
    with pytest.raises(ptx.PTXFault, match="out of bounds; thread .32, 0, 0."):
        reverse[1, 64, 0, 128](x)


@needs_compiler
@pytest.mark.slow(seconds=1)
def test_a_report_calls_the_kernel_as_its_author_does() -> None:
    @ptx.kernel
    def nothing_at_all(x):
        pass

    assert nothing_at_all[1, 32](np.zeros(3)).report().startswith("nothing_at_all: grid (1, 1, 1)")
