"""What `gradcheck` found: one input's gradient, and the verdict on all of them."""

from dataclasses import dataclass, field
from typing import Literal

from minicnn.terminal import as_printed

Verdict = Literal[
    "correct", "wrong", "inconclusive", "wrong shape", "not finite", "random", "changes its inputs"
]
Index = tuple[int, ...]


@dataclass
class InputGradient:
    """What was found about the gradient with respect to one input.

    Attributes
    ----------
    name : str
        Of the input.
    checked : int
        How many elements (projections in fast mode) were compared.
    kinks : list of tuple of int
        Elements that were left out because the function has no derivative there.
    doubtful : list of tuple of int
        Elements whose difference could not be measured well enough to decide.
    worst : tuple of int or None
        Index of the element (number of the projection) that is furthest off.
    expected, received : float
        The difference quotient, and the gradient that came, at that place.
    error : float
        The largest difference, relative to `scale`.
    uncertainty : float
        How far the expected value at that place may be off, relative to `scale`.
    scale : float
        The largest element that was expected or came.
    tolerance : float
        The largest `error` that is accepted beyond its `uncertainty`.
    """

    name: str
    tolerance: float
    checked: int = 0
    kinks: list[Index] = field(default_factory=list)
    doubtful: list[Index] = field(default_factory=list)
    worst: Index | None = None
    expected: float = 0.0
    received: float = 0.0
    error: float = 0.0
    uncertainty: float = 0.0
    scale: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether no element differs by more than its uncertainty allows."""
        return self.error <= self.tolerance + self.uncertainty

    _repr_pretty_ = as_printed

    def __str__(self) -> str:
        text = f"d{self.name}: {self.checked} checked"
        if self.worst is not None:
            text += (
                f", largest error {self.error:.1e} ± {self.uncertainty:.0e}"
                + f" at {list(self.worst)}" * bool(self.worst)
                + f": expected {self.expected:.10g}, got {self.received:.10g}"
            )
        for what, places in (("at a kink", self.kinks), ("not measurable", self.doubtful)):
            if places:
                some = ", ".join(str(list(place)) for place in places[:4])
                text += f"; {len(places)} left out, {what}: {some}" + " …" * (len(places) > 4)
        return text


@dataclass
class GradientReport:
    """The answer of `gradcheck`.

    Attributes
    ----------
    verdict : str
        ``"correct"``, ``"wrong"``, ``"inconclusive"`` (too few elements could be decided),
        ``"wrong shape"``, ``"not finite"``, ``"random"`` or ``"changes its inputs"``.
    message : str
        One sentence about the verdict.
    gradients : list of InputGradient
        One for each input that was checked; empty where the verdict has another ground.
    """

    verdict: Verdict
    message: str
    gradients: list[InputGradient] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether the verdict is ``"correct"``."""
        return self.verdict == "correct"

    _repr_pretty_ = as_printed

    def __str__(self) -> str:
        return "\n  ".join([f"{self.verdict}: {self.message}", *map(str, self.gradients)])

    def require(self) -> None:
        """Raise an AssertionError with the whole report, unless it passed."""
        if not self.passed:
            raise AssertionError(str(self))
