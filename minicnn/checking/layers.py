"""Checks of a layer that anyone can run, in the manner of scikit-learn's estimators."""

import copy
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from minicnn.checking.gradient_report import GradientReport
from minicnn.checking.gradients import gradcheck
from minicnn.layers import Layer
from minicnn.ops import BACKENDS, use_backend

Shape = tuple[int, ...]
BATCH = 3
"""Samples of a check: odd, and more than two."""

MANY = 200
"""Samples and steps of a check about statistics."""


@dataclass(frozen=True)
class CheckResult:
    """What became of one check.

    Attributes
    ----------
    name : str
        Of the check.
    passed : bool
    message : str
        Why it failed; empty where it passed.
    """

    name: str
    passed: bool
    message: str = ""


class Specimen:
    """A layer as the checks use it: fresh copies in one state, with random parameters.

    Parameters
    ----------
    layer : object
        With ``forward(x)`` or ``forward(x, training)`` and ``backward(dy)``; optional are
        ``parameters()`` (objects with ``name``, ``data`` and ``grad``), ``build(input_shape,
        dtype=, rng=)``, ``state_dict()`` with ``load_state_dict()``, and
        ``output_shape(input_shape)``.
    input_shape : tuple of int
        Of one input, without the batch axis.
    dtype : {"float64", "float32"}
        Of the parameters and inputs.
    seed : int
        Of the parameters and inputs.
    """

    def __init__(
        self, layer: Any, input_shape: Shape, dtype: str = "float64", seed: int = 0
    ) -> None:
        self.dtype, self.input_shape = np.dtype(dtype), tuple(input_shape)
        self.rng = np.random.default_rng([seed, *b"layer"])
        self._layer = copy.deepcopy(layer)
        if hasattr(layer, "build"):
            self._layer.build(self.input_shape, dtype=dtype, rng=np.random.default_rng(seed))
        for parameter in self.parameters(self._layer):
            parameter.data[...] = self.rng.standard_normal(parameter.data.shape)

    def fresh(self) -> Any:
        """A copy in the state that all copies begin in, random generators included."""
        return copy.deepcopy(self._layer)

    @staticmethod
    def parameters(layer: Any) -> list[Any]:
        """The layer's parameters; none where it has no such method."""
        return list(layer.parameters()) if hasattr(layer, "parameters") else []

    def input(self, batch: int = BATCH) -> np.ndarray:
        """Random inputs."""
        shape = (batch, *self.input_shape)
        return (2 * self.rng.standard_normal(shape) + 0.5).astype(self.dtype)

    def upstream(self, y: np.ndarray) -> np.ndarray:
        """A random dy for an output."""
        return self.rng.standard_normal(y.shape).astype(y.dtype)

    @staticmethod
    def forward(layer: Any, x: np.ndarray, training: bool) -> np.ndarray:
        """Call forward, with the mode if it takes one."""
        if "training" in inspect.signature(layer.forward).parameters:
            return layer.forward(x, training=training)
        return layer.forward(x)

    def run(
        self, layer: Any, x: np.ndarray, dy: np.ndarray, training: bool = True
    ) -> list[np.ndarray]:
        """y, dx, and the gradient of every parameter."""
        y = self.forward(layer, x, training)
        dx = layer.backward(dy)
        return [y, dx, *(parameter.grad for parameter in self.parameters(layer))]

    def gradients(
        self, training: bool, tolerance: float | None = None, **options: Any
    ) -> GradientReport:
        """`gradcheck` of the layer's input and parameters."""
        start = self.fresh()
        values = [parameter.data.copy() for parameter in self.parameters(start)]

        def function(x: np.ndarray, *parameters: np.ndarray) -> tuple[np.ndarray, Any]:
            layer = self.fresh()
            for parameter, value in zip(self.parameters(layer), parameters, strict=True):
                parameter.data[...] = value
            return self.forward(layer, x, training), layer

        def backward(dy: np.ndarray, layer: Any) -> list[np.ndarray]:
            dx = layer.backward(dy)
            return [dx, *(parameter.grad for parameter in self.parameters(layer))]

        names = ["x", *(parameter.name for parameter in self.parameters(start))]
        return gradcheck(
            function, [self.input(), *values], backward=backward, tolerance=tolerance,
            names=names, **options,
        )


