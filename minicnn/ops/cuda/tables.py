"""Many arrays in one launch: a table of their pieces, a block each, and one of their addresses.

A row of the first is a piece: which array it is of, how many values it has, and with which it
begins. It stays. A row of the second is an array: where it is, and where those are that belong to
it, such as a weight's gradient and velocity. Gradients lie elsewhere in every step, so that this
table, a few hundred bytes, is uploaded again.
"""

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.ops.cuda.array import DeviceArray, asarray
from minicnn.ops.cuda.device import Device, device

PIECE = 4096
"""The most values of a piece."""

ARRAY, COUNT, START = 0, 1, 2
"""Columns of a piece: the array's number, the count of values, and the number of the first."""

COLUMNS = 3
"""How many those are."""


class Table(NamedTuple):
    """What a kernel over many arrays is handed: both of uint64.

    Attributes
    ----------
    pieces : DeviceArray (P, COLUMNS)
    addresses : DeviceArray (arrays, columns)
    """

    pieces: DeviceArray
    addresses: DeviceArray


def by_dtype(*columns: Sequence[Any]) -> Iterator[tuple[Any, list[list[Any]]]]:
    """The same columns for each dtype in the first: a kernel serves one, mostly there is one."""
    rows = list(zip(*columns, strict=True))
    for dtype in dict.fromkeys(array.dtype for array in columns[0]):
        chosen = [row for row in rows if row[0].dtype == dtype]
        yield dtype.type, [list(column) for column in zip(*chosen, strict=True)]


def table_of(*columns: Sequence[DeviceArray]) -> Table:
    """The pieces of all arrays, and the addresses of columns of arrays of one dtype.

    What has not changed since the last calls is not uploaded again.
    """
    sizes = tuple([array.size for array in columns[0]])
    rows = zip(*columns, strict=True)
    addresses = tuple([tuple([array.pointer for array in row]) for row in rows])
    return Table(_kept_pieces(device(), sizes), _kept_addresses(device(), addresses))


@functools.lru_cache(maxsize=16)
def _kept_pieces(on: Device, sizes: tuple[int, ...]) -> DeviceArray:
    """The pieces on this device, the one in use."""
    return _uploaded(pieces_of(sizes))


@functools.lru_cache(maxsize=2)  # with more, so many steps would allocate memory
def _kept_addresses(on: Device, addresses: tuple[tuple[int, ...], ...]) -> DeviceArray:
    """The addresses on this device, the one in use."""
    return _uploaded(addresses)


def _uploaded(rows: Any) -> DeviceArray:
    array: DeviceArray = asarray(np.array(rows, np.uint64), np.dtype(np.uint64))
    return array


def pieces_of(sizes: Sequence[int]) -> np.ndarray:
    """The pieces of arrays of these sizes: (P, COLUMNS)."""
    counts = [-(-size // PIECE) for size in sizes]
    arrays = np.repeat(np.arange(len(sizes)), counts)  # (P,)
    before = np.cumsum([0, *counts])[arrays]  # pieces of the arrays before
    starts = (np.arange(len(arrays)) - before) * PIECE
    lengths = np.minimum(np.asarray(sizes, np.int64)[arrays] - starts, PIECE)
    return np.column_stack([arrays, lengths, starts]).astype(np.uint64)
