"""The memory of a device: bytes, who owns them, and whether anybody wrote them.

A space of addresses is one long buffer that the operating system fills with zeros when it is
touched, and not before: an array of 40 GB whose ends alone are used costs a few pages. Beside it
lies one byte a byte, which says what may be read. Arrays have red zones between them, which belong
to nobody.
"""

import mmap
import sys
from bisect import bisect_right, insort
from typing import Any

import numpy as np

from minicnn.ptx.errors import PTXError, PTXFault, PTXMemoryError

Array = np.ndarray[Any, Any]

GLOBAL, SHARED, LOCAL = 1 << 40, 1 << 44, 1 << 45
"""Where the spaces begin, as generic addresses."""

RED_ZONE = 256
"""Bytes between two arrays; arrays begin at multiples of it."""

NOBODY, WRITTEN, ON_ITS_WAY = 0, 1, 2
"""What is known of a byte: ``cp.async`` may have sent it, but nobody waited."""

_CAPACITIES = (1 << 38, 1 << 35, 1 << 32, 1 << 30, 1 << 28)


def reserve(size: int) -> Array:
    """Zeros that take no memory until they are touched."""
    if not hasattr(mmap, "MAP_PRIVATE"):  # Windows: what is reserved there is also promised
        return np.frombuffer(mmap.mmap(-1, size), np.uint8)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    if sys.platform == "linux":
        flags |= getattr(mmap, "MAP_NORESERVE", 0x4000)
    return np.frombuffer(mmap.mmap(-1, size, flags=flags), np.uint8)


