"""A state is taken over as a whole, or not at all."""

from collections.abc import Callable

import numpy as np
import pytest

from minicnn import layers


def dense(seed: int) -> layers.Dense:
    layer = layers.Dense(3)
    layer.build((4,), rng=np.random.default_rng(seed))
    return layer


@pytest.mark.parametrize(("change", "message"), [
    (lambda state: state.pop("dense.b"), "Dense: the state lacks dense.b"),
    (lambda state: state.update(extra=np.ones(1)), "Dense: the state has unknown extra"),
    (lambda state: state.update({"dense.b": np.ones(4)}),
     "Dense: dense.b must have shape (3,), got (4,)"),
    (lambda state: state.update({"dense.b": np.ones(3, complex)}), "Dense: dense.b must hold real"),
    (lambda state: state.update({"dense.b": np.array(["a"] * 3)}), "Dense: dense.b must hold real"),
])
def test_a_state_that_is_refused_changes_nothing(change: Callable, message: str) -> None:
    layer = dense(0)
    before, state = layer.state_dict(), dense(5).state_dict()
    change(state)
    with pytest.raises((TypeError, ValueError)) as caught:
        layer.load_state_dict(state)
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    assert str(caught.value).startswith(message)


def test_a_parameter_shows_what_it_is() -> None:
    assert repr(dense(0).parameters()[0]) == "Parameter('dense.w', shape=(4, 3), dtype=float32)"
