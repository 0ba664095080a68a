"""What the checks of layers say where something is not as it must be."""

import numpy as np


def require(condition: bool, message: str) -> None:
    """Raise with this message unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def require_equal(got: np.ndarray, expected: np.ndarray, what: str) -> None:
    """Two arrays must be the same bits."""
    require(np.array_equal(got, expected, equal_nan=True), f"{what} must be the same bits")


def distance(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest expected element."""
    scale = max(float(np.abs(expected).max(initial=0)), 1e-12)
    return float(np.abs(np.asarray(got, np.float64) - expected).max(initial=0)) / scale


def require_close(got: np.ndarray, expected: np.ndarray, tolerance: float, what: str) -> None:
    """Two arrays must agree, relative to the largest expected element."""
    require(got.shape == expected.shape, f"{what} must have one shape, "
                                          f"got {got.shape} and {expected.shape}")
    error = distance(got, expected)
    require(error <= tolerance, f"{what} must agree to {tolerance:g}, differ by {error:.1e}")
