"""What the tables and results of a run must hold to be read back."""

import io
import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

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

Count = Annotated[int, Field(ge=0, lt=MOST)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    """A part of ``results.json``: no conversion of types, nothing but finite numbers."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _ClassFigures(_Part):
    images: Count
    precision: Share | None
    recall: Share | None


class _Figures(_Part):
    """What `Evaluation.as_dict` gives."""

    images: Count
    loss: float | None
    accuracy: Share
    per_class: dict[str, _ClassFigures]
    confusion: list[list[Count]]

    @field_validator("per_class")
    @classmethod
    def _not_empty(cls, classes: dict[str, _ClassFigures]) -> dict[str, _ClassFigures]:
        if not classes:
            raise PydanticCustomError("no_class", "expected at least one class")
        return classes

    @field_validator("confusion")
    @classmethod
    def _square(cls, rows: list[list[int]], info: ValidationInfo) -> list[list[int]]:
        classes = len(info.data.get("per_class", rows))
        if {len(rows), *map(len, rows)} != {classes}:
            raise PydanticCustomError(
                "not_square", "expected {classes} rows of {classes} counts", {"classes": classes}
            )
        return rows


class _UnseenFigures(_Part):
    images: Count
    accuracy: Share | None


class _SplitFigures(_Part):
    """A split's, and those of its images that do not stand in training too."""

    images: Count
    loss: float | None
    accuracy: Share
    unseen: _UnseenFigures


class _Data(_Part):
    name: str
    train: str
    validation: str
    test: str


class _Results(_Part):
    test: _Figures
    measured_on: Literal["test", "validation"]
    splits: dict[Literal["validation", "test"], _SplitFigures]
    best_epoch: Count
    stopped: str
    seconds: Annotated[float, Field(ge=0)]
    parameters: Count
    data: _Data

    @field_validator("splits")
    @classmethod
    def _measured(cls, splits: dict[str, _SplitFigures], info: ValidationInfo) -> dict:
        split = info.data.get("measured_on")
        if split is not None and split not in splits:
            raise PydanticCustomError("not_measured", "expected those of {split}", {"split": split})
        return splits


def read_results(path: Path) -> dict[str, Any]:
    """The content of ``results.json``; see `RunFolder.read_results`.

    Raises
    ------
    InputError
        Where the file is missing or no JSON, lacks a key, or has a value of another kind.
    """
    content = read_limited(path, "a run's results", MOST_BYTES)
    try:
        return _Results.model_validate_json(content).model_dump()
    except ValidationError as error:
        raise InputError(f"{path}: {_complaint(error)}") from error


def _complaint(error: ValidationError) -> str:
    """The first thing wrong with ``results.json``: its key, what was expected, what came."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return f"expected JSON, got a damaged file ({first['ctx']['error']})"
    key = ".".join(map(str, first["loc"]))
    place = f"{key}: " if key else ""
    if first["type"] == "missing":
        return f"{place}expected a value, got none"
    expected = first["msg"].replace("Input should be", "expected")
    return f"{place}{expected}, got {reprlib.repr(first['input'])}"


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
