"""Four values a thread: every value once, nothing beyond the end, and places of 64 bits."""

import numpy as np
import pytest

from minicnn.ops.cuda.array import asarray, empty
from minicnn.ops.cuda.compile import kernel
from minicnn.ops.cuda.flat import THREADS, VALUES, blocks_for, load_part, place, store_part
from minicnn.ptx import Memory, load


@kernel(threads=THREADS)
def copy(x, y, size):
    i = place()
    if i >= size:
        return
    a, b, c, d = load_part(x, i, size)
    store_part(y, i, size, a, b, c, d)


@pytest.mark.parametrize("dtype", [np.float32, bool])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 1021, 1023, 1024, 1025, 4099])
def test_every_value_is_read_and_written_once(size: int, dtype: type) -> None:
    x = np.random.default_rng(size).integers(0, 2, size).astype(dtype)
    y = empty(x.shape, x.dtype)
    copy[blocks_for(size)](asarray(x, x.dtype), y, np.uint64(size))  # a byte beyond is a fault
    np.testing.assert_array_equal(np.asarray(y), x)


@pytest.mark.parametrize(("size", "blocks"), [
    (1, 1), (VALUES, 1), (VALUES + 1, 2), (2**40, 2**30),
])
def test_every_value_has_a_thread(size: int, blocks: int) -> None:
    assert blocks_for(size) == blocks < 2**31


@pytest.mark.parametrize("first", [2**31, 2**32, 2**33])
def test_places_beyond_32_bits(first: int) -> None:
    size, memory = first + 1023, Memory()
    x, y = memory.allocate(4 * size), memory.allocate(4 * size)
    values = np.arange(1023, dtype=np.float32)
    memory.write(x + 4 * first, values)
    (compiled,) = load(copy.program("*f", "*f", "L").text).values()
    compiled.launch(
        blocks_for(size), THREADS, x, y, size, memory=memory, blocks=[blocks_for(size) - 1])
    np.testing.assert_array_equal(memory.read(y + 4 * first, 4092).view(np.float32), values)