# -- the checks ------------------------------------------------------------------------------------


def check_shapes_and_dtypes(layer: Any, input_shape: Shape) -> None:
    """y keeps the batch axis, gradients have the shapes of what they belong to, dtypes stay."""
    for dtype in ("float32", "float64"):
        specimen = Specimen(layer, input_shape, dtype)
        used, x = specimen.fresh(), specimen.input()
        y = specimen.forward(used, x, training=True)
        _require(y.shape[:1] == x.shape[:1], f"y must keep the batch axis, {BATCH}, got {y.shape}")
        if hasattr(used, "output_shape"):
            promised = (BATCH, *used.output_shape(specimen.input_shape))
            _require(y.shape == promised, f"output_shape promises {promised}, got {y.shape}")
        dx = used.backward(specimen.upstream(y))
        _require(dx.shape == x.shape, f"dx must have x's shape, {x.shape}, got {dx.shape}")
        for name, array in (("y", y), ("dx", dx)):
            _require(array.dtype == x.dtype, f"{name} of {x.dtype} must be so too, "
                                             f"got {array.dtype}")
        for parameter in specimen.parameters(used):
            _require(
                parameter.grad is not None and parameter.grad.shape == parameter.data.shape,
                f"{parameter.name} must have a gradient of its shape, {parameter.data.shape}",
            )


def check_gradients_in_training(layer: Any, input_shape: Shape) -> None:
    """Every gradient agrees with central differences in float64, in training mode."""
    Specimen(layer, input_shape).gradients(training=True).require()


def check_gradients_in_evaluation(layer: Any, input_shape: Shape) -> None:
    """Every gradient agrees with central differences in float64, in evaluation mode."""
    Specimen(layer, input_shape, seed=1).gradients(training=False).require()


def check_gradients_in_single_precision(layer: Any, input_shape: Shape) -> None:
    """float32 gives what float64 gives, as far as rounding lets it."""
    single, double = (Specimen(layer, input_shape, dtype) for dtype in ("float32", "float64"))
    x = single.input()
    layers = [single.fresh(), double.fresh()]
    for mine, theirs in zip(*(Specimen.parameters(each) for each in layers), strict=True):
        theirs.data[...] = mine.data
    dy = single.upstream(single.forward(single.fresh(), x, training=True))
    results = [
        specimen.run(each, x.astype(specimen.dtype), dy.astype(specimen.dtype))
        for specimen, each in zip((single, double), layers, strict=True)
    ]
    for name, got, expected in zip(_names(single), *results, strict=True):
        _require_close(got, expected, 1e-4, f"{name} in float32 and in float64")


def check_determinism(layer: Any, input_shape: Shape) -> None:
    """Two copies in one state give the same bits; evaluation twice gives the same bits."""
    specimen = Specimen(layer, input_shape)
    x = specimen.input()
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x, training=True))
    first, second = (specimen.run(specimen.fresh(), x, dy) for _ in range(2))
    for name, one, other in zip(_names(specimen), first, second, strict=True):
        _require_equal(other, one, f"{name} of two copies in the same state")
    used = specimen.fresh()
    once = np.array(specimen.forward(used, x, training=False))
    _require_equal(specimen.forward(used, x, training=False), once, "y of evaluation, twice")


def check_inputs_are_left_alone(layer: Any, input_shape: Shape) -> None:
    """Neither x nor dy nor a parameter changes in forward and backward."""
    specimen = Specimen(layer, input_shape)
    x, used = specimen.input(), specimen.fresh()
    y = specimen.forward(used, x, training=True)
    dy = specimen.upstream(y)
    values = [parameter.data for parameter in specimen.parameters(used)]
    arrays = [x, dy, *values]
    copies = [array.copy() for array in arrays]
    specimen.run(used, x, dy)
    names = ["x", "dy", *(parameter.name for parameter in specimen.parameters(used))]
    for name, before, after in zip(names, copies, arrays, strict=True):
        _require_equal(after, before, f"{name} before and after a step")


