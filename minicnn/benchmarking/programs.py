"""The programs that are compared: each turns a network's layers and steps into tasks to time."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from minicnn import losses, ops, optimizers
from minicnn.benchmarking.timing import Task
from minicnn.benchmarking.work import BACKWARD, DATA, FORWARD, WEIGHTS
from minicnn.layers import Conv2D, Layer
from minicnn.sequential import Sequential


class Program(Protocol):
    """A program that can train the network."""

    name: str

    def use_threads(self, count: int) -> None:
        """Compute with so many threads."""

    def layer(
        self, layer: Layer, x: np.ndarray, dy: np.ndarray, *, first: bool
    ) -> Iterator[tuple[str, Task]]:
        """The passes of one layer; the network's first needs no gradient of its input."""

    def step(self, network: Sequential, x: np.ndarray, labels: np.ndarray) -> Task:
        """Forward, loss, backward and Adam on one batch."""

    def inference(self, network: Sequential, x: np.ndarray) -> Task:
        """The logits of a batch, in evaluation mode."""


class Minicnn:
    """This library, on one of its backends.

    Parameters
    ----------
    backend : str
    name : str, default "minicnn"
        Where it is the other program, what to call it.
    """

    def __init__(self, backend: str = "cpu", name: str = "minicnn") -> None:
        self.backend = backend
        self.name = name

    def use_threads(self, count: int) -> None:
        """Compute with so many threads; the reference takes what NumPy takes."""
        with ops.use_backend(self.backend):
            ops.backend().use_threads(count)

    def _choose(self) -> None:
        """Let all operations run on this program's backend, until another is chosen."""
        ops.use_backend(self.backend)

    def _task(self, run: Callable[[], Any]) -> Task:
        """A task that runs on this program's backend, to its end; choosing it is not timed."""

        def run_to_its_end() -> None:
            run()
            ops.backend().wait()

        return Task(run_to_its_end, self._choose)

    def _here(self, array: Any) -> Any:
        """An array where this program's backend computes."""
        self._choose()
        return ops.backend().asarray(array, array.dtype)

    def layer(
        self, layer: Layer, x: np.ndarray, dy: np.ndarray, *, first: bool
    ) -> Iterator[tuple[str, Task]]:
        """See `Program.layer`."""
        x, dy = self._here(x), self._here(dy)
        yield FORWARD, self._task(lambda: layer.forward(x, training=True))
        self._choose()
        layer.forward(x, training=True)
        if isinstance(layer, Conv2D) and self.backend != "reference":
            cache = layer.kept()
            if not first:
                yield DATA, self._task(lambda: ops.conv2d_input_gradient(dy, cache))
            yield WEIGHTS, self._task(lambda: ops.conv2d_weight_gradients(dy, cache))
        backward = layer.backward_first if first else layer.backward
        yield BACKWARD, self._task(lambda: backward(dy))

    def step(self, network: Sequential, x: np.ndarray, labels: np.ndarray) -> Task:
        """See `Program.step`."""
        loss, optimizer = losses.SoftmaxCrossEntropy(), optimizers.Adam(network.parameters())
        x = self._here(x)

        def run() -> None:
            loss.forward(network.forward(x, training=True), labels)
            network.backward(loss.backward(), input_gradient=False)
            optimizer.step()

        return self._task(run)

    def inference(self, network: Sequential, x: np.ndarray) -> Task:
        """See `Program.inference`."""
        return self._task(lambda: network.predict(x, batch_size=len(x)))
