"""An experiment: every setting of a training run, read from TOML and checked before anything runs.

The sections and keys are the fields of the classes below. Names and settings of layers, optimizers
and schedules are those of their constructors.
"""

import math
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from minicnn import optimizers, schedules
from minicnn.data import Augmentation, Dataset, Views, drawn_faces, fer2013
from minicnn.data.dataset import EMOTIONS, IMAGE_SIZE
from minicnn.errors import InputError
from minicnn.files import registry
from minicnn.files.toml import parse_toml, read_toml
from minicnn.layers import Parameter
from minicnn.models import MODELS
from minicnn.optimizers import Optimizer
from minicnn.schedules import Schedule
from minicnn.sequential import Sequential

MOST_FACES = 10**6
"""Faces to draw for a split: 2.3 GB of pixels."""

_DRAWN = ("train", "validation", "test")
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
        For ``fer2013``: the CSV, archive or image folder; ``--data`` gives it otherwise.
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
            getattr(self, name) != default for name, default in _drawn_defaults().items()
        ):
            raise ValueError(f"{', '.join(_DRAWN)} beside drawn faces alone")
        return self


def _drawn_defaults() -> dict[str, int]:
    """How many faces to draw where nobody says so."""
    return {name: DataSettings.model_fields[name].default for name in _DRAWN}


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


