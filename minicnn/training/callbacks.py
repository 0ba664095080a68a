"""What may happen beside training: each callback does one thing at the events it cares for."""

import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from minicnn import validation
from minicnn.errors import InputError
from minicnn.files.tensors import write_tensors
from minicnn.layers.base import load_arrays
from minicnn.schedules import Schedule
from minicnn.sequential import Sequential
from minicnn.training.anomalies import first_array, first_gradient, non_finite_error, watched
from minicnn.training.history import Epoch, append_history, write_history

if TYPE_CHECKING:
    from minicnn.training.trainer import Trainer


class Callback:
    """Base of all callbacks: does nothing at any event.

    `state_dict` and `load_state_dict` carry what a callback has learnt across a resumed run, as
    JSON-ready values, `arrays` and `load_arrays` what it has of arrays.
    """

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Before the first step, also of a resumed run."""

    def on_step_start(self, trainer: "Trainer") -> None:
        """Before each step."""

    def on_loss(self, trainer: "Trainer", x: np.ndarray, loss: float) -> None:
        """Between forward and backward of a step: what the model was fed, and its loss."""

    def on_gradients(self, trainer: "Trainer") -> None:
        """Between backward and the optimizer's step: every parameter has its gradient."""

    def on_step_end(self, trainer: "Trainer") -> None:
        """After each step."""

    def on_validation_start(self, trainer: "Trainer") -> None:
        """Before the measurements that end an epoch."""

    def on_epoch_end(self, trainer: "Trainer", epoch: Epoch) -> None:
        """After each epoch and its validation."""

    def on_fit_end(self, trainer: "Trainer") -> None:
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


class StopOnNonFinite(Callback):
    """End training with a `NonFiniteLossError` at the first sign of a NaN or infinite number.

    A look at the loss, at all gradients before the optimizer takes them, at all weights, running
    statistics and moments after it did, and at the validation loss. `detect_anomaly` looks at more.
    Callbacks that save come later, so that what they have saved is finite.
    """

    def __init__(self) -> None:
        self._generators: dict[str, Any] = {}

    def on_step_start(self, trainer: "Trainer") -> None:
        """Remember what the random layers will draw."""
        self._generators = {
            layer.name: layer.rng.bit_generator.state
            for layer in trainer.model.layers if layer.rng is not None
        }

    def on_loss(self, trainer: "Trainer", x: np.ndarray, loss: float) -> None:
        """Where the loss is not finite, go forward again to find the layer, and raise."""
        if math.isfinite(loss):
            return

        def report(cause: str) -> NoReturn:
            raise non_finite_error(trainer, f"the loss became {loss}", _running(trainer), cause)

        for layer in trainer.model.layers:
            if layer.rng is not None:
                layer.rng.bit_generator.state = self._generators[layer.name]
        with watched(trainer.model, report):
            trainer.model.forward(x, training=True)
        report("every layer's output is finite, so the loss itself overflowed")

    def on_gradients(self, trainer: "Trainer") -> None:
        """Keep gradients that are not finite from the optimizer."""
        if name := first_gradient(reversed(trainer.model.parameters())):
            raise non_finite_error(
                trainer, "a gradient became NaN or infinite", _running(trainer),
                f"{name} is the first parameter, going backward, whose gradient is not finite",
            )

    def on_step_end(self, trainer: "Trainer") -> None:
        """Look at what the step has made of the model and the optimizer."""
        for what, owner in (
            ("a weight or running statistic", trainer.model),
            ("a moment of the optimizer", trainer.optimizer),  # may be, under finite weights
        ):
            if name := first_array(owner.live_state()):
                raise non_finite_error(
                    trainer, f"{what} became NaN or infinite",
                    f"epoch {trainer.epoch}, batch {trainer.batch}",
                    f"{name} is the first that is not finite",
                )

    def on_epoch_end(self, trainer: "Trainer", epoch: Epoch) -> None:
        """Look at the validation loss, which is NaN also where there is no validation."""
        if math.isnan(epoch.validation_accuracy) or math.isfinite(epoch.validation_loss):
            return
        raise non_finite_error(
            trainer, f"the validation loss became {epoch.validation_loss}",
            f"epoch {epoch.epoch}",
            "all weights and running statistics are finite, so a layer or the loss overflowed",
        )


