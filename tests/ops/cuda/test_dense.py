"""The dense operation on the device: against the reference, and what it launches."""

from typing import Any

import numpy as np
import pytest
from numeric import DTYPES, assert_close, assert_gradient, random_like

from minicnn.ops import cuda, reference
from minicnn.ops.cuda.device import device


def arrays(count: int, inputs: int, outputs: int, dtype: type) -> list[np.ndarray]:
    """x, w and b."""
    rng = np.random.default_rng([count, inputs, outputs])
    shapes = (count, inputs), (inputs, outputs), (outputs,)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("count", "inputs", "outputs"), [
    (1, 1, 1), (3, 1100, 7), (70, 5, 130), (64, 72, 256), (2, 17, 64), (5, 256, 3),
])
def test_against_the_reference(dtype: type, count: int, inputs: int, outputs: int) -> None:
    x, w, b = arrays(count, inputs, outputs, dtype)
    for bias in (b, None):
        y, cache = cuda.dense_forward(x, w, bias)
        expected, wanted_cache = reference.dense_forward(x, w, bias)
        assert_close(np.asarray(y), expected, 64)
        dy = random_like(np.random.default_rng(1), expected)
        wanted = reference.dense_backward(dy, wanted_cache)
        for got, right in zip(cuda.dense_backward(dy, cache), wanted, strict=True):
            if right is None:
                assert got is None
            else:
                assert_close(np.asarray(got), right, 64)
        dw, db = cuda.dense_weight_gradients(dy, cache)
        assert_close(np.asarray(dw), wanted[1], 64)
        assert (db is None) == (bias is None)


def test_gradients_by_central_differences() -> None:
    x, w, b = arrays(4, 5, 3, np.float64)

    def forward(x: Any, w: Any, b: Any) -> np.ndarray:
        return np.asarray(cuda.dense_forward(x, w, b)[0])

    y, cache = cuda.dense_forward(x, w, b)
    dy = random_like(np.random.default_rng(2), y)
    dx, dw, db = map(np.asarray, cuda.dense_backward(dy, cache))
    assert_gradient(dx, lambda x: forward(x, w, b), x, dy)
    assert_gradient(dw, lambda w: forward(x, w, b), w, dy)
    assert_gradient(db, lambda b: forward(x, w, b), b, dy)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_is_not_finite_goes_where_the_reference_has_it(value: float) -> None:
    x, w, b = arrays(6, 9, 5, np.float32)
    x[2, 3] = value
    w[3, 1] = 0
    y, cache = cuda.dense_forward(x, w, b)
    expected, wanted_cache = reference.dense_forward(x, w, b)
    np.testing.assert_allclose(np.asarray(y), expected, rtol=1e-4, atol=1e-5)
    dy = np.zeros_like(expected)
    dy[2, 0] = value
    wanted = reference.dense_backward(dy, wanted_cache)
    for got, right in zip(cuda.dense_backward(dy, cache), wanted, strict=True):
        np.testing.assert_allclose(np.asarray(got), right, rtol=1e-4, atol=1e-5)


def test_launches() -> None:
    x, w, b = arrays(4, 2000, 12, np.float32)
    interpreter: Any = device()
    with interpreter.recorded() as launches:
        y, cache = cuda.dense_forward(x, w, b)
        assert len(launches) == 2  # the parts of y, the bias in one of them; and their sum
        cuda.dense_backward(np.ones(y.shape, np.float32), cache)
        assert len(launches) == 5  # dx, dw and db
