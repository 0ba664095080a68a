"""What the folder of a run holds, and how to read it back."""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from minicnn.errors import InputError
from minicnn.files import atomic_write_text, require_file


class RunFolder:
    """The files of one training run.

    Parameters
    ----------
    path : path
        The folder; it need not exist yet.

    Attributes
    ----------
    experiment : Path
        ``experiment.toml``: every setting, as run.
    history : Path
        ``history.csv``: one line an epoch.
    batchnorm : Path
        ``batchnorm.csv``: where the running statistics of each batch norm stood, by epoch.
    model : Path
        ``model.safetensors``: the best model.
    last : Path
        ``last.safetensors``: everything needed to resume.
    results : Path
        ``results.json``: what the best model reached on the test split.
    report : Path
        ``report.html``.
    pictures : Path
        ``pictures/``: the report's pictures as files of their own.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self.experiment = self.path / "experiment.toml"
        self.history = self.path / "history.csv"
        self.batchnorm = self.path / "batchnorm.csv"
        self.model = self.path / "model.safetensors"
        self.last = self.path / "last.safetensors"
        self.results = self.path / "results.json"
        self.report = self.path / "report.html"
        self.pictures = self.path / "pictures"

    @property
    def name(self) -> str:
        """The folder's own name, for titles."""
        return self.path.resolve().name

    def read_history(self) -> pd.DataFrame:
        """``history.csv`` as a table, one row an epoch.

        Columns: epoch, train_loss, train_accuracy, validation_loss, validation_accuracy,
        learning_rate, seconds, images_per_second.
        """
        return self._read_csv(self.history, "a run's history")

    def read_batchnorm(self) -> pd.DataFrame:
        """``batchnorm.csv`` as a table, one row an epoch (0 is the start) and layer.

        Columns: epoch, layer, and for the running mean and the running variance their mean,
        least and greatest value over the channels: mean, mean_least, mean_greatest, variance,
        variance_least, variance_greatest. Empty without batch norm.
        """
        return self._read_csv(self.batchnorm, "a run's running statistics")

    def read_results(self) -> dict[str, Any]:
        """``results.json``: what the best model reached, and on what.

        Keys: ``test`` (see `Evaluation.as_dict`), ``measured_on`` (``"test"``, or
        ``"validation"`` where the data has no test split), ``best_epoch``, ``stopped`` (why
        training ended), ``seconds``, ``parameters``, ``data`` (its name, and the fingerprint of
        each split).
        """
        path = require_file(self.results, "a run's results")
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{path}: expected JSON, got a damaged file ({error})") from error

    def write_results(self, results: dict[str, Any]) -> None:
        """Write ``results.json``, atomically."""
        atomic_write_text(self.results, json.dumps(results, indent=2) + "\n")

    @staticmethod
    def _read_csv(path: Path, what: str) -> pd.DataFrame:
        require_file(path, what)
        try:
            return pd.read_csv(path)
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: expected {what}, got a damaged file ({error})") from error
