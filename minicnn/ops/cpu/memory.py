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

LARGE = 1 << 16
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


class _Blocks:
    """The blocks of memory, by their size in bytes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_size: dict[int, list[np.ndarray]] = {}
        self._last_use: dict[int, int] = {}  # of a block, by its identity
        self._requests = 0
        self._alone = _references([np.empty(1, np.uint8)], 0)

    def take(self, size: int) -> np.ndarray:
        """`size` bytes of a block that nobody holds."""
        with self._lock:
            self._requests += 1
            if self._requests % PATIENCE == 0:
                self._give_back()
            blocks = self._by_size.setdefault(size, [])
            place = next(
                (at for at in range(len(blocks)) if _references(blocks, at) == self._alone), None
            )
            if place is None:
                place = len(blocks)
                blocks.append(np.empty(size + ALIGNMENT, np.uint8))
            block = blocks[place]
            self._last_use[id(block)] = self._requests
            start = -block.ctypes.data % ALIGNMENT
            return block[start : start + size]

    def _give_back(self) -> None:
        """Let go of free blocks that have long not been used."""
        for size, blocks in list(self._by_size.items()):
            kept = []
            for at in range(len(blocks)):
                idle = self._requests - self._last_use[id(blocks[at])]
                if idle <= PATIENCE or _references(blocks, at) > self._alone:
                    kept.append(blocks[at])
                else:
                    del self._last_use[id(blocks[at])]
            self._by_size[size] = kept
            if not kept:
                del self._by_size[size]


def _references(blocks: list[np.ndarray], at: int) -> int:
    """How many references there are to a block, with those that asking takes."""
    return sys.getrefcount(blocks[at])


_BLOCKS = _Blocks()
