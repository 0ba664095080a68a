"""Figures of a classifier, against a table worked out by hand."""

import json

import numpy as np
import pytest

from minicnn import Sequential, layers
from minicnn.inference.evaluation import Evaluation, evaluate

# labels 0 0 0 1 1 2, answers 0 0 1 1 2 0 of four classes
EVALUATION = Evaluation(
    np.eye(4)[[0, 0, 1, 1, 2, 0]] * 0.7 + 0.075, np.array([0, 0, 0, 1, 1, 2]), 1.25
)


def test_confusion_precision_and_recall():
    np.testing.assert_array_equal(
        EVALUATION.confusion, [[2, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    )
    assert EVALUATION.accuracy == 0.5
    np.testing.assert_allclose(EVALUATION.precision, [2 / 3, 1 / 2, 0, np.nan])
    np.testing.assert_allclose(EVALUATION.recall, [2 / 3, 1 / 2, 0, np.nan])


def test_undefined_shares_become_null_in_json():
    per_class = EVALUATION.as_dict(("a", "b", "c", "d"))["per_class"]
    assert per_class["d"] == {"images": 0, "precision": None, "recall": None}
    assert per_class["a"] == {"images": 3, "precision": 2 / 3, "recall": 2 / 3}


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_becomes_null_in_json(loss):
    figures = Evaluation(EVALUATION.probabilities, EVALUATION.labels, loss).as_dict(tuple("abcd"))
    assert figures["loss"] is None
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_as_dict_needs_a_name_for_each_class():
    with pytest.raises(ValueError, match="4 names, one a class, got 3"):
        EVALUATION.as_dict(("a", "b", "c"))


def test_evaluate_runs_in_batches_in_evaluation_mode():
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (11, 4, 4), dtype=np.uint8), rng.integers(0, 3, 11)
    model = Sequential(
        [layers.Flatten(), layers.BatchNorm(), layers.Dropout(0.5), layers.Dense(3)], (4, 4, 1)
    )
    found = evaluate(
        model, images, labels, preprocessing=lambda batch: batch[..., None] / 255.0, batch_size=4
    )
    w, b = (parameter.data for parameter in model.layers[-1].parameters())
    logits = (images.reshape(11, -1) / 255.0 / np.sqrt(1 + 1e-5)) @ w + b
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, p, rtol=1e-4)
    assert found.loss == pytest.approx(-np.log(p[np.arange(11), labels]).mean(), rel=1e-4)


def test_no_inputs_are_refused():
    model = Sequential([layers.Flatten(), layers.Dense(3)], (4, 4, 1))
    with pytest.raises(ValueError, match="empty"):
        evaluate(model, np.zeros((0, 4, 4, 1)), np.zeros(0, int))


@pytest.mark.parametrize(("batch_size", "error"), [(0, ValueError), (2.5, TypeError)])
def test_batches_hold_at_least_one_input(batch_size, error):
    model = Sequential([layers.Flatten(), layers.Dense(3)], (4, 4, 1))
    with pytest.raises(error, match="evaluate: batch_size must be"):
        evaluate(model, np.zeros((2, 4, 4, 1)), np.zeros(2, int), batch_size=batch_size)


def test_the_accuracy_on_some_of_the_images():
    probabilities = np.eye(3)[[0, 1, 2, 0]]
    found = Evaluation(probabilities, np.array([0, 1, 0, 1]), 1.0)
    assert found.accuracy == 0.5
    assert found.accuracy_on(np.array([True, False, True, True])) == 1 / 3
    assert np.isnan(found.accuracy_on(np.zeros(4, bool)))