def clear(buffer: Array, start: int, end: int) -> None:
    """Zeros again; whole pages go back to the operating system."""
    page = mmap.PAGESIZE
    first, last = -(-start // page) * page, end // page * page
    base = buffer.base.obj if isinstance(buffer.base, memoryview) else buffer.base
    if last - first < 1 << 20 or not isinstance(base, mmap.mmap) \
            or sys.platform != "linux":
        buffer[start:end] = 0
        return
    buffer[start:first] = 0
    base.madvise(mmap.MADV_DONTNEED, first, last - first)
    buffer[last:end] = 0


class Memory:
    """The global memory of a device.

    Its contents last between launches. Allocating does not touch the bytes, so that an array may be
    larger than the machine's memory as long as little of it is used.

    Examples
    --------
    >>> import numpy as np
    >>> memory = Memory()
    >>> address = memory.allocate(8, name="x")
    >>> memory.write(address, np.array([1.0, 2.0], np.float32))
    >>> memory.read(address, 8).view(np.float32)
    array([1., 2.], dtype=float32)
    """

    def __init__(self) -> None:
        for capacity in _CAPACITIES:
            try:
                self.data, self.known = reserve(capacity), reserve(capacity)
                break
            except (OSError, ValueError, MemoryError, OverflowError):
                continue
        else:
            raise PTXError(f"this machine has no {_CAPACITIES[-1] >> 20} MB of addresses left")
        self.capacity = capacity
        self.version = 0
        self.symbols: dict[object, int] = {}
        self._end = RED_ZONE
        self._starts: list[int] = []
        self._sizes: dict[int, int] = {}
        self._names: dict[int, str] = {}
        self._free: dict[int, list[int]] = {}
        self._shadows: dict[int, Array] = {}
        self._table: tuple[int, Array, Array] | None = None

    def allocate(self, nbytes: int, name: str = "array") -> int:
        """Give an array its place.

        Parameters
        ----------
        nbytes : int
        name : str
            What messages call it.

        Returns
        -------
        int
            The address, a multiple of 256. Nobody has written the bytes.

        Raises
        ------
        MemoryError
            If there is no room left.
        """
        if nbytes < 0:
            raise PTXError(f"an array has 0 bytes or more, got {nbytes}")
        place = self._room(_padded(nbytes))
        insort(self._starts, place)
        self._sizes[place], self._names[place] = nbytes, name
        self.version += 1
        return GLOBAL + place

    def free(self, address: int) -> None:
        """Give an array's place back: whoever uses it from now on is told so."""
        place = self._start(address)
        self._forget(place)
        self._starts.remove(place)
        size = self._sizes.pop(place)
        del self._names[place]
        self._free.setdefault(_padded(size), []).append(place)
        self.version += 1

    def _room(self, size: int) -> int:
        """A place that a free array of the size had, or one after all others, or a gap."""
        if free := self._free.get(size):
            return free.pop()
        place = self._end
        if place + size + RED_ZONE > self.capacity:
            # forget what sizes free places had: neighbours may make one gap that is large enough
            self._free.clear()
            ends = [RED_ZONE, *(start + _padded(self._sizes[start]) + RED_ZONE
                                for start in self._starts)]
            gaps = zip(ends, [*self._starts, self.capacity], strict=True)
            found = next((end for end, start in gaps if start - end >= size + RED_ZONE), None)
            if found is None:
                raise PTXMemoryError(f"no room for {size} bytes: the device has {self.capacity}")
            place, self._end = found, ends[-1]
        self._end = max(self._end, place + size + RED_ZONE)
        return place

    def forget(self, address: int) -> None:
        """Make an array's contents count as never written, as if it were allocated anew."""
        self._forget(self._start(address))

    def write(self, address: int, array: Array) -> None:
        """Copy an array of the host to an address."""
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        place = self._inside(address, data.size)
        self.data[place:place + data.size] = data
        self.known[place:place + data.size] = WRITTEN

    def read(self, address: int, nbytes: int, checked: bool = False) -> Array:
        """Copy bytes to the host, as uint8.

        Parameters
        ----------
        address, nbytes : int
        checked : bool, default False
            Whether a byte that nobody wrote is a `PTXFault`.

        Returns
        -------
        ndarray
        """
        place = self._inside(address, nbytes)
        if checked:
            unknown = self.known[place:place + nbytes] != WRITTEN
            if unknown.any():
                first = self.describe(place + int(unknown.argmax()))
                raise PTXFault(f"{nbytes} bytes go to the host, and nobody wrote {first}")
        return self.data[place:place + nbytes].copy()

    def copy(self, address: int, source: int, nbytes: int) -> None:
        """Copy inside the device: what nobody wrote counts as not written there too."""
        to, place = self._inside(address, nbytes), self._inside(source, nbytes)
        self.data[to:to + nbytes] = self.data[place:place + nbytes]
        self.known[to:to + nbytes] = self.known[place:place + nbytes]

    def table(self) -> tuple[Array, Array]:
        """Where arrays begin and end, in order; rebuilt after an allocation."""
        if self._table is None or self._table[0] != self.version:
            starts = np.array(self._starts, np.int64)
            ends = starts + np.array([self._sizes[place] for place in self._starts], np.int64)
            self._table = self.version, starts, ends
        return self._table[1:]

    def shadow(self, granule: int) -> Array:
        """Who touched each `granule` bytes last: eight numbers each (see `races`).

        Only as far as arrays lie: of a machine's addresses there are not enough for many more.
        What it held is lost when it grows, which is between two launches.
        """
        if granule not in self._shadows or len(self._shadows[granule]) * granule < self._end:
            reach = min(self.capacity, max(1 << 24, 1 << self._end.bit_length()))
            self._shadows[granule] = reserve(reach // granule * 64).view(np.int64).reshape(-1, 8)
        return self._shadows[granule]

    def describe(self, place: int) -> str:
        """A byte as a reader knows it: which byte of which array."""
        return describe(place, self._starts, [self._sizes[start] for start in self._starts],
                        [self._names[start] for start in self._starts])

    def _start(self, address: int) -> int:
        place = address - GLOBAL
        if place not in self._sizes:
            raise PTXError(f"no array begins at address {address:#x}")
        return place

    def _forget(self, place: int) -> None:
        clear(self.known, place, place + self._sizes[place])

    def _inside(self, address: int, nbytes: int) -> int:
        place = address - GLOBAL
        at = bisect_right(self._starts, place) - 1
        if at < 0 or not place + nbytes <= self._starts[at] + self._sizes[self._starts[at]]:
            raise PTXError(f"{nbytes} bytes at address {address:#x} lie in no array: "
                           f"{self.describe(place)}")
        return place


def _padded(nbytes: int) -> int:
    """The bytes that an array takes."""
    return -(-max(nbytes, 1) // RED_ZONE) * RED_ZONE


def describe(place: int, starts: list[int], sizes: list[int], names: list[str]) -> str:
    """A byte by the array that it lies in, or nearest to."""
    if not starts:
        return f"byte {place}, and there are no arrays"
    nearest = min(range(len(starts)), key=lambda at: max(
        starts[at] - place, place - (starts[at] + sizes[at]) + 1, 0))
    return f"byte {place - starts[nearest]} of {names[nearest]!r} ({sizes[nearest]} bytes)"
