"""What an experiment describes, built: a network and all that trains it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from minicnn.data import Augmentation, Dataset, Views
from minicnn.data.dataset import EMOTIONS, IMAGE_SIZE
from minicnn.errors import InputError
from minicnn.models import MODELS
from minicnn.optimizers import Optimizer
from minicnn.schedules import Schedule
from minicnn.sequential import Sequential
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
        model = Sequential.from_config(
            {"layers": settings.layers, "input_shape": [IMAGE_SIZE, IMAGE_SIZE, 1],
             "dtype": "float32", "seed": seed},
            f"{where}: model",
        )
    elif settings.name in MODELS:
        model = MODELS[settings.name](
            batch_norm=settings.batch_norm, dropout=settings.dropout, seed=seed
        )
    else:
        raise InputError(
            f"{where}: model.name: expected one of {', '.join(MODELS)}, got {settings.name!r}"
        )
    if model.output_shape != (len(EMOTIONS),):
        raise InputError(
            f"{where}: model: expected {len(EMOTIONS)} outputs, one a class, "
            f"got shape {model.output_shape}"
        )
    return model
