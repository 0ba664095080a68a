"""What training measured, an epoch at a time."""

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from minicnn import validation
from minicnn.files.writing import append_text, atomic_write_text
from minicnn.runs.tables import HISTORY


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


def write_history(path: str | os.PathLike, epochs: Iterable[Epoch]) -> None:
    """Write the epochs as CSV, atomically: a header, then a line an epoch."""
    text = io.StringIO()
    table = csv.DictWriter(text, HISTORY, lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(epoch) for epoch in epochs)
    atomic_write_text(path, text.getvalue())


def append_history(path: str | os.PathLike, epoch: Epoch) -> None:
    """Add one epoch to a history that `write_history` began, and flush it to the disk."""
    line = io.StringIO()
    csv.DictWriter(line, HISTORY, lineterminator="\n").writerow(asdict(epoch))
    append_text(path, line.getvalue())
