"""A compiled kernel as a GPU gets it, and what it computes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TEXT = (Path(__file__).parents[1] / "ptx" / "centre_rows.ptx").read_text(encoding="utf-8")
"""``centre_rows(x, y, columns)``: a block of 128 threads subtracts a row's mean from the row."""

THREADS = 128


def case(rows: int = 3, columns: int = 200) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A matrix and a place for the result, which holds nothing yet."""
    x = np.random.default_rng(columns).standard_normal((rows, columns)).astype(np.float32)
    return x, np.zeros_like(x)


def right(x: NDArray[np.float32], y: NDArray[np.float32]) -> bool:
    """Whether ``y`` is ``x`` without its rows' means, up to the rounding of float32."""
    exact = x.astype(np.float64)
    return bool(np.abs(y - (exact - exact.mean(axis=1, keepdims=True))).max() < 1e-6)
