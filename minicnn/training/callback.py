"""What may happen beside training: its events, what may be read at them, and in which order."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum
from typing import Any, Protocol

import numpy as np

from minicnn.optimizers import Optimizer
from minicnn.sequential import Sequential
from minicnn.training.epoch import Epoch, Totals


class Training(Protocol):
    """What a callback may read of a training, and the two things that it may do to it.

    It may set the learning rate, and it may stop training. A `Trainer` is such a training.

    Attributes
    ----------
    learning_rate : float
        Of the optimizer; a callback may set it.
    """

    learning_rate: float

    def stop(self, reason: str) -> None:
        """End training after this epoch; `reason` becomes `stop_reason`."""

    @property
    def model(self) -> Sequential:
        """The network that is trained."""

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer of its parameters."""

    @property
    def epoch(self) -> int:
        """The running epoch, counted from 1, until all callbacks have been told of its end."""

    @property
    def epochs(self) -> int:
        """How many epochs there will be."""

    @property
    def batch(self) -> int:
        """Batches done in this epoch."""

    @property
    def batches(self) -> int:
        """How many batches this epoch has."""

    @property
    def progress(self) -> float:
        """Epochs done, the running one in part: 2.5 is the middle of the third."""

    @property
    def steps(self) -> int:
        """How many steps are done, if all epochs had as many as the running one."""

    @property
    def totals(self) -> Totals:
        """Sums over the images of this epoch so far."""

    @property
    def history(self) -> Sequence[Epoch]:
        """The finished epochs."""

    @property
    def stop_reason(self) -> str:
        """Why training ends before the last epoch; empty if it does not."""

    @property
    def interrupted(self) -> bool:
        """Whether a signal, as Ctrl-C sends one, ended training."""

    def state_dict(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Everything that is needed to go on from here; see `Trainer.state_dict`."""


class Phase(IntEnum):
    """The place of a callback among the others: at each event one phase follows the other."""

    GUARD = 1
    """Ends training where it has gone wrong, before anybody else takes its numbers."""
    LEARN = 2
    """Decides how training goes on."""
    RECORD = 3
    """Writes down or shows what happened."""
    SAVE = 4
    """Saves what all others have come to."""


class Callback:
    """Base of all callbacks: does nothing at any event.

    `state_dict` and `load_state_dict` carry what a callback has learnt across a resumed run, as
    JSON-ready values, `arrays` and `load_arrays` what it has of arrays.

    Attributes
    ----------
    phase : Phase
        When it is told of an event: after all callbacks of an earlier phase. Those of one phase
        are told in the order of the trainer's list. An attribute of this name that is no `Phase`
        says nothing of it.
    """

    phase = Phase.RECORD

    def on_fit_start(self, trainer: Training) -> None:
        """Before the first step, also of a resumed run."""

    def on_step_start(self, trainer: Training) -> None:
        """Before each step."""

    def on_loss(self, trainer: Training, x: np.ndarray, loss: float) -> None:
        """Between forward and backward of a step: what the model was fed, and its loss."""

    def on_gradients(self, trainer: Training) -> None:
        """Between backward and the optimizer's step: every parameter has its gradient."""

    def on_step_end(self, trainer: Training) -> None:
        """After each step."""

    def on_validation_start(self, trainer: Training) -> None:
        """Before the measurements that end an epoch."""

    def measuring(self, trainer: Training) -> AbstractContextManager[object]:
        """A block around the measurements and `on_measured`: it may put other weights in."""
        return nullcontext()

    def on_measured(self, trainer: Training, epoch: Epoch) -> None:
        """After the measurements, while the model still holds the weights that were measured."""

    def on_epoch_end(self, trainer: Training, epoch: Epoch) -> None:
        """After each epoch and its validation; the model holds the weights of training again."""

    def on_fit_end(self, trainer: Training) -> None:
        """After the last epoch, or where training was stopped or interrupted."""

    def close(self) -> None:
        """At the end of a fit, also where it failed: give back what is not the callback's own."""

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict`."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What `load_arrays` needs."""
        return {}

    def load_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from `arrays`."""


def phase_of(callback: object) -> Phase:
    """The callback's phase; that of `Callback` where it names none."""
    phase = getattr(callback, "phase", None)
    return phase if isinstance(phase, Phase) else Callback.phase


def method_of(callback: object, event: str) -> Callable[..., Any]:
    """What the callback does at an event; what `Callback` does where it has no such method."""
    method = getattr(callback, event, None)
    return method if callable(method) else getattr(Callback(), event)
