"""Numbers that are not finite: the layer in which they begin, and the error that says so."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from minicnn.errors import NonFiniteLossError
from minicnn.layers import Layer, Parameter
from minicnn.sequential import Sequential
from minicnn.training.hooks import hooked

if TYPE_CHECKING:
    from minicnn.training.trainer import Trainer

Report = Callable[[str], NoReturn]
"""Takes in words where a number is not finite, and raises."""


@contextmanager
def detect_anomaly(trainer: "Trainer") -> Iterator[None]:
    """Within the block, end a fit at the first layer with an output or gradient not finite.

    Every layer is looked at, in forward and backward of every step and in validation. No number
    changes by that; it only takes time.

    Parameters
    ----------
    trainer : Trainer

    Raises
    ------
    NonFiniteLossError
        From the trainer's `fit`; the message names the layer.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import layers, losses, optimizers, Sequential
    >>> from minicnn.training import Trainer, detect_anomaly
    >>> model = Sequential([layers.Dense(2), layers.ReLU()], input_shape=(3,))
    >>> model.parameters()[0].data[...] = -3e38
    >>> trainer = Trainer(model, losses.SoftmaxCrossEntropy(), optimizers.SGD(model.parameters()))
    >>> with detect_anomaly(trainer):
    ...     trainer.fit((np.ones((4, 3)), np.zeros(4, int)), epochs=1)
    Traceback (most recent call last):
    minicnn.errors.NonFiniteLossError: a value became NaN or infinite in epoch 1, batch 1, at \
learning rate 0.01: dense_1 is the first layer whose output is not finite; the largest weight is \
-3e+38, in dense_1.w
    """
    def report(what: str) -> NoReturn:
        place = f"epoch {trainer.epoch}, batch {trainer.batch + 1}"
        if trainer.batch == trainer.batches:
            place = f"the measurements after epoch {trainer.epoch}"
        raise non_finite_error(trainer, "a value became NaN or infinite", place, what)

    with watched(trainer.model, report):
        yield


@contextmanager
def watched(model: Sequential, report: Report) -> Iterator[None]:
    """Within the block, report the first layer that takes or gives what is not finite."""
    with hooked(model, lambda layer: _checks(layer, report)):
        yield


def non_finite_error(
    trainer: "Trainer", event: str, place: str, cause: str
) -> NonFiniteLossError:
    """What ends training: the event, its place in training, its cause and the largest weight."""
    value, name = _largest_weight(trainer.model)
    return NonFiniteLossError(
        f"{event} in {place}, at learning rate {trainer.optimizer.lr:g}: {cause}; the largest "
        f"weight is {value:g}, in {name}"
    )


def first_gradient(parameters: Iterable[Parameter]) -> str:
    """Name of the first of these parameters with a gradient not finite; empty if none."""
    for parameter in parameters:
        if parameter.grad is not None and not is_finite(parameter.grad):
            return parameter.name
    return ""


def first_array(arrays: Mapping[str, np.ndarray]) -> str:
    """Name of the first of these arrays that is not finite; empty if none."""
    for name, array in arrays.items():
        if not is_finite(array):
            return name
    return ""


def is_finite(array: np.ndarray) -> bool:
    """Whether no number is NaN or infinite."""
    return bool(np.isfinite(array).all())


def _checks(layer: Layer, report: Report) -> dict[str, Callable[..., Any]]:
    """Hooks of the layer, each with a look at what goes in and comes out."""
    forward = layer.forward

    def checked_forward(x: Any, training: bool = False) -> np.ndarray:
        if not is_finite(x):
            report(f"the input batch of {layer.name} already holds NaN or infinite values")
        for parameter in layer.parameters():
            if not is_finite(parameter.data):
                report(f"{parameter.name} holds NaN or infinite weights")
        y = forward(x, training=training)
        if not is_finite(y):
            report(f"{layer.name} is the first layer whose output is not finite")
        return y

    def checked(backward: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def checked_backward(dy: Any) -> Any:
            if not is_finite(dy):
                report(f"the loss gives {layer.name} a gradient that is not finite")
            dx = backward(dy)
            if name := first_gradient(layer.parameters()):
                report(f"{name} is the first parameter, going backward, whose gradient is not "
                       "finite")
            if dx is not None and not is_finite(dx):
                report(f"{layer.name} is the first layer, going backward, whose dx is not finite")
            return dx

        return checked_backward

    return {
        "forward": checked_forward,
        "backward": checked(layer.backward),
        "backward_first": checked(layer.backward_first),
    }


def _largest_weight(model: Sequential) -> tuple[float, str]:
    """The weight furthest from 0, or a NaN before all others, and its parameter's name."""
    largest = [
        (float(parameter.data.flat[np.abs(parameter.data).argmax()]), parameter.name)
        for parameter in model.parameters()
    ]
    return max(largest, key=lambda weight: (math.isnan(weight[0]), abs(weight[0])))
