"""The initializers: mean and variance of many draws, their limits, and how they are named."""

import numpy as np
import pytest

from minicnn import InputError, initializers

SHAPE = (3, 3, 40, 60)  # fan_in 360, fan_out 540, 21,600 numbers
VARIANCES = {
    "he_normal": 2 / 360, "he_uniform": 2 / 360, "glorot_normal": 2 / 900,
    "glorot_uniform": 2 / 900, "normal": 0.05**2, "uniform": 0.05**2 / 3,
}


@pytest.mark.parametrize(("name", "variance"), VARIANCES.items())
def test_mean_and_variance(name: str, variance: float) -> None:
    sample = initializers.get(name)(SHAPE, np.random.default_rng(0), "float64")
    count = sample.size
    assert abs(sample.mean()) < 4 * np.sqrt(variance / count)
    # of normal numbers the sample variance deviates by sqrt(2/n) of itself, of uniform ones by less
    assert abs(sample.var() / variance - 1) < 4 * np.sqrt(2 / count)
    if name.endswith("uniform"):
        limit = np.sqrt(3 * variance)
        assert 0.999 * limit < np.abs(sample).max() <= limit
    else:
        assert np.abs(sample).max() > 3.5 * np.sqrt(variance)
        inside = (np.abs(sample) < np.sqrt(variance)).mean()
        assert inside == pytest.approx(0.6827, abs=0.02)


@pytest.mark.parametrize(("name", "value"), [("zeros", 0), ("ones", 1)])
def test_constants(name: str, value: float) -> None:
    np.testing.assert_array_equal(
        initializers.get(name)((2, 3), np.random.default_rng(0)), np.full((2, 3), value))


@pytest.mark.parametrize("name", initializers.INITIALIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_seed_fixes_the_draw(name: str, dtype: str) -> None:
    first, second = (
        initializers.get(name)((4, 5), np.random.default_rng(3), dtype) for _ in range(2)
    )
    assert first.dtype == dtype
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("shape", "expected"), [
    ((4, 5), (4, 5)), ((3, 2, 4, 5), (24, 30)), ((7, 4, 5), (28, 35)),
])
def test_fans(shape: tuple, expected: tuple) -> None:
    assert initializers.fans(shape) == expected


def test_fans_of_a_vector() -> None:
    with pytest.raises(ValueError, match=r"^fans: expected a shape \(..., in, out\), got \(4,\)"):
        initializers.fans((4,))


@pytest.mark.parametrize("name", initializers.INITIALIZERS)
def test_the_table_makes_an_equal_one(name: str) -> None:
    initializer = initializers.get(name)
    assert initializers.get(initializers.spec_of(initializer)) == initializer
    assert initializers.get(initializer) is initializer


def test_settings() -> None:
    initializer = initializers.get({"name": "normal", "std": 2.0})
    assert initializer == initializers.Normal(2.0)
    assert initializers.spec_of(initializer) == {"name": "normal", "std": 2.0}


@pytest.mark.parametrize(("spec", "message"), [
    ("xavier", "initializer: expected one of he_normal, .*got 'xavier'"),
    ({"name": "normal", "sd": 1}, "initializer: .* has no setting 'sd'; expected some of std"),
    ({"std": 1}, "initializer: expected one of he_normal, .*got nothing"),
    (3, "initializer: expected a name or a table, got 3"),
    ({"name": "normal", "std": -1}, "initializer: .*std must "),
    ({"name": "normal", "std": "a"}, "initializer: .*std must "),
    ({"name": "uniform", "limit": float("nan")}, "initializer: .*limit must "),
])
def test_what_is_refused(spec: object, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        initializers.get(spec)