def check_results_are_kept(layer: Any, input_shape: Shape) -> None:
    """What one step gave out does not change in the next."""
    specimen = Specimen(layer, input_shape)
    used, x = specimen.fresh(), specimen.input()
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x, training=True))
    results = specimen.run(used, x, dy)
    copies = [array.copy() for array in results]
    specimen.run(used, specimen.input(), 3 * dy)
    for name, before, after in zip(_names(specimen), copies, results, strict=True):
        _require_equal(after, before, f"{name} before and after another step")


def check_gradients_belong_to_one_backward(layer: Any, input_shape: Shape) -> None:
    """A second backward overwrites gradients; it does not add to them."""
    specimen = Specimen(layer, input_shape)
    x = specimen.input()
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x, training=False))
    used = specimen.fresh()
    first = [array.copy() for array in specimen.run(used, x, dy, training=False)]
    second = specimen.run(used, x, dy, training=False)
    for name, one, other in zip(_names(specimen), first, second, strict=True):
        _require_equal(other, one, f"{name} of the same step, twice")


def check_backward_is_linear(layer: Any, input_shape: Shape) -> None:
    """backward(a·u + v) is a·backward(u) + backward(v)."""
    specimen = Specimen(layer, input_shape)
    x = specimen.input()
    y = specimen.forward(specimen.fresh(), x, training=True)
    u, v = specimen.upstream(y), specimen.upstream(y)
    of_u, of_v, of_both = (
        specimen.run(specimen.fresh(), x, dy)[1:] for dy in (u, v, -3 * u + v)
    )
    for name, one, other, both in zip(_names(specimen)[1:], of_u, of_v, of_both, strict=True):
        _require_close(both, -3 * one + other, 1e-9, f"{name} of a sum and the sum of {name}")


def check_batch_of_one(layer: Any, input_shape: Shape) -> None:
    """A batch of one gives finite numbers; training may refuse it with a ValueError."""
    specimen = Specimen(layer, input_shape)
    x = specimen.input(1)
    for training in (True, False):
        used = specimen.fresh()
        try:
            y = specimen.forward(used, x, training)
        except ValueError:
            if training:
                continue
            raise
        _require(y.shape[0] == 1, f"y of one sample must have one row, got shape {y.shape}")
        results = specimen.run(used, x, specimen.upstream(y), training)
        for name, array in zip(_names(specimen), results, strict=True):
            _require(bool(np.isfinite(array).all()), f"{name} of a batch of one is not finite")


def check_samples_are_independent_in_evaluation(layer: Any, input_shape: Shape) -> None:
    """In evaluation mode the output for a sample does not depend on the others in its batch."""
    specimen = Specimen(layer, input_shape)
    x, used = specimen.input(), specimen.fresh()
    together = specimen.forward(used, x, training=False)
    alone = np.concatenate([
        specimen.forward(used, x[at : at + 1], training=False) for at in range(BATCH)
    ])
    _require_close(alone, together, 1e-12, "y of samples alone and in a batch")


def check_evaluation_changes_no_state(layer: Any, input_shape: Shape) -> None:
    """A forward in evaluation mode leaves parameters and running statistics as they are."""
    specimen = Specimen(layer, input_shape)
    used = specimen.fresh()
    if hasattr(used, "state_dict"):
        before = {name: array.copy() for name, array in used.state_dict().items()}
        specimen.forward(used, specimen.input(), training=False)
        for name, array in used.state_dict().items():
            _require_equal(array, before[name], f"{name} before and after evaluation")


