"""The dropout layer: when it drops, and its settings."""

from types import ModuleType

import numpy as np
from refusals import assert_refused

from minicnn import layers


def test_it_drops_in_training_alone(chosen: ModuleType) -> None:
    layer = layers.Dropout(0.5)
    x = np.ones((4, 500))
    np.testing.assert_array_equal(layer.forward(x), x)
    first, second = (np.asarray(layer.forward(x, training=True)) for _ in range(2))
    assert set(np.unique(first)) == {0, 2}
    assert (first != second).any()


def test_its_generator_is_a_child_that_leaves_the_parent_s_numbers_alone() -> None:
    rng = np.random.default_rng(3)
    first, second = layers.Dropout(0.5), layers.Dropout(0.5)
    first.build((4,), rng=rng)
    second.build((4,), rng=rng)
    assert first.parameters() == []
    assert first.rng.random() != second.rng.random()
    assert rng.random() == np.random.default_rng(3).random()


def test_settings_that_are_refused() -> None:
    assert_refused(lambda: layers.Dropout(1.0), ValueError,
                   "Dropout: rate must lie in [0, 1), got 1.0")
