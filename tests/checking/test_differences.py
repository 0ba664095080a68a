"""Slopes by central differences: their own uncertainty, kinks, and the noise of a function."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st

from minicnn.checking.differences import first_step, noise_level, slope


@pytest.mark.parametrize(("function", "at", "derivative"), [
    (np.sin, 1.0, np.cos(1.0)),
    (np.exp, -2.0, np.exp(-2.0)),
    (np.tanh, 0.3, 1 - np.tanh(0.3) ** 2),
    (lambda t: t**5, 1e6, 5e24),
    (lambda t: t**5, 1e-6, 5e-24),
    (lambda t: 1 / t, 1e-3, -1e6),
])
def test_slope_is_as_near_as_it_says(function: Callable, at: float, derivative: float) -> None:
    rounding = abs(function(at)) * 2.3e-16
    found = slope(lambda t: function(at + t) - function(at), first_step(2.2e-16, abs(at)),
                  rounding, 1e-9 * abs(derivative))
    assert not found.kink
    assert abs(found.value - derivative) <= found.uncertainty
    assert found.uncertainty <= 1e-7 * abs(derivative)


def test_slope_knows_a_kink_from_one_nearby() -> None:
    at_kink = slope(abs, 1e-3, 1e-16, 1e-9)
    assert at_kink.kink
    beside = slope(lambda t: abs(t + 1e-4) - 1e-4, 1e-3, 1e-16, 1e-9)
    assert not beside.kink
    assert beside.value == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("frequency", [1e11, 1e12, 2e12, 1e13])
def test_slope_of_what_oscillates_inside_every_step_is_uncertain(frequency: float) -> None:
    step = first_step(2.2e-16, 1.0)
    found = slope(lambda t: np.sin(np.sqrt(2) * frequency * t), step, 1e-16, 1e-9)
    assert found.kink or found.uncertainty > 1e-7


@given(noise=st.sampled_from([1e-12, 1e-9, 1e-6]), seed=st.integers(0, 2**32 - 1))
def test_noise_level_is_that_of_the_function(noise: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    estimates = [noise_level(lambda t: np.sin(t) + noise * rng.standard_normal(), 1e-5)
                 for _ in range(9)]
    assert noise / 3 < np.median(estimates) < 3 * noise
