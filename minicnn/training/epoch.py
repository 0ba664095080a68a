"""The figures of an epoch: its sums while it runs, its means once it is finished."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from minicnn import validation


@dataclass
class Totals:
    """Sums over the images of an epoch so far."""

    images: int = 0
    loss: float = 0.0
    correct: int = 0
    seconds: float = 0.0
    warm_images: int = 0
    warm_seconds: float = 0.0

    def add(self, images: int, loss: float, correct: int, seconds: float, *, warm: bool) -> None:
        """Count one batch: its images, mean loss, right answers and time.

        A step is warm if another came before it, in which all kernels were compiled or loaded.
        """
        self.images += images
        self.loss += loss * images
        self.correct += correct
        self.seconds += seconds
        if warm:
            self.warm_images += images
            self.warm_seconds += seconds

    @property
    def mean_loss(self) -> float:
        """Mean loss an image; NaN before the first."""
        return self.loss / self.images if self.images else float("nan")

    @property
    def accuracy(self) -> float:
        """Share of right answers; NaN before the first."""
        return self.correct / self.images if self.images else float("nan")

    @property
    def images_per_second(self) -> float:
        """Speed of the warm steps; 0 before the first."""
        return self.warm_images / self.warm_seconds if self.warm_seconds else 0.0


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch, in the order of the columns of ``history.csv``.

    Attributes
    ----------
    epoch : int
        Counted from 1.
    train_loss, train_accuracy : float
        Means over the epoch's images as they were trained on: augmented, with dropout, under
        weights that still moved; the loss with its class weights and label smoothing.
    validation_loss, validation_accuracy : float
        In evaluation mode at the end of the epoch, without weights or smoothing; NaN without a
        validation split.
    fitted_accuracy : float
        Accuracy on the training inputs as they are, in evaluation mode at the end of the epoch; NaN
        where it was not measured.
    learning_rate : float
        Of the last step.
    seconds : float
        Of training and of the measurements after it.
    images_per_second : float
        Of training alone, without the first step, which compiles or loads the kernels; 0 where
        there was no other.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    fitted_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values by name, None for NaN; `from_dict` makes an equal epoch of them."""
        return {
            name: None if math.isnan(value) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The epoch of an `as_dict`.

        Raises
        ------
        TypeError, ValueError
            Where a name is missing or unknown, or a value is no number.
        """
        known: dict[str, Any] = {
            name: math.nan if value is None else validation.number("Epoch", name, value)
            for name, value in values.items()
        }
        return cls(**{**known, "epoch": validation.integer("Epoch", "epoch", values["epoch"], 1)})
