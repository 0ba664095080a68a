"""Numbers that are not finite: the layer in which they begin, and the error that says so."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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

    A look at the loss; before each step of the optimizer one at all gradients, and at the weights,
    running statistics and moments, so that a step is also judged by what it has left; the same
    after the last step of an epoch; and one at the validation loss. `detect_anomaly` looks at more.
    It is told first of every event, so that at an epoch's end nobody saves what is not finite; who
    saves within one calls `require_finite_state` before.
    """

    phase = Phase.GUARD

    def __init__(self) -> None:
        self._generators: dict[str, Any] = {}
        self._last_rate = 0.0  # of the step before

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
        if trainer.batch:
            _require_finite(trainer, _left(trainer, _weights(trainer), self._last_rate))

        def report(cause: str) -> NoReturn:
            raise non_finite_error(
                trainer, f"the loss became {loss}", _place(trainer, trainer.batch + 1), cause
            )

        for layer in trainer.model.layers:
            if layer.rng is not None:
                layer.rng.bit_generator.state = self._generators[layer.name]
        with watched(trainer.model, report):
            trainer.model.forward(x, training=True)
        report("every layer's output is finite, so the loss itself overflowed")

    def on_gradients(self, trainer: Training) -> None:
        """Keep gradients that are not finite from the optimizer, and see what it did last.

        All is looked at together: on a device that is one look, and one wait for what it gives.
        """
        gradients, state = _gradients(reversed(trainer.model.parameters())), _state(trainer)
        if ops.all_finite([*gradients.values(), *state]):
            self._last_rate = trainer.learning_rate
            return
        running = _place(trainer, trainer.batch + 1)
        _require_finite(trainer, [
            *(_left(trainer, _weights(trainer), self._last_rate) if trainer.batch else []),
            Look("a gradient", gradients, running,
                 "parameter, going backward, whose gradient is not finite"),
            Look("a weight or running statistic", trainer.model.live_state(), running),
            Look("a moment of the optimizer", trainer.optimizer.live_state(), running),
        ])

    def on_step_end(self, trainer: Training) -> None:
        """Look at what the last step has made of the model and the optimizer."""
        if trainer.batch == trainer.batches or trainer.interrupted:
            require_finite_state(trainer)

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
    trainer: Training, event: str, place: str, cause: str, rate: float | None = None
) -> NonFiniteLossError:
    """What ends training: the event, its place in training, its cause and the largest weight.

    The learning rate is the trainer's, where `rate` does not name another.
    """
    rate = trainer.learning_rate if rate is None else rate
    value, name = _largest_weight(trainer.model)
    return NonFiniteLossError(
        f"{event} in {place}, at learning rate {rate:g}: {cause}; the largest "
        f"weight is {value:g}, in {name}"
    )


def require_finite_state(trainer: Training) -> None:
    """End training where the last step left a weight, statistic or moment that is not finite.

    Raises
    ------
    NonFiniteLossError
        The message names the array.
    """
    if not ops.all_finite(_state(trainer)):
        _require_finite(
            trainer, _left(trainer, trainer.model.live_state(), trainer.learning_rate)
        )


@dataclass(frozen=True)
class Look:
    """A look for what is not finite.

    Attributes
    ----------
    what : str
        One of its numbers, in words.
    arrays : mapping of str to array
    place : str
        The step that made them.
    first : str
        What the first of them is that holds such a number.
    rate : float or None
        The learning rate of the step; None for the trainer's.
    """

    what: str
    arrays: Mapping[str, Any]
    place: str
    first: str = "that is not finite"
    rate: float | None = None


def _require_finite(trainer: Training, looks: Iterable[Look]) -> None:
    """Raise at the first look that finds something."""
    for look in looks:
        if name := first_array(look.arrays):
            raise non_finite_error(
                trainer, f"{look.what} became NaN or infinite", look.place,
                f"{name} is the first {look.first}", look.rate,
            )


def _left(trainer: Training, arrays: Mapping[str, Any], rate: float) -> list[Look]:
    """Looks at these arrays of the model, and at the moments, as the last step left them."""
    done, moments = _place(trainer, trainer.batch), trainer.optimizer.live_state()
    return [
        Look("a weight or running statistic", arrays, done, rate=rate),
        Look("a moment of the optimizer", moments, done, rate=rate),  # may be, under finite weights
    ]


def _state(trainer: Training) -> list[Any]:
    """All that steps change: weights, running statistics and moments."""
    return [*trainer.model.live_state().values(), *trainer.optimizer.live_state().values()]


def _weights(trainer: Training) -> dict[str, Any]:
    """The parameters' values, by name."""
    return {parameter.name: parameter.data for parameter in trainer.model.parameters()}


def _gradients(parameters: Iterable[Parameter]) -> dict[str, Any]:
    """The gradients that there are, by the parameter's name."""
    return {
        parameter.name: parameter.grad for parameter in parameters if parameter.grad is not None
    }


def _place(trainer: Training, batch: int) -> str:
    """A batch of the running epoch, in words."""
    return f"epoch {trainer.epoch}, batch {batch}"


def first_gradient(parameters: Iterable[Parameter]) -> str:
    """Name of the first of these parameters with a gradient not finite; empty if none."""
    return first_array(_gradients(parameters))


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
