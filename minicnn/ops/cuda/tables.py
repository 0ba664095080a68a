"""Many arrays in one launch: a table of their pieces, a block each.

A row of the table is a piece: which array it is of, how many values it has, and where they begin
in each of the arrays that belong together, such as a weight, its gradient and its velocity.
"""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minicnn.ops.cuda.array import DeviceArray, asarray
from minicnn.ops.cuda.device import Device, device

PIECE = 4096
"""The most values of a piece."""

ARRAY, COUNT, FIRST = 0, 1, 2
"""Columns of a table: the array's number, the count of values, and the first address."""


def by_dtype(*columns: Sequence[Any]) -> Iterator[tuple[Any, list[list[Any]]]]:
    """The same columns for each dtype in the first: a kernel serves one, mostly there is one."""
    rows = list(zip(*columns, strict=True))
    for dtype in dict.fromkeys(array.dtype for array in columns[0]):
        chosen = [row for row in rows if row[0].dtype == dtype]
        yield dtype.type, [list(column) for column in zip(*chosen, strict=True)]


def table_of(*columns: Sequence[DeviceArray]) -> DeviceArray:
    """The pieces of all arrays: columns of arrays of one dtype -> (P, FIRST + columns), uint64.

    It stays on the device while the arrays stay where they are: then nothing is uploaded.
    """
    sizes = tuple([array.size for array in columns[0]])
    addresses = tuple([tuple([array.pointer for array in column]) for column in columns])
    itemsize = columns[0][0].dtype.itemsize if sizes else 1
    return _kept_table(device(), itemsize, sizes, addresses)


@functools.lru_cache(maxsize=16)  # gradients may have other addresses in every second step
def _kept_table(
    on: Device, itemsize: int, sizes: tuple[int, ...], addresses: tuple[tuple[int, ...], ...]
) -> DeviceArray:
    """A table on this device, the one in use."""
    table: DeviceArray = asarray(rows_of(itemsize, sizes, addresses), np.dtype(np.uint64))
    return table


def rows_of(itemsize: int, sizes: Sequence[int], addresses: Sequence[Sequence[int]]) -> np.ndarray:
    """The table for arrays of these sizes; addresses has a sequence for each column."""
    counts = [-(-size // PIECE) for size in sizes]
    arrays = np.repeat(np.arange(len(sizes)), counts)  # (P,)
    before = np.cumsum([0, *counts])[arrays]  # pieces of the arrays before
    starts = (np.arange(len(arrays)) - before) * PIECE
    lengths = np.minimum(np.asarray(sizes, np.int64)[arrays] - starts, PIECE)
    bytes_before = (starts * itemsize).astype(np.uint64)
    places = [np.asarray(column, np.uint64)[arrays] + bytes_before for column in addresses]
    return np.column_stack([arrays.astype(np.uint64), lengths.astype(np.uint64), *places])
