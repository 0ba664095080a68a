"""Batches at the edge of what can be computed, through the layers, the loss and the trainer."""

import math
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numeric import DTYPES

from minicnn import InputError, Sequential, layers, losses, optimizers
from minicnn.checking.examples import EXAMPLES
from minicnn.inference.evaluation import evaluate
from minicnn.training import Trainer

each_layer = pytest.mark.parametrize(("make", "shape"), EXAMPLES.values(), ids=EXAMPLES.keys())
SEEDS = st.integers(0, 2**32 - 1)


def images(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """So many inputs for `network`, and their labels."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 8, 8, 1)).astype(np.float32), rng.integers(0, 3, count)


def network() -> Sequential:
    return Sequential(
        [layers.Conv2D(4), layers.BatchNorm(), layers.ReLU(), layers.MaxPool2D(), layers.Flatten(),
         layers.Dropout(0.3), layers.Dense(5), layers.BatchNorm(), layers.ELU(), layers.Dense(3)],
        input_shape=(8, 8, 1),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@given(seed=SEEDS, magnitude=st.floats(0, 30))
def test_logits_up_to_1e30_have_a_finite_loss_and_gradient(
    backend: ModuleType, dtype: type, smoothing: float, seed: int, magnitude: float
) -> None:
    rng = np.random.default_rng(seed)
    logits = (10**magnitude * rng.uniform(-1, 1, (4, 3))).astype(dtype)
    labels = rng.integers(0, 3, 4)
    loss, cache = backend.softmax_cross_entropy_forward(
        logits, labels, label_smoothing=smoothing)
    gradient = backend.softmax_cross_entropy_backward(cache)
    expected, expected_gradient = 0.0, np.empty((4, 3))
    for row, label, slopes in zip(logits.tolist(), labels, expected_gradient, strict=True):
        above = [logit - max(row) for logit in row]
        log_total = math.log(sum(map(math.exp, above)))
        for c in range(3):
            target = smoothing / 3 + (1 - smoothing) * (c == label)
            expected += target * (log_total - above[c]) / 4
            slopes[c] = (math.exp(above[c] - log_total) - target) / 4
    # a difference of logits is rounded in their own dtype before exp sees it
    eps = float(np.finfo(dtype).eps)
    assert loss == pytest.approx(expected, rel=16 * eps, abs=16 * eps)
    np.testing.assert_allclose(gradient, expected_gradient, atol=200 * eps)
    assert gradient.dtype == dtype


def test_equal_logits_share_the_probability_however_large(backend: ModuleType) -> None:
    for value in (1e30, -1e30, 3e38):
        logits = np.full((2, 4), value, np.float32)
        loss, cache = backend.softmax_cross_entropy_forward(logits, [0, 3])
        assert loss == pytest.approx(math.log(4), rel=1e-6)
        np.testing.assert_allclose(backend.softmax(logits), 0.25, rtol=1e-6)
        np.testing.assert_allclose(
            backend.softmax_cross_entropy_backward(cache)[0], [-0.375, *[0.125] * 3], rtol=1e-6)


@pytest.mark.parametrize("value", [0, 0.1, 1e4 + 0.1, -3e7, 1e-30, 1e30])
@pytest.mark.parametrize("shape", [(2, 3), (33, 3), (16, 12, 12, 3)])
def test_constant_channels_become_beta_and_pass_on_what_is_no_shift(
    backend: ModuleType, value: float, shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(0)
    gamma, beta, dy = (rng.standard_normal(s).astype(np.float32) for s in ((3,), (3,), shape))
    mean, var = np.zeros(3, np.float32), np.ones(3, np.float32)
    y, cache = backend.batchnorm_forward(
        np.full(shape, value, np.float32), gamma, beta, mean, var, training=True, eps=1e-5)
    np.testing.assert_allclose(y, np.broadcast_to(beta, shape), atol=1e-6)
    np.testing.assert_allclose(mean, np.float32(0.1 * value), rtol=1e-6)
    np.testing.assert_allclose(var, 0.9, rtol=1e-6)  # towards a variance of 0
    dx, dgamma, dbeta = backend.batchnorm_backward(dy, cache)
    rows = dy.reshape(-1, 3).astype(np.float64)
    scale = gamma / math.sqrt(1e-5)
    np.testing.assert_allclose(
        dx.reshape(-1, 3), scale * (rows - rows.mean(0)),  # x̂ is 0
        atol=16 * np.finfo(np.float32).eps * np.abs(scale * dy).max(),
    )
    np.testing.assert_allclose(dgamma, 0, atol=1e-4)
    np.testing.assert_allclose(dbeta, rows.sum(0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("value", [0, 0.1, 1e4 + 0.1, -3e7, 1e-30, 1e30])
@pytest.mark.parametrize("shape", [(2, 6), (3, 12, 12, 6)])
def test_constant_groups_become_beta_and_pass_on_what_is_no_shift(
    backend: ModuleType, value: float, shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(0)
    gamma, beta, dy = (rng.standard_normal(s).astype(np.float32) for s in ((6,), (6,), shape))
    y, cache = backend.groupnorm_forward(
        np.full(shape, value, np.float32), gamma, beta, groups=2, eps=1e-5)
    np.testing.assert_allclose(y, np.broadcast_to(beta, shape), atol=1e-6)
    dx, dgamma, dbeta = backend.groupnorm_backward(dy, cache)
    g = (gamma * dy).astype(np.float64).reshape(shape[0], -1, 2, 3)
    wanted = (g - g.mean((1, 3), keepdims=True)) / math.sqrt(1e-5)  # x̂ is 0
    np.testing.assert_allclose(
        dx, wanted.reshape(shape), atol=16 * np.finfo(np.float32).eps * np.abs(wanted).max())
    np.testing.assert_allclose(dgamma, 0, atol=1e-4)
    np.testing.assert_allclose(dbeta, dy.reshape(-1, 6).sum(0), rtol=1e-4, atol=1e-5)


def test_a_network_that_saw_only_constant_channels_can_be_evaluated(chosen: ModuleType) -> None:
    layer = layers.BatchNorm(momentum=0.5)
    layer.build((3,))
    x = np.full((4, 3), 7.3, np.float32)
    for _ in range(160):  # 0.5 to this power is no float32: the running variance ends at 0
        layer.forward(x, training=True)
    assert (layer.running_var < 1e-40).all()
    # the running mean is rounded
    np.testing.assert_allclose(
        layer.forward(x), 0, atol=8 * np.finfo(np.float32).eps * 7.3 / math.sqrt(1e-5))
    # what differs from the constant is measured in units of sqrt(eps)
    np.testing.assert_allclose(layer.forward(x + 1), 1 / math.sqrt(1e-5), rtol=1e-4)


@pytest.mark.parametrize("weights", [None, [0.5, 3.0, 2.0], [0.5, 0.0, 2.0]])
def test_a_class_missing_from_a_batch(chosen: ModuleType, weights: list[float] | None) -> None:
    logits = np.random.default_rng(0).standard_normal((5, 3))
    labels = np.array([0, 2, 2, 0, 2])  # no 1
    loss = losses.SoftmaxCrossEntropy(class_weights=weights)
    w = np.ones(3) if weights is None else np.array(weights)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    share = w[labels] / w[labels].sum()
    value = loss.forward(logits, labels)
    assert value == pytest.approx(-(share * np.log(p[np.arange(5), labels])).sum(), rel=1e-12)
    gradient = np.asarray(loss.backward())
    # nothing pulls the missing class up: its logit is pushed down where it took probability
    np.testing.assert_allclose(gradient[:, 1], share * p[:, 1], rtol=1e-12)
    np.testing.assert_allclose(gradient.sum(1), 0, atol=1e-15)


def test_a_batch_whose_classes_all_weigh_nothing_is_named() -> None:
    x, _ = images(5)
    model = network()
    loss = losses.SoftmaxCrossEntropy(class_weights=[1.0, 0.0, 1.0])
    run = Trainer(model, loss, optimizers.SGD(model.parameters()))
    with pytest.raises(InputError, match=r"^epoch 1, batch 1 \(5 inputs\): softmax_cross_entropy: "
                                         "every row belongs to a class of weight 0"):
        run.fit((x, np.ones(5, int)), epochs=1, batch_size=4)


@each_layer
def test_a_batch_of_one_is_evaluated_as_among_others(
    chosen: ModuleType, make, shape: tuple[int, ...]
) -> None:
    layer = make()
    x = np.random.default_rng(0).standard_normal((6, *shape)).astype(np.float32)
    layer.forward(x, training=True)
    together = np.asarray(layer.forward(x))
    for n in range(6):
        np.testing.assert_allclose(layer.forward(x[n : n + 1]), together[n : n + 1],
                                   rtol=1e-5, atol=1e-6)


def test_a_network_evaluates_one_image_as_among_others(chosen: ModuleType) -> None:
    x, labels = images(9)
    model = network()
    model.forward(x, training=True)
    together = model.predict(x)
    np.testing.assert_allclose(
        np.concatenate([model.predict(x[n : n + 1]) for n in range(9)]), together, atol=1e-5)
    whole, ones = evaluate(model, x, labels), evaluate(model, x, labels, batch_size=1)
    assert ones.loss == pytest.approx(whole.loss, rel=1e-5)
    last = evaluate(model, x, labels, batch_size=4)  # 4, 4 and 1
    assert last.loss == pytest.approx(whole.loss, rel=1e-5)


@pytest.mark.parametrize(("batch_size", "sizes"), [
    (2, [2, 2, 2, 3]), (4, [4, 5]), (5, [5, 4]), (9, [9]), (50, [9]),
])
def test_epochs_with_a_last_batch_of_another_size(
    chosen: ModuleType, batch_size: int, sizes: list[int]
) -> None:
    x, labels = images(9)
    model = network()
    seen = []

    class Loss(losses.SoftmaxCrossEntropy):
        def forward(self, logits, labels):
            seen.append((len(labels), super().forward(logits, labels)))
            return seen[-1][1]

    run = Trainer(model, Loss(), optimizers.Adam(model.parameters(), 1e-3))
    (epoch,) = run.fit((x, labels), (x[:1], labels[:1]), epochs=1, batch_size=batch_size)
    assert [size for size, _ in seen] == sizes
    # an image counts once, in whichever batch it is
    assert epoch.train_loss == pytest.approx(sum(size * loss for size, loss in seen) / 9, rel=1e-12)
    assert math.isfinite(epoch.validation_loss)
    assert all(np.isfinite(array).all() for array in model.state_dict().values())
