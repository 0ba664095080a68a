"""Training ends early where the validation loss improves no more."""

import math
from collections.abc import Mapping
from typing import Any

from minicnn import validation
from minicnn.training.callback import Callback, Phase, Training
from minicnn.training.epoch import Epoch


class EarlyStopping(Callback):
    """Stop when the validation loss has not improved for `patience` epochs.

    Parameters
    ----------
    patience : int >= 1
    """

    phase = Phase.LEARN

    def __init__(self, patience: int) -> None:
        self.patience = validation.integer("EarlyStopping", "patience", patience, 1)
        self.best: float | None = None
        self.waited = 0

    def on_fit_start(self, trainer: Training) -> None:
        """Be patient anew where more epochs are asked of a run that had been stopped."""
        if self.waited >= self.patience and not trainer.stop_reason:
            self.waited = 0

    def on_epoch_end(self, trainer: Training, epoch: Epoch) -> None:
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
