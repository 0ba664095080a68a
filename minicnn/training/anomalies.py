"""Numbers that are not finite: the layer in which they begin, and the error that says so."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from minicnn import ops
from minicnn.errors import NonFiniteLossError
from minicnn.layers import Layer, Parameter
from minicnn.sequential import Sequential
from minicnn.training.callback import Callback, Phase, Training
from minicnn.training.epoch import Epoch
from minicnn.training.hooks import hooked

Report = Callable[[str], NoReturn]
"""Takes in words where a number is not finite, and raises."""


@contextmanager
def detect_anomaly(trainer: Training) -> Iterator[None]:
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


class StopOnNonFinite(Callback):
    """End training with a `NonFiniteLossError` at the first sign of a NaN or infinite number.

    A look at the loss, at all gradients before the optimizer takes them, at all weights, running
    statistics and moments after it did, and at the validation loss. `detect_anomaly` looks at more.
    It is told first of every event, so that nobody saves what is not finite.
    """

    phase = Phase.GUARD

    def __init__(self) -> None:
        self._generators: dict[str, Any] = {}

    def on_step_start(self, trainer: Training) -> None:
        """Remember what the random layers will draw."""
        self._generators = {
            layer.name: layer.rng.bit_generator.state
            for layer in trainer.model.layers if layer.rng is not None
        }

    def on_loss(self, trainer: Training, x: np.ndarray, loss: float) -> None:
        """Where the loss is not finite, go forward again to find the layer, and raise."""
        if math.isfinite(loss):
            return

        def report(cause: str) -> NoReturn:
            raise non_finite_error(trainer, f"the loss became {loss}", _running(trainer), cause)

        for layer in trainer.model.layers:
            if layer.rng is not None:
                layer.rng.bit_generator.state = self._generators[layer.name]
        with watched(trainer.model, report):
            trainer.model.forward(x, training=True)
        report("every layer's output is finite, so the loss itself overflowed")

    def on_gradients(self, trainer: Training) -> None:
        """Keep gradients that are not finite from the optimizer."""
        if name := first_gradient(reversed(trainer.model.parameters())):
            raise non_finite_error(
                trainer, "a gradient became NaN or infinite", _running(trainer),
                f"{name} is the first parameter, going backward, whose gradient is not finite",
            )

    def on_step_end(self, trainer: Training) -> None:
        """Look at what the step has made of the model and the optimizer."""
        for what, owner in (
            ("a weight or running statistic", trainer.model),
            ("a moment of the optimizer", trainer.optimizer),  # may be, under finite weights
        ):
            if name := first_array(owner.live_state()):
                raise non_finite_error(
                    trainer, f"{what} became NaN or infinite",
                    f"epoch {trainer.epoch}, batch {trainer.batch}",
                    f"{name} is the first that is not finite",
                )

    def on_measured(self, trainer: Training, epoch: Epoch) -> None:
        """Look at the validation loss, which is NaN also where there is no validation."""
        if math.isnan(epoch.validation_accuracy) or math.isfinite(epoch.validation_loss):
            return
        raise non_finite_error(
            trainer, f"the validation loss became {epoch.validation_loss}",
            f"epoch {epoch.epoch}",
            "all weights and running statistics are finite, so a layer or the loss overflowed",
        )


@contextmanager
def watched(model: Sequential, report: Report) -> Iterator[None]:
    """Within the block, report the first layer that takes or gives what is not finite."""
    with hooked(model, lambda layer: _checks(layer, report)):
        yield


def non_finite_error(
    trainer: Training, event: str, place: str, cause: str
) -> NonFiniteLossError:
    """What ends training: the event, its place in training, its cause and the largest weight."""
    value, name = _largest_weight(trainer.model)
    return NonFiniteLossError(
        f"{event} in {place}, at learning rate {trainer.learning_rate:g}: {cause}; the largest "
        f"weight is {value:g}, in {name}"
    )


def _running(trainer: Training) -> str:
    """The place of the step that is running."""
    return f"epoch {trainer.epoch}, batch {trainer.batch + 1}"


def first_gradient(parameters: Iterable[Parameter]) -> str:
    """Name of the first of these parameters with a gradient not finite; empty if none."""
    return first_array({
        parameter.name: parameter.grad for parameter in parameters if parameter.grad is not None
    })


def first_array(arrays: Mapping[str, np.ndarray]) -> str:
    """Name of the first of these arrays that is not finite; empty if none."""
    if ops.all_finite(arrays.values()):
        return ""
    return next(name for name, array in arrays.items() if not ops.all_finite([array]))


def _checks(layer: Layer, report: Report) -> dict[str, Callable[..., Any]]:
    """Hooks of the layer, each with a look at what goes in and comes out."""
    forward = layer.forward

    def checked_forward(x: Any, training: bool = False) -> np.ndarray:
        if not ops.all_finite([x]):
            report(f"the input batch of {layer.name} already holds NaN or infinite values")
        for parameter in layer.parameters():
            if not ops.all_finite([parameter.data]):
                report(f"{parameter.name} holds NaN or infinite weights")
        y = forward(x, training=training)
        if not ops.all_finite([y]):
            report(f"{layer.name} is the first layer whose output is not finite")
        return y

    def checked(backward: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def checked_backward(dy: Any) -> Any:
            if not ops.all_finite([dy]):
                report(f"the loss gives {layer.name} a gradient that is not finite")
            dx = backward(dy)
            if name := first_gradient(layer.parameters()):
                report(f"{name} is the first parameter, going backward, whose gradient is not "
                       "finite")
            if dx is not None and not ops.all_finite([dx]):
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
    largest = []
    for parameter in model.parameters():
        values = np.asarray(parameter.data)
        largest.append((float(values.flat[np.abs(values).argmax()]), parameter.name))
    return max(largest, key=lambda weight: (math.isnan(weight[0]), abs(weight[0])))
