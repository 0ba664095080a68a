"""Holding rows out of a split, class by class."""

import numpy as np
from hypothesis import given, settings, strategies as st

from minicnn.data.dataset import Split
from minicnn.data.holdout import hold_out


def numbered(labels):
    """A split whose every image tells its row by its first two pixels."""
    images = np.zeros((len(labels), 48, 48), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(len(labels)), 256)
    return Split(images, np.array(labels, np.int64))


def rows_of(split):
    return split.images[:, 0, 0].astype(int) * 256 + split.images[:, 0, 1]


@settings(deadline=None)
@given(
    labels=st.lists(st.integers(0, 6), max_size=60),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 1000),
)
def test_every_row_once_in_its_order_and_every_class_by_its_share(labels, fraction, seed):
    split = numbered(labels)
    kept, held_out = hold_out(split, fraction, np.random.default_rng(seed))
    for part in (kept, held_out):
        assert np.all(np.diff(rows_of(part)) > 0)
        np.testing.assert_array_equal(part.labels, split.labels[rows_of(part)])
    assert sorted([*rows_of(kept), *rows_of(held_out)]) == list(range(len(labels)))
    for label in set(labels):
        size, held = labels.count(label), np.sum(held_out.labels == label)
        assert abs(held - fraction * size) <= 1
        assert held < size
        assert held > 0 or size == 1


def test_every_row_has_the_same_chance():
    split = numbered([0] * 10 + [1] * 20)
    counts = np.zeros(30)
    rng = np.random.default_rng(0)
    for _ in range(2000):
        counts[rows_of(hold_out(split, 0.3, rng)[1])] += 1
    assert np.abs(counts / 2000 - 0.3).max() < 0.05  # five standard deviations


def test_the_generator_alone_decides():
    split = numbered([0, 1] * 50)
    first, again, other = (
        rows_of(hold_out(split, 0.2, np.random.default_rng(seed))[1]) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)
