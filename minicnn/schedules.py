"""How the learning rate changes: a factor on its base value, as training proceeds.

`Schedule.factor` is asked before every step, with the progress in epochs (2.5 is the middle of the
third); `Schedule.observe` is told the validation loss after every epoch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minicnn import validation
from minicnn.files import registry


class Schedule:
    """Base of all schedules: constant, and indifferent to the validation loss."""

    def factor(self, progress: float) -> float:
        """What to multiply the base learning rate by after `progress` epochs."""
        return 1.0

    def observe(self, validation_loss: float) -> None:
        """Take note of the validation loss at the end of an epoch."""

    def state_dict(self) -> dict[str, Any]:
        """What was learnt from observing, as JSON-ready values."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict`."""
        for key, value in state.items():
            setattr(self, key, value)


@dataclass
class Constant(Schedule):
    """The base learning rate throughout."""


@dataclass
class Step(Schedule):
    """Multiply by `gamma` every `every` epochs: ``gamma ^ floor(progress / every)``.

    Parameters
    ----------
    every : float > 0
        Epochs between two changes.
    gamma : float > 0, default 0.1
    """

    every: float
    gamma: float = 0.1

    def __post_init__(self) -> None:
        validation.number("Step", "every", self.every, 0, ends="()")
        validation.number("Step", "gamma", self.gamma, 0, ends="()")

    def factor(self, progress: float) -> float:
        """``gamma ^ floor(progress / every)``."""
        return self.gamma ** math.floor(progress / self.every + 1e-9)  # 0.3 / 0.1 is below 3


@dataclass
class Cosine(Schedule):
    """Rise in a straight line from 0 during `warmup` epochs, then fall along half a cosine.

    After warm-up the factor is ``final + (1 - final) · (1 + cos(π · t)) / 2`` with t running from
    0 to 1 (Loshchilov and Hutter 2016, arXiv:1608.03983, equation 5, one period).

    Parameters
    ----------
    epochs : float > 0
        When the cosine ends, counted from the start of training; the factor stays at `final` then.
    warmup : float >= 0, default 0.0
        Epochs of warm-up, fewer than `epochs`.
    final : float in [0, 1], default 0.0
        The last factor.
    """

    epochs: float
    warmup: float = 0.0
    final: float = 0.0

    def __post_init__(self) -> None:
        validation.number("Cosine", "epochs", self.epochs, 0, ends="()")
        validation.number("Cosine", "warmup", self.warmup, 0, self.epochs, ends="[)")
        validation.number("Cosine", "final", self.final, 0, 1)

    def factor(self, progress: float) -> float:
        """The factor after `progress` epochs."""
        if progress < self.warmup:
            return progress / self.warmup
        t = min((progress - self.warmup) / (self.epochs - self.warmup), 1.0)
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * t)) / 2


@dataclass
class ReduceOnPlateau(Schedule):
    """Multiply by `gamma` whenever `patience` epochs have passed without a better loss.

    Parameters
    ----------
    patience : int >= 1, default 3
        Epochs to wait for a validation loss below the best by `least`.
    gamma : float in (0, 1), default 0.5
    least : float >= 0, default 0.0001
        How much lower a loss must be to count as better.
    """

    patience: int = 3
    gamma: float = 0.5
    least: float = 1e-4
    best: float | None = field(default=None, init=False)
    waited: int = field(default=0, init=False)
    reductions: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        validation.integer("ReduceOnPlateau", "patience", self.patience, 1)
        validation.number("ReduceOnPlateau", "gamma", self.gamma, 0, 1, ends="()")
        validation.number("ReduceOnPlateau", "least", self.least, 0)

    def factor(self, progress: float) -> float:
        """``gamma ^ reductions``."""
        return self.gamma**self.reductions

    def observe(self, validation_loss: float) -> None:
        """Count the epochs since the best loss, and reduce when there are enough."""
        if self.best is None or validation_loss < self.best - self.least:
            self.best, self.waited = validation_loss, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.reductions, self.waited = self.reductions + 1, 0

    def state_dict(self) -> dict[str, Any]:
        """The best loss, the epochs since, and the reductions so far."""
        return {"best": self.best, "waited": self.waited, "reductions": self.reductions}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict`; a TypeError or ValueError where it holds anything else."""
        best = state["best"]
        self.best = None if best is None else validation.number("ReduceOnPlateau", "best", best)
        self.waited = validation.integer("ReduceOnPlateau", "waited", state["waited"], 0)
        self.reductions = validation.integer(
            "ReduceOnPlateau", "reductions", state["reductions"], 0
        )


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant, "step": Step, "cosine": Cosine, "plateau": ReduceOnPlateau,
}
"""The schedules by the names that experiments use."""


def from_config(config: Mapping[str, Any], where: str = "schedule") -> Schedule:
    """A schedule from ``{"name": …, settings …}``.

    Raises
    ------
    InputError
        For an unknown name or setting, or a value out of range; `where` begins the message.
    """
    settings = dict(config)
    return registry.build(SCHEDULES, settings.pop("name", None), settings, where)
