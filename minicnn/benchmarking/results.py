"""What is measured and what came of it: settings, rows of times, growth, and the whole."""

from dataclasses import dataclass, field

from minicnn.benchmarking.machine import Ceiling
from minicnn.benchmarking.processes import Start


@dataclass(frozen=True)
class Settings:
    """What to measure.

    Attributes
    ----------
    against : str or None
        ``"torch"``, ``"reference"`` or None: the program beside this library.
    threads : tuple of int
        Numbers of threads, each measured by itself.
    batch : int
        Images of a step.
    rounds : int
        Of each measurement; the median counts.
    backend : str
        What of this library is measured.
    """

    against: str | None = None
    threads: tuple[int, ...] = (1,)
    batch: int = 64
    rounds: int = 9
    backend: str = "cpu"


@dataclass(frozen=True)
class Row:
    """One program's time for one pass.

    Attributes
    ----------
    threads, batch : int
    layer, stage, shape : str
        The layer's name or ``"step"`` or ``"inference"``; the pass; the shape of one input.
    program : str
    milliseconds, least : float
        Median and least of the rounds.
    gflop, gigabytes : float
        What the pass takes, see `minicnn.benchmarking.work`; not a number for whole networks'
        bytes.
    peak_share, bandwidth_share : float
        What it reached of the machine's `Ceiling`, as fractions.
    """

    threads: int
    batch: int
    layer: str
    stage: str
    shape: str
    program: str
    milliseconds: float
    least: float
    gflop: float
    gigabytes: float
    peak_share: float
    bandwidth_share: float

    @property
    def gflops(self) -> float:
        """10⁹ operations a second."""
        return self.gflop / self.milliseconds * 1e3


@dataclass(frozen=True)
class Growth:
    """How the time of a convolution's forward grows with one size.

    Attributes
    ----------
    of : str
        What changes: batch size, image side or channels.
    program : str
    sizes : tuple of int
    milliseconds : tuple of float
    exponent : float
        Time ∝ size^exponent, fitted.
    """

    of: str
    program: str
    sizes: tuple[int, ...]
    milliseconds: tuple[float, ...]
    exponent: float


@dataclass
class Results:
    """All that was measured."""

    settings: Settings
    machine: str
    versions: dict[str, str]
    ceilings: dict[int, Ceiling] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    starts: dict[str, Start] = field(default_factory=dict)

    @property
    def environment(self) -> str:
        """The machine, the versions, and how often everything was measured."""
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return f"{self.machine}; {versions}; medians of {self.settings.rounds} rounds"

    def ratio(self, threads: int, layer: str, stage: str, batch: int) -> float | None:
        """This library's time over the fastest other program's; None where there is no other."""
        found = {
            row.program: row.milliseconds for row in self.rows
            if (row.threads, row.layer, row.stage, row.batch) == (threads, layer, stage, batch)
        }
        own = found.pop("minicnn", None)
        return own / min(found.values()) if own is not None and found else None
