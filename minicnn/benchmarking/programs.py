"""The programs that are compared: each turns a network's layers and steps into tasks to time."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
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
    backend : {"cpu", "reference"}
    """

    def __init__(self, backend: str = "cpu") -> None:
        self.backend = backend
        self.name = "minicnn" if backend == "cpu" else backend

    def use_threads(self, count: int) -> None:
        """Compute with so many threads; the reference takes what NumPy takes."""
        from minicnn.ops.cpu.threads import use_threads

        use_threads(count)

    def _on(self) -> AbstractContextManager:
        return ops.use_backend(self.backend)

    def layer(
        self, layer: Layer, x: np.ndarray, dy: np.ndarray, *, first: bool
    ) -> Iterator[tuple[str, Task]]:
        """See `Program.layer`."""
        yield FORWARD, Task(lambda: self._forward(layer, x))
        with self._on():
            layer.forward(x, training=True)
        if isinstance(layer, Conv2D) and self.backend == "cpu":
            from minicnn.ops.cpu.conv2d import algorithm_for

            cache = layer.kept()
            if not first:
                yield DATA, Task(lambda: algorithm_for(cache).input_gradient(cache, dy))
            yield WEIGHTS, Task(lambda: ops.conv2d_backward(dy, cache, input_gradient=False))
        yield BACKWARD, Task(lambda: self._backward(layer, dy, first))

    def _forward(self, layer: Layer, x: np.ndarray) -> None:
        with self._on():
            layer.forward(x, training=True)

    def _backward(self, layer: Layer, dy: np.ndarray, first: bool) -> None:
        with self._on():
            (layer.backward_first if first else layer.backward)(dy)

    def step(self, network: Sequential, x: np.ndarray, labels: np.ndarray) -> Task:
        """See `Program.step`."""
        loss, optimizer = losses.SoftmaxCrossEntropy(), optimizers.Adam(network.parameters())

        def run() -> None:
            with self._on():
                loss.forward(network.forward(x, training=True), labels)
                network.backward(loss.backward(), input_gradient=False)
                optimizer.step()

        return Task(run)

    def inference(self, network: Sequential, x: np.ndarray) -> Task:
        """See `Program.inference`."""

        def run() -> Any:
            with self._on():
                return network.predict(x, batch_size=len(x))

        return Task(run)
