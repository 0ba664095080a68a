"""An array in a device's memory: what the bodies of this backend take and give."""

import math
from typing import Any

import numpy as np

from minicnn.ops.cuda import memory
from minicnn.ops.cuda.device import device


class DeviceArray:
    """A C-contiguous array on the device. It is no second NumPy: ``np.asarray`` brings it home.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    block : memory.Block
        Where its values are.
    offset : int, default 0
        How many bytes of the block come before them.
    """

    __slots__ = ("_block", "dtype", "pointer", "shape", "size")

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype, block: memory.Block, offset: int = 0
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.size = math.prod(shape)
        self.pointer = block.address + offset
        self._block = block

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes its values take."""
        return self.size * self.dtype.itemsize

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """What other CUDA libraries read (version 3 of the interface)."""
        return {
            "shape": self.shape, "typestr": self.dtype.str, "data": (self.pointer, False),
            "strides": None, "version": 3, "stream": device().stream_handle(),
        }

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """A copy on the host; a view of the device's memory there is none."""
        if copy is False:
            raise ValueError("an array on a device is copied to the host; copy=False cannot be")
        host = np.empty(self.shape, self.dtype)
        if self.size:
            device().download(self.pointer, host)
        return host if dtype is None else host.astype(dtype, copy=False)

    def __deepcopy__(self, memo: dict[int, Any]) -> "DeviceArray":
        return self.copy()

    def __copy__(self) -> "DeviceArray":
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return np.array, (np.asarray(self),)  # whoever reads it may have no such device

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"an array on a device has no {name!r}; np.asarray(array) brings it to the host"
        )

    def __getitem__(self, where: Any) -> Any:
        raise TypeError("an array on a device has no elements; np.asarray(array) brings it home")

    def __bool__(self) -> bool:
        raise TypeError("an array on a device is neither true nor false; see np.asarray(array)")

    def __eq__(self, other: object) -> bool:
        raise TypeError("arrays on a device are not compared; compare np.asarray of them")

    __hash__ = object.__hash__

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<DeviceArray {self.shape} of {self.dtype}>"

    def __setitem__(self, where: Any, value: Any) -> None:
        """``array[...] = value``: every element, from the host or the device."""
        if where is not Ellipsis:
            raise TypeError("an array on a device is only set whole: array[...] = value")
        if isinstance(value, DeviceArray) and value.dtype == self.dtype:
            if value.shape != self.shape:
                raise ValueError(f"expected an array of shape {self.shape}, got {value.shape}")
            device().copy(self.pointer, value.pointer, self.nbytes)
            return
        host = np.broadcast_to(np.asarray(value, self.dtype), self.shape)
        if self.size:
            device().upload(self.pointer, np.ascontiguousarray(host))

    def reshape(self, *shape: Any) -> "DeviceArray":
        """The same values in another shape, one length of which may be -1."""
        sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        known = math.prod(size for size in sizes if size != -1)
        whole = tuple(self.size // max(known, 1) if size == -1 else int(size) for size in sizes)
        if math.prod(whole) != self.size or list(sizes).count(-1) > 1:
            raise ValueError(f"cannot reshape an array of shape {self.shape} into {tuple(sizes)}")
        return self.part(0, whole)

    def part(self, first: int, shape: tuple[int, ...]) -> "DeviceArray":
        """The same memory, from the value that comes after `first` others, in a shape."""
        offset = self.pointer - self._block.address + first * self.dtype.itemsize
        return DeviceArray(shape, self.dtype, self._block, offset)

    def copy(self) -> "DeviceArray":
        """The same values in memory of their own."""
        other = empty(self.shape, self.dtype)
        other[...] = self
        return other


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """A `DeviceArray` that nobody has written yet; to a type checker anything, for caches."""
    dtype = np.dtype(dtype)
    return DeviceArray(tuple(shape), dtype, memory.take(math.prod(shape) * dtype.itemsize))


def asarray(value: Any, dtype: Any = None) -> Any:
    """`Backend.asarray`: an array for the doors to look at, or one that bodies can read.

    Returns
    -------
    DeviceArray or ndarray
        Without a dtype, what came, on the host if it was there; with one, always on the device.
    """
    if dtype is None:
        return value if isinstance(value, DeviceArray) else np.asarray(value)
    if isinstance(value, DeviceArray) and value.dtype == dtype:
        return value
    host = np.require(np.asarray(value), dtype, ["C"])
    array = empty(host.shape, host.dtype)
    if host.size:
        device().upload(array.pointer, host)
    return array
