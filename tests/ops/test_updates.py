"""The optimizers' steps: one backend against the other, and what they refuse to change."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numeric import DTYPES, assert_close

from minicnn.ops import reference

ADAM = {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 1e-6}
RULES = {
    "sgd": ("sgd_update", 1, {"lr": 0.1, "momentum": 0.9}),
    "nesterov": ("sgd_update", 1, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "rmsprop": ("rmsprop_update", 1, {"lr": 0.1, "smoothing": 0.9, "eps": 1e-6}),
    "adam": ("adam_update", 2, {**ADAM, "step": 3}),
    "adam, shrinking": ("adam_update", 2, {**ADAM, "step": 1, "shrink": 0.01}),
}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 3, 5, 17), (301, 211)], ids=str)
@pytest.mark.parametrize("changes", [{}, {"scale": 0.3}, {"decay": 0.2, "scale": 2.0}], ids=str)
@pytest.mark.parametrize("rule", RULES)
def test_the_backends_agree(
    compiled: ModuleType, rule: str, changes: dict, shape: tuple, dtype: type
) -> None:
    name, slots, settings = RULES[rule]
    rng = np.random.default_rng(len(shape))
    g = np.array(rng.standard_normal(shape), dtype)
    start = [np.array(rng.uniform(0.1, 2, shape), dtype) for _ in range(1 + slots)]
    results = []
    for backend in (reference, compiled):
        w, *state = (array.copy() for array in start)
        kept = g.copy()
        getattr(backend, name)(w, kept, *state, **settings, **changes)
        np.testing.assert_array_equal(kept, g)
        results.append([w, *state])
    for got, wanted in zip(results[1], results[0], strict=True):
        assert_close(got, wanted, 16, scale=3.0)


def test_adam_by_hand(backend: ModuleType) -> None:
    w, g, m, s = (np.array([value]) for value in (1.0, 2.0, 0.5, 4.0))
    backend.adam_update(w, g, m, s, lr=0.1, beta1=0.5, beta2=0.75, eps=0.0, step=2)
    # m = 0.25 + 1, s = 3 + 1; m̂ = 1.25 / 0.75, ŝ = 4 / 0.4375
    np.testing.assert_allclose(m, 1.25)
    np.testing.assert_allclose(s, 4.0)
    np.testing.assert_allclose(w, 1 - 0.1 * (1.25 / 0.75) / np.sqrt(4 / 0.4375))


@pytest.mark.parametrize(("changes", "kind", "message"), [
    ({"w": [1.0, 2.0]}, TypeError, "sgd_update: w must be an array of float32 or float64"),
    ({"w": np.ones(2, int)}, TypeError, "sgd_update: w must be an array of float32 or float64"),
    ({"v": np.ones(3)}, ValueError, "sgd_update: v must be like w, (2,) of float64, got (3,)"),
    ({"v": np.ones(2, "f")}, ValueError, "sgd_update: v must be like w, (2,) of float64"),
    ({"w": np.ones(4)[::2]}, ValueError, "sgd_update: w must be C-contiguous and writeable"),
    ({"g": np.ones(3)}, ValueError, "sgd_update: g must have the shape of w, (2,), got (3,)"),
    ({"g": np.ones(2, complex)}, TypeError, "sgd_update: g must hold real numbers, got dtype comp"),
])
def test_what_cannot_be_updated(
    backend: ModuleType, changes: dict[str, Any], kind: type[Exception], message: str
) -> None:
    arrays = {"w": np.ones(2), "g": np.ones(2), "v": np.ones(2)} | changes
    with pytest.raises(kind) as caught:
        backend.sgd_update(**arrays, lr=0.1)
    assert str(caught.value).startswith(message)


def test_a_gradient_may_have_any_layout(backend: ModuleType) -> None:
    rng = np.random.default_rng(0)
    g, w = rng.standard_normal((5, 7)), rng.standard_normal((5, 7))
    expected, got = w.copy(), w.copy()
    backend.sgd_update(expected, g, np.zeros_like(w), lr=0.5)
    backend.sgd_update(got, np.asfortranarray(g), np.zeros_like(w), lr=0.5)
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_allclose(got, w - 0.5 * g)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 3, 5, 17), (301, 211)], ids=str)
@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
def test_an_average_moves_by_its_rate(
    backend: ModuleType, rate: float, shape: tuple, dtype: type
) -> None:
    rng = np.random.default_rng(1)
    average, weights = (np.array(rng.standard_normal(shape), dtype) for _ in range(2))
    expected = average + dtype(rate) * (weights - average)
    kept = weights.copy()
    assert backend.average_update(average, weights, rate) is None
    assert_close(average, expected, 1)  # a fused multiply-add rounds once less
    np.testing.assert_array_equal(weights, kept)


@pytest.mark.parametrize(("average", "weights", "rate", "kind", "message"), [
    (np.ones(2, int), np.ones(2), 0.1, TypeError, "average must be an array of float32 or float64"),
    (np.ones(4)[::2], np.ones(2), 0.1, ValueError, "average must be C-contiguous and writeable"),
    (np.ones(2), np.ones(3), 0.1, ValueError, "weights must have the shape of average, (2,), got"),
    (np.ones(2), np.ones(2), 1.5, ValueError, "rate must lie in [0, 1], got 1.5"),
])
def test_what_cannot_be_averaged(
    backend: ModuleType, average: Any, weights: Any, rate: float, kind: type, message: str
) -> None:
    with pytest.raises(kind) as caught:
        backend.average_update(average, weights, rate)
    assert str(caught.value).startswith(f"average_update: {message}")


@pytest.mark.parametrize("rule", RULES)
def test_many_parameters_at_once_are_each_as_alone(backend: ModuleType, rule: str) -> None:
    name, slots, settings = RULES[rule]
    rng = np.random.default_rng(0)
    shapes: list[tuple[int, ...]] = [(3, 2), (), (4,)]
    dtypes = (np.float32, np.float64, np.float32)
    decays = [0.1, 0.0, 0.3]
    start = [[np.array(rng.uniform(0.1, 2, shape), dtype)
              for shape, dtype in zip(shapes, dtypes, strict=True)] for _ in range(2 + slots)]
    alone, together = ([[array.copy() for array in arrays] for arrays in start] for _ in range(2))
    for decay, *arrays in zip(decays, *alone, strict=True):
        getattr(backend, name)(*arrays, **settings, decay=decay, scale=0.5)
    getattr(backend, name)(*together, **settings, decay=decays, scale=0.5)
    for arrays, expected in zip(together, alone, strict=True):
        for got, wanted in zip(arrays, expected, strict=True):
            np.testing.assert_array_equal(got, wanted)
    assert not np.array_equal(together[0][0], start[0][0])


def test_many_parameters_each_lose_their_share_and_averages_move_together(
    backend: ModuleType
) -> None:
    weights = [np.ones(2), np.full(3, 2.0)]
    zeros = [[np.zeros(2), np.zeros(3)] for _ in range(3)]
    backend.adam_update(weights, *zeros, **ADAM, step=1, shrink=[0.5, 0.0])
    np.testing.assert_array_equal(np.concatenate(weights), [0.5, 0.5, 2, 2, 2])
    backend.average_update(weights, zeros[0], 0.5)
    np.testing.assert_array_equal(np.concatenate(weights), [0.25, 0.25, 1, 1, 1])
    backend.average_update([], [], 0.5)


@pytest.mark.parametrize(("changes", "kind", "message"), [
    ({"v": np.ones(2)}, ValueError, "v must be a list of 2 arrays, as w is"),
    ({"g": [np.ones(2)]}, ValueError, "g must be a list of 2 arrays, as w is"),
    ({"g": [np.ones(2), np.ones(2)]}, ValueError, "g must have the shape of w, (3,), got (2,)"),
    ({"v": [np.ones(2), np.ones(3, "f")]}, ValueError, "v must be like w, (3,) of float64, got "),
    ({"w": [np.ones(2), 1.0]}, TypeError, "w must be an array of float32 or float64, got list"),
    ({"decay": [0.1]}, ValueError, "decay must be a number, or one for each of 2 parameters"),
])
def test_many_parameters_that_do_not_agree(
    backend: ModuleType, changes: dict[str, Any], kind: type[Exception], message: str
) -> None:
    arrays = {name: [np.ones(2), np.ones(3)] for name in "wgv"} | changes
    with pytest.raises(kind) as caught:
        backend.sgd_update(**arrays, lr=0.1)
    assert str(caught.value).startswith(f"sgd_update: {message}")
