"""Arrays whose memory is used again as soon as nobody holds them.

A fresh array of many megabytes costs more in page faults than the arithmetic that fills it, and a
training step needs the same sizes every time. So large arrays are cut from blocks that are kept: a
block is free again when no array refers to it, which Python's count of references tells. An array
that a caller still holds keeps its block, and is never written over.
"""

import sys
import threading
from typing import Any

import numpy as np

LARGE = 1 << 17
"""Smaller arrays, in bytes, are left to NumPy."""

PATIENCE = 1024
"""A free block is given back when so many arrays have been asked for without a use for it."""

ALIGNMENT = 64
"""Arrays begin at multiples of so many bytes, a line of the cache."""


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array with any content, as `numpy.empty` makes it."""
    dtype = np.dtype(dtype)
    size = dtype.itemsize
    for length in shape:
        size *= length
    if size < LARGE:
        return np.empty(shape, dtype)
    return _BLOCKS.take(size).view(dtype).reshape(shape)


class _Block:
    """A piece of memory, where its first line of the cache begins, and when it was last given."""

    __slots__ = ("last_use", "memory", "start")

    def __init__(self, size: int) -> None:
        self.memory = np.empty(size + ALIGNMENT, np.uint8)
        self.start = -self.memory.ctypes.data % ALIGNMENT
        self.last_use = 0

    def references(self) -> int:
        """How many references there are to the memory, with those that asking takes."""
        return sys.getrefcount(self.memory)


class _Blocks:
    """The blocks of memory, by their size in bytes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_size: dict[int, list[_Block]] = {}
        self._requests = 0
        self._alone = _Block(1).references()

    def take(self, size: int) -> np.ndarray:
        """`size` bytes of a block that nobody holds."""
        with self._lock:
            self._requests += 1
            if self._requests % PATIENCE == 0:
                self._give_back()
            blocks = self._by_size.setdefault(size, [])
            for block in blocks:
                if block.references() == self._alone:
                    break
            else:
                block = _Block(size)
                blocks.append(block)
            block.last_use = self._requests
            return block.memory[block.start : block.start + size]

    def _give_back(self) -> None:
        """Let go of free blocks that have long not been used."""
        for size, blocks in list(self._by_size.items()):
            self._by_size[size] = [
                block for block in blocks
                if self._requests - block.last_use <= PATIENCE
                or block.references() > self._alone
            ]
            if not self._by_size[size]:
                del self._by_size[size]


_BLOCKS = _Blocks()
