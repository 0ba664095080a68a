"""A schedule sets the learning rate of every step."""

import numpy as np
from small_training import INPUTS, LABELS, trainer

from minicnn import schedules
from minicnn.training import Callback, LearningRate


def test_the_schedule_sets_the_learning_rate_of_every_step():
    rates = []

    class Watch(Callback):
        def on_step_end(self, trainer):
            rates.append(trainer.learning_rate)

    schedule = LearningRate(schedules.Cosine(epochs=2, warmup=1), 0.4)
    trainer([schedule, Watch()]).fit((INPUTS, LABELS), epochs=2, batch_size=12)
    # two steps an epoch: 0 and ½ of the warm-up, then 0 and ½ of the cosine
    np.testing.assert_allclose(rates, [0.0, 0.2, 0.4, 0.2], atol=1e-12)
