"""The tables of a run: their columns, and reading them back."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from minicnn.errors import InputError
from minicnn.files.reading import read_limited

HISTORY = (
    "epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy",
    "fitted_accuracy", "learning_rate", "seconds", "images_per_second",
)
"""Columns of ``history.csv``."""

LAYERS = (
    "step", "epoch", "layer", "output_mean", "output_deviation", "output_zeros", "upstream_norm",
    "gradient_norm", "weight_norm",
)
"""Columns of ``layers.csv``."""

RUNNING_STATISTICS = (
    "epoch", "layer", "mean", "mean_least", "mean_greatest",
    "variance", "variance_least", "variance_greatest",
)
"""Columns of ``batchnorm.csv``."""

MOST_BYTES = 2**24
"""Of a file; a history of a hundred thousand epochs has them."""

MOST = 2**53
"""Counts lie below it, where float64 still tells neighbouring whole numbers apart."""


def read_table(path: Path, what: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """A CSV file with these columns, all of them numbers but ``layer``, which is text.

    Returns
    -------
    DataFrame
        ``epoch`` and ``step`` int64, the other numbers float64, NaN where the file says ``nan`` or
        nothing.

    Raises
    ------
    InputError
        Where the file is missing or damaged, lacks a column, or holds something else where a
        number belongs.
    """
    content = read_limited(path, what, MOST_BYTES)
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except ValueError as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path}: expected {what}, got a damaged file ({problem})") from error
    if not isinstance(table.index, pd.RangeIndex):  # what has no heading, pandas makes the index
        raise InputError(f"{path}: expected {what}, got a damaged file (longer rows)")
    for name in columns:
        if name not in table:
            raise InputError(f"{path}: expected a column {name!r}, got {', '.join(table)}")
        if name != "layer":
            table[name] = _numbers(path, table[name])
    return table


def _numbers(path: Path, column: pd.Series) -> pd.Series:
    """The numbers that a column of text holds: of epochs and steps int64, of all else float64."""
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    whole = column.name in ("epoch", "step")
    if whole:
        right = numbers.between(0, MOST) & (numbers % 1 == 0)
    else:
        right = numbers.notna() | column.isin(("", "nan"))
    if not right.all():
        row = int(np.flatnonzero(~right)[0])
        raise InputError(
            f"{path}: data row {row + 1}: {column.name}: expected a "
            f"{'whole number' if whole else 'number'}, got {column.iloc[row]!r}"
        )
    return numbers.astype(np.int64 if whole else np.float64)