class LearningRate(Callback):
    """Set the optimizer's learning rate before each step: its first value times a schedule.

    Parameters
    ----------
    schedule : Schedule
        `minicnn.schedules`.
    base : float
        The learning rate that the schedule's factor multiplies.
    """

    def __init__(self, schedule: Schedule, base: float) -> None:
        self.schedule = schedule
        self.base = base

    def on_step_start(self, trainer: "Trainer") -> None:
        """lr = base · factor."""
        trainer.optimizer.lr = self.base * self.schedule.factor(trainer.progress)

    def on_epoch_end(self, trainer: "Trainer", epoch: Epoch) -> None:
        """Let the schedule see the validation loss."""
        if math.isfinite(epoch.validation_loss):
            self.schedule.observe(epoch.validation_loss)

    def state_dict(self) -> dict[str, Any]:
        """What the schedule has observed."""
        return self.schedule.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Give the schedule back what it had observed."""
        self.schedule.load_state_dict(state)


class BestModel(Callback):
    """Save the model whenever its validation accuracy is the best so far.

    At a tie the lower validation loss decides; without validation the last model is the best. The
    best weights are part of what a resumed run goes on from, and are written again at its start: a
    kill may have left a file that is gone, damaged, or ahead of the checkpoint.

    Parameters
    ----------
    model : Sequential
        The one that is trained.
    path : path
        The safetensors file.

    Attributes
    ----------
    best : Epoch or None
        The best one's figures; None before the first.
    """

    def __init__(self, model: Sequential, path: str | os.PathLike) -> None:
        self.model = model
        self.path = Path(path)
        self.best: Epoch | None = None
        self._weights = model.state_dict()

    @property
    def epoch(self) -> int:
        """Number of the best epoch; 0 before the first."""
        return 0 if self.best is None else self.best.epoch

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Where there is a best model already, save it again."""
        if self.best is None:
            return
        own = self.model.state_dict()
        self.model.load_state_dict(self._weights)
        try:
            self.model.save(self.path)
        finally:
            self.model.load_state_dict(own)

    def on_epoch_end(self, trainer: "Trainer", epoch: Epoch) -> None:
        """Compare, and save."""
        validated = not math.isnan(epoch.validation_loss)
        if self.best is None or not validated or _rank(epoch) > _rank(self.best):
            self.best, self._weights = epoch, self.model.state_dict()
            self.model.save(self.path)

    def state_dict(self) -> dict[str, Any]:
        """The best epoch."""
        return {"best": None if self.best is None else self.best.as_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.best = None if state["best"] is None else Epoch.from_dict(state["best"])

    def arrays(self) -> dict[str, np.ndarray]:
        """Copies of the best weights, once there are any."""
        weights = {} if self.best is None else self._weights
        return {name: array.copy() for name, array in weights.items()}

    def load_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from `arrays`; a ValueError where they are not the model's."""
        load_arrays({} if self.best is None else self._weights, dict(arrays), "BestModel")


class EarlyStopping(Callback):
    """Stop when the validation loss has not improved for `patience` epochs.

    Parameters
    ----------
    patience : int >= 1
    """

    def __init__(self, patience: int) -> None:
        self.patience = validation.integer("EarlyStopping", "patience", patience, 1)
        self.best: float | None = None
        self.waited = 0

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Be patient anew where more epochs are asked of a run that had been stopped."""
        if self.waited >= self.patience and not trainer.stop_reason:
            self.waited = 0

    def on_epoch_end(self, trainer: "Trainer", epoch: Epoch) -> None:
        """Count the epochs since the best one; without validation there is nothing to count."""
        if math.isnan(epoch.validation_loss):
            return
        if self.best is None or epoch.validation_loss < self.best:
            self.best, self.waited = epoch.validation_loss, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            trainer.stop(f"the validation loss has not improved for {self.patience} epochs")

    def state_dict(self) -> dict[str, Any]:
        """The best loss, and the epochs since."""
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict`; a TypeError or ValueError where it holds anything else."""
        best = state["best"]
        self.best = None if best is None else validation.number("EarlyStopping", "best", best)
        self.waited = validation.integer("EarlyStopping", "waited", state["waited"], 0)


class HistoryFile(Callback):
    """Keep ``history.csv``: a line an epoch, written as soon as it is known.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Write what is known already: the header, and a resumed run's earlier epochs."""
        write_history(self.path, trainer.history)

    def on_epoch_end(self, trainer: "Trainer", epoch: Epoch) -> None:
        """Append the epoch."""
        append_history(self.path, epoch)


@dataclass(frozen=True)
class Interval:
    """How often to save a checkpoint within an epoch: every so many of its batches, or seconds."""

    batches: int | None = None
    seconds: float | None = None

    def is_over(self, batch: int, seconds: float) -> bool:
        """Whether it is time, after this batch of the epoch and seconds since the last time."""
        by_batches = self.batches is not None and batch % self.batches == 0
        return by_batches or (self.seconds is not None and seconds >= self.seconds)

    @classmethod
    def parse(cls, text: str) -> "Interval":
        """Of ``"200"`` (batches) or ``"90s"`` (seconds).

        Raises
        ------
        InputError
            For anything else, or nothing above 0.
        """
        try:
            if text.endswith("s"):
                seconds = float(text[:-1])
                if 0 < seconds < float("inf"):
                    return cls(seconds=seconds)
            elif (batches := int(text)) > 0:
                return cls(batches=batches)
        except ValueError:
            pass
        raise InputError(
            "--checkpoint-every: expected a number of batches, as 200, or of seconds, as 90s, "
            f"got {text!r}"
        )


class Checkpoint(Callback):
    """Save all that is needed to resume: at the start, after every epoch, and when a signal ends
    training; also every so many batches or seconds.

    The checkpoint before the last can be kept under another name, for the case that a disk damages
    the last.

    Parameters
    ----------
    path : path
        The safetensors file of the last checkpoint.
    header : mapping
        JSON-ready values to store beside the trainer's own, such as the data's fingerprints.
    previous : path, optional
        Where the checkpoint before it is kept, in the same folder; by default it is not.
    every : Interval, optional
        How often to save within an epoch; by default never.
    last_is_whole : bool, default True
        Whether the last checkpoint is worth keeping when the next is saved: not if it is damaged.
    """

    def __init__(
        self, path: str | os.PathLike, header: Mapping[str, Any], *,
        previous: str | os.PathLike | None = None, every: Interval | None = None,
        last_is_whole: bool = True,
    ) -> None:
        self.path, self.previous = Path(path), previous
        self.header = dict(header)
        self.every = every or Interval()
        self.last_is_whole = last_is_whole
        self._saved = time.monotonic()

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Save the start, so that a run can be resumed from its first moment on."""
        if not self.path.exists():
            self._save(trainer)

    def on_step_end(self, trainer: "Trainer") -> None:
        """Save in the middle of an epoch, if it is time."""
        if self.every.is_over(trainer.batch, time.monotonic() - self._saved):
            self._save(trainer)

    def on_epoch_end(self, trainer: "Trainer", epoch: Epoch) -> None:
        """Save."""
        self._save(trainer)

    def on_fit_end(self, trainer: "Trainer") -> None:
        """Save in the middle of an epoch, if a signal ended training there."""
        if trainer.interrupted:
            self._save(trainer)

    def _save(self, trainer: "Trainer") -> None:
        header, tensors = trainer.state_dict()
        write_tensors(
            self.path, "checkpoint", {**self.header, "trainer": header}, tensors,
            keep_as=self.previous if self.last_is_whole else None,
        )
        self.last_is_whole = True
        self._saved = time.monotonic()


def _rank(epoch: Epoch) -> tuple[float, float]:
    """What makes an epoch the better one: validation accuracy, then a low validation loss."""
    return epoch.validation_accuracy, -epoch.validation_loss


def _running(trainer: "Trainer") -> str:
    """The place of the step that is running."""
    return f"epoch {trainer.epoch}, batch {trainer.batch + 1}"
