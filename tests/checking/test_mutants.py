"""Mutants of the reference: one change each, which nothing but its block sees."""

import numpy as np
import pytest

from minicnn.checking.mutants import KINDS, mutants
from minicnn.ops import reference
from minicnn.ops.backend import other_bodies

FILES = ("conv2d", "pool2d", "batchnorm", "layernorm", "groupnorm", "dense", "activations",
         "dropout", "softmax_cross_entropy")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_change_is_made_somewhere(kind: str) -> None:
    assert any(list(mutants(file, [kind])) for file in FILES)


@pytest.mark.parametrize("file", FILES)
def test_a_mutant_is_told_by_its_source(file: str) -> None:
    every = list(mutants(file, list(KINDS)))
    for mutant in every:
        assert mutant.before != mutant.after
        assert mutant.statement != mutant.changed
        assert "\n" not in mutant.before + mutant.after or mutant.kind == "drop"
    assert [mutant.changed for mutant in every] == [
        mutant.changed for mutant in mutants(file, list(KINDS))
    ]


def test_a_mutant_is_the_reference_within_its_block_alone() -> None:
    x, w, b = np.ones((2, 3)), np.ones((3, 4)), np.full(4, 5.0)
    (mutant,) = [each for each in mutants("dense", ["flip"]) if each.function == "dense_forward"]
    assert (mutant.before, mutant.after) == ("y += b", "y -= b")
    with other_bodies("reference", mutant.bodies()):
        assert np.array_equal(reference.dense_forward(x, w, b)[0], np.full((2, 4), -2.0))
    assert np.array_equal(reference.dense_forward(x, w, b)[0], np.full((2, 4), 8.0))


def test_a_changed_helper_reaches_what_calls_it() -> None:
    x, w = np.ones((2, 3)), np.ones((3, 4))
    dy, cache = np.ones((2, 4)), reference.dense_forward(x, w, np.zeros(4))[1]
    (mutant,) = [each for each in mutants("dense", ["twin"]) if "sum" in each.statement]
    assert mutant.function == "dense_weight_gradients"
    with other_bodies("reference", mutant.bodies()):
        assert np.array_equal(reference.dense_backward(dy, cache)[2], np.ones(4))
    assert np.array_equal(reference.dense_backward(dy, cache)[2], np.full(4, 2.0))


def test_bodies_come_back_after_an_error() -> None:
    mutant = next(iter(mutants("dense", ["flip"])))
    before = reference.dense_forward(np.ones((1, 1)), np.ones((1, 1)), np.ones(1))[0]
    with pytest.raises(KeyError), other_bodies("reference", mutant.bodies()):
        raise KeyError
    assert reference.dense_forward(np.ones((1, 1)), np.ones((1, 1)), np.ones(1))[0] == before
