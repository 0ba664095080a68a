"""Kernels as Numba compiles them, against NumPy; skipped where the compiler is missing."""

import math

import numpy as np
import pytest

from minicnn import ptx

pytest.importorskip("numba_cuda", reason="needs the extra 'cuda', which compiles the kernels")

from numba import float32, float64, int32, uint8, uint32

from minicnn.ptx.compiler import cuda, types

pytestmark = pytest.mark.slow(3)

F32, F64, I32, U8 = (types.CPointer(kind) for kind in (float32, float64, int32, uint8))


def compiled(function, *signature):
    """The kernel of a Python function."""
    text, _ = cuda.compile_ptx(function, signature, cc=(9, 0))
    [built] = ptx.load(text).values()
    return built


def test_functions_of_the_mathematical_library():
    """Power calls a function of the text, sine keeps local memory and a table."""

    def curves(x, y, out, n):
        i = uint32(cuda.blockIdx.x) * uint32(64) + uint32(cuda.threadIdx.x)
        if i < n:
            out[4 * i] = math.pow(x[i], y[i])
            out[4 * i + 1] = math.sin(x[i] * 1e6)
            out[4 * i + 2] = math.log(x[i]) + math.exp(y[i])
            out[4 * i + 3] = math.erf(y[i]) + math.tanh(x[i])

    rng = np.random.default_rng(1)
    x, y = rng.uniform(0.1, 50, 100), rng.uniform(-3, 3, 100)
    x[:3] = [1e12, 2.0**40, 0.5]
    y[0] = 0.5
    out = np.zeros((100, 4))
    compiled(curves, F64, F64, F64, uint32).launch(2, 64, x, y, out, 100)
    exact = np.stack([x**y, np.sin(x * 1e6), np.log(x) + np.exp(y),
                      [math.erf(b) + math.tanh(a) for a, b in zip(x, y, strict=True)]], axis=1)
    np.testing.assert_allclose(out, exact, rtol=1e-13, atol=1e-13)


def test_a_transpose_through_shared_memory():
    def transpose(x, y, rows, columns):
        tile = cuda.shared.array((32, 33), float32)
        i = uint32(cuda.blockIdx.y) * uint32(32) + uint32(cuda.threadIdx.y)
        j = uint32(cuda.blockIdx.x) * uint32(32) + uint32(cuda.threadIdx.x)
        if i < rows and j < columns:
            tile[cuda.threadIdx.y, cuda.threadIdx.x] = x[i * columns + j]
        cuda.syncthreads()
        i = uint32(cuda.blockIdx.x) * uint32(32) + uint32(cuda.threadIdx.y)
        j = uint32(cuda.blockIdx.y) * uint32(32) + uint32(cuda.threadIdx.x)
        if i < columns and j < rows:
            y[i * rows + j] = tile[cuda.threadIdx.x, cuda.threadIdx.y]

    x = np.random.default_rng(2).standard_normal((37, 53)).astype(np.float32)
    y = np.zeros((53, 37), np.float32)
    built = compiled(transpose, F32, F32, uint32, uint32)
    launched = built.launch((2, 2), (32, 32), x, y, 37, 53)
    np.testing.assert_array_equal(y, x.T)
    shared = [request for request in launched.requests if request.space == "shared"]
    assert shared and all(request.cost == request.least for request in shared)


def test_whole_numbers_of_every_size():
    def whole(a, b, small, out, n):
        i = cuda.grid(1)
        if i < n:
            out[5 * i] = a[i] // b[i]
            out[5 * i + 1] = a[i] % b[i]
            out[5 * i + 2] = (a[i] << 3) ^ (b[i] >> 1)
            out[5 * i + 3] = small[i] * small[i] + cuda.popc(uint32(b[i]))
            out[5 * i + 4] = min(a[i], b[i]) - cuda.clz(uint32(a[i]))

    rng = np.random.default_rng(3)
    a, b = rng.integers(-(2**31), 2**31, (2, 150)).astype(np.int32)
    b[b == 0] = 1
    small = rng.integers(0, 256, 150).astype(np.uint8)
    out = np.zeros((150, 5), np.int32)
    compiled(whole, I32, I32, U8, I32, int32).launch(3, 64, a, b, small, out, 150)
    with np.errstate(over="ignore"):
        ones = [bin(int(v) & 0xFFFFFFFF).count("1") for v in b]
        zeros = [32 - (int(v) & 0xFFFFFFFF).bit_length() for v in a]
        wide = a.astype(np.int64), b.astype(np.int64)
        exact = np.stack([wide[0] // wide[1], wide[0] % wide[1], (wide[0] << 3) ^ (wide[1] >> 1),
                          small.astype(np.int64) ** 2 + ones, np.minimum(*wide) - zeros], axis=1)
    np.testing.assert_array_equal(out, exact.astype(np.int32))


def test_arrays_of_numba_are_taken_with_their_shape_and_strides():
    """The calling convention of ``@cuda.jit``: seven parameters and more for each array."""

    def scaled(x, y, factor):
        i, j = cuda.grid(2)
        if i < x.shape[0] and j < x.shape[1]:
            y[i, j] = x[i, j] * factor

    matrix = types.Array(float32, 2, "C")
    x = np.random.default_rng(4).standard_normal((9, 20)).astype(np.float32)
    y = np.zeros_like(x)
    compiled(scaled, matrix, matrix, float32).launch((2, 4), (8, 8), x, y, np.float32(1.5))
    np.testing.assert_array_equal(y, x * np.float32(1.5))
