"""The matrices of Winograd's F(4, 3), against their derivation from six points."""

from fractions import Fraction

import numpy as np
from numpy.polynomial.polynomial import polyfromroots

from minicnn.ops.cpu.conv2d_winograd_matrices import a_times, at_times, bt_times, g_times, gt_times

POINTS = [0, 1, -1, Fraction(1, 2), -2]
"""And ∞."""


def matrix(function, columns):
    """The matrix of a linear function of so many numbers."""
    return np.array([function.py_func(*unit) for unit in np.eye(columns)]).T


A, AT = matrix(a_times, 4), matrix(at_times, 6)
G, GT = matrix(g_times, 3), matrix(gt_times, 6)
BT = matrix(bt_times, 6)


def test_outputs_are_the_correlation_of_inputs_and_weights() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        d, g = rng.standard_normal(6), rng.standard_normal(3)
        y = at_times.py_func(*(np.array(g_times.py_func(*g)) * bt_times.py_func(*d)))
        np.testing.assert_allclose(y, np.correlate(d, g), rtol=0, atol=1e-13)


def test_transposes() -> None:
    np.testing.assert_allclose(A, AT.T, rtol=0, atol=1e-15)
    np.testing.assert_allclose(GT, G.T, rtol=0, atol=1e-15)


def test_they_evaluate_at_the_points() -> None:
    # Aᵀ: powers of the points; ∞ has the highest alone
    powers = [[float(point**power) for point in POINTS] for power in range(4)]
    np.testing.assert_array_equal(AT, np.column_stack([powers, [0, 0, 0, 1]]))
    # G: the same powers, divided by the products of the points' distances, but for signs
    for row, point in zip(G, POINTS, strict=False):
        distances = np.prod([point - other for other in POINTS if other != point])
        expected = [float(point**power / distances) for power in range(3)]
        np.testing.assert_allclose(np.abs(row), np.abs(expected), rtol=0, atol=1e-15)
    np.testing.assert_array_equal(G[5], [0, 0, 1])
    # Bᵀ: the polynomials that vanish at all other points
    for place, row in enumerate(BT):
        roots = [float(point) for other, point in enumerate(POINTS) if other != place]
        expected = np.zeros(6)
        expected[: len(roots) + 1] = polyfromroots(roots)
        np.testing.assert_allclose(np.abs(row), np.abs(expected), rtol=0, atol=1e-15)
