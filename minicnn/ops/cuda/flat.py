"""Flat arrays, four neighbouring values a thread: 16 bytes of float32 in one access.

The last thread may find fewer than four. `load_part` and `store_part` leave out what lies beyond
the end, so that a kernel is written once, without a tail. Threads behind the last have nothing.
"""

from minicnn.ops.cuda.compile import cuda, device_function, uint32, uint64
from minicnn.ops.cuda.intrinsics import load4, store4

THREADS = 256
VALUES = 4 * THREADS
"""Values of a block."""


def blocks_for(size: int) -> int:
    """How many blocks an array of so many values takes."""
    return -(-size // VALUES)


@device_function
def place():
    """Where this thread's four values begin, in 64 bits."""
    block, thread = uint64(uint32(cuda.blockIdx.x)), uint32(cuda.threadIdx.x)
    return block * uint64(VALUES) + uint64(uint32(4) * thread)


# In what follows i < size, and i is divisible by 4.


@device_function
def load_part(x, i, size):
    """(x[i], x[i + 1], x[i + 2], x[i + 3]); from x[size] on it is x[i] again, which no one stores.
    """
    if i + type(i)(4) <= size:
        return load4(x, i)
    b = x[i + type(i)(1) if i + type(i)(1) < size else i]
    c = x[i + type(i)(2) if i + type(i)(2) < size else i]
    return x[i], b, c, c


@device_function
def load_or_zeros(x, i, size):
    """(x[i], x[i + 1], x[i + 2], x[i + 3]) with zeros from x[size] on."""
    if i + type(i)(4) <= size:
        return load4(x, i)
    zero = x.dtype.type(0)
    b = x[i + type(i)(1)] if i + type(i)(1) < size else zero
    c = x[i + type(i)(2)] if i + type(i)(2) < size else zero
    return x[i], b, c, zero


@device_function
def store_part(x, i, size, a, b, c, d):
    """x[i : i + 4] = a, b, c, d, but for what lies from x[size] on."""
    if i + type(i)(4) <= size:
        store4(x, i, a, b, c, d)
        return
    x[i] = a
    if i + type(i)(1) < size:
        x[i + type(i)(1)] = b
    if i + type(i)(2) < size:
        x[i + type(i)(2)] = c
