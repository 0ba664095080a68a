"""Philox: the published numbers, and those of Python's own integers."""

import numpy as np
from philox import FULL, philox_in_python

from minicnn.ops.cuda.array import asarray, empty
from minicnn.ops.cuda.compile import cuda, kernel, uint32
from minicnn.ops.cuda.philox import philox, words

KNOWN_ANSWERS = [
    ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([FULL, FULL, FULL, FULL], [FULL, FULL], [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0],
     [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]),
]
"""Counter, key and numbers: philox4x32 with 10 rounds in Random123's file of known answers."""


@kernel(threads=32)
def draw(given, numbers, rows):
    """numbers[n] = philox(given[n, :4], given[n, 4:])."""
    n = uint32(cuda.threadIdx.x)
    if n < rows:
        row = given + uint32(uint32(6) * n)
        found = philox((row[0], row[1], row[2], row[3]), (row[4], row[5]))
        for k in range(4):
            numbers[uint32(uint32(4) * n) + uint32(k)] = found[k]


def drawn(rows: list[list[int]]) -> list[list[int]]:
    numbers = empty((len(rows), 4), np.uint32)
    draw[1](asarray(np.array(rows, np.uint32), np.dtype(np.uint32)), numbers, len(rows))
    return np.asarray(numbers).tolist()


def test_the_published_numbers() -> None:
    rows = [[*counter, *key] for counter, key, _ in KNOWN_ANSWERS]
    assert drawn(rows) == [numbers for _, _, numbers in KNOWN_ANSWERS]


def test_as_with_pythons_own_integers() -> None:
    rows = np.random.default_rng(0).integers(0, 2**32, (32, 6)).tolist()
    assert drawn(rows) == [philox_in_python(row[:4], row[4:]) for row in rows]


def test_words_of_a_number() -> None:
    @kernel(threads=1)
    def split(number, halves):
        halves[0], halves[1] = words(number)

    halves = empty((2,), np.uint32)
    split[1](np.uint64(0x0123456789ABCDEF), halves)
    assert np.asarray(halves).tolist() == [0x89ABCDEF, 0x01234567]
