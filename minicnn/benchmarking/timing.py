"""How long things take: in rounds, every program once a round, each warmed up just before."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


def nothing() -> None:
    """What needs no preparation."""


@dataclass(frozen=True)
class Task:
    """Something to be timed.

    Attributes
    ----------
    run : callable
        What is timed.
    prepare : callable
        What must be done before each run, and is not timed.
    """

    run: Callable[[], Any]
    prepare: Callable[[], Any] = nothing


def interleaved(tasks: Sequence[Task], rounds: int) -> np.ndarray:
    """Seconds of each run.

    In each round every task runs twice in a row and the second run counts: its code and data are
    warm, and the threads of the task before it sleep again. Whatever the machine does besides
    meets all tasks alike.

    Parameters
    ----------
    tasks : sequence of Task
    rounds : int >= 1

    Returns
    -------
    ndarray (rounds, tasks), float64
        Seconds.
    """
    seconds = np.empty((rounds, len(tasks)))
    for row in seconds:
        for place, task in enumerate(tasks):
            for _ in range(2):
                task.prepare()
                start = time.perf_counter()
                task.run()
                row[place] = time.perf_counter() - start
    return seconds


def fitted_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The power of the size that the time grows with: the slope of log(seconds) over log(sizes).

    A least-squares line through the points.
    """
    slope, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
    return float(slope)