def check_memory_layouts(layer: Any, input_shape: Shape) -> None:
    """Strided, Fortran-ordered and read-only arrays give what ordinary ones give."""
    specimen = Specimen(layer, input_shape)
    x = specimen.input()
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x, training=True))
    expected = specimen.run(specimen.fresh(), x, dy)
    for what, change in _LAYOUTS.items():
        results = specimen.run(specimen.fresh(), change(x), change(dy))
        for name, got, right in zip(_names(specimen), results, expected, strict=True):
            _require_close(got, right, 1e-12, f"{name} of {what} arrays and of ordinary ones")


def check_state_round_trip(layer: Any, input_shape: Shape) -> None:
    """A layer that loads another's state gives what the other gives."""
    specimen = Specimen(layer, input_shape)
    if not hasattr(specimen.fresh(), "load_state_dict"):
        return
    trained = specimen.fresh()
    specimen.forward(trained, specimen.input(), training=True)
    other = Specimen(layer, input_shape, seed=2).fresh()
    other.load_state_dict(trained.state_dict())
    x = specimen.input()
    _require_equal(
        specimen.forward(other, x, training=False), specimen.forward(trained, x, training=False),
        "y of a layer and of one that loaded its state",
    )


def check_statistics_reach_the_batch(layer: Any, input_shape: Shape) -> None:
    """What training gathers for evaluation goes to the batch's own: after many steps on one batch,
    evaluation does what training does. Not for random layers, nor where a step is no average."""
    specimen = Specimen(layer, input_shape)
    used = specimen.fresh()
    x = specimen.input(MANY)
    first = np.array(specimen.forward(used, x, training=True))
    if not np.array_equal(first, specimen.forward(used, x, training=True)):
        return
    for _ in range(MANY):
        specimen.forward(used, x, training=True)
    evaluated = specimen.forward(used, x, training=False)
    _require_close(evaluated, first, 2 / MANY, "y of evaluation after many steps, and of training")


def check_noise_keeps_the_mean(layer: Any, input_shape: Shape) -> None:
    """Where training is random, the mean of many draws is what evaluation gives."""
    specimen = Specimen(layer, input_shape)
    used, x = specimen.fresh(), specimen.input()
    draws = np.stack([specimen.forward(used, x, training=True) for _ in range(20 * MANY)])
    if np.array_equal(draws[0], draws[1]):
        return
    error = draws.std(0) / np.sqrt(len(draws))
    off = np.abs(draws.mean(0) - specimen.forward(used, x, training=False))
    _require(
        bool((off <= 6 * error + 1e-12).all()),
        "the mean of y over random draws must be the y of evaluation, within six standard errors",
    )


def check_backends_agree(layer: Any, input_shape: Shape) -> None:
    """Every backend gives the same, for layers of this package and those made of its operations."""
    if not isinstance(layer, Layer):
        return
    specimen = Specimen(layer, input_shape)
    x = specimen.input()
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x, training=True))
    names = [*_names(specimen), "y of evaluation after a step"]

    def step() -> list[np.ndarray]:
        used = specimen.fresh()
        return [*specimen.run(used, x, dy), specimen.forward(used, x, training=False)]

    expected = step()
    for backend in BACKENDS:
        with use_backend(backend):
            results = step()
        for name, got, right in zip(names, results, expected, strict=True):
            _require_close(got, right, 1e-10, f"{name} on the {backend} backend and on the chosen")


def check_backward_needs_a_forward(layer: Any, input_shape: Shape) -> None:
    """backward without a forward raises, instead of giving out something."""
    specimen = Specimen(layer, input_shape)
    dy = specimen.upstream(specimen.forward(specimen.fresh(), specimen.input(), training=True))
    try:
        specimen.fresh().backward(dy)
    except Exception:
        return
    raise AssertionError("backward before any forward must raise, but it returned")


