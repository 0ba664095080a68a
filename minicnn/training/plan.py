"""What an experiment describes, built: a network and all that trains it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from minicnn.data import Augmentation, Dataset, Views
from minicnn.data.dataset import EMOTIONS, IMAGE_SIZE
from minicnn.errors import InputError
from minicnn.layers.parameters import Parameter
from minicnn.layers.shapes import Shape
from minicnn.models import MODELS
from minicnn.optimizers import Optimizer
from minicnn.schedules import Schedule
from minicnn.sequential import Sequential, outline
from minicnn.training.settings import ModelSettings


@dataclass(frozen=True, eq=False)
class Plan:
    """The parts of one run, each built once.

    Attributes
    ----------
    model : Sequential
        Untrained.
    optimizer : Optimizer
        Of its parameters.
    schedule : Schedule
        Of the learning rate.
    augmentation : Augmentation or None
        In training.
    views : Views
        At test time.
    load_data : callable
        Draws or reads the images.
    """

    model: Sequential
    optimizer: Optimizer
    schedule: Schedule
    augmentation: Augmentation | None
    views: Views
    load_data: Callable[[], Dataset]

    @cached_property
    def data(self) -> Dataset:
        """The images, drawn or read when they are first asked for.

        Raises
        ------
        InputError
            Where there is no path, or what it leads to cannot be used.
        """
        return self.load_data()


def build_model(settings: ModelSettings, seed: int, where: str) -> Sequential:
    """The untrained network.

    Raises
    ------
    InputError
        For an unknown model, layer or setting, or a network that does not end in one logit a class;
        `where` begins the message.
    """
    if settings.layers:
        model = Sequential.from_config(_config(settings, seed), f"{where}: model")
    else:
        _require_known(settings.name, where)
        model = MODELS[settings.name](
            batch_norm=settings.batch_norm, dropout=settings.dropout, seed=seed
        )
    _require_logits(model.output_shape, where)
    return model


def stand_ins(settings: ModelSettings, where: str) -> list[Parameter]:
    """What an optimizer's settings can be tried on before the network is built: empty parameters.

    There are none where the network learns nothing. Errors are those of `build_model`; a network of
    `minicnn.models` is only looked up.
    """
    learns = True
    if settings.layers:
        summary = outline(_config(settings), f"{where}: model")
        _require_logits(summary.rows[-1].output_shape, where)
        learns = summary.totals["parameters"] > 0
    else:
        _require_known(settings.name, where)
    return [Parameter("stand-in", np.empty(0, np.float32), decays=True)] if learns else []


def _config(settings: ModelSettings, seed: int = 0) -> dict[str, Any]:
    """The network that is a list of layers, as a `Sequential.config`."""
    return {
        "layers": settings.layers, "input_shape": [IMAGE_SIZE, IMAGE_SIZE, 1],
        "dtype": "float32", "seed": seed,
    }


def _require_known(name: str, where: str) -> None:
    """Refuse a name that is none of `MODELS`."""
    if name not in MODELS:
        raise InputError(f"{where}: model.name: expected one of {', '.join(MODELS)}, got {name!r}")


def _require_logits(output_shape: Shape, where: str) -> None:
    """Refuse a network that does not end in one logit a class."""
    if output_shape != (len(EMOTIONS),):
        raise InputError(
            f"{where}: model: expected {len(EMOTIONS)} outputs, one a class, "
            f"got shape {output_shape}"
        )
