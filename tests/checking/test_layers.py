"""check_layer: every layer of the package passes, and each check fails a layer that it is for."""

import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minicnn
from minicnn import layers
from minicnn.checking import CHECKS, check_layer, parametrize_with_checks
from minicnn.checking.examples import EXAMPLES
from minicnn.layers import Layer

INTERPRETED = {"Dense, no bias", "LeakyReLU"}
"""Layers that are checked on the interpreter of PTX."""


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_layer_passes_every_check(chosen: ModuleType, name: str) -> None:
    if minicnn.backend_name() == "cuda" and name not in INTERPRETED:
        pytest.skip("the interpreter would take minutes for all layers")
    make, shape = EXAMPLES[name]
    results = check_layer(make(), shape)
    assert [result.name for result in results] == [check.__name__ for check in CHECKS]


def test_every_kind_of_layer_has_an_example() -> None:
    assert {type(make()).__name__ for make, _ in EXAMPLES.values()} == set(layers.LAYERS)


class Plain:
    """The least that can be checked: no base class, no parameters, no modes."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x.copy()
        return x**3

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return 3 * self.x**2 * dy


class WithParameter(Plain):
    """A learnt factor for each feature, on objects of one's own."""

    class Parameter:
        name, grad = "factor", None

        def __init__(self) -> None:
            self.data = np.ones(4)

    def __init__(self) -> None:
        self.factor = self.Parameter()

    def parameters(self) -> list[Any]:
        return [self.factor]

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x.copy()
        return x * self.factor.data.astype(x.dtype)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        self.factor.grad = (dy * self.x).sum(0)
        return dy * self.factor.data.astype(dy.dtype)


@pytest.mark.slow
@parametrize_with_checks([(Plain(), (4,)), (WithParameter(), (4,)), (layers.Dense(2), [3])])
def test_any_object_can_be_checked(check: Callable) -> None:
    check()


class WrongGradient(Plain):
    def backward(self, dy: np.ndarray) -> np.ndarray:
        return 2 * self.x**2 * dy


class WrongInEvaluation(Plain):
    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        self.x = x.copy()
        return x**3 if training else x**3 + x


class WrongParameterGradient(WithParameter):
    def backward(self, dy: np.ndarray) -> np.ndarray:
        dx = super().backward(dy)
        self.factor.grad = self.factor.grad / len(dy)
        return dx


class Widening(Plain):
    def forward(self, x: np.ndarray) -> np.ndarray:
        return super().forward(x).astype(np.float64)


class HalfPrecision(Plain):
    def forward(self, x: np.ndarray) -> np.ndarray:
        y = super().forward(x)
        return y if x.dtype == np.float64 else y.astype(np.float16).astype(np.float32)


class ReadsBytes(Plain):
    """Takes the bytes of dy for numbers of x's dtype, whatever they are."""

    def backward(self, dy: np.ndarray) -> np.ndarray:
        taken = np.frombuffer(dy.tobytes(), self.x.dtype)
        return 3 * self.x**2 * np.resize(taken, self.x.shape)


class RefusesOtherDtypes(Plain):
    """Has a backward for a dy of x's dtype alone."""

    def backward(self, dy: np.ndarray) -> np.ndarray:
        if dy.dtype != self.x.dtype:
            raise TypeError(f"dy must be {self.x.dtype}, got {dy.dtype}")
        return super().backward(dy)


class Random(Plain):
    def forward(self, x: np.ndarray) -> np.ndarray:
        return super().forward(x) + np.random.default_rng().random()


class InPlace(Plain):
    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x.copy()
        x **= 3
        return x.copy()


class Reusing(Plain):
    def forward(self, x: np.ndarray) -> np.ndarray:
        y = super().forward(x)
        if getattr(self, "y", np.empty(0)).shape != y.shape:
            self.y = np.empty_like(y)
        self.y[...] = y
        return self.y


class Accumulating(WithParameter):
    def backward(self, dy: np.ndarray) -> np.ndarray:
        before = self.factor.grad
        dx = super().backward(dy)
        self.factor.grad = self.factor.grad + (0 if before is None else before)
        return dx


class NotLinear(Plain):
    def backward(self, dy: np.ndarray) -> np.ndarray:
        return 3 * self.x**2 * np.abs(dy)


class NoBatchOfOne(Plain):
    def forward(self, x: np.ndarray) -> np.ndarray:
        return super().forward(x) / (len(x) > 1)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return super().backward(dy) / (len(dy) > 1)


class BatchDependent(Plain):
    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        return super().forward(x) / len(x)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return super().backward(dy) / len(dy)


class ForgetfulBatchNorm(layers.BatchNorm):
    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        y = super().forward(x, training=training)
        self.data("running_mean")[...] += 1
        return y


class OrderSensitive(Plain):
    def forward(self, x: np.ndarray) -> np.ndarray:
        y = super().forward(x)
        return y if x.flags.c_contiguous else y + 1


class LosingState(layers.BatchNorm):
    def load_state_dict(self, state: dict) -> None:
        pass


