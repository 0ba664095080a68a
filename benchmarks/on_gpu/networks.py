"""The networks that are compiled for, stepped and measured: the paper's, or a small one like it."""

from typing import Any

import numpy as np

from minicnn import losses, models, ops, optimizers
from minicnn.layers import BatchNorm, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU
from minicnn.sequential import Sequential

BATCHES = {False: (128, 512), True: (2,)}
"""By whether a run is tiny."""


def network(*, tiny: bool) -> Sequential:
    """`models.paper`, or as many layers with a few filters on small images."""
    if not tiny:
        return models.paper()
    layers: list[Layer] = []
    for filters in (4, 8, 32):
        for _ in range(2):
            layers += [Conv2D(filters, 3), BatchNorm(), ReLU()]
        layers.append(MaxPool2D(2))
    layers += [Flatten(), Dense(16), BatchNorm(), ReLU(), Dense(7)]
    return Sequential(layers, (16, 16, 1), seed=0)


def batch_of(count: int, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Random images and labels."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((count, *shape)).astype(np.float32)
    return x, rng.integers(0, models.CLASSES, count)


class Training:
    """A network with its loss and Adam, and one batch where the chosen backend computes."""

    def __init__(self, count: int, *, tiny: bool, dtype: Any = np.float32) -> None:
        self.network = network(tiny=tiny)
        self.loss = losses.SoftmaxCrossEntropy()
        self.optimizer = optimizers.Adam(self.network.parameters())
        x, self.labels = batch_of(count, self.network.input_shape)
        self.x = ops.backend().asarray(x.astype(dtype), np.dtype(dtype))

    def step(self) -> float:
        """Forward, loss, backward and update."""
        value = self.loss.forward(self.network.forward(self.x, training=True), self.labels)
        self.network.backward(self.loss.backward(), input_gradient=False)
        self.optimizer.step()
        return value
