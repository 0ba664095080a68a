"""Questions to many arrays at once, against plain Python, on both backends."""

import math
from types import ModuleType

import numpy as np
import pytest
from numeric import DTYPES

SHAPES = [(), (1,), (7,), (0,), (3, 5), (2, 3, 5, 7), (1000, 33)]


def arrays(dtype: type) -> list[np.ndarray]:
    """One of each shape."""
    rng = np.random.default_rng(0)
    return [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]


@pytest.mark.parametrize("dtype", DTYPES)
def test_global_norm_is_that_of_all_numbers(backend: ModuleType, dtype: type) -> None:
    some = arrays(dtype)
    exact = math.sqrt(math.fsum(float(value) ** 2 for array in some for value in array.flat))
    assert backend.global_norm(some) == pytest.approx(exact, rel=1e-12)
    assert backend.global_norm(array for array in some) == backend.global_norm(some)


def test_global_norm_by_hand(backend: ModuleType) -> None:
    norm = backend.global_norm([[3.0], [[4.0, 0.0]], 12])
    assert (norm, type(norm)) == (13.0, float)
    assert backend.global_norm([]) == 0.0
    large = np.full(10**5, 1e25, np.float32)  # whose squares no float32 holds
    assert backend.global_norm([large]) == pytest.approx(1e25 * math.sqrt(1e5), rel=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite(backend: ModuleType, dtype: type, bad: float) -> None:
    some = arrays(dtype)
    assert backend.all_finite(some) is True
    for array in some:
        for place in {0, array.size // 2, array.size - 1} if array.size else ():
            changed = array.copy()
            changed.flat[place] = bad
            others = [changed if other is array else other for other in some]
            assert backend.all_finite(others) is False


def test_nothing_and_whole_numbers_are_finite(backend: ModuleType) -> None:
    assert backend.all_finite([])
    assert backend.all_finite([np.zeros((0, 3)), np.arange(3), np.array([True])])
    assert backend.all_finite([np.array([1e300]), np.array([3e38], np.float32)])


@pytest.mark.parametrize("name", ["all_finite", "global_norm"])
def test_what_is_no_number_is_refused(backend: ModuleType, name: str) -> None:
    with pytest.raises(TypeError, match=f"{name}: an array must hold real numbers, got dtype comp"):
        getattr(backend, name)([np.ones(2), np.ones(2, complex)])
