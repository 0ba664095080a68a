"""Averaging the weights over the steps of training."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from minicnn import ops, validation
from minicnn.layers.parameters import copies, here, load_arrays
from minicnn.sequential import Sequential
from minicnn.training.callback import Callback, Phase, Training


class WeightAverage(Callback):
    """Measure and save an average of the weights instead of the last ones.

    After step t, counted from 1, ``average = d · average + (1 - d) · weights`` with
    ``d = min(decay, (1 + t) / (10 + t))``, so that the first weights are soon forgotten; running
    statistics likewise. Training itself goes on with its own weights. Averaging the iterates of
    stochastic gradient descent is Polyak and Juditsky's (1992, doi:10.1137/0330046); the form with
    this start is that of Abadi et al.'s TensorFlow (`tf.train.ExponentialMovingAverage`).

    The averages stand in the model while it is measured: callbacks see them in `on_measured`.

    Parameters
    ----------
    model : Sequential
        The one that is trained.
    decay : float in [0, 1)
        Of the order of ``1 - 1 / (steps to average over)``.

    Raises
    ------
    TypeError, ValueError
        Where decay has the wrong type or range.
    """

    phase = Phase.LEARN

    def __init__(self, model: Sequential, decay: float) -> None:
        self.model = model
        self.decay = validation.number("WeightAverage", "decay", decay, 0, 1, ends="[)")
        self.steps = 0
        self._averages = model.state_dict()

    def on_step_end(self, trainer: Training) -> None:
        """Move the averages towards the new weights."""
        self.steps += 1
        rate = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        self._averages = {name: here(average) for name, average in self._averages.items()}
        weights = self.model.live_state()
        ops.average_update(
            list(self._averages.values()), [weights[name] for name in self._averages], rate
        )

    @contextmanager
    def measuring(self, trainer: Training) -> Iterator[None]:
        """Put the averages into the model, and the training's own weights back."""
        own = self.model.state_dict()
        self.model.load_state_dict(self._averages)
        try:
            yield
        finally:
            self.model.load_state_dict(own)

    def state_dict(self) -> dict[str, Any]:
        """The number of steps."""
        return {"steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.steps = validation.integer("WeightAverage", "steps", state["steps"], 0)

    def arrays(self) -> dict[str, np.ndarray]:
        """Copies of the averages."""
        return copies(self._averages)

    def load_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from `arrays`; a ValueError where they are not the model's."""
        load_arrays(self._averages, dict(arrays), "WeightAverage")