class AddingStatistics(layers.BatchNorm):
    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        before = self.built_for(x) is not None and self.data("running_mean").copy()
        y = super().forward(x, training=training)
        if training:
            self.data("running_mean")[...] += before
        return y


class UnscaledDropout(layers.Dropout):
    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        return super().forward(x, training) * ((1 - self.rate) if training else 1)

    def backward(self, dy: Any) -> np.ndarray:
        return super().backward(dy) * (1 - self.rate)


class OneBackendOnly(layers.ReLU):
    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        return super().forward(x, training) * (2 if minicnn.backend_name() == "cpu" else 1)


class InPlaceReLU(Plain):
    def forward(self, x: np.ndarray) -> np.ndarray:
        np.maximum(x, 0, out=x)
        self.x = x.copy()
        return x.copy()

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy * (self.x > 0)


class Stateless(Plain):
    def backward(self, dy: np.ndarray) -> np.ndarray:
        return 3 * getattr(self, "x", np.ones_like(dy)) ** 2 * dy


FAILING = [
    (WrongGradient(), "check_gradients_in_training"),
    (WrongInEvaluation(), "check_gradients_in_evaluation"),
    (WrongParameterGradient(), "check_gradients_in_training"),
    (Widening(), "check_shapes_and_dtypes"),
    (HalfPrecision(), "check_gradients_in_single_precision"),
    (Random(), "check_determinism"),
    (InPlace(), "check_inputs_are_left_alone"),
    (Reusing(), "check_results_are_kept"),
    (Accumulating(), "check_gradients_belong_to_one_backward"),
    (NotLinear(), "check_backward_is_linear"),
    (NoBatchOfOne(), "check_batch_of_one"),
    (BatchDependent(), "check_samples_are_independent_in_evaluation"),
    (ForgetfulBatchNorm(), "check_evaluation_changes_no_state"),
    (OrderSensitive(), "check_memory_layouts"),
    (LosingState(), "check_state_round_trip"),
    (AddingStatistics(), "check_statistics_reach_the_batch"),
    (UnscaledDropout(0.5), "check_noise_keeps_the_mean"),
    (OneBackendOnly(), "check_backends_agree"),
    (InPlaceReLU(), "check_inputs_are_left_alone"),
    (Stateless(), "check_backward_needs_a_forward"),
]


def test_every_check_has_a_layer_that_it_fails() -> None:
    assert {check for _, check in FAILING} == {check.__name__ for check in CHECKS}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "check"), FAILING,
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_check_fails_what_it_is_for(layer: Any, check: str) -> None:
    results = {result.name: result for result in check_layer(layer, (4,), on_fail="return")}
    assert not results[check].passed
    assert results[check].message
    with pytest.raises(AssertionError, match="^check_"):
        check_layer(layer, (4,))


@pytest.mark.slow
@pytest.mark.parametrize("layer", [layers.BatchNorm(momentum=0.99), layers.BatchNorm(momentum=0)])
def test_any_usual_momentum_passes(layer: Layer) -> None:
    check_layer(layer, (4,))


def test_a_layer_that_needs_no_forward_passes() -> None:
    class Identity:
        def forward(self, x: np.ndarray) -> np.ndarray:
            return x.copy()

        def backward(self, dy: np.ndarray) -> np.ndarray:
            return dy.copy()

    check_layer(Identity(), (4,))


@pytest.mark.slow
def test_large_inputs_are_checked_by_projections() -> None:
    check_layer(layers.ReLU(), (16, 16, 16))


def test_the_layer_itself_is_left_alone() -> None:
    layer = layers.BatchNorm()
    layer.build((4,))
    before = layer.state_dict()
    check_layer(layer, (4,))
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    assert layer.cache is None


def test_a_dy_in_another_dtype_is_read_as_numbers_or_refused() -> None:
    results = {result.name: result for result in check_layer(ReadsBytes(), (4,), on_fail="return")}
    failed = {name: result.message for name, result in results.items() if not result.passed}
    assert list(failed) == ["check_gradients_in_single_precision"]
    assert failed["check_gradients_in_single_precision"].startswith(
        "dx of float32 with a dy in float64 and in float32 must agree")
    check_layer(RefusesOtherDtypes(), (4,))


def test_another_on_fail_is_refused() -> None:
    with pytest.raises(ValueError, match="on_fail must be raise or return, got 'warn'"):
        check_layer(Layer(), (4,), on_fail="warn")


class Broken(Plain):
    """Raises an error of its own."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x @ np.ones(7)


class Doubled(Plain):
    """A wrong gradient."""

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return 2 * super().backward(dy)


@pytest.mark.parametrize(("layer", "message", "place"), [
    (Broken(), r"check_shapes_and_dtypes: ValueError\(.*matmul", "forward"),
    (Doubled(), r"check_gradients_in_training: wrong: dx\[", "check_layer"),
])
def test_a_failure_shows_one_traceback(layer: Any, message: str, place: str) -> None:
    with pytest.raises(AssertionError, match=f"^{message}") as caught:
        check_layer(layer, (4,))
    shown = "".join(traceback.format_exception(caught.value))
    assert shown.count("Traceback") == 1
    assert caught.traceback[-1].name == place
