"""An experiment: every setting of a training run, read from TOML and checked before anything runs.

The sections and keys are the fields of `Experiment` and of the classes in `training/settings.py`.
Names and settings of layers, optimizers and schedules are those of their constructors.
"""

import os
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
import tomli_w
from pydantic import Field, ValidationError

from minicnn import optimizers, schedules
from minicnn.data import Augmentation, Dataset, Views, drawn_faces, fer2013
from minicnn.data.dataset import EMOTIONS
from minicnn.errors import InputError
from minicnn.files import registry
from minicnn.files.paths import as_path
from minicnn.files.toml import parse_toml, read_toml
from minicnn.layers.parameters import Parameter
from minicnn.optimizers import Optimizer
from minicnn.schedules import Schedule
from minicnn.training.plan import Plan, build_model, stand_ins
from minicnn.training.schema_errors import first_problem
from minicnn.training.settings import (
    DRAWN,
    DataSettings,
    ModelSettings,
    Settings,
    TrainingSettings,
    drawn_defaults,
)


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
    augmentation: dict[str, Any] = Field(default={})
    views: dict[str, Any] = Field(default={})
    optimizer: dict[str, Any] = Field(default={"name": "adam"})
    schedule: dict[str, Any] = Field(default={"name": "constant"})
    training: TrainingSettings = TrainingSettings()

    def build(self, where: str = "experiment") -> Plan:
        """The parts of a run, built; every call gives parts of its own.

        Raises
        ------
        InputError
            For a name, a setting or a value that cannot be used, or a network that does not end in
            one logit a class; `where` begins the message.
        """
        model = build_model(self.model, self.seed, where)
        return Plan(model, *self._around(model.parameters(), where), self.load_data)

    def _around(
        self, parameters: list[Parameter], where: str
    ) -> tuple[Optimizer, Schedule, Augmentation | None, Views]:
        """The optimizer of these parameters, the schedule, the augmentation and the views."""
        return (
            optimizers.from_config(
                {"name": "adam", **self.optimizer}, parameters, f"{where}: optimizer"),
            schedules.from_config(self._schedule(), f"{where}: schedule"),
            registry.build(
                {"augmentation": Augmentation}, "augmentation", self.augmentation,
                f"{where}: augmentation",
            ) if self.augmentation else None,
            registry.build({"views": Views}, "views", self.views, f"{where}: views"),
        )

    def _checked(self, where: str) -> "Experiment":
        """The experiment, if all that it describes can be built; no array of the network is made.

        Only what a network of `minicnn.models` or the `create` of a layer of one's own does wrong
        is left for `build`.
        """
        self._around(stand_ins(self.model, where), where)
        return self

    def _schedule(self) -> dict[str, Any]:
        """The schedule's settings; a cosine lasts all epochs unless it says otherwise."""
        settings = {"name": "constant", **self.schedule}
        if settings["name"] == "cosine":
            settings.setdefault("epochs", self.training.epochs)
        return settings

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
            dataset = fer2013.load(as_path(self.data.path).resolve(), seed=self.seed)
        else:
            raise InputError(
                f"{self.name} needs the FER2013 images: expected the path of fer2013.csv (or "
                "icml_face_data.csv, an archive of either, or a folder of images), got none",
                argument="data.path",
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
            What error messages call a key: ``{"training.epochs": "epochs"}``.

        Raises
        ------
        InputError
            Where a value cannot be used; the message names its key.
        """
        experiment, steps = self, []
        for key, value in options.items():
            where = (names or {}).get(key, self.name)
            experiment = _validated(experiment._with(self._change(key, value)), where)
            steps.append((experiment, where))
        try:
            return experiment._checked(self.name) if steps else self
        except InputError:
            for step, where in steps:  # the first that cannot be built names its option
                step._checked(where)
            raise

    def _change(self, key: str, value: Any) -> dict[str, Any]:
        """What one value by its dotted key changes."""
        section, _, name = key.rpartition(".")
        if key == "data.path" and self.data.source != "fer2013":
            return {
                "name": f"{self.name}-on-fer2013",
                "description": f"{self.name} with the images of FER2013.",
                "data": {name: value, "source": "fer2013", **drawn_defaults()},
            }
        return {section: {name: value}} if section else {name: value}

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
                key: value for key, value in values["data"].items() if key not in DRAWN
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
        names the file and the key. No array of the network is made to find that out.
    """
    name = os.fspath(name_or_path)
    if name in experiment_names():
        folder = resources.files("minicnn.training") / "experiments"
        values = parse_toml((folder / f"{name}.toml").read_bytes(), name)
        return _validated(values, name)._checked(name)
    if not as_path(name).exists():
        raise InputError(
            f"{name}: expected a TOML file or one of {', '.join(experiment_names())}, "
            "but there is no such experiment"
        )
    return _validated(read_toml(name, "an experiment (TOML)"), name)._checked(name)


def _completed(
    table: Mapping[str, type], settings: Mapping[str, Any], default: str
) -> dict[str, Any]:
    """Named settings, with the defaults of what they name."""
    name = settings.get("name", default)
    return {"name": name, **registry.complete(table[name], settings)}


def _validated(values: dict[str, Any], where: str) -> Experiment:
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{where}: {first_problem(error, Experiment)}") from error
