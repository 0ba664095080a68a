"""A finished run, read back from its folder: its settings, its history and what came of it."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from minicnn.files.nesting import dotted
from minicnn.files.toml import read_toml
from minicnn.runs.folder import RunFolder
from minicnn.viewing.page import ABSENT

PACE = (
    ("learning-rate", "learning_rate", "Learning rate"),
    ("seconds", "seconds", "Seconds"),
)
"""Name, column of the history, and title of what is drawn beside loss and accuracy."""


@dataclass(frozen=True, eq=False)
class RunRecord:
    """What the files of a run say.

    Attributes
    ----------
    name : str
        The folder's.
    settings : dict
        ``experiment.toml``.
    history : DataFrame
        ``history.csv``; see `RunFolder.read_history`.
    results : dict
        ``results.json``; see `RunFolder.read_results`.
    """

    name: str
    settings: dict[str, Any]
    history: pd.DataFrame
    results: dict[str, Any]

    @property
    def test(self) -> dict[str, Any]:
        """The figures of the split that was measured at the end; see `Evaluation.as_dict`."""
        return self.results["test"]

    @property
    def measured_on(self) -> str:
        """The split that was measured: ``"test"``, or ``"validation"`` where there is no other."""
        return self.results["measured_on"]

    @property
    def unseen(self) -> dict[str, Any]:
        """Of that split the images that do not stand in training too: ``images``, ``accuracy``."""
        return self.results["splits"][self.measured_on]["unseen"]

    @property
    def copies(self) -> int:
        """How many images of that split stand in training too."""
        return self.test["images"] - self.unseen["images"]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the C classes, by label."""
        return tuple(self.test["per_class"])

    @property
    def best_validation_accuracy(self) -> float:
        """The greatest of all epochs; NaN without validation."""
        return float(self.history["validation_accuracy"].max())

    @property
    def learning_rate(self) -> Any:
        """The experiment's ``optimizer.lr``; `ABSENT` where it has none."""
        return dict(dotted(self.settings)).get("optimizer.lr", ABSENT)

    @property
    def images_per_second(self) -> float:
        """Speed of training, the median of the epochs; NaN if none was measured."""
        speed = self.history["images_per_second"].median()
        return float(speed) if speed > 0 else math.nan


def read_run(folder: RunFolder) -> RunRecord:
    """The record of a finished run.

    Parameters
    ----------
    folder : RunFolder
        With its experiment, history and results.

    Returns
    -------
    RunRecord

    Raises
    ------
    InputError
        Where a file is missing or damaged.
    """
    return RunRecord(
        folder.name, read_settings(folder.experiment), folder.read_history(),
        folder.read_results(),
    )


def read_settings(path: Path) -> dict[str, Any]:
    """The tables and values of an ``experiment.toml``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        As they stand: nobody checks that they make an experiment.

    Raises
    ------
    InputError
        Where there is no such file, or as `minicnn.files.toml.read_toml`.
    """
    return read_toml(path, "a run's experiment")
