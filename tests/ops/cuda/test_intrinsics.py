"""What kernels need beside Numba's own, against NumPy's indices."""

import re
from typing import Any

import numpy as np
import pytest

from minicnn.ops.cuda.array import asarray, empty
from minicnn.ops.cuda.compile import Kernel, cuda, kernel, uint32, uint64
from minicnn.ops.cuda.intrinsics import (
    clock,
    commit_copies,
    copy_async,
    load2,
    load4,
    multiply_fragments,
    pointer_to,
    round_to_tf32,
    store2,
    store4,
    wait_for_copies,
)
from minicnn.ptx import PTXFault

DTYPES = [np.float32, np.float64]
COUNT = 96


@pytest.fixture(params=DTYPES, ids=["float32", "float64"])
def values(request: pytest.FixtureRequest) -> np.ndarray:
    """Numbers that differ."""
    return np.random.default_rng(3).standard_normal(COUNT).astype(request.param)


@pytest.fixture
def singles() -> np.ndarray:
    """The same of float32 alone, where the dtype is not the question: each is another kernel."""
    return np.random.default_rng(3).standard_normal(COUNT).astype(np.float32)


def ptx_of(program: Kernel, values: np.ndarray, *more: str) -> str:
    """The PTX for two arrays of the values' dtype."""
    kind = f"*{values.dtype.char}"
    return program.program(kind, kind, *more).text


# -- pointers -------------------------------------------------------------------------------------


@kernel(threads=32)
def shift(x, y, rows, back):
    """y[i] = x[rows · 3 + i - back], by pointers that move."""
    i = uint32(cuda.threadIdx.x)
    row = x + uint64(rows) * uint64(3)
    (y + i)[0] = (row + (np.int64(i) - np.int64(back)))[0]


def test_a_pointer_moves_by_values_in_both_directions(singles: np.ndarray) -> None:
    y = empty((32,), singles.dtype)
    shift[1](asarray(singles, singles.dtype), y, 5, 4)
    np.testing.assert_array_equal(np.asarray(y), singles[11:43])


@kernel(threads=32)
def far(x, y, offset):
    """y = the values behind an offset of 64 bits, a 32-bit index further on."""
    i = uint32(cuda.threadIdx.x)
    y[i] = (x + offset)[uint32(i + uint32(2**31))]


def test_places_beyond_32_bits_are_reached(singles: np.ndarray) -> None:
    """In bytes both parts are beyond 2**32; only the pages at the end take memory."""
    offset = 2**33
    x = empty((offset + 2**31 + 32,), singles.dtype)
    x.part(offset + 2**31, (32,))[...] = singles[:32]
    y = empty((32,), singles.dtype)
    far[1](x, y, np.uint64(offset))
    np.testing.assert_array_equal(np.asarray(y), singles[:32])


@kernel(threads=32)
def typed(x, y):
    """y = x + 1/2, with a number of the pointer's dtype."""
    i = uint32(cuda.threadIdx.x)
    y[i] = x[i] + x.dtype.type(0.5)


def test_a_pointer_has_a_dtype_and_a_number_of_it_is_not_widened(values: np.ndarray) -> None:
    y = empty((32,), values.dtype)
    typed[1](asarray(values, values.dtype), y)
    np.testing.assert_array_equal(np.asarray(y), values[:32] + values.dtype.type(0.5))
    assert ("f64" in ptx_of(typed, values)) == (values.dtype == np.float64)


@kernel(threads=32)
def gather(addresses, like, y):
    """y[t, i] = element i of array t, which the table has the address of."""
    i = uint32(cuda.threadIdx.x)
    table = uint32(cuda.blockIdx.x)
    y[uint32(table * uint32(32) + i)] = pointer_to(addresses[table], like.dtype)[i]


def test_a_table_of_addresses_leads_to_arrays(singles: np.ndarray) -> None:
    arrays = [asarray(part, singles.dtype) for part in np.split(singles, 3)]
    addresses = asarray(np.array([array.pointer for array in arrays]), np.uint64)
    y = empty((3, 32), singles.dtype)
    gather[3](addresses, arrays[0], y)
    np.testing.assert_array_equal(np.asarray(y).ravel(), singles)


# -- several values at once -----------------------------------------------------------------------


@kernel(threads=24)
def reverse_fours(x, y):
    """Each four values of x, backwards, through shared memory."""
    shared = cuda.shared.array(COUNT, x.dtype, alignment=16)
    place = uint32(uint32(cuda.threadIdx.x) * uint32(4))
    a, b, c, d = load4(x, place)
    store4(shared, place, a, b, c, d)
    a, b, c, d = load4(shared, place)
    store4(y, place, d, c, b, a)


@kernel(threads=48)
def reverse_twos(x, y):
    """Each two values of x, backwards, through shared memory."""
    shared = cuda.shared.array(COUNT, x.dtype, alignment=16)
    place = uint32(uint32(cuda.threadIdx.x) * uint32(2))
    a, b = load2(x, place)
    store2(shared, place, a, b)
    a, b = load2(shared, place)
    store2(y, place, b, a)


