"""A finished run, read back from its folder: its settings, its history and what came of it."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from minicnn.errors import InputError
from minicnn.files import require_file
from minicnn.run_folder import RunFolder


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
        return self.results.get("measured_on", "test")

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, by label."""
        return tuple(self.test["per_class"])

    @property
    def best_validation_accuracy(self) -> float:
        """The greatest of all epochs; NaN without validation."""
        return float(self.history["validation_accuracy"].max())

    @property
    def learning_rate(self) -> float:
        """The optimizer's setting; where it has none, the greatest of the history."""
        setting = self.settings.get("optimizer", {}).get("lr")
        return float(self.history["learning_rate"].max() if setting is None else setting)

    @property
    def images_per_second(self) -> float:
        """Speed of training, the median of the epochs; NaN if none was measured."""
        speed = self.history["images_per_second"].median()
        return float(speed) if speed > 0 else math.nan


def read_run(folder: RunFolder) -> RunRecord:
    """The record of a finished run.

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

    Raises
    ------
    InputError
        Where there is no such file or it is not TOML.
    """
    require_file(path, "a run's experiment")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected TOML, got a damaged file ({error})") from error


def dotted(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """All values with their keys, tables opened: ``("optimizer.lr", 0.001)``."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
