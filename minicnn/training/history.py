"""``history.csv``: what training measured, a line an epoch."""

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import asdict

from minicnn.files.paths import as_path
from minicnn.files.writing import append_text, atomic_write_text
from minicnn.runs.tables import HISTORY
from minicnn.training.callback import Callback, Training
from minicnn.training.epoch import Epoch


class HistoryFile(Callback):
    """Keep ``history.csv``: a line an epoch, written as soon as it is known.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = as_path(path)

    def on_fit_start(self, trainer: Training) -> None:
        """Write what is known already: the header, and a resumed run's earlier epochs."""
        write_history(self.path, trainer.history)

    def on_epoch_end(self, trainer: Training, epoch: Epoch) -> None:
        """Append the epoch."""
        append_history(self.path, epoch)


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
