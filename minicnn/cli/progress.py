"""A line on stderr that shows how far something long has come."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

PATIENCE = 0.5
"""Seconds that pass before anything is said."""


class MovingLine:
    """One line: it moves in a terminal and goes at the end; elsewhere it is printed once.

    Parameters
    ----------
    verb : str
        What is done, such as ``"reading"``.
    why : str
        What else there is to say, after the name.
    clock : callable
        Gives seconds.
    """

    def __init__(
        self, verb: str, why: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._verb, self._why, self._clock = verb, why, clock
        self._console = Console(stderr=True)
        self._start = clock()
        self._said = False
        self._progress: Progress | None = None

    def __call__(self, name: str, share: float) -> None:
        """Show that this share of what is called `name` is done."""
        if share >= 1:
            self.close()
        elif self._clock() - self._start >= PATIENCE:
            self._show(f"{self._verb} {Path(name).name}{self._why}", share)

    def _show(self, text: str, share: float) -> None:
        if not self._console.is_terminal:
            if not self._said:
                self._console.print(
                    f"{text} …", highlight=False, markup=False, soft_wrap=True
                )
            self._said = True
            return
        if self._progress is None:
            self._progress = Progress(
                TextColumn("{task.description}", markup=False), BarColumn(bar_width=20),
                TaskProgressColumn(), TimeRemainingColumn(),
                console=self._console, transient=True,
            )
            self._progress.add_task(text, total=1.0)
            self._progress.start()
        self._progress.update(self._progress.task_ids[0], completed=share)

    def close(self) -> None:
        """Take the line away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


@contextmanager
def reading_line(why: str = ", once for all") -> Iterator[None]:
    """Within the block, show how far reading a data set has come; `why` stands after its name."""
    from minicnn.data.progress import watched

    line = MovingLine("reading", why)
    try:
        with watched(line):
            yield
    finally:
        line.close()
