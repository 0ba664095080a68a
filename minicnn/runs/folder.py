"""What the folder of a run holds, and how to read it back."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from minicnn.errors import InputError, ResumableError
from minicnn.files.paths import as_path
from minicnn.files.reading import require_place
from minicnn.files.tensors import read_tensors
from minicnn.files.writing import atomic_write_text
from minicnn.runs import tables
from minicnn.runs.results import read_results


class RunFolder:
    """The files of one training run.

    Parameters
    ----------
    path : path
        The folder; it need not exist yet.

    Attributes
    ----------
    path : Path
        The folder.
    experiment : Path
        ``experiment.toml``: every setting, as run.
    history : Path
        ``history.csv``: one line an epoch.
    batchnorm : Path
        ``batchnorm.csv``: where the running statistics of each batch norm stood, by epoch.
    layers : Path
        ``layers.csv``: activations and gradients of each layer at steps 1, 2, 4, 8, …
    model : Path
        ``model.safetensors``: the best model.
    last, previous : Path
        ``last.safetensors``: everything needed to resume; ``previous.safetensors``: the same from
        one checkpoint before.
    results : Path
        ``results.json``: what the best model reached on the test split.
    report : Path
        ``report.html``.
    pictures : Path
        ``pictures/``: the report's pictures as files of their own.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = as_path(path)
        self.experiment = self.path / "experiment.toml"
        self.history = self.path / "history.csv"
        self.batchnorm = self.path / "batchnorm.csv"
        self.layers = self.path / "layers.csv"
        self.model = self.path / "model.safetensors"
        self.last = self.path / "last.safetensors"
        self.previous = self.path / "previous.safetensors"
        self.results = self.path / "results.json"
        self.report = self.path / "report.html"
        self.pictures = self.path / "pictures"

    @property
    def name(self) -> str:
        """The folder's own name, for titles."""
        return self.path.resolve().name

    def lock(self) -> FileLock:
        """Take the folder for this process, until the lock is released or the process ends.

        The system gives up the lock of a process that has died, so that none is ever stale.

        Raises
        ------
        InputError
            Where another process has the folder.
        """
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise InputError(
                f"{self.path}: another process is training in this folder; wait until it has ended"
            ) from None
        except OSError as error:
            raise InputError(f"{self.path}: cannot be locked ({error.strerror})") from error
        return lock

    def read_checkpoint(self) -> tuple[dict[str, Any], dict[str, np.ndarray], Path]:
        """Header and arrays of the last checkpoint, or of the one before where it is damaged.

        Returns
        -------
        header, arrays
            As `read_tensors` gives them.
        path : Path
            The file that they come from.

        Raises
        ------
        InputError
            Where there is none, or both are damaged.
        """
        try:
            return *read_tensors(self.last, "checkpoint"), self.last
        except InputError as error:
            if not self.previous.exists():
                raise
            damage = error
        try:
            return *read_tensors(self.previous, "checkpoint"), self.previous
        except InputError as error:
            raise InputError(f"{damage}; and {error}") from error

    @property
    def is_begun(self) -> bool:
        """Whether a run has come as far as a checkpoint or a model in it."""
        return any(file.exists() for file in (self.last, self.previous, self.model, self.results))

    def remove_results(self) -> None:
        """Remove what a run that has ended says of itself, because it goes on."""
        for file in (self.results, self.report):
            file.unlink(missing_ok=True)

    def require_model(self) -> Path:
        """Where the best model is.

        Raises
        ------
        InputError
            Where there is none: the folder holds no run, one that was ended in its first epoch, or
            one that has lost it.
        """
        if self.model.is_file():
            return self.model
        if self.experiment.is_file():
            raise ResumableError(
                f"{self.path}: expected a run with a model, but there is no {self.model.name}; "
                "resume the run: that goes on to the next epoch's, or writes a lost one again",
                self.path,
            )
        raise InputError(f"{self.path}: expected the folder of a run, got one without a run")

    def require_unused(self) -> None:
        """Refuse a folder that a run cannot be started in.

        It may be missing, empty, or hold what a run left that ended before its first checkpoint.

        Raises
        ------
        InputError
            Where it is a file, or holds a run or anything else.
        """
        require_place(self.path, "the folder of the run")
        if self.last.exists() or self.previous.exists():
            raise ResumableError(
                f"{self.path}: already holds a run; give another folder, or resume the run",
                self.path,
            )
        begun = (self.experiment, self.history, self.batchnorm, self.layers)
        entries = sorted(self.path.iterdir()) if self.path.exists() else []
        foreign = [entry.name for entry in entries
                   if entry not in begun and not entry.name.startswith(".")]
        if foreign:
            raise InputError(
                f"{self.path}: expected an empty folder for the run, got one with {foreign[0]}"
            )

    def read_history(self) -> pd.DataFrame:
        """``history.csv`` as a table, one row an epoch.

        Returns
        -------
        DataFrame
            At least one row; the columns of `tables.HISTORY`: ``epoch`` (int64, counted from
            1), all others float64, NaN where not measured.

        Raises
        ------
        InputError
            Where the file is missing or damaged, has no row, lacks a column, or holds something
            else where a number belongs.
        """
        table = tables.read_table(self.history, "a run's history", tables.HISTORY)
        if table.empty:
            raise InputError(f"{self.history}: expected a row an epoch, got none")
        return table

    def read_batchnorm(self) -> pd.DataFrame:
        """``batchnorm.csv`` as a table, one row an epoch (0 is the start) and layer.

        Returns
        -------
        DataFrame
            The columns of `tables.RUNNING_STATISTICS`: ``epoch`` (int64), ``layer`` (str), and
            float64, for the running mean and the running variance, their mean, least and greatest
            value over the channels. No row without batch norm.

        Raises
        ------
        InputError
            Where the file is missing or damaged, lacks a column, or holds something else where a
            number belongs.
        """
        return tables.read_table(
            self.batchnorm, "a run's running statistics", tables.RUNNING_STATISTICS
        )

    def read_layers(self) -> pd.DataFrame:
        """``layers.csv`` as a table, one row a noted step and layer.

        Returns
        -------
        DataFrame
            The columns of `tables.LAYERS`: ``step`` (int64, from 1), ``epoch`` (int64),
            ``layer`` (str), and float64, as `LayerStatisticsFile` says; NaN where a layer has no
            parameters.

        Raises
        ------
        InputError
            As `read_batchnorm`.
        """
        return tables.read_table(self.layers, "a run's layer statistics", tables.LAYERS)

    def read_results(self) -> dict[str, Any]:
        """``results.json``: what the best model reached, and on what.

        Returns
        -------
        dict
            ``test`` (see `Evaluation.as_dict`), ``measured_on`` (``"test"``, or ``"validation"``
            where the data has no test split), ``splits`` (for ``"validation"`` and ``"test"``,
            where there are such images, ``images``, ``loss``, ``accuracy``, and under ``unseen``
            the images without a copy in training, and the accuracy on them), ``best_epoch`` (int),
            ``stopped`` (why training ended), ``seconds`` (float), ``parameters`` (int), ``data``
            (its ``name``, and the fingerprints of ``train``, ``validation`` and ``test``).

        Raises
        ------
        InputError
            Where the file is missing or no JSON, lacks a key, or has a value of another kind.
        """
        return read_results(self.results)

    def write_results(self, results: dict[str, Any]) -> None:
        """Write ``results.json``, atomically.

        Parameters
        ----------
        results : dict
            As `read_results` gives it back.

        Raises
        ------
        InputError
            Where the folder does not exist.
        ValueError
            Where a number is NaN or infinite, which JSON cannot say.
        """
        atomic_write_text(self.results, json.dumps(results, indent=2, allow_nan=False) + "\n")
