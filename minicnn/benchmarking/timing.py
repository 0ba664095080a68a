"""How long things take: in rounds, every program once a round, each warmed up just before."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import validation
from minicnn.ops import backend
from minicnn.terminal import as_printed


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


@dataclass(frozen=True, eq=False)
class Timings:
    """How long things took, round by round.

    Attributes
    ----------
    names : tuple of str
        What was timed.
    seconds : ndarray (rounds, names), float64
        Each run.
    """

    names: tuple[str, ...]
    seconds: np.ndarray

    @property
    def medians(self) -> np.ndarray:
        """Seconds of each (names,)."""
        return np.median(self.seconds, axis=0)

    @property
    def quartiles(self) -> np.ndarray:
        """First and third quartile of the seconds of each (2, names)."""
        return np.quantile(self.seconds, (0.25, 0.75), axis=0)

    def ratio(self, name: str, to: str) -> tuple[float, float, float]:
        """How many times as long one takes as another: median of the rounds' ratios, quartiles.

        Both are of one round, so that what slows the machine for a while cancels.

        Raises
        ------
        ValueError
            Where a name is none of `names`.
        """
        for each in (name, to):
            if each not in self.names:
                raise ValueError(
                    f"ratio: expected one of {', '.join(self.names)}, got {each!r}")
        ratios = self.seconds[:, self.names.index(name)] / self.seconds[:, self.names.index(to)]
        low, median, high = np.quantile(ratios, (0.25, 0.5, 0.75))
        return float(median), float(low), float(high)

    _repr_pretty_ = as_printed

    def __str__(self) -> str:
        width = max(map(len, self.names))
        lines = [f"{'':{width}}  median ms  quartiles ms        times {self.names[0]}"]
        for name, median, low, high in zip(
            self.names, self.medians, *self.quartiles, strict=True
        ):
            ratio, least, most = self.ratio(name, self.names[0])
            lines.append(
                f"{name:{width}}  {1e3 * median:9.3f}  {1e3 * low:8.3f} to {1e3 * high:8.3f}  "
                f"{ratio:.2f} ({least:.2f} to {most:.2f})"
            )
        return "\n".join(lines)


def measure(
    tasks: Mapping[str, Callable[[], Any] | Task], *, rounds: int = 9, warm_up: int = 1
) -> Timings:
    """Time things beside each other.

    In each round everything runs in turn: `warm_up` times, then once with the clock. Its code and
    data are warm then, and the threads of what ran before it sleep again. Whatever the machine does
    besides meets all alike. The clock stops when the chosen backend has done what was launched.

    Parameters
    ----------
    tasks : mapping of str to callable or Task
        By the name that the answer uses. A callable takes no arguments; a `Task` also has a
        `prepare` that is not timed.
    rounds : int >= 1, default 9
    warm_up : int >= 0, default 1
        Runs of each before the one that counts, in every round.

    Returns
    -------
    Timings
        ``str()`` of it is a table.

    Raises
    ------
    TypeError, ValueError
        Where there are no tasks, one is no function, or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import benchmarking
    >>> x = np.random.default_rng(0).standard_normal(1000)
    >>> timings = benchmarking.measure({"sort": lambda: np.sort(x), "sum": lambda: x.sum()})
    >>> timings.names, timings.seconds.shape
    (('sort', 'sum'), (9, 2))
    """
    if not isinstance(tasks, Mapping) or not tasks:
        raise TypeError(
            "measure: expected functions by name, {'mine': lambda: f(x)}, "
            f"got {type(tasks).__name__}" + " without any" * isinstance(tasks, Mapping)
        )
    for name, task in tasks.items():
        if not isinstance(task, Task) and not callable(task):
            raise TypeError(
                f"measure: {name} must be a function without arguments, got "
                f"{type(task).__name__}; lambda: f(x) makes one"
            )
    rounds = validation.integer("measure", "rounds", rounds, 1)
    warm_up = validation.integer("measure", "warm_up", warm_up, 0)
    runs = [task if isinstance(task, Task) else Task(_to_its_end(task)) for task in tasks.values()]
    return Timings(tuple(map(str, tasks)), interleaved(runs, rounds, warm_up))


def _to_its_end(run: Callable[[], Any]) -> Callable[[], None]:
    """A run that ends when the chosen backend has done what was launched."""

    def run_and_wait() -> None:
        run()
        backend().wait()

    return run_and_wait


def interleaved(tasks: Sequence[Task], rounds: int, warm_up: int = 1) -> np.ndarray:
    """Seconds of each run, as `measure` takes them.

    Parameters
    ----------
    tasks : sequence of Task
    rounds : int >= 1
    warm_up : int >= 0, default 1

    Returns
    -------
    ndarray (rounds, tasks), float64
        Seconds.
    """
    seconds = np.empty((rounds, len(tasks)))
    for row in seconds:
        for place, task in enumerate(tasks):
            for _ in range(warm_up + 1):
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
