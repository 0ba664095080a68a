"""Copies of a layer for its checks: all in one state, whatever the layer is made of."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minicnn import layers
from minicnn.checking.specimen import Specimen


class Noisy:
    """Adds noise of its own generator, and counts."""

    def __init__(self) -> None:
        self.rng, self.calls = np.random.default_rng(5), 0

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.calls += 1
        return x + self.rng.standard_normal(x.shape)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy


def local_noisy() -> Any:
    """One of a class that no import finds, with an attribute that cannot be pickled."""

    class Local(Noisy):
        double: Callable[[int], int]

    layer = Local()
    layer.double = lambda number: 2 * number
    return layer


class Shared(Noisy):
    """Says itself how it is copied: all copies share one list."""

    def __init__(self) -> None:
        super().__init__()
        self.shared: list[int] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> "Shared":
        other = Shared()
        other.rng, other.shared = copy.deepcopy(self.rng, memo), self.shared
        return other


@pytest.mark.parametrize("make", [Noisy, local_noisy, Shared, lambda: layers.Dropout(0.5)],
                         ids=["plain", "local class", "own copy", "Dropout"])
def test_copies_begin_in_one_state(make: Callable[[], Any]) -> None:
    specimen = Specimen(make(), (4, 5))
    x = specimen.input()
    one, other = specimen.fresh(), specimen.fresh()
    first = specimen.forward(one, x, training=True)
    assert not np.array_equal(first, specimen.forward(one, x, training=True))  # it goes on
    assert np.array_equal(first, specimen.forward(other, x, training=True))
    assert np.array_equal(first, specimen.forward(specimen.fresh(), x, training=True))


def test_how_a_layer_is_copied_is_its_own_affair() -> None:
    specimen = Specimen(Shared(), (2,))
    assert specimen.fresh().shared is specimen.fresh().shared


def test_copies_share_no_arrays() -> None:
    specimen = Specimen(layers.Dense(3), (4,))
    one, other = specimen.fresh(), specimen.fresh()
    before = specimen.parameters(other)[0].data.copy()
    specimen.parameters(one)[0].data[...] = 0
    assert np.array_equal(specimen.parameters(other)[0].data, before)
    assert specimen.parameters(one)[0].data.flags.writeable
