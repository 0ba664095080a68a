"""What is shown while kernels are compiled: a line that moves, or one line where none can."""

import time

from rich.console import Console
from rich.errors import LiveError
from rich.status import Status

from minicnn.cli.output import Interruption, console


class CompilationLine:
    """Which kernel is being compiled, how many there were, for how long; and that it is once.

    In a terminal the line moves and leaves one that sums up; elsewhere one line on stderr says that
    kernels are compiled. How many there will be nobody knows before: it depends on the network.
    Kernels that another process compiles meanwhile are not counted, and need not be compiled here.
    """

    def __init__(self) -> None:
        self._count = 0
        self._depth = 0
        self._began = 0.0
        self._seconds = 0.0
        self._status: Status | None = None

    def is_compiling(self) -> bool:
        """Whether a kernel is being compiled now."""
        return self._depth > 0

    def begin(self, name: str) -> None:
        """A kernel begins to be compiled, perhaps inside another."""
        self._count += 1
        self._depth += 1
        if self._depth == 1:
            self._began = time.monotonic()
        if self._count == 1:
            self._start()
        if self._status is not None:
            self._status.update(
                f"compiling kernels, once for this machine: number {self._count}, {name}, "
                f"after {self._total():.0f} s"
            )

    def end(self) -> None:
        """One is compiled."""
        self._seconds = self._total()
        self._depth -= 1
        self._began = time.monotonic()

    def close(self) -> None:
        """Take the line away, and sum up where it moved."""
        if self._status is not None:
            self._status.stop()
            self._status = None
            _stderr().print(
                f"compiled {self._count} kernels for this machine in {self._seconds:.0f} s; they "
                "are kept for the next time", highlight=False,
            )

    def interrupted(self, number: int) -> None:
        """Say at once that a signal was heard, also while the compiler does not let go."""
        console.show_cursor()
        Interruption.say("interrupted while kernels are compiled; those that are ready are kept"
                         if self.is_compiling() else "interrupted")

    def _total(self) -> float:
        """Seconds of compiling so far."""
        return self._seconds + (time.monotonic() - self._began if self._depth else 0)

    def _start(self) -> None:
        """The line that moves; where there is no terminal, or an older rich shows a bar there,
        the one that stands."""
        terminal = next((each for each in (console, _stderr()) if each.is_terminal), None)
        if terminal is not None:
            try:
                self._status = Status("", console=terminal)
                self._status.start()
                return
            except LiveError:
                self._status = None
        _stderr().print(
            "compiling kernels for this machine; they are cached for the next time …",
            highlight=False,
        )


def _stderr() -> Console:
    return Console(stderr=True)
