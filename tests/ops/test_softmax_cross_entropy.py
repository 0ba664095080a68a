"""Softmax and its cross-entropy: against formulas written anew, ONNX and central differences."""

import math
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numeric import DTYPES, assert_close, assert_gradient
from onnx_operator import onnx_operator

from minicnn.ops import reference

SEEDS = st.integers(0, 2**32 - 1)
COUNTS, CLASSES = st.integers(1, 6), st.sampled_from([1, 2, 3, 5, 7, 17])
SMOOTHING = st.sampled_from([0.0, 0.1, 0.7, 1.0])


def draw(seed: int, count: int, classes: int, dtype: type = np.float64) -> tuple:
    """Logits, labels and class weights, one of which may be 0."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    weights = rng.uniform(0.1, 3, classes)
    if classes > 1:
        weights[(labels[0] + 1) % classes] = 0
    logits = 3 * rng.standard_normal((count, classes))
    return logits.astype(dtype), labels, weights.astype(dtype)


def loss_as_pytorch_defines_it(
    logits: np.ndarray, labels: np.ndarray, weights: np.ndarray, smoothing: float
) -> float:
    """Weighted mean of ``-Σ_c w_c · q_c · log p_c`` with smoothed targets q, one number at a time.

    The divisor is the sum of the labels' weights.
    """
    classes, total = logits.shape[1], 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        partition = sum(math.exp(logit) for logit in row)
        for c, logit in enumerate(row):
            target = smoothing / classes + (1 - smoothing) * (c == label)
            total -= weights[c] * target * math.log(math.exp(logit) / partition)
    return total / sum(weights[label] for label in labels)


def test_softmax_by_hand(backend: ModuleType) -> None:
    p = backend.softmax(np.log([[1.0, 2, 5], [6, 1, 1]]))
    np.testing.assert_allclose(p, [[1 / 8, 2 / 8, 5 / 8], [6 / 8, 1 / 8, 1 / 8]], rtol=1e-14)


@pytest.mark.parametrize("shape", [(4,), (3, 7), (2, 3, 5), (70, 2)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_against_onnx(backend: ModuleType, shape: tuple, dtype: type) -> None:
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    (expected,) = onnx_operator("Softmax", x, axis=-1)
    assert_close(backend.softmax(x), expected, 8)


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_logits_overflow_nothing(backend: ModuleType, dtype: type) -> None:
    x = np.array([[1e4, -1e4, 1e4], [-1e30, 0, -1e30], [-1e4, -1e4 - 1, -np.inf]], dtype)
    p = backend.softmax(x)
    np.testing.assert_allclose(
        p, [[0.5, 0, 0.5], [0, 1, 0], [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0]], rtol=1e-6)
    loss, cache = backend.softmax_cross_entropy_forward(x[:1], [1])
    assert loss == pytest.approx(2e4 + math.log(2), rel=1e-7)
    np.testing.assert_allclose(
        backend.softmax_cross_entropy_backward(cache), [[0.5, -1, 0.5]], rtol=1e-6)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_nan_fills_its_row(backend: ModuleType, place: int) -> None:
    x = np.zeros((3, 3))
    x[1, place] = np.nan
    np.testing.assert_array_equal(np.isnan(backend.softmax(x)).all(1), [False, True, False])
    loss, cache = backend.softmax_cross_entropy_forward(x, [0, 1, 2])
    assert math.isnan(loss)
    rows = np.isnan(backend.softmax_cross_entropy_backward(cache)).all(1)
    np.testing.assert_array_equal(rows, [False, True, False])


def test_cross_entropy_by_hand(backend: ModuleType) -> None:
    logits = np.log([[1.0, 3], [3, 1]])
    loss, cache = backend.softmax_cross_entropy_forward(logits, [0, 0])
    assert loss == pytest.approx((math.log(4) + math.log(4 / 3)) / 2, rel=1e-15)
    np.testing.assert_allclose(
        backend.softmax_cross_entropy_backward(cache),
        [[-3 / 8, 3 / 8], [-1 / 8, 1 / 8]], rtol=1e-14)


@given(count=COUNTS, classes=CLASSES, seed=SEEDS, smoothing=SMOOTHING, weighted=st.booleans())
def test_loss_and_gradient(
    backend: ModuleType, count: int, classes: int, seed: int, smoothing: float, weighted: bool
) -> None:
    logits, labels, weights = draw(seed, count, classes)
    settings = {"class_weights": weights if weighted else None, "label_smoothing": smoothing}

    def forward(logits: np.ndarray) -> tuple:
        return backend.softmax_cross_entropy_forward(logits, labels, **settings)

    loss, cache = forward(logits)
    expected = loss_as_pytorch_defines_it(
        logits, labels, weights if weighted else np.ones(classes), smoothing)
    assert isinstance(loss, float)
    assert loss == pytest.approx(expected, rel=1e-12, abs=1e-13)
    dloss = float(np.random.default_rng(seed).standard_normal())
    dlogits = backend.softmax_cross_entropy_backward(cache, dloss)
    assert_gradient(dlogits, lambda logits: forward(logits)[0], logits, dloss)


@given(count=COUNTS, classes=CLASSES, seed=SEEDS)
def test_cross_entropy_against_onnx(
    backend: ModuleType, count: int, classes: int, seed: int
) -> None:
    logits, labels, weights = draw(seed, count, classes)
    loss, _ = backend.softmax_cross_entropy_forward(logits, labels, class_weights=weights)
    (expected,) = onnx_operator("SoftmaxCrossEntropyLoss", logits, labels, weights,
                                reduction="mean")
    assert loss == pytest.approx(float(expected), rel=1e-12, abs=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@given(count=st.integers(1, 99), classes=CLASSES, seed=SEEDS, smoothing=SMOOTHING)
def test_the_backends_agree(
    compiled: ModuleType, dtype: type, count: int, classes: int, seed: int, smoothing: float
) -> None:
    logits, labels, weights = draw(seed, count, classes, dtype)
    eps = float(np.finfo(dtype).eps)
    settings = {"class_weights": weights, "label_smoothing": smoothing}
    assert_close(compiled.softmax(logits), reference.softmax(logits), 8)
    loss, cache = compiled.softmax_cross_entropy_forward(logits, labels, **settings)
    wanted, reference_cache = reference.softmax_cross_entropy_forward(logits, labels, **settings)
    assert loss == pytest.approx(wanted, rel=64 * eps, abs=eps)
    gradient = reference.softmax_cross_entropy_backward(reference_cache)
    for got in (compiled.softmax_cross_entropy_backward(cache),
                compiled.softmax_cross_entropy_backward(reference_cache),
                reference.softmax_cross_entropy_backward(cache)):
        assert_close(got, gradient)


@pytest.mark.parametrize("kind", ["int8", "uint8", ">i4", "uint64"])
def test_labels_of_any_integer_type(backend: ModuleType, kind: str) -> None:
    logits = np.random.default_rng(0).standard_normal((3, 4))
    loss, _ = backend.softmax_cross_entropy_forward(logits, np.array([3, 0, 1], kind))
    assert loss == backend.softmax_cross_entropy_forward(logits, [3, 0, 1])[0]


@pytest.mark.parametrize("weights", [[1.0, 2.0, 3.0], np.array([1.0, 2.0, 3.0])])
def test_class_weights_do_not_change_the_dtype(backend: ModuleType, weights: object) -> None:
    _, cache = backend.softmax_cross_entropy_forward(
        np.ones((2, 3), np.float32), [0, 1], class_weights=weights)
    assert backend.softmax_cross_entropy_backward(cache).dtype == np.float32


@pytest.mark.parametrize(("labels", "settings", "kind", "message"), [
    ([0, 3], {}, ValueError, "labels must lie in [0, 3), got 3 in row 1"),
    ([-1, 0], {}, ValueError, "labels must lie in [0, 3), got -1 in row 0"),
    ([0.0, 1.0], {}, TypeError, "labels must be integers, got dtype float64"),
    ([True, False], {}, TypeError, "labels must be integers, got dtype bool"),
    ([0, 1, 2], {}, ValueError, "labels must have shape (2,), one label a row of logits"),
    ([[0], [1]], {}, ValueError, "labels must have shape (2,), one label a row of logits"),
    ([0, 1], {"label_smoothing": 1.5}, ValueError, "label_smoothing must lie in [0, 1], got 1.5"),
    ([0, 1], {"class_weights": [1, 2]}, ValueError, "class_weights must have shape (3,)"),
    ([0, 1], {"class_weights": [1, 2, -1]}, ValueError, "class_weights must be finite and not neg"),
    ([0, 1], {"class_weights": [1, 2, np.nan]}, ValueError, "class_weights must be finite"),
    ([0, 1], {"class_weights": [0, 0, 1]}, ValueError, "every row belongs to a class of weight 0"),
])
def test_what_is_refused(
    backend: ModuleType, labels: list, settings: dict, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        backend.softmax_cross_entropy_forward(np.ones((2, 3)), labels, **settings)
    assert str(caught.value).startswith(f"softmax_cross_entropy: {message}")


def test_softmax_of_a_number_is_refused(backend: ModuleType) -> None:
    with pytest.raises(ValueError, match="softmax: x must have at least one axis"):
        backend.softmax(1.0)
