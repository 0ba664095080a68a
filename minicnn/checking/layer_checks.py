"""What every layer must do, a check at a time: each takes a layer and the shape of one input."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.checking.specimen import BATCH, Shape, Specimen
from minicnn.layers import Layer
from minicnn.ops import BACKENDS, use_backend

MANY = 200
"""Samples and steps of a check about statistics."""

MOST_STEPS = 10 * MANY
"""After which statistics must have reached the batch: enough for a momentum of 0.99."""


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
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x.copy(), training=True))
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
    """What training gathers for evaluation goes to the batch's own: the longer it sees one batch,
    the nearer evaluation comes to training. Not for random layers."""
    specimen = Specimen(layer, input_shape)
    used = specimen.fresh()
    x = specimen.input(MANY)
    first = np.array(specimen.forward(used, x, training=True))
    if not np.array_equal(first, specimen.forward(used, x, training=True)):
        return
    for _ in range(MOST_STEPS // MANY):
        before = specimen.forward(used, x, training=False)
        for _ in range(MANY):
            specimen.forward(used, x, training=True)
        evaluated = specimen.forward(used, x, training=False)
        if _distance(evaluated, before) <= 1e-3:  # it stands still
            break
    _require_close(evaluated, first, 2 / MANY, "y of evaluation after many steps, and of training")


def check_noise_keeps_the_mean(layer: Any, input_shape: Shape) -> None:
    """Where training is random, the mean of many draws is what evaluation gives."""
    specimen = Specimen(layer, input_shape)
    used, x = specimen.fresh(), specimen.input()
    first = np.array(specimen.forward(used, x, training=True))
    if np.array_equal(first, specimen.forward(used, x, training=True)):
        return
    number = 20 * MANY
    total, squares = np.zeros(first.shape), np.zeros(first.shape)
    for _ in range(number):
        off = specimen.forward(used, x, training=True) - first
        total += off
        squares += off**2
    mean = total / number
    error = np.sqrt(np.maximum(squares / number - mean**2, 0) / number)
    off = np.abs(first + mean - specimen.forward(used, x, training=False))
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
    """backward without a forward raises, unless it does not depend on one."""
    specimen = Specimen(layer, input_shape)
    x, used = specimen.input(), specimen.fresh()
    dy = specimen.upstream(specimen.forward(used, x, training=True))
    try:
        returned = specimen.fresh().backward(dy)
    except Exception:
        return
    _require(
        np.array_equal(returned, used.backward(dy)),
        "backward before any forward must raise, but it returned something else than after one",
    )


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


def _distance(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest expected element."""
    scale = max(float(np.abs(expected).max(initial=0)), 1e-12)
    return float(np.abs(np.asarray(got, np.float64) - expected).max(initial=0)) / scale


def _require_close(got: np.ndarray, expected: np.ndarray, tolerance: float, what: str) -> None:
    _require(got.shape == expected.shape, f"{what} must have one shape, "
                                          f"got {got.shape} and {expected.shape}")
    error = _distance(got, expected)
    _require(error <= tolerance, f"{what} must agree to {tolerance:g}, differ by {error:.1e}")
