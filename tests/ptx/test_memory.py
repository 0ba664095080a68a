"""Chosen blocks of huge grids on huge arrays: how offsets beyond 31 and 32 bits are tested."""

from itertools import pairwise

import numpy as np
import pytest
from ptx_texts import kernel

from minicnn import ptx

THREADS = 256

WIDE = """\
mul.wide.u32 %rd8, %r1, 256;
cvt.u64.u32 %rd9, %r0;
add.s64 %rd8, %rd8, %rd9;
shl.b64 %rd9, %rd8, 2;
add.s64 %rd10, %rd0, %rd9;
add.s64 %rd11, %rd1, %rd9;
ld.global.u32 %r9, [%rd10];
add.u32 %r9, %r9, 1;
st.global.u32 [%rd11], %r9;"""
"""``y[i] = x[i] + 1`` with an index of 64 bits."""

NARROW_BYTES = WIDE.replace(
    "shl.b64 %rd9, %rd8, 2;",
    "cvt.u32.u64 %r8, %rd8;\nshl.b32 %r8, %r8, 2;\ncvt.u64.u32 %rd9, %r8;",
)
"""The same, but the offset in bytes is computed in 32 bits."""

SIGNED = WIDE.replace(
    "shl.b64 %rd9, %rd8, 2;", "cvt.u32.u64 %r8, %rd8;\nmul.wide.s32 %rd9, %r8, 4;"
)
"""The same, but the index is a signed one of 32 bits."""

LENGTH = 2**32 + 2**31 + 1000
"""Elements; 24 GB in each array."""

FULL = LENGTH // THREADS
"""Blocks whose 256 elements all exist."""


@pytest.fixture(scope="module")
def arrays():
    memory = ptx.Memory()
    x = memory.allocate(4 * LENGTH, name="x")
    y = memory.allocate(4 * LENGTH, name="y")
    return memory, x, y


def fill(memory, x, block):
    values = np.arange(THREADS, dtype=np.uint32) + np.uint32(block % 1000)
    memory.write(x + 4 * THREADS * block, values)
    return values


CHOSEN = [0, 1, 2**21 - 1, 2**21, 2**22 - 1, 2**22, 2**23 - 1, 2**23, 2**24 - 1, 2**24, FULL - 1]
"""Beside byte and element 2^29, 2^30, 2^31, 2^32, and both ends."""


def test_chosen_blocks_compute_at_every_power_of_two(arrays):
    memory, x, y = arrays
    memory.forget(x)
    memory.forget(y)
    values = [fill(memory, x, block) for block in CHOSEN]
    kernel(WIDE, arrays=2).launch(FULL, THREADS, x, y, memory=memory, blocks=CHOSEN)
    for block, exact in zip(CHOSEN, values, strict=True):
        got = memory.read(y + 4 * THREADS * block, 4 * THREADS).view(np.uint32)
        np.testing.assert_array_equal(got, exact + 1)


def test_only_the_chosen_blocks_run(arrays):
    memory, x, y = arrays
    memory.forget(x)
    memory.forget(y)
    fill(memory, x, 5)
    kernel(WIDE, arrays=2).launch(FULL, THREADS, x, y, memory=memory, blocks=[5])
    reader = kernel("ld.global.u32 %r9, [%rd0];")
    reader.launch(1, 1, y + 4 * THREADS * 5, memory=memory)
    for other in (4, 6):
        with pytest.raises(ptx.PTXFault, match="nobody wrote"):
            reader.launch(1, 1, y + 4 * THREADS * other, memory=memory)


@pytest.mark.parametrize(("text", "first"), [(NARROW_BYTES, 2**22), (SIGNED, 2**23)])
def test_offsets_of_32_bits_are_found_out(arrays, text, first):
    """Below the limit all is well; at it the wrong place is read: nobody wrote it, or it is none's.

    2^22 blocks are 2^32 bytes, 2^23 blocks are 2^31 elements.
    """
    memory, x, y = arrays
    for block, right in [(first - 1, True), (first, False), (FULL - 1, False)]:
        memory.forget(x)
        memory.forget(y)
        exact = fill(memory, x, block) + 1
        built = kernel(text, arrays=2)
        if right:
            built.launch(FULL, THREADS, x, y, memory=memory, blocks=[block])
            got = memory.read(y + 4 * THREADS * block, 4 * THREADS).view(np.uint32)
            np.testing.assert_array_equal(got, exact)
        else:
            with pytest.raises(ptx.PTXFault, match="nobody wrote|out of bounds"):
                built.launch(FULL, THREADS, x, y, memory=memory, blocks=[block])


def test_the_end_of_a_huge_array_is_its_end(arrays):
    memory, x, y = arrays
    memory.forget(x)
    memory.write(x + 4 * (LENGTH - LENGTH % THREADS), np.zeros(LENGTH % THREADS, np.uint32))
    with pytest.raises(ptx.PTXFault, match="out of bounds") as caught:
        kernel(WIDE, arrays=2).launch(FULL + 1, THREADS, x, y, memory=memory, blocks=[FULL])
    assert str(4 * LENGTH) in str(caught.value) and "'x'" in str(caught.value)


def test_races_are_found_beyond_32_bits(arrays):
    """Two far blocks write the same far place."""
    memory, _, y = arrays
    memory.forget(y)
    text = "mul.wide.u32 %rd8, %r0, 4;\nadd.s64 %rd8, %rd0, %rd8;\n" \
        f"add.s64 %rd8, %rd8, {4 * 2**32};\nst.global.u32 [%rd8], %r1;"
    with pytest.raises(ptx.PTXFault, match="race"):
        kernel(text).launch(2**23, THREADS, y, memory=memory, blocks=[7, 2**23 - 1])


