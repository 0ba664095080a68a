"""The training loop: the one that a student would write by hand, with what a long run needs."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np

from minicnn.errors import InputError
from minicnn.inference.evaluation import evaluate
from minicnn.losses import SoftmaxCrossEntropy
from minicnn.optimizers import Optimizer
from minicnn.sequential import Sequential
from minicnn.signals import answered
from minicnn.training.anomalies import StopOnNonFinite
from minicnn.training.batches import cut
from minicnn.training.callback import Callback, method_of, phase_of
from minicnn.training.epoch import Epoch, Totals
from minicnn.training.state import place_in_training
from minicnn.validation import integer, number

SHUFFLE, AUGMENT = 0, 1
"""What a generator is for: every purpose, epoch and batch has its own, derived from the seed."""

NEAR_GOAL = 0.1
"""How near to its goal the running accuracy must come before all training inputs are measured."""

INTERRUPTING = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that end training after the running step."""


class Trainer:
    """Fits a model to labelled inputs, in shuffled batches, with callbacks.

    Parameters
    ----------
    model : Sequential
        Gives logits.
    loss : SoftmaxCrossEntropy
    optimizer : Optimizer
        Of the model's parameters.
    preprocessing : callable, optional
        From a batch of inputs to what the model takes, for training and validation.
    augmentation : callable, optional
        ``augmentation(batch, rng)`` varies a preprocessed batch, in training only.
    callbacks : iterable of Callback
        Told of every step and epoch, `StopOnNonFinite`, which is always there, before them. Their
        phases decide who is told first; within one, this order does.
    seed : int >= 0, default 0
        Of shuffling and augmentation.
    accuracy_goal : float in [0, 1], default 0
        Stop after the epoch at whose end this share of the training inputs, as they are and in
        evaluation mode, is answered rightly; 0 never does. Measured only after epochs whose running
        accuracy came within `NEAR_GOAL` of it.

    Raises
    ------
    TypeError, ValueError
        Where seed or accuracy_goal has the wrong type or range.

    Attributes
    ----------
    epoch : int
        The epoch that is running, counted from 1, until all callbacks have been told of its end;
        between two fits the next one, 0 before the first.
    epochs : int
        How many there will be.
    batch, batches : int
        Batches done in this epoch, and how many it has.
    totals : Totals
        Of this epoch so far.
    history : list of Epoch
        The finished epochs.
    stop_reason : str
        Why training ended before the last epoch; empty if it did not.

    Examples
    --------
    >>> from minicnn import data, losses, models, optimizers
    >>> from minicnn.training import Trainer
    >>> faces = data.drawn_faces.load(train=70, validation=7, test=7)
    >>> model = models.drawn_faces()
    >>> trainer = Trainer(
    ...     model, losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters()),
    ...     preprocessing=data.Preprocessing.fit(faces.train.images))
    >>> history = trainer.fit(
    ...     (faces.train.images, faces.train.labels),
    ...     (faces.validation.images, faces.validation.labels), epochs=2, batch_size=32)
    >>> [epoch.epoch for epoch in history]
    [1, 2]
    """

    def __init__(
        self,
        model: Sequential,
        loss: SoftmaxCrossEntropy,
        optimizer: Optimizer,
        *,
        preprocessing: Callable[[np.ndarray], np.ndarray] | None = None,
        augmentation: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
        callbacks: Iterable[Callback] = (),
        seed: int = 0,
        accuracy_goal: float = 0.0,
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.callbacks: list[Callback] = [StopOnNonFinite(), *callbacks]
        self.seed = integer("Trainer", "seed", seed, 0)
        self.accuracy_goal = number("Trainer", "accuracy_goal", accuracy_goal, 0, 1)
        self.epoch = self.epochs = 0
        self.batch = self.batches = 0
        self._begun: dict[str, int] = {}
        self._warm = False
        self.totals = Totals()
        self.history: list[Epoch] = []
        self.stop_reason = ""
        self._signal: int | None = None

    @property
    def progress(self) -> float:
        """Epochs done, the running one in part: 2.5 is the middle of the third."""
        return max(self.epoch - 1, 0) + (self.batch / self.batches if self.batches else 0.0)

    @property
    def steps(self) -> int:
        """How many steps are done, if all epochs had as many as the running one."""
        return max(self.epoch - 1, 0) * self.batches + self.batch

    @property
    def learning_rate(self) -> float:
        """The optimizer's; may be set between steps."""
        return self.optimizer.lr

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.optimizer.lr = value

    @property
    def interrupted(self) -> bool:
        """Whether a signal, as Ctrl-C sends one, ended training."""
        return self._signal is not None

    @property
    def signal(self) -> int | None:
        """The number of the signal that did; None if none."""
        return self._signal

    def stop(self, reason: str) -> None:
        """End training after this epoch; `reason` becomes `stop_reason`."""
        self.stop_reason = reason

    def fit(
        self,
        train: tuple[np.ndarray, np.ndarray],
        validation: tuple[np.ndarray, np.ndarray] | None = None,
        *,
        epochs: int,
        batch_size: int = 64,
    ) -> list[Epoch]:
        """Train until `epochs` epochs are done, from where `load_state_dict` left off if it did.

        Where a callback had stopped training, it goes on only if `epochs` has grown.

        Ctrl-C, SIGTERM and SIGHUP end training after the running step (a second one at once):
        `interrupted` is true then, and `state_dict` holds what is needed to go on.

        Parameters
        ----------
        train : (inputs (N, ...), labels (N,))
            Labels are integers.
        validation : (inputs, labels), optional
            Measured after every epoch.
        epochs : int >= 1
            How many there shall be in all.
        batch_size : int >= 1, default 64
            The last batch of an epoch may be smaller. It is never of one input where there are
            others: that input joins the batch before it, which is then of ``batch_size + 1``.

        Returns
        -------
        list of Epoch
            The history.

        Raises
        ------
        TypeError, ValueError
            Where inputs and labels differ in number, there are none, a number is out of range, or
            the epoch was begun with other inputs or another batch size.
        InputError
            Where the model or the loss cannot take a batch; the message says which.
        NonFiniteLossError
            Where a loss, gradient, weight, statistic or moment became NaN or infinite: before the
            optimizer or a file saw it. The message names the layer.
        """
        inputs, labels = _labelled("train", train)
        if validation is not None:
            validation = _labelled("validation", validation)
        epochs = integer("fit", "epochs", epochs, 1)
        if epochs > self.epochs:  # a run that was stopped goes on only if more is asked of it
            self.stop_reason = ""
        self.epochs = epochs
        batch_size = integer("fit", "batch_size", batch_size, 1)
        self.epoch, self.batch, self.totals = self._place()
        self._go_on_with({"inputs": len(inputs), "batch_size": batch_size})
        batches = cut(len(inputs), batch_size)
        self.batches = len(batches)
        if self.batch > self.batches:
            raise InputError(f"fit: batch {self.batch} is done, but an epoch has {self.batches}")
        self.epoch = max(self.epoch, 1)
        self._signal = None
        with self._closing_callbacks():
            # StopOnNonFinite says in words what NumPy would warn of
            quiet = np.errstate(over="ignore", invalid="ignore")
            with quiet, answered(INTERRUPTING, self._interrupt, once=True):
                self._tell("on_fit_start")
                while self.epoch <= epochs and not self.stop_reason and not self.interrupted:
                    self._train_epoch(inputs, labels, batches)
                    if not self.interrupted:
                        self._finish_epoch((inputs, labels), validation)
                        self.epoch, self.batch, self.totals = self._place()
            self._tell("on_fit_end")
        return list(self.history)

    def state_dict(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Everything that `fit` needs to go on as if it had not stopped.

        Returns
        -------
        header : dict
            JSON-ready: the place in training, totals, history, states of the callbacks and of
            the random layers' generators.
        tensors : dict of str to ndarray
            The model's state under ``"model/"``, the optimizer's under ``"optimizer/"``, that of
            the callback in place N, counted from 0, under ``"callback N/"``.
        """
        epoch, batch, totals = self._place()
        header = {
            "seed": self.seed,
            "epoch": epoch,
            "batch": batch,
            "begun": self._begun,
            "totals": asdict(totals),
            "epochs": self.epochs,
            "stop_reason": self.stop_reason,
            "history": [epoch.as_dict() for epoch in self.history],
            "callbacks": [callback.state_dict() for callback in self.callbacks],
            "generators": {
                name: generator.bit_generator.state
                for name, generator in self._generators().items()
            },
        }
        tensors = {f"model/{name}": array for name, array in self.model.state_dict().items()}
        tensors |= {
            f"optimizer/{name}": array for name, array in self.optimizer.state_dict().items()
        }
        for position, callback in enumerate(self.callbacks):
            tensors |= {
                f"callback {position}/{name}": array for name, array in callback.arrays().items()
            }
        return header, tensors

    def load_state_dict(
        self, header: Mapping[str, Any], tensors: Mapping[str, np.ndarray]
    ) -> None:
        """Take over a `state_dict`; the next `fit` goes on from there.

        Raises
        ------
        TypeError, ValueError
            Where the state belongs to another model, optimizer, seed or list of callbacks, or is
            none.
        """
        place = place_in_training(header)
        if header["seed"] != self.seed:
            raise ValueError(f"Trainer: seed is {self.seed}, the state's is {header['seed']}")
        if len(header["callbacks"]) != len(self.callbacks):
            raise ValueError(
                f"Trainer: there are {len(self.callbacks)} callbacks, the state has "
                f"{len(header['callbacks'])}"
            )
        parts: dict[str, dict[str, np.ndarray]] = {"model": {}, "optimizer": {}}
        for name, array in tensors.items():
            part, _, key = name.partition("/")
            parts.setdefault(part, {})[key] = array
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        for name, generator in self._generators().items():
            generator.bit_generator.state = header["generators"][name]
        for position, callback in enumerate(self.callbacks):
            callback.load_state_dict(header["callbacks"][position])
            callback.load_arrays(parts.get(f"callback {position}", {}))
        vars(self).update(place)

    def _go_on_with(self, begun: dict[str, int]) -> None:
        """Refuse to finish an epoch with something else than it was begun with."""
        if self.batch and begun != self._begun:
            raise ValueError(
                f"fit: epoch {self.epoch} was begun with {self._begun}, got {begun}"
            )
        self._begun = begun

    def _train_epoch(
        self, inputs: np.ndarray, labels: np.ndarray, batches: list[slice]
    ) -> None:
        """The batches of the running epoch that are not done yet."""
        order = self._generator(SHUFFLE, self.epoch).permutation(len(inputs))
        for place in batches[self.batch :]:
            rows = order[place]
            self._tell("on_step_start")
            self._step(inputs[rows], labels[rows])
            self.batch += 1
            self._tell("on_step_end")
            if self.interrupted:
                return

    def _step(self, inputs: np.ndarray, labels: np.ndarray) -> None:
        """One step of gradient descent on one batch."""
        start = time.perf_counter()
        x = inputs if self.preprocessing is None else self.preprocessing(inputs)
        if self.augmentation is not None:
            x = self.augmentation(x, self._generator(AUGMENT, self.epoch, self.batch))
        try:
            logits = self.model.forward(x, training=True)
            value = self.loss.forward(logits, labels)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"epoch {self.epoch}, batch {self.batch + 1} ({len(labels)} inputs): {error}"
            ) from error
        correct = int((np.asarray(logits).argmax(1) == labels).sum())
        self._tell("on_loss", x, value)
        self.model.backward(self.loss.backward(), input_gradient=False)
        self._tell("on_gradients")
        self.optimizer.step()
        seconds = time.perf_counter() - start
        self.totals.add(len(labels), value, correct, seconds, warm=self._warm)
        self._warm = True

    def _finish_epoch(
        self, train: tuple[np.ndarray, np.ndarray],
        validation: tuple[np.ndarray, np.ndarray] | None,
    ) -> None:
        """Measure the epoch, write it down, and tell the callbacks."""
        start = time.perf_counter()
        self._tell("on_validation_start")
        with ExitStack() as stack:
            for callback in self._in_phases():
                stack.enter_context(method_of(callback, "measuring")(self))
            loss, accuracy, fitted = self._measure(train, validation)
            epoch = Epoch(
                epoch=self.epoch,
                train_loss=self.totals.mean_loss,
                train_accuracy=self.totals.accuracy,
                validation_loss=loss,
                validation_accuracy=accuracy,
                fitted_accuracy=fitted,
                learning_rate=self.learning_rate,
                seconds=self.totals.seconds + time.perf_counter() - start,
                images_per_second=self.totals.images_per_second,
            )
            self.history.append(epoch)
            self._tell("on_measured", epoch)
        self._tell("on_epoch_end", epoch)

    def _measure(
        self, train: tuple[np.ndarray, np.ndarray],
        validation: tuple[np.ndarray, np.ndarray] | None,
    ) -> tuple[float, float, float]:
        """Validation loss and accuracy, and accuracy on the training inputs; NaN without one."""
        loss = accuracy = fitted = float("nan")
        if validation is not None:
            measured = evaluate(self.model, *validation, preprocessing=self.preprocessing)
            loss, accuracy = measured.loss, measured.accuracy
        if 0 < self.accuracy_goal <= self.totals.accuracy + NEAR_GOAL:
            fitted = evaluate(self.model, *train, preprocessing=self.preprocessing).accuracy
            if fitted >= self.accuracy_goal:
                self.stop(f"{fitted:.2%} of the training images are answered rightly")
        return loss, accuracy, fitted

    def _place(self) -> tuple[int, int, Totals]:
        """Epoch, batch and totals to go on from: after a finished epoch those of the next."""
        if 0 < self.epoch == len(self.history):
            return self.epoch + 1, 0, Totals()
        return self.epoch, self.batch, self.totals

    def _generator(self, *purpose: int) -> np.random.Generator:
        """The generator of this purpose, epoch and batch, whatever was drawn before."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=purpose))

    def _generators(self) -> dict[str, np.random.Generator]:
        """What the random layers draw from, by the layer's name."""
        return {layer.name: layer.rng for layer in self.model.layers if layer.rng is not None}

    def _tell(self, event: str, *details: Any) -> None:
        for callback in self._in_phases():
            method_of(callback, event)(self, *details)

    def _in_phases(self) -> list[Callback]:
        """The callbacks in the order in which they are told of an event."""
        return sorted(self.callbacks, key=phase_of)

    @contextmanager
    def _closing_callbacks(self) -> Iterator[None]:
        """Close all callbacks after the block, however it ends."""
        with ExitStack() as stack:
            for callback in self.callbacks:
                stack.callback(callback.close)
            yield

    def _interrupt(self, number: int) -> None:
        """Ask for an end after the step."""
        self._signal = number


def _labelled(
    what: str, pair: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels as arrays of equal, positive length."""
    inputs, labels = np.asarray(pair[0]), np.asarray(pair[1])
    if len(inputs) != len(labels):
        raise ValueError(f"fit: {what} has {len(inputs)} inputs but {len(labels)} labels")
    if len(inputs) == 0:
        raise ValueError(f"fit: {what} is empty")
    return inputs, labels
