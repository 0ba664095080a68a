"""The learning rate follows a schedule."""

import math
from collections.abc import Mapping
from typing import Any

from minicnn.schedules import Schedule
from minicnn.training.callback import Callback, Phase, Training
from minicnn.training.epoch import Epoch


class LearningRate(Callback):
    """Set the optimizer's learning rate before each step: its first value times a schedule.

    Parameters
    ----------
    schedule : Schedule
        `minicnn.schedules`.
    base : float
        The learning rate that the schedule's factor multiplies.
    """

    phase = Phase.LEARN

    def __init__(self, schedule: Schedule, base: float) -> None:
        self.schedule = schedule
        self.base = base

    def on_step_start(self, trainer: Training) -> None:
        """lr = base · factor."""
        trainer.learning_rate = self.base * self.schedule.factor(trainer.progress)

    def on_epoch_end(self, trainer: Training, epoch: Epoch) -> None:
        """Let the schedule see the validation loss."""
        if math.isfinite(epoch.validation_loss):
            self.schedule.observe(epoch.validation_loss)

    def state_dict(self) -> dict[str, Any]:
        """What the schedule has observed."""
        return self.schedule.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Give the schedule back what it had observed."""
        self.schedule.load_state_dict(state)
