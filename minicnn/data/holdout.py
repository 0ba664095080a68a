"""Holding rows out of a split, so that every class keeps its share."""

import numpy as np

from minicnn.data.dataset import Split


def hold_out(split: Split, fraction: float, rng: np.random.Generator) -> tuple[Split, Split]:
    """Divide `split` in two at random, class by class.

    Parameters
    ----------
    split : Split
        The rows to divide.
    fraction : float
        The share of each class to hold out, in (0, 1); rounded to whole rows, but at least one
        and never all. A class of a single row stays whole.
    rng : numpy.random.Generator
        Chooses the rows.

    Returns
    -------
    kept, held_out : Split
        Both in the order of `split`.
    """
    held = np.zeros(len(split), bool)
    for label in np.unique(split.labels):
        rows = np.flatnonzero(split.labels == label)
        count = min(max(round(fraction * len(rows)), 1), len(rows) - 1)
        held[rng.permutation(rows)[:count]] = True
    return split.take(~held), split.take(held)
