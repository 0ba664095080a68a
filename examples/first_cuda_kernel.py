"""A CUDA kernel of one's own, run and looked over without a GPU: the sums of a matrix's rows.

Four kernels: a first one, one that reads too far, one that lacks a barrier, and a fast one.
docs/cuda.md tells the story. It needs the compiler, and no GPU:

    python -m pip install -e '.[cuda]'
    python examples/first_cuda_kernel.py
"""

import numpy as np
from numba import cuda, float32

from minicnn import ptx

THREADS = 64


@ptx.kernel
def thread_a_row(x, sums):
    """x (rows, columns) -> sums (rows,): each thread adds up a row."""
    row = cuda.grid(1)
    if row < x.shape[0]:
        total = float32(0)
        for column in range(x.shape[1]):
            total += x[row, column]
        sums[row] = total


@ptx.kernel
def too_far(x, sums):
    """The same with a mistake: one row too many."""
    row = cuda.grid(1)
    if row <= x.shape[0]:
        total = float32(0)
        for column in range(x.shape[1]):
            total += x[row, column]
        sums[row] = total


@ptx.kernel
def without_barrier(x, sums):
    """A block of threads adds up a row, with a mistake: nobody waits for the others."""
    row, thread = cuda.blockIdx.x, cuda.threadIdx.x
    shared = cuda.shared.array(THREADS, float32)  # all threads of a block see it
    total = float32(0)
    for column in range(thread, x.shape[1], THREADS):  # neighbours read neighbouring numbers
        total += x[row, column]
    shared[thread] = total
    half = cuda.blockDim.x // 2
    while half > 0:  # the upper half of the threads is added to the lower one, again and again
        if thread < half:
            shared[thread] += shared[thread + half]
        half //= 2
    if thread == 0:
        sums[row] = shared[0]


@ptx.kernel
def block_a_row(x, sums):
    """The same without the mistake: after a barrier every thread sees what all have written."""
    row, thread = cuda.blockIdx.x, cuda.threadIdx.x
    shared = cuda.shared.array(THREADS, float32)
    total = float32(0)
    for column in range(thread, x.shape[1], THREADS):
        total += x[row, column]
    shared[thread] = total
    half = cuda.blockDim.x // 2
    while half > 0:
        cuda.syncthreads()
        if thread < half:
            shared[thread] += shared[thread + half]
        half //= 2
    if thread == 0:
        sums[row] = shared[0]


def try_kernel(kernel, blocks):
    """Launch it, compare its sums with NumPy's, and print what it cost or what is wrong."""
    x = np.random.default_rng(0).standard_normal((100, 256)).astype(np.float32)
    sums = np.full(100, np.nan, np.float32)
    print(f"\n== {kernel.__name__}")
    try:
        run = kernel[blocks, THREADS](x, sums)
    except ptx.PTXFault as fault:
        print(fault)
        return
    np.testing.assert_allclose(sums, x.sum(1), rtol=0, atol=1e-4)
    print(run.report())


try_kernel(thread_a_row, blocks=2)  # 128 threads for 100 rows
try_kernel(too_far, blocks=2)
try_kernel(without_barrier, blocks=100)
try_kernel(block_a_row, blocks=100)
