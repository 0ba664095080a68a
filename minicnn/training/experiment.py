"""An experiment: every setting of a training run, read from TOML and checked before anything runs.

The sections and keys are the fields of the classes below. Names and settings of layers, optimizers
and schedules are those of their constructors.
"""

import math
import os
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from minicnn import optimizers, registry, schedules
from minicnn.data import Augmentation, Dataset, drawn_faces, fer2013
from minicnn.data.dataset import EMOTIONS, IMAGE_SIZE
from minicnn.errors import InputError
from minicnn.files import require_file
from minicnn.layers import Parameter
from minicnn.models import MODELS
from minicnn.optimizers import Optimizer
from minicnn.schedules import Schedule
from minicnn.sequential import Sequential


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
        For ``drawn-faces``: how many faces to draw.
    limit : int
        Use only the first so many images of each split; 0 uses all.
    """

    source: Literal["drawn-faces", "fer2013"] = "drawn-faces"
    path: str = ""
    train: int = Field(default=4200, ge=1)
    validation: int = Field(default=700, ge=1)
    test: int = Field(default=700, ge=1)
    limit: int = Field(default=0, ge=0)


class ModelSettings(Settings):
    """``[model]``: a network of `minicnn.models` by name, or a list of layers.

    Attributes
    ----------
    name : str
        ``"paper"`` or ``"drawn_faces"``.
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
            raise ValueError("expected either a name or a list of layers")
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
    """

    epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=64, ge=1)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weights: Literal["none", "balanced"] | list[float] = "none"
    early_stopping: int = Field(default=0, ge=0)


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
                {"layers": self.model.layers, "input_shape": (IMAGE_SIZE, IMAGE_SIZE, 1),
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
        settings = {"name": "constant", **self.schedule}
        if settings.get("name") == "cosine":
            settings.setdefault("epochs", self.training.epochs)
        return schedules.from_config(settings, f"{where}: schedule")

    def build_augmentation(self, where: str = "experiment") -> Augmentation | None:
        """The augmentation, None where the section is empty; raises InputError."""
        if not self.augmentation:
            return None
        return registry.build(
            {"augmentation": Augmentation}, "augmentation", self.augmentation,
            f"{where}: augmentation",
        )

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
        """Weights for the loss, float (7,), from how often each class occurs in `labels`."""
        setting = self.training.class_weights
        if setting == "none":
            return None
        if setting == "balanced":
            counts = np.bincount(labels, minlength=len(EMOTIONS))
            return len(labels) / (len(EMOTIONS) * np.maximum(counts, 1))
        return np.array(setting)

    def changed(self, **settings: Any) -> "Experiment":
        """A checked copy with other values: ``changed(seed=1, training={"epochs": 2})``.

        A table given for a section changes only the keys that it names.
        """
        values = self.model_dump()
        for key, value in settings.items():
            values[key] = {**values[key], **value} if isinstance(value, dict) else value
        return _validated(values, self.name)

    def with_options(self, options: Mapping[str, Any]) -> "Experiment":
        """A checked copy with other values by their dotted key: ``{"training.epochs": 2}``.

        A path of the data makes FER2013 the source, whatever it was.

        Raises
        ------
        InputError
            Where a value cannot be used; the message names its key.
        """
        experiment = self
        for key, value in options.items():
            section, _, name = key.rpartition(".")
            change = {section: {name: value}} if section else {name: value}
            experiment = experiment.changed(**change)
        if "data.path" in options:
            experiment = experiment.changed(data={"source": "fer2013"})
        experiment.build_optimizer(experiment.build_model(self.name).parameters(), self.name)
        experiment.build_schedule(self.name)
        return experiment

    def to_toml(self) -> str:
        """The experiment as TOML, every default written out."""
        values = self.model_dump()
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
        return _parse((folder / f"{name}.toml").read_bytes(), name)
    if not Path(name).exists():
        raise InputError(
            f"{name}: expected a TOML file or one of {', '.join(experiment_names())}, "
            "but there is no such experiment"
        )
    return _parse(require_file(name, "an experiment (TOML)").read_bytes(), name)


def _parse(content: bytes, where: str) -> Experiment:
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: expected TOML, got something else: {error}") from error
    experiment = _validated(values, where)
    parameters = experiment.build_model(where).parameters()
    experiment.build_optimizer(parameters, where)
    experiment.build_schedule(where)
    experiment.build_augmentation(where)
    weights = experiment.training.class_weights
    if isinstance(weights, list) and (
        len(weights) != len(EMOTIONS) or not all(0 < weight < math.inf for weight in weights)
    ):
        raise InputError(
            f"{where}: training.class_weights: expected {len(EMOTIONS)} numbers above 0, "
            f"got {weights}"
        )
    return experiment


def _validated(values: dict[str, Any], where: str) -> Experiment:
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        # a value of several kinds adds the kind that was tried, as "list[float]", to its place
        key = ".".join(str(p) for p in first["loc"] if isinstance(p, int) or p.isidentifier())
        if first["type"] == "extra_forbidden":
            section = Experiment.model_fields
            for part in first["loc"][:-1]:
                section = section[str(part)].annotation.model_fields  # type: ignore[union-attr]
            problem = f"unknown key; expected some of {', '.join(section)}"
        elif first["type"] == "missing":
            problem = "missing; an experiment needs it"
        else:
            problem = f"{first['msg']}, got {first['input']!r}"
        raise InputError(f"{where}: {key}: {problem}") from error
