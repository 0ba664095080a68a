"""The matrices of Winograd's F(4, 3) in kernels are those that the CPU backend derives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minicnn.ops.cpu import conv2d_winograd_matrices as derived
from minicnn.ops.cuda import winograd_matrices


@pytest.mark.parametrize(("name", "columns"), [
    ("bt_times", 6), ("g_times", 3), ("at_times", 6), ("a_times", 4), ("gt_times", 6),
])
def test_each_matrix_is_the_same(name: str, columns: int) -> None:
    here: Callable[..., Any] = getattr(winograd_matrices, name).py_func
    there: Callable[..., Any] = getattr(derived, name).py_func
    for unit in np.eye(columns):
        np.testing.assert_array_equal(here(unit, 0, 1), there(*unit))


def test_a_vector_may_lie_apart() -> None:
    numbers = np.random.default_rng(0).standard_normal(40)
    times = winograd_matrices.bt_times.py_func
    np.testing.assert_array_equal(times(numbers, 3, 6), times(numbers[3:34:6], 0, 1))


def test_in_float32_nothing_is_wider() -> None:
    for name in ("bt_times", "g_times", "at_times", "a_times", "gt_times"):
        results = getattr(winograd_matrices, name).py_func(np.ones(6, np.float32), 0, 1)
        assert {type(number) for number in results} == {np.float32}
