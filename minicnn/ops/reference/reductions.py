"""Reductions over many arrays: are all numbers finite, and what is their norm."""

import numpy as np


def all_finite(arrays):
    """Whether no number of any array is NaN or infinite."""
    return all(bool(np.isfinite(array).all()) for array in arrays)


def global_norm(arrays):
    """sqrt(Σ over all arrays of Σ a²), in float64."""
    return float(np.sqrt(sum(np.square(array, dtype=np.float64).sum() for array in arrays)))
