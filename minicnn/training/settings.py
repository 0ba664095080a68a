"""The sections of an experiment: their keys, and what values they may have."""

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from minicnn.data.dataset import EMOTIONS

MOST_FACES = 10**6
"""Faces to draw for a split: 2.3 GB of pixels."""

DRAWN = ("train", "validation", "test")
"""Settings of the data that only drawn faces have."""


class Settings(BaseModel):
    """Base of all sections: no unknown keys, no conversion of types, no change afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class DataSettings(Settings):
    """``[data]``: which images.

    Attributes
    ----------
    source : {"drawn-faces", "fer2013"}
        Drawn on the spot, or read from `path`.
    path : str
        For ``fer2013``: the CSV, archive or image folder.
    train, validation, test : int
        For ``drawn-faces`` alone: how many faces to draw, at most `MOST_FACES` each.
    limit : int
        Use only the first so many images of each split; 0 uses all.
    """

    source: Literal["drawn-faces", "fer2013"] = "drawn-faces"
    path: str = ""
    train: int = Field(default=4200, ge=1, le=MOST_FACES)
    validation: int = Field(default=700, ge=1, le=MOST_FACES)
    test: int = Field(default=700, ge=1, le=MOST_FACES)
    limit: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _fits_its_source(self) -> "DataSettings":
        if self.path and self.source != "fer2013":
            raise ValueError("source = 'fer2013' beside a path")
        if self.source == "fer2013" and any(
            getattr(self, name) != default for name, default in drawn_defaults().items()
        ):
            raise ValueError(f"{', '.join(DRAWN)} beside drawn faces alone")
        return self


def drawn_defaults() -> dict[str, int]:
    """How many faces to draw where nobody says so."""
    return {name: DataSettings.model_fields[name].default for name in DRAWN}


class ModelSettings(Settings):
    """``[model]``: a network of `minicnn.models` by name, or a list of layers.

    Attributes
    ----------
    name : str
        ``"paper"``, ``"vgg"`` or ``"drawn_faces"``.
    batch_norm : bool
        With a name: whether batch norm stands after each convolution.
    dropout : float
        With a name: rate of dropout; 0 leaves it out.
    layers : list of table
        Instead of a name: each with its ``type``, for example
        ``{type = "Conv2D", filters = 16}``.
    """

    name: str = ""
    batch_norm: bool = True
    dropout: float = Field(default=0.0, ge=0, lt=1)
    layers: list[dict[str, Any]] = []

    @model_validator(mode="after")
    def _one_of_both(self) -> "ModelSettings":
        if bool(self.name) == bool(self.layers):
            raise ValueError("either a name or a list of layers")
        if self.layers and (self.dropout or not self.batch_norm):
            raise ValueError("batch_norm and dropout beside a name, not beside a list of layers")
        return self


class TrainingSettings(Settings):
    """``[training]``: how long, and on what terms.

    Attributes
    ----------
    epochs : int
    batch_size : int
        A last image that would be alone joins the batch before it.
    label_smoothing : float
    class_weights : {"none", "balanced"} or list of 7 floats
        Weights in the loss, above 0; ``"balanced"`` weighs each class by ``N / (7 · its images)``.
    early_stopping : int
        Stop after so many epochs without a better validation loss; 0 never does.
    weight_average : float
        Measure and save an average of the weights over the steps, of this decay, instead of the
        last weights; 0 does not. See `minicnn.training.WeightAverage`.
    stop_at_train_accuracy : float
        Stop after the epoch at whose end so large a share of the training images, not augmented and
        in evaluation mode, is answered rightly; 0 never does. Measured only after epochs whose
        running accuracy came within 0.1 of it.
    """

    epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=64, ge=1)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weights: Literal["none", "balanced"] | list[float] = "none"
    early_stopping: int = Field(default=0, ge=0)
    weight_average: float = Field(default=0.0, ge=0, lt=1)
    stop_at_train_accuracy: float = Field(default=0.0, ge=0, le=1)

    @field_validator("class_weights", mode="before")
    @classmethod
    def _a_word_or_weights(cls, value: Any) -> Any:
        if value in ("none", "balanced"):
            return value
        if isinstance(value, list) and len(value) == len(EMOTIONS) and all(
            isinstance(weight, int | float) and 0 < weight < math.inf for weight in value
        ):
            return value
        raise ValueError(f"'none', 'balanced' or {len(EMOTIONS)} numbers above 0")