@pytest.mark.parametrize(("reverse", "several"), [(reverse_fours, 4), (reverse_twos, 2)])
def test_several_values_move_at_once(
    reverse: Kernel, several: int, values: np.ndarray
) -> None:
    y = empty((COUNT,), values.dtype)
    reverse[1](asarray(values, values.dtype), y)
    np.testing.assert_array_equal(
        np.asarray(y).reshape(-1, several), values.reshape(-1, several)[:, ::-1]
    )
    moves = re.findall(r"(?:ld|st)\.(?:global|shared)\.(?:v(\d)\.)?[fb](\d+)",
                       ptx_of(reverse, values))
    sizes = {int(count or 1) * int(bits) // 8 for count, bits in moves}
    assert sizes == {min(16, several * values.dtype.itemsize)}


def test_a_place_that_is_not_on_its_bytes_is_a_fault(values: np.ndarray) -> None:
    y, x = empty((COUNT,), values.dtype), asarray(np.zeros(COUNT + 1), values.dtype)
    with pytest.raises(PTXFault, match="misaligned"):
        reverse_fours[1](x.part(1, (COUNT,)), y)


# -- asynchronous copies --------------------------------------------------------------------------


def copying(several: int, wait: bool) -> Kernel:
    """y = what two groups of copies brought into shared memory: so many values a thread each."""
    numbers, both = 32 * several, 2 * 32 * several

    @kernel(threads=32)
    def copy_in(x, y, nbytes):
        shared = cuda.shared.array(both, x.dtype, alignment=16)
        place = uint32(uint32(cuda.threadIdx.x) * uint32(several))
        for group in range(2):
            there = uint32(place + uint32(group * numbers))
            copy_async(shared, there, x, there, np.int32(nbytes))
            commit_copies()
        for group in range(2):
            if group == 0:
                wait_for_copies(1)
            elif wait:
                wait_for_copies(0)
            for k in range(several):
                there = uint32(place + uint32(group * numbers + k))
                y[there] = shared[there]

    return copy_in


@pytest.mark.parametrize("nbytes", [16, 8, 0])
def test_a_copy_brings_so_many_bytes_and_then_zeros(nbytes: int, values: np.ndarray) -> None:
    several = 16 // values.itemsize
    x = np.tile(values, 3)[: 64 * several]
    y: Any = empty(x.shape, x.dtype)
    copying(several, True)[1](asarray(x, x.dtype), y, nbytes)
    expected = x.reshape(-1, several).copy()
    expected[:, nbytes // values.itemsize :] = 0
    np.testing.assert_array_equal(np.asarray(y), expected.ravel())


def test_what_nobody_waited_for_may_not_be_read() -> None:
    x = asarray(np.ones(256), np.float32)
    with pytest.raises(PTXFault, match="wait"):
        copying(4, False)[1](x, empty((256,), np.float32), 16)


def test_the_number_of_groups_to_wait_for_is_a_literal() -> None:
    @kernel(threads=32)
    def late(x, groups):
        wait_for_copies(groups)

    with pytest.raises(Exception, match="wait_for_copies"):
        late[1](asarray(np.ones(1), np.float32), 1)


# -- tensor cores ---------------------------------------------------------------------------------


@kernel(threads=32)
def multiply(a, b, c):
    """C (16, 8) += A (16, 8) B (8, 8), number by number as the fragments lie."""
    lane = uint32(cuda.threadIdx.x)
    g, t = uint32(lane // uint32(4)), uint32(lane % uint32(4))
    a_at, b_at = uint32(g * uint32(8) + t), uint32(t * uint32(8) + g)
    c_at = uint32(g * uint32(8) + t * uint32(2))
    c[c_at], c[c_at + 1], c[c_at + 64], c[c_at + 65] = multiply_fragments(
        round_to_tf32(a[a_at]), round_to_tf32(a[a_at + 64]),
        round_to_tf32(a[a_at + 4]), round_to_tf32(a[a_at + 68]),
        round_to_tf32(b[b_at]), round_to_tf32(b[b_at + 32]),
        c[c_at], c[c_at + 1], c[c_at + 64], c[c_at + 65],
    )


def test_a_warp_multiplies_fragments_of_rounded_numbers() -> None:
    """One fraction bit too many, exactly between two numbers, goes away from zero."""
    rng = np.random.default_rng(5)
    whole = rng.integers(1024, 2048, (16, 8)) * rng.choice([-1, 1], (16, 8))  # 11 digits
    a = (whole + np.sign(whole) * rng.choice([0, 0.25, 0.5], whole.shape)).astype(np.float32)
    b = rng.integers(-1024, 1024, (8, 8)).astype(np.float32)
    c = rng.integers(-9, 9, (16, 8)).astype(np.float32)
    away = np.where(np.abs(a) % 1 == 0.5, whole + np.sign(whole), whole)
    result = asarray(c, np.float32)
    multiply[1](asarray(a, np.float32), asarray(b, np.float32), result)
    np.testing.assert_array_equal(np.asarray(result), away @ b.astype(np.float64) + c)


# -- time -----------------------------------------------------------------------------------------


@kernel(threads=32)
def timed(x, cycles):
    """How long a load and a store take."""
    began = clock()
    if cuda.threadIdx.x == 0:
        x[0] = x[1] + x[2]
    cycles[cuda.threadIdx.x] = clock() - began


def test_the_clock_is_read_before_and_after_what_stands_between(values: np.ndarray) -> None:
    program = timed.program(f"*{values.dtype.char}", "*I").text
    assert re.findall(r"%clock|ld\.global|st\.global", program) == [
        "%clock", "ld.global", "ld.global", "st.global", "%clock", "st.global"]
    cycles = empty((32,), np.uint32)
    timed[1](asarray(values, values.dtype), cycles)
    assert (np.asarray(cycles) > 0).all()