class Experiment(Settings):
    """A whole run. See the sections' classes; `read_experiment` reads one from TOML.

    Attributes
    ----------
    name, description : str
        For people. The name also begins that of the run's folder: letters, digits, spaces, dots,
        dashes and underscores.
    seed : int
        Of everything random: weights, dropout, drawn faces, shuffling, augmentation.
    data : DataSettings
    model : ModelSettings
    augmentation : dict
        Arguments of `minicnn.data.Augmentation`; empty for none.
    views : dict
        Arguments of `minicnn.data.Views`: what the best model is shown of each picture when it is
        measured at the end, evaluated or used; empty for the picture alone.
    optimizer : dict
        ``name`` (a key of `minicnn.optimizers.OPTIMIZERS`, adam by default) and its arguments.
    schedule : dict
        ``name`` (a key of `minicnn.schedules.SCHEDULES`) and its arguments; a cosine lasts all
        epochs unless it says otherwise.
    training : TrainingSettings
    """

    name: str = Field(pattern=r"^\w[\w .-]*$", max_length=80)
    description: str = ""
    seed: int = Field(default=0, ge=0)
    data: DataSettings = DataSettings()
    model: ModelSettings
    augmentation: dict[str, Any] = {}
    views: dict[str, Any] = {}
    optimizer: dict[str, Any] = {"name": "adam"}
    schedule: dict[str, Any] = {"name": "constant"}
    training: TrainingSettings = TrainingSettings()

    def build_model(self, where: str = "experiment") -> Sequential:
        """The untrained network.

        Raises
        ------
        InputError
            For an unknown model, layer or setting, or a network that does not end in one logit a
            class; `where` begins the message.
        """
        if self.model.layers:
            model = Sequential.from_config(
                {"layers": self.model.layers, "input_shape": [IMAGE_SIZE, IMAGE_SIZE, 1],
                 "dtype": "float32", "seed": self.seed},
                f"{where}: model",
            )
        elif self.model.name in MODELS:
            model = MODELS[self.model.name](
                batch_norm=self.model.batch_norm, dropout=self.model.dropout, seed=self.seed
            )
        else:
            raise InputError(
                f"{where}: model.name: expected one of {', '.join(MODELS)}, "
                f"got {self.model.name!r}"
            )
        if model.output_shape != (len(EMOTIONS),):
            raise InputError(
                f"{where}: model: expected {len(EMOTIONS)} outputs, one a class, "
                f"got shape {model.output_shape}"
            )
        return model

    def build_optimizer(
        self, parameters: list[Parameter], where: str = "experiment"
    ) -> Optimizer:
        """The optimizer of these parameters; raises InputError as `optimizers.from_config`."""
        settings = {"name": "adam", **self.optimizer}
        return optimizers.from_config(settings, parameters, f"{where}: optimizer")

    def build_schedule(self, where: str = "experiment") -> Schedule:
        """The schedule; raises InputError as `schedules.from_config`."""
        return schedules.from_config(self._schedule(), f"{where}: schedule")

    def _schedule(self) -> dict[str, Any]:
        """The schedule's settings; a cosine lasts all epochs unless it says otherwise."""
        settings = {"name": "constant", **self.schedule}
        if settings["name"] == "cosine":
            settings.setdefault("epochs", self.training.epochs)
        return settings

    def build_augmentation(self, where: str = "experiment") -> Augmentation | None:
        """The augmentation, None where the section is empty; raises InputError."""
        if not self.augmentation:
            return None
        return registry.build(
            {"augmentation": Augmentation}, "augmentation", self.augmentation,
            f"{where}: augmentation",
        )

    def build_views(self, where: str = "experiment") -> Views:
        """The views of a picture at test time; raises InputError."""
        return registry.build({"views": Views}, "views", self.views, f"{where}: views")

    def load_data(self) -> Dataset:
        """Draw or read the images.

        Raises
        ------
        InputError
            Where there is no path, or what it leads to cannot be used.
        """
        if self.data.source == "drawn-faces":
            dataset = drawn_faces.load(
                train=self.data.train, validation=self.data.validation, test=self.data.test,
                seed=self.seed,
            )
        elif self.data.path:
            dataset = fer2013.load(self.data.path, seed=self.seed)
        else:
            raise InputError(
                f"{self.name}: needs the FER2013 images: give --data fer2013.csv (or "
                "icml_face_data.csv, an archive of either, or a folder of images)"
            )
        return dataset.limited(self.data.limit) if self.data.limit else dataset

    def class_weights(self, labels: np.ndarray) -> np.ndarray | None:
        """Weights for the loss, float (7,), from how often each class occurs in `labels`.

        A class that does not occur has weight 1: smoothed labels name it too.
        """
        setting = self.training.class_weights
        if setting == "none":
            return None
        if setting == "balanced":
            counts = np.bincount(labels, minlength=len(EMOTIONS))
            return np.where(counts, len(labels) / (len(EMOTIONS) * np.maximum(counts, 1)), 1.0)
        return np.array(setting)

    def changed(self, **settings: Any) -> "Experiment":
        """A checked copy with other values: ``changed(seed=1, training={"epochs": 2})``.

        A table given for a section changes only the keys that it names.
        """
        return _validated(self._with(settings), self.name)

    def _with(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """All values, with these in their places."""
        values = self.model_dump()
        for key, value in settings.items():
            values[key] = {**values[key], **value} if isinstance(value, dict) else value
        return values

    def with_options(
        self, options: Mapping[str, Any], names: Mapping[str, str] | None = None
    ) -> "Experiment":
        """A checked copy with other values by their dotted key: ``{"training.epochs": 2}``.

        A path of the data makes FER2013 the source; an experiment that had another gets a name
        that says so.

        Parameters
        ----------
        options : mapping of str to value
        names : mapping of str to str, optional
            What error messages call a key: ``{"training.epochs": "--epochs"}``.

        Raises
        ------
        InputError
            Where a value cannot be used; the message names its key.
        """
        experiment = self
        for key, value in options.items():
            section, _, name = key.rpartition(".")
            change = {section: {name: value}} if section else {name: value}
            if key == "data.path" and self.data.source != "fer2013":
                change |= {
                    "name": f"{self.name}-on-fer2013",
                    "description": f"{self.name} with the images of FER2013.",
                    "data": {name: value, "source": "fer2013", **_drawn_defaults()},
                }
            where = (names or {}).get(key, self.name)
            experiment = _checked(_validated(experiment._with(change), where), where)
        return experiment

    def completed(self) -> "Experiment":
        """The same experiment with the defaults of those of its tables that name a class."""
        return self.changed(
            augmentation=(
                registry.complete(Augmentation, self.augmentation) if self.augmentation else {}
            ),
            views=registry.complete(Views, self.views) if self.views else {},
            optimizer=_completed(optimizers.OPTIMIZERS, self.optimizer, "adam"),
            schedule=_completed(schedules.SCHEDULES, self._schedule(), "constant"),
        )

    def to_toml(self) -> str:
        """The experiment as TOML, without what has no meaning for its data.

        See `completed` for the defaults of its tables.
        """
        values = self.model_dump()
        if self.data.source != "drawn-faces":
            values["data"] = {
                key: value for key, value in values["data"].items() if key not in _DRAWN
            }
        values["model"] = (
            {"layers": self.model.layers} if self.model.layers
            else {key: value for key, value in values["model"].items() if key != "layers"}
        )
        return tomli_w.dumps(values)


def experiment_names() -> list[str]:
    """Names of the built-in experiments, sorted."""
    folder = resources.files("minicnn.training") / "experiments"
    return sorted(
        file.name.removesuffix(".toml") for file in folder.iterdir()
        if file.name.endswith(".toml")
    )


def read_experiment(name_or_path: str | os.PathLike) -> Experiment:
    """An experiment by its built-in name, or from a TOML file, checked as a whole.

    Raises
    ------
    InputError
        Where there is no such experiment, or a key or value in it cannot be used: the message
        names the file and the key.
    """
    name = os.fspath(name_or_path)
    if name in experiment_names():
        folder = resources.files("minicnn.training") / "experiments"
        return _whole(parse_toml((folder / f"{name}.toml").read_bytes(), name), name)
    if not Path(name).exists():
        raise InputError(
            f"{name}: expected a TOML file or one of {', '.join(experiment_names())}, "
            "but there is no such experiment"
        )
    return _whole(read_toml(name, "an experiment (TOML)"), name)


def _whole(values: dict[str, Any], where: str) -> Experiment:
    return _checked(_validated(values, where), where)


def _completed(
    table: Mapping[str, type], settings: Mapping[str, Any], default: str
) -> dict[str, Any]:
    """Named settings, with the defaults of what they name."""
    name = settings.get("name", default)
    return {"name": name, **registry.complete(table[name], settings)}


def _checked(experiment: Experiment, where: str) -> Experiment:
    """The experiment, if all that it describes can be built."""
    parameters = experiment.build_model(where).parameters()
    experiment.build_optimizer(parameters, where)
    experiment.build_schedule(where)
    experiment.build_augmentation(where)
    experiment.build_views(where)
    return experiment


_EXPECTED = {
    "missing": "a value",
    "model_type": "a table",
    "dict_type": "a table",
    "list_type": "a list",
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "an integer",
    "float_type": "a number",
    "literal_error": "{expected}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "letters, digits, spaces, dots, dashes and underscores",
    "value_error": "{error}",
}
"""What was expected, by pydantic's type of error."""


def _validated(values: dict[str, Any], where: str) -> Experiment:
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{where}: {_problem(error)}") from error


def _problem(error: ValidationError) -> str:
    """The first mistake that pydantic found: its key, what was expected and what came."""
    first = error.errors()[0]
    # a value of several kinds adds the kind that was tried, as "list[float]", to its place
    place = [part for part in first["loc"] if isinstance(part, int) or part.isidentifier()]
    key = ".".join(f"item {part + 1}" if isinstance(part, int) else part for part in place)
    if first["type"] == "extra_forbidden":
        section = Experiment.model_fields
        for part in first["loc"][:-1]:
            section = section[str(part)].annotation.model_fields  # type: ignore[union-attr]
        return f"{key}: unknown key; expected some of {', '.join(section)}"
    got = "nothing" if first["type"] == "missing" else repr(first["input"])
    expected = _EXPECTED[first["type"]].format(**first.get("ctx", {}))
    return f"{key}: expected {expected}, got {got}"
