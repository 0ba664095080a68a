"""The loss object: the operation's numbers, and gradients that a caller may keep."""

from types import ModuleType

import numpy as np
import pytest
from numeric import assert_gradient

from minicnn.losses import SoftmaxCrossEntropy

LOGITS = np.random.default_rng(0).standard_normal((4, 3))
LABELS = np.array([2, 0, 1, 1])


def test_forward_and_backward(chosen: ModuleType) -> None:
    settings = {"class_weights": [0.5, 1.0, 2.0], "label_smoothing": 0.2}
    loss = SoftmaxCrossEntropy(**settings)
    value = loss.forward(LOGITS, LABELS)
    assert value == chosen.softmax_cross_entropy_forward(LOGITS, LABELS, **settings)[0]
    assert_gradient(loss.backward(-1.5), lambda logits: loss.forward(logits, LABELS), LOGITS, -1.5)


def test_a_gradient_does_not_change_later(chosen: ModuleType) -> None:
    loss = SoftmaxCrossEntropy()
    loss.forward(LOGITS, LABELS)
    gradient = loss.backward()
    kept = gradient.copy()
    loss.forward(5 * LOGITS, LABELS[::-1])
    loss.backward(3.0)
    np.testing.assert_array_equal(gradient, kept)


def test_backward_needs_a_forward() -> None:
    with pytest.raises(RuntimeError, match="SoftmaxCrossEntropy: backward needs a forward before"):
        SoftmaxCrossEntropy().backward()


@pytest.mark.parametrize(("smoothing", "kind"), [(-0.1, ValueError), (1.1, ValueError),
                                                 (np.nan, ValueError), (None, TypeError)])
def test_label_smoothing_out_of_range(smoothing: object, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="^SoftmaxCrossEntropy: label_smoothing must "):
        SoftmaxCrossEntropy(label_smoothing=smoothing)


@pytest.mark.parametrize(("weights", "kind"), [
    ([1.0, -1.0, 1.0], ValueError), ([1.0, np.inf, 1.0], ValueError), ([[1.0, 1.0]], ValueError),
    (["a", "b", "c"], TypeError), (1.0, ValueError),
])
def test_class_weights_that_are_none(weights: object, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="^SoftmaxCrossEntropy: class_weights must "):
        SoftmaxCrossEntropy(class_weights=weights)


def test_class_weights_stay_what_they_were_given_as(chosen: ModuleType) -> None:
    weights = np.array([1.0, 2.0, 0.5])
    loss = SoftmaxCrossEntropy(class_weights=weights)
    value, gradient = loss.forward(LOGITS, LABELS), loss.backward()
    weights[:] = 7.0
    np.testing.assert_array_equal(loss.backward(), gradient)
    assert loss.forward(LOGITS, LABELS) == value


def test_labels_must_be_labels() -> None:
    loss = SoftmaxCrossEntropy()
    with pytest.raises(ValueError, match=r"labels must lie in \[0, 3\), got 3 in row 0"):
        loss.forward(LOGITS, LABELS + 1)
    with pytest.raises(TypeError, match="labels must be integers, got dtype float64"):
        loss.forward(LOGITS, LABELS.astype(float))
