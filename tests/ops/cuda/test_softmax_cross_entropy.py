"""Softmax and its cross-entropy: against the reference, for any number of classes and rows."""

import math

import numpy as np
import pytest
from lean_kernels import assert_lean
from numeric import DTYPES, assert_close, assert_gradient

from minicnn.ops import cuda, reference
from minicnn.ops.cuda import softmax_cross_entropy as bodies
from minicnn.ops.cuda.array import asarray
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.softmax_cross_entropy import MOST_BLOCKS, ROWS, THREADS, blocks_for
from minicnn.ptx import Memory, load

SHAPES = [(1, 1), (3, 2), (9, 7), (17, 32), (3, 33), (2, 1000), (MOST_BLOCKS * ROWS + 5, 2)]
"""Rows and classes; of the last, some warps have two rows."""

SMOOTHING = [0.0, 0.1, 1.0]


def draw(shape: tuple[int, int], dtype: type = np.float64) -> tuple:
    """Logits, labels and class weights, one of which may be 0."""
    rng = np.random.default_rng(shape[1])
    rows, classes = shape
    labels = rng.integers(0, classes, rows)
    weights = rng.uniform(0.1, 3, classes)
    if classes > 1:
        weights[(labels[0] + 1) % classes] = 0
    return (3 * rng.standard_normal(shape)).astype(dtype), labels, weights.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*SHAPES, (7,), (2, 3, 5)], ids=str)
def test_softmax_as_the_reference(shape: tuple, dtype: type) -> None:
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    assert_close(np.asarray(cuda.softmax(x)), reference.softmax(x), 8)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("smoothing", SMOOTHING)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cross_entropy_as_the_reference(
    shape: tuple[int, int], weighted: bool, smoothing: float, dtype: type
) -> None:
    logits, labels, weights = draw(shape, dtype)
    settings = {"class_weights": weights if weighted else None, "label_smoothing": smoothing}
    loss, cache = cuda.softmax_cross_entropy_forward(logits, labels, **settings)
    expected, reference_cache = reference.softmax_cross_entropy_forward(logits, labels, **settings)
    eps = float(np.finfo(dtype).eps)
    assert type(loss) is float
    assert loss == pytest.approx(expected, rel=16 * eps, abs=16 * eps)
    assert_close(np.asarray(cache.probabilities), reference_cache.probabilities, 16)
    wanted = reference.softmax_cross_entropy_backward(reference_cache, -1.5)
    scale = 1.5 * max(1, weights.max()) / cache.total_weight
    for kept in (cache, reference_cache):
        dlogits = cuda.softmax_cross_entropy_backward(kept, -1.5)
        assert_close(np.asarray(dlogits), wanted, 16, scale)
    assert_close(reference.softmax_cross_entropy_backward(cache, -1.5), wanted, 16, scale)


@pytest.mark.parametrize("smoothing", SMOOTHING)
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (2, 7)], ids=str)
def test_gradient(shape: tuple[int, int], smoothing: float) -> None:
    logits, labels, weights = draw(shape)

    def forward(logits: np.ndarray) -> tuple:
        return cuda.softmax_cross_entropy_forward(
            logits, labels, class_weights=weights, label_smoothing=smoothing)

    dlogits = np.asarray(cuda.softmax_cross_entropy_backward(forward(logits)[1], 0.7))
    assert_gradient(dlogits, lambda logits: forward(logits)[0], logits, 0.7)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 2, 39])
def test_what_is_not_finite(place: int, bad: float, dtype: type) -> None:
    x = np.random.default_rng(0).standard_normal((5, 40)).astype(dtype)
    x[1, place] = bad
    x[3] = -np.inf
    labels = np.array([0, 3, place, 0, 39])
    with np.errstate(invalid="ignore", divide="ignore"):
        assert_close(np.asarray(cuda.softmax(x)), reference.softmax(x), 8, 1.0)
        for rows in (slice(0, 3), slice(1, 2), slice(2, 5)):
            for smoothing in (0.0, 0.1):
                loss, cache = cuda.softmax_cross_entropy_forward(
                    x[rows], labels[rows], label_smoothing=smoothing)
                expected, wanted = reference.softmax_cross_entropy_forward(
                    x[rows], labels[rows], label_smoothing=smoothing)
                assert loss == pytest.approx(expected, rel=1e-6, nan_ok=True)
                assert_close(
                    np.asarray(cuda.softmax_cross_entropy_backward(cache)),
                    reference.softmax_cross_entropy_backward(wanted), 16, 1.0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_logits_overflow_nothing(dtype: type) -> None:
    x = np.array([[1e4, -1e4, 1e4], [-1e30, 0, -1e30]], dtype)
    np.testing.assert_allclose(np.asarray(cuda.softmax(x)), [[0.5, 0, 0.5], [0, 1, 0]], rtol=1e-6)
    loss, _ = cuda.softmax_cross_entropy_forward(x[:1], [1])
    assert loss == pytest.approx(2e4 + math.log(2), rel=1e-7)


def test_one_launch_each_and_the_same_bits() -> None:
    logits, labels, _ = draw((MOST_BLOCKS * ROWS + 5, 2), np.float32)
    logits = asarray(logits, logits.dtype)
    with device().recorded() as launches:
        loss, cache = cuda.softmax_cross_entropy_forward(logits, labels)
        first = np.asarray(cuda.softmax_cross_entropy_backward(cache))
    assert len(launches) == 2
    again, cache = cuda.softmax_cross_entropy_forward(logits, labels)
    assert again == loss
    np.testing.assert_array_equal(np.asarray(cuda.softmax_cross_entropy_backward(cache)), first)


@pytest.mark.parametrize("rest", [0, 3])
def test_rows_beyond_32_bits(rest: int) -> None:
    rows, classes, memory = 2**23 - rest, 520, Memory()
    last = (rows - 1) // ROWS * ROWS  # the first row of the last block
    count = rows - last
    logits, p = (memory.allocate(4 * rows * classes) for _ in range(2))
    x = np.random.default_rng(0).standard_normal((count, classes)).astype(np.float32)
    place = 4 * last * classes
    assert place > 4 * 2**32
    memory.write(logits + place, x)
    (kernel,) = load(bodies._softmax.program("*f", "*f", "L", "I").text).values()
    blocks = -(-rows // ROWS)
    kernel.launch(
        blocks, THREADS, logits, p, rows, classes, memory=memory, blocks=[blocks - 1])
    found = memory.read(p + place, x.nbytes).view(np.float32).reshape(x.shape)
    assert_close(found, reference.softmax(x), 8)


@pytest.mark.parametrize(("rows", "blocks"), [(1, 1), (8, 1), (9, 2), (2**33, MOST_BLOCKS)])
def test_blocks_are_enough_and_not_too_many(rows: int, blocks: int) -> None:
    assert blocks_for(rows) == blocks


def test_the_kernels_keep_everything_in_registers() -> None:
    for real in "fd":
        array = f"*{real}"
        assert_lean(bodies._softmax, array, array, "L", "I")
        assert_lean(
            bodies._cross_entropy, array, "*l", array, "d", array, "*d", "L", "I")
        assert_lean(
            bodies._cross_entropy_gradient, array, "*l", array, "d", "d", array, "L", "I")
