"""Memory of the device in blocks, which are used again when nobody holds them.

A training step asks for the same sizes as the one before, so from the second step on nothing is
allocated. All work is in one stream: a block may be handed out again at once, since what still
reads it comes before what the new holder writes.
"""

from collections import defaultdict

from minicnn.ops.cuda.device import Device, device

_free: defaultdict[tuple[Device, int], list[int]] = defaultdict(list)
"""Addresses of blocks that nobody holds, by their device and size in bytes."""


class Block:
    """A piece of a device's memory; it goes back when the last array that holds it is gone.

    Parameters
    ----------
    on : Device
    address, nbytes : int
    """

    __slots__ = ("_device", "address", "nbytes")

    def __init__(self, on: Device, address: int, nbytes: int) -> None:
        self._device, self.address, self.nbytes = on, address, nbytes

    def __del__(self) -> None:
        _free[self._device, self.nbytes].append(self.address)


def take(nbytes: int) -> Block:
    """A block of exactly this size (bytes); what it holds counts as never written.

    Raises
    ------
    MemoryError
        Where the device has no such block left, even after all that nobody holds is given back.
    """
    on = device()
    nbytes = max(nbytes, 1)
    waiting = _free[on, nbytes]
    if waiting:
        address = waiting.pop()
        on.forget(address)
        return Block(on, address, nbytes)
    try:
        return Block(on, on.allocate(nbytes), nbytes)
    except MemoryError:
        release()
        return Block(on, on.allocate(nbytes), nbytes)


def release() -> None:
    """Give every block that nobody holds back to its device."""
    for (on, _), addresses in _free.items():
        while addresses:
            on.free(addresses.pop())
