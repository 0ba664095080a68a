"""How long a reader takes: the processor's time, without that for compiling kernels."""

import time
from typing import Self

from numba.core import event


class ReadingTime(event.Listener):
    """Measures the block that it is the context of.

    Neither other processes nor kernels that happen to be compiled first here are a reader's fault.

    Attributes
    ----------
    seconds : float
        Of the processor, when the block has ended.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._compiling: list[float] = []  # a kernel is compiled while one that calls it is

    def __enter__(self) -> Self:
        event.register("numba:compile", self)
        self.seconds -= time.process_time()
        return self

    def __exit__(self, *exception: object) -> None:
        self.seconds += time.process_time()
        event.unregister("numba:compile", self)

    def on_start(self, event: event.Event) -> None:
        """A compilation begins."""
        self._compiling.append(time.process_time())

    def on_end(self, event: event.Event) -> None:
        """A compilation has ended."""
        begun = self._compiling.pop()
        if not self._compiling:
            self.seconds -= time.process_time() - begun