def test_blocks_of_a_grid_in_three_directions():
    out = np.zeros((4, 3, 5), np.uint32)
    text = "mov.u32 %r5, %ctaid.y;\nmov.u32 %r6, %ctaid.z;\nmad.lo.u32 %r6, %r6, 3, %r5;\n" \
        "mad.lo.u32 %r6, %r6, 5, %r1;\nmad.wide.u32 %rd8, %r6, 4, %rd0;\nmov.u32 %r7, 1;\n" \
        "st.global.u32 [%rd8], %r7;"
    kernel(text).launch((5, 3, 4), 1, out, blocks=[0, 7, 59])
    assert np.flatnonzero(out).tolist() == [0, 7, 59]


@pytest.mark.parametrize(
    "blocks", [[-1], [10], [1.5], ["3"], [True], [[1]], [2, 5, 2], [2**63], [2**70]]
)
def test_blocks_that_are_not_in_the_grid(blocks):
    with pytest.raises((ptx.PTXError, TypeError)) as caught:
        kernel("", arrays=0).launch(10, 32, blocks=blocks)
    assert "\n" not in str(caught.value)


def test_no_blocks_chosen_is_nothing_run():
    out = np.zeros(1, np.uint32)
    kernel("trap;").launch(10, 32, out, blocks=[])


def test_the_memory_of_a_device_has_an_end_too():
    memory = ptx.Memory()
    with pytest.raises(ptx.PTXError) as caught:
        memory.allocate(2**60)
    assert "\n" not in str(caught.value)
    with pytest.raises(ptx.PTXError):
        memory.allocate(-1)


def test_memory_takes_back_what_is_free():
    """A thousand times ten GB, one after the other."""
    memory = ptx.Memory()
    for _ in range(1000):
        memory.free(memory.allocate(10 * 2**30))


def test_free_places_of_other_sizes_are_joined_before_there_is_no_room():
    """Sixteenths of the memory, all but one of them free; its last address is somebody's yet."""
    memory = ptx.Memory()
    part = memory.capacity // 16 - 1024
    places = [memory.allocate(part) for _ in range(16)]
    memory.write(places[9], np.arange(8, dtype=np.uint8))
    with pytest.raises(MemoryError):
        memory.allocate(part)
    for place in (*places[:9], *places[10:]):
        memory.free(place)
    first, second = memory.allocate(5 * part), memory.allocate(4 * part)
    third = memory.allocate(3 * part)
    with pytest.raises(MemoryError):
        memory.allocate(5 * part)
    taken = sorted([(first, 5 * part), (second, 4 * part), (third, 3 * part), (places[9], part)])
    assert all(start + size < after for (start, size), (after, _) in pairwise(taken))
    assert memory.read(places[9], 8).tolist() == list(range(8))
    assert memory.allocate(part) not in dict(taken)


def test_arrays_of_a_memory_are_read_and_written_within_their_ends():
    memory = ptx.Memory()
    first, second = memory.allocate(16, name="first"), memory.allocate(16, name="second")
    assert first % 256 == 0 and second % 256 == 0 and second >= first + 16
    memory.write(first, np.arange(4, dtype=np.float32))
    memory.write(first + 4, np.array([[7.0]], np.float32))
    assert memory.read(first, 16).view(np.float32).tolist() == [0, 7, 2, 3]
    for address, size in [(first, 17), (first + 16, 1), (first - 1, 1), (second, 17), (0, 1)]:
        with pytest.raises(ptx.PTXError):
            memory.read(address, size)
        with pytest.raises(ptx.PTXError):
            memory.write(address, np.zeros(size, np.uint8))
    for wrong in (first + 4, 0, 12345):
        with pytest.raises(ptx.PTXError):
            memory.free(wrong)
    memory.free(first)
    with pytest.raises(ptx.PTXError):
        memory.free(first)
    with pytest.raises(ptx.PTXError):
        memory.read(first, 4)


def test_a_place_used_again_holds_nothing_old():
    memory = ptx.Memory()
    old = memory.allocate(64)
    memory.write(old, np.ones(16, np.uint32))
    memory.free(old)
    new = memory.allocate(64)
    with pytest.raises(ptx.PTXFault, match="nobody wrote"):
        kernel("ld.global.u32 %r9, [%rd0];").launch(1, 1, new, memory=memory)


def test_what_nobody_wrote_is_noticed_on_its_way_to_the_host_and_when_it_is_copied():
    memory = ptx.Memory()
    half, whole = memory.allocate(32, name="half"), memory.allocate(32, name="whole")
    memory.write(half, np.arange(5, dtype=np.float32))
    memory.write(whole, np.arange(8, dtype=np.float32))
    assert memory.read(half, 20, checked=True).view(np.float32).tolist() == [0, 1, 2, 3, 4]
    assert memory.read(half, 32).size == 32
    with pytest.raises(ptx.PTXFault, match="nobody wrote byte 20 of 'half'"):
        memory.read(half, 32, checked=True)
    memory.copy(whole + 4, half + 8, 16)
    assert memory.read(whole, 16, checked=True).view(np.float32).tolist() == [0, 2, 3, 4]
    with pytest.raises(ptx.PTXFault, match="nobody wrote byte 16 of 'whole'"):
        memory.read(whole, 32, checked=True)
    assert memory.read(whole + 20, 12, checked=True).view(np.float32).tolist() == [5, 6, 7]
    for to, source, size in [(whole, half + 8, 28), (whole + 8, half, 28), (0, half, 4)]:
        with pytest.raises(ptx.PTXError):
            memory.copy(to, source, size)
