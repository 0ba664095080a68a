"""What augmentation costs, as a share of a training step.

    python benchmarks/augmentation.py
"""

import time

import numpy as np
from rich.console import Console
from rich.table import Table

from minicnn import losses, models, optimizers
from minicnn.data import Augmentation

ROUNDS = 15
EVERYTHING = Augmentation(
    flip=True, shift=0.1, rotate=15, scale=0.1, brightness=0.2, erase=0.25
)


def seconds(function):
    """How long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure(make, batch_size):
    """Median seconds of one augmentation and of one step, in alternation after a warm-up."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch_size, 48, 48, 1)).astype(np.float32)
    labels = rng.integers(0, 7, batch_size)
    model = make()
    loss, optimizer = losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters())

    def step():
        loss.forward(model.forward(x, training=True), labels)
        model.backward(loss.backward())
        optimizer.step()

    rounds = [(seconds(lambda: EVERYTHING(x, rng)), seconds(step)) for _ in range(ROUNDS + 2)]
    return np.median(rounds[2:], axis=0)


if __name__ == "__main__":
    table = Table("model", "batch", "augmentation", "step", "share")
    for make, batch_size in ((models.drawn_faces, 32), (models.paper, 64)):
        augmentation, step = measure(make, batch_size)
        table.add_row(make.__name__, str(batch_size), f"{augmentation * 1e3:.2f} ms",
                      f"{step * 1e3:.1f} ms", f"{augmentation / step:.2%}")
    Console().print(table)
