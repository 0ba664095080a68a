"""A launch's arguments → the bytes of the kernel's parameters, and arrays on the device."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.ptx.errors import PTXError
from minicnn.ptx.memory import Memory
from minicnn.ptx.parsing import WIDTH, Variable

Array = np.ndarray[Any, Any]


class Placed(NamedTuple):
    """An array of the host, and where its copy is."""

    array: Array
    address: int


def three(value: Any, what: str, most: tuple[int, int, int]) -> tuple[int, int, int]:
    """A grid or block as x, y, z."""
    given = value if isinstance(value, tuple | list) else (value,)
    sizes = tuple(given) + (1, 1, 1)[len(given):]
    if len(sizes) != 3 or not all(
            isinstance(n, int | np.integer) and not isinstance(n, bool) for n in sizes):
        raise PTXError(f"{what}: expected one to three whole numbers, got {value!r}")
    if not all(1 <= n <= limit for n, limit in zip(sizes, most, strict=True)):
        raise PTXError(f"{what}: expected numbers from 1 to {most}, got {value!r}")
    x, y, z = (int(n) for n in sizes)
    return x, y, z


class Arguments:
    """The arguments of one launch.

    Parameters
    ----------
    name : str
        The kernel's, for messages.
    parameters : sequence of Variable
    given : sequence
    memory : Memory
    names : sequence of str
        Of the arguments, as far as they have any.
    """

    def __init__(self, name: str, parameters: Sequence[Variable], given: Sequence[Any],
                 memory: Memory, names: Sequence[str] = ()) -> None:
        self.memory, self._names = memory, names
        self.placed: list[Placed] = []
        arrays = [x for x in given if isinstance(x, np.ndarray)]
        expanded = len(given) + sum(4 + 2 * array.ndim for array in arrays)
        if len(parameters) not in (len(given), expanded):
            raise PTXError(
                f"{name} has {len(parameters)} parameters; these arguments make {len(given)}, or "
                f"{expanded} as Numba passes arrays")
        self._check(arrays)
        values: list[Any] = []
        for number, value in enumerate(given):
            if not isinstance(value, np.ndarray):
                values.append(value)
                continue
            address = self._place(value, number)
            if len(parameters) == len(given):
                values.append(address)
            else:
                values += [0, 0, value.size, value.itemsize, address, *value.shape, *value.strides]
        self.values = [as_bytes(value, parameter, number)
                       for number, (value, parameter) in
                       enumerate(zip(values, parameters, strict=True))]

    @staticmethod
    def _check(arrays: list[Array]) -> None:
        for number, array in enumerate(arrays):
            if not array.flags.c_contiguous or array.dtype.hasobject or not array.dtype.isnative:
                raise PTXError("expected C-contiguous arrays of native numbers, got one of shape "
                               f"{array.shape}, strides {array.strides} and type {array.dtype}")
            for other in arrays[:number]:
                if np.may_share_memory(array, other) and not same(array, other):
                    raise PTXError("two arrays of the arguments share memory: copy one of them")

    def _place(self, array: Array, number: int) -> int:
        for other, address in self.placed:
            if same(array, other):
                return address
        name = self._names[number] if self._names else f"argument {number + 1}"
        address = self.memory.allocate(array.nbytes, name)
        self.placed.append(Placed(array, address))
        self.memory.write(address, array)
        return address

    def bring_back(self) -> None:
        """Copy what the kernel changed to the arrays of the host."""
        for array, address in self.placed:
            data = self.memory.read(address, array.nbytes)
            if array.flags.writeable:
                array.reshape(-1).view(np.uint8)[:] = data
            elif not np.array_equal(array.reshape(-1).view(np.uint8), data):
                raise PTXError("the kernel changed an array that is read-only")

    def free(self) -> None:
        """Give the copies' places back."""
        for _, address in self.placed:
            self.memory.free(address)
        self.placed = []


def same(one: Array, other: Array) -> bool:
    """Whether two arrays are the same bytes."""
    return one.nbytes == other.nbytes and one.ctypes.data == other.ctypes.data


def as_bytes(value: Any, parameter: Variable, number: int) -> bytes:
    """A number as a parameter's bytes."""
    kind, width = parameter.type, WIDTH[parameter.type]
    if isinstance(value, bytes | bytearray):
        if len(value) != parameter.size:
            raise PTXError(f"parameter {number + 1} has {parameter.size} bytes, got {len(value)}")
        return bytes(value)
    if parameter.size != width:
        raise PTXError(f"parameter {number + 1} is a structure of {parameter.size} bytes: "
                       "give it as bytes")
    if kind[0] == "f":
        if not isinstance(value, float | int | np.floating | np.integer):
            raise PTXError(f"parameter {number + 1} is a number (.{kind}), got {value!r}")
        with np.errstate(over="ignore"):
            result = np.array(value, f"<f{width}")
        if np.isinf(result) and not np.isinf(value):
            raise PTXError(f"parameter {number + 1}: {value!r} does not fit in .{kind}")
        return result.tobytes()
    if isinstance(value, np.floating) and kind[0] == "b" and value.itemsize == width:
        return value.tobytes()
    if not isinstance(value, int | np.integer | np.bool_):
        raise PTXError(f"parameter {number + 1} is a whole number (.{kind}), got {value!r}")
    whole = int(value)
    if not -(1 << 8 * width - 1) <= whole < 1 << 8 * width:
        raise PTXError(f"parameter {number + 1}: {whole} does not fit in .{kind}")
    return (whole & ((1 << 8 * width) - 1)).to_bytes(width, "little")
