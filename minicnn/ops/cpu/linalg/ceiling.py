"""What the machine could do at best: multiply-adds, and bytes to and from memory."""

import time

import numpy as np

from minicnn.compiling.kernels import parallel
from minicnn.compiling.threads import thread_count
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.processor import lanes
from minicnn.ops.cpu.linalg.simd import lanes_of, load, multiply_add, put, settle, store

CHAINS = 8
"""Multiply-adds that do not wait for each other: two a cycle, each taking four."""

FMA_STEPS = 1 << 20
COPIED_BYTES = 128 << 20
"""Size of the array that is copied: more than the caches of most machines hold."""


def ceiling(rounds: int) -> tuple[float, float]:
    """What the threads that are chosen can reach; the best of some rounds.

    Returns
    -------
    operations : float
        float32 operations a second, two for each multiply-add from registers.
    bytes : float
        Read and written a second by a copy that bypasses the caches.
    """
    threads, lane_count = thread_count(), lanes(np.float32)
    numbers = np.zeros((threads, CHAINS * lane_count), np.float32)
    source = memory.empty((COPIED_BYTES // 4,), np.float32)
    source[:] = 1
    target = memory.empty(source.shape, source.dtype)
    target[:] = 0
    operations = 2.0 * FMA_STEPS * CHAINS * lane_count * threads
    return (
        operations / _least(lambda: _multiply_adds(len(numbers), numbers), rounds),
        2 * COPIED_BYTES / _least(lambda: _copy(64, source, target), rounds),
    )


def _least(run, rounds):
    """Seconds of the fastest run after one to warm up."""
    run()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


@parallel
def _multiply_adds(thread, numbers):
    numbers = numbers[thread]
    x, lane_count = load(numbers, 0, 1), lanes_of(numbers)
    a = b = c = d = e = f = g = h = x
    for _ in range(FMA_STEPS):
        a, b, c, d = (
            multiply_add(a, x, x), multiply_add(b, x, x), multiply_add(c, x, x),
            multiply_add(d, x, x),
        )
        e, f, g, h = (
            multiply_add(e, x, x), multiply_add(f, x, x), multiply_add(g, x, x),
            multiply_add(h, x, x),
        )
    store(numbers, 0, a)
    store(numbers, lane_count, b)
    store(numbers, 2 * lane_count, c)
    store(numbers, 3 * lane_count, d)
    store(numbers, 4 * lane_count, e)
    store(numbers, 5 * lane_count, f)
    store(numbers, 6 * lane_count, g)
    store(numbers, 7 * lane_count, h)


@parallel
def _copy(block, source, target):
    size = source.size // 64
    start, stop = block * size, (block + 1) * size
    for i in range(start, stop, lanes_of(source)):
        put(target, i, load(source, i, 1), True)
    settle()
