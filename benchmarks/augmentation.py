"""What augmentation costs, as a share of a training step: the median and the least of some rounds.

    python benchmarks/augmentation.py

The least is the time without the machine's other work, the median what one usually meets.
"""

import time

import numba
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
    """Seconds of augmentations and steps, in alternation after a warm-up: (ROUNDS, 2)."""
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
    return np.array(rounds[2:])


if __name__ == "__main__":
    table = Table("model", "batch", "of rounds", "augmentation", "step", "share")
    for make, batch_size in ((models.drawn_faces, 32), (models.paper, 64)):
        rounds = measure(make, batch_size)
        for name, figure in (("median", np.median), ("minimum", np.min)):
            augmentation, step = figure(rounds, axis=0)
            table.add_row(make.__name__, str(batch_size), name, f"{augmentation * 1e3:.2f} ms",
                          f"{step * 1e3:.1f} ms", f"{augmentation / step:.2%}")
    table.caption = f"{ROUNDS} rounds on {numba.get_num_threads()} threads"
    Console().print(table)
