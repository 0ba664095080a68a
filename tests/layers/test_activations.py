"""The activation layers: no arrays, and the settings that are refused."""

from collections.abc import Callable

import pytest
from refusals import assert_refused

from minicnn import layers


@pytest.mark.parametrize("kind", [layers.ReLU, layers.LeakyReLU, layers.ELU])
def test_they_have_no_state(kind: type[layers.Layer]) -> None:
    layer = kind()
    assert layer.build((5, 6, 3)) == (5, 6, 3)
    assert layer.state_dict() == {}


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: layers.LeakyReLU(-1), ValueError, "LeakyReLU: slope must lie in [0, inf), got -1"),
    (lambda: layers.ELU("a"), TypeError, "ELU: alpha must be a number, got 'a'"),
])
def test_settings_that_are_refused(make: Callable, kind: type[Exception], message: str) -> None:
    assert_refused(make, kind, message)