CHECKS: tuple[Callable[[Any, Shape], None], ...] = (
    check_shapes_and_dtypes,
    check_gradients_in_training,
    check_gradients_in_evaluation,
    check_gradients_in_single_precision,
    check_determinism,
    check_inputs_are_left_alone,
    check_results_are_kept,
    check_gradients_belong_to_one_backward,
    check_backward_is_linear,
    check_batch_of_one,
    check_samples_are_independent_in_evaluation,
    check_evaluation_changes_no_state,
    check_memory_layouts,
    check_state_round_trip,
    check_statistics_reach_the_batch,
    check_noise_keeps_the_mean,
    check_backends_agree,
    check_backward_needs_a_forward,
)
"""All of them; each takes a layer and the shape of one input, and raises an AssertionError."""


def check_layer(
    layer: Any, input_shape: Sequence[int], *, on_fail: Literal["raise", "return"] = "raise"
) -> list[CheckResult]:
    """Run every check on a layer.

    The layer itself is not changed: the checks use copies, built for float32 or float64 where it
    has a ``build``, with random parameters.

    Parameters
    ----------
    layer : object
        With ``forward(x)`` or ``forward(x, training)`` and ``backward(dy)``; see `Specimen` for
        what else is used where it is there.
    input_shape : sequence of int
        Shape of one input, without the batch axis.
    on_fail : {"raise", "return"}
        Whether the first failure raises, or all checks run and the results tell.

    Returns
    -------
    list of CheckResult
        In the order of `CHECKS`.

    Raises
    ------
    AssertionError
        Where a check fails and `on_fail` is ``"raise"``; the message begins with its name.
    ValueError
        For another `on_fail`.

    Examples
    --------
    >>> from minicnn.checking import check_layer
    >>> from minicnn.layers import Dense
    >>> all(result.passed for result in check_layer(Dense(3), (4,)))
    True
    """
    if on_fail not in ("raise", "return"):
        raise ValueError(f"check_layer: on_fail must be raise or return, got {on_fail!r}")
    results = []
    for check in CHECKS:
        try:
            check(layer, tuple(input_shape))
        except Exception as error:
            message = str(error) if isinstance(error, AssertionError) else repr(error)
            if on_fail == "raise":
                raise AssertionError(f"{check.__name__}: {message}") from error
            results.append(CheckResult(check.__name__, False, message))
        else:
            results.append(CheckResult(check.__name__, True))
    return results


def parametrize_with_checks(layers: Iterable[tuple[Any, Sequence[int]]]) -> Any:
    """A pytest decorator: one test for each layer and check.

    Parameters
    ----------
    layers : iterable of (layer, input_shape)

    Returns
    -------
    pytest.MarkDecorator
        For a test with one argument, ``check``, which it calls.

    Examples
    --------
    >>> from minicnn.checking import parametrize_with_checks
    >>> from minicnn.layers import Dense, ReLU
    >>> @parametrize_with_checks([(Dense(3), (4,)), (ReLU(), (5, 6, 2))])
    ... def test_my_layers(check):
    ...     check()
    """
    import pytest

    return pytest.mark.parametrize("check", [
        pytest.param(partial(check, layer, tuple(shape)), id=f"{layer!r}-{check.__name__}")
        for layer, shape in layers for check in CHECKS
    ])


# -- what the checks stand on ----------------------------------------------------------------------


def _strided(array: np.ndarray) -> np.ndarray:
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def _read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


_LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "strided": _strided, "Fortran-ordered": np.asfortranarray, "read-only": _read_only,
}


def _names(specimen: Specimen) -> list[str]:
    parameters = specimen.parameters(specimen.fresh())
    return ["y", "dx", *(f"the gradient of {parameter.name}" for parameter in parameters)]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _require_equal(got: np.ndarray, expected: np.ndarray, what: str) -> None:
    _require(np.array_equal(got, expected, equal_nan=True), f"{what} must be the same bits")


def _require_close(got: np.ndarray, expected: np.ndarray, tolerance: float, what: str) -> None:
    scale = max(float(np.abs(expected).max(initial=0)), 1e-12)
    error = float(np.abs(np.asarray(got, np.float64) - expected).max(initial=0)) / scale
    _require(error <= tolerance, f"{what} must agree to {tolerance:g}, differ by {error:.1e}")
