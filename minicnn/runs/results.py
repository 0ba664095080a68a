"""The results of a run, ``results.json``: their schema, and reading them back."""

import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from minicnn.errors import InputError
from minicnn.files.reading import read_limited
from minicnn.runs.tables import MOST, MOST_BYTES

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
    notes: list[str] = []


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
