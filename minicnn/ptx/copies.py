"""cp.async: copies from global to shared memory that arrive when their thread waits for them.

The bytes are read at once and written at the wait: whoever reads there before is told so. To other
threads a copy is a write twice, where it begins and where it arrives.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minicnn.ptx import access, memory as device

if TYPE_CHECKING:
    from minicnn.ptx.machine import Machine

Array = np.ndarray[Any, Any]


class _Copy(NamedTuple):
    """A copy under way: its lanes' groups (-1 where it is done), places and bytes."""

    groups: Array
    places: Array
    size: int
    data: Array
    number: int


class Copies:
    """The copies of a machine's lanes.

    Parameters
    ----------
    machine : Machine
    """

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine
        self._under_way: list[_Copy] = []
        self._committed = np.zeros(machine.lanes, np.int64)

    def begin(self, to: tuple[str, Array, int, int], source: tuple[str, Array, int, int],
              size: int, filled: Array, active: Array) -> None:
        """Read the first ``filled[lane]`` of `size` bytes; the others become zeros.

        `to` and `source` are a space, addresses, an offset and the number of an access.
        """
        machine = self._machine
        name, addresses, offset, number = source
        data = np.zeros((machine.lanes, size), np.uint8)
        filled = np.minimum(filled, size)
        for part in np.unique(filled[active & (filled > 0)]).tolist():
            ((space, start, chosen),) = machine.by_space(
                name, addresses, offset, active & (filled == part))
            places = machine.reach(space, addresses, start, number, chosen, False, True, part=part)
            rows = np.flatnonzero(chosen)
            data[rows, :part] = space.data[places[rows][:, None] + np.arange(part)]
        name, addresses, offset, number = to
        ((space, start, chosen),) = machine.by_space(name, addresses, offset, active)
        places = machine.reach(space, addresses, start, number, chosen, True, False).copy()
        access.mark(space.known, places, size, chosen, device.ON_ITS_WAY)
        groups = np.where(active, self._committed, -1)
        self._under_way.append(_Copy(groups, places, size, data, number))

    def commit(self, active: Array) -> None:
        """The copies up to here are a group."""
        self._committed[active] += 1

    def wait(self, keep: int, active: Array) -> None:
        """Let all but the last `keep` groups arrive; -1: also what no group holds."""
        machine, space = self._machine, self._machine.spaces["shared"]
        for copy in self._under_way:
            arrived = active & (copy.groups >= 0) & (copy.groups < self._committed - keep)
            rows = np.flatnonzero(arrived)
            if rows.size:
                instruction = machine.kernel.translation.accesses[copy.number][0]
                machine.touch(instruction, space, copy.places, copy.size, arrived, True)
                space.data[copy.places[rows][:, None] + np.arange(copy.size)] = copy.data[rows]
                access.mark(space.known, copy.places, copy.size, arrived, device.WRITTEN)
                copy.groups[rows] = -1
        self._under_way = [copy for copy in self._under_way if (copy.groups >= 0).any()]
