"""A training of a small network that takes milliseconds."""

import signal

import numpy as np

from minicnn import Sequential, layers, losses, optimizers
from minicnn.training import Callback, Trainer

INPUTS = np.random.default_rng(3).standard_normal((23, 6, 6, 1)).astype(np.float32)
LABELS = np.random.default_rng(4).integers(0, 3, 23)
VALIDATION = (INPUTS[:7] + 0.1, LABELS[:7])


def network(seed=0):
    return Sequential(
        [layers.Conv2D(4), layers.BatchNorm(), layers.ReLU(), layers.Dropout(0.3),
         layers.Flatten(), layers.Dense(3)],
        input_shape=(6, 6, 1), seed=seed,
    )


def jitter(x, rng):
    """An augmentation that shows whether the generator is the same."""
    return x + rng.normal(0, 0.1, x.shape).astype(x.dtype)


def trainer(callbacks=(), model=None, **settings):
    model = model or network()
    settings = {"augmentation": jitter, **settings}
    return Trainer(
        model, losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters(), 0.01),
        callbacks=callbacks, **settings,
    )


def assert_equal_states(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


class Interrupt(Callback):
    """Ctrl-C after so many steps."""

    def __init__(self, steps):
        self.left = steps

    def on_step_end(self, trainer):
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
