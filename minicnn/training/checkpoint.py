"""Checkpoints: all that is needed to resume, saved after every epoch, and oftener if asked."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minicnn.errors import InputError
from minicnn.files.paths import as_path
from minicnn.files.tensors import write_tensors
from minicnn.training.anomalies import require_finite_state
from minicnn.training.callback import Callback, Phase, Training
from minicnn.training.epoch import Epoch


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
    def parse(cls, text: str, *, argument: str = "text") -> "Interval":
        """Of ``"200"`` (batches) or ``"90s"`` (seconds).

        Parameters
        ----------
        text : str
        argument : str, default "text"
            What error messages call it.

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
            f"expected a number of batches, as 200, or of seconds, as 90s, got {text!r}",
            argument=argument,
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

    phase = Phase.SAVE

    def __init__(
        self, path: str | os.PathLike, header: Mapping[str, Any], *,
        previous: str | os.PathLike | None = None, every: Interval | None = None,
        last_is_whole: bool = True,
    ) -> None:
        self.path, self.previous = as_path(path), previous
        self.header = dict(header)
        self.every = every or Interval()
        self.last_is_whole = last_is_whole
        self._saved = time.monotonic()

    def on_fit_start(self, trainer: Training) -> None:
        """Save the start, so that a run can be resumed from its first moment on."""
        if not self.path.exists():
            self._save(trainer)

    def on_step_end(self, trainer: Training) -> None:
        """Save in the middle of an epoch, if it is time."""
        if self.every.is_over(trainer.batch, time.monotonic() - self._saved):
            require_finite_state(trainer)
            self._save(trainer)

    def on_epoch_end(self, trainer: Training, epoch: Epoch) -> None:
        """Save."""
        self._save(trainer)

    def on_fit_end(self, trainer: Training) -> None:
        """Save in the middle of an epoch, if a signal ended training there."""
        if trainer.interrupted:
            self._save(trainer)

    def _save(self, trainer: Training) -> None:
        header, tensors = trainer.state_dict()
        write_tensors(
            self.path, "checkpoint", {**self.header, "trainer": header}, tensors,
            keep_as=self.previous if self.last_is_whole else None,
        )
        self.last_is_whole = True
        self._saved = time.monotonic()
