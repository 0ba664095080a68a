"""The best model so far is saved."""

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn.files.paths import as_path
from minicnn.layers.parameters import load_arrays
from minicnn.sequential import Sequential
from minicnn.training.callback import Callback, Phase, Training
from minicnn.training.epoch import Epoch


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

    phase = Phase.SAVE

    def __init__(self, model: Sequential, path: str | os.PathLike) -> None:
        self.model = model
        self.path = as_path(path)
        self.best: Epoch | None = None
        self._weights = model.state_dict()

    @property
    def epoch(self) -> int:
        """Number of the best epoch; 0 before the first."""
        return 0 if self.best is None else self.best.epoch

    def on_fit_start(self, trainer: Training) -> None:
        """Where there is a best model already, save it again."""
        if self.best is None:
            return
        own = self.model.state_dict()
        self.model.load_state_dict(self._weights)
        try:
            self.model.save(self.path)
        finally:
            self.model.load_state_dict(own)

    def on_measured(self, trainer: Training, epoch: Epoch) -> None:
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


def _rank(epoch: Epoch) -> tuple[float, float]:
    """What makes an epoch the better one: validation accuracy, then a low validation loss."""
    return epoch.validation_accuracy, -epoch.validation_loss
