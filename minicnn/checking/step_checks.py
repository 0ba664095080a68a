"""Checks of what one step gives: shapes, gradients, and the same numbers by every way."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.checking.requirements import require, require_close
from minicnn.checking.specimen import BATCH, Shape, Specimen
from minicnn.layers import Layer
from minicnn.ops import available_backends, use_backend


def check_shapes_and_dtypes(layer: Any, input_shape: Shape) -> None:
    """y keeps the batch axis, gradients have the shapes of what they belong to, dtypes stay."""
    for dtype in ("float32", "float64"):
        specimen = Specimen(layer, input_shape, dtype)
        used, x = specimen.fresh(), specimen.input()
        y = specimen.forward(used, x, training=True)
        require(y.shape[:1] == x.shape[:1], f"y must keep the batch axis, {BATCH}, got {y.shape}")
        if hasattr(used, "output_shape"):
            promised = (BATCH, *used.output_shape(specimen.input_shape))
            require(y.shape == promised, f"output_shape promises {promised}, got {y.shape}")
        dx = used.backward(specimen.upstream(y))
        require(dx.shape == x.shape, f"dx must have x's shape, {x.shape}, got {dx.shape}")
        for name, array in (("y", y), ("dx", dx)):
            require(array.dtype == x.dtype, f"{name} of {x.dtype} must be so too, "
                                             f"got {array.dtype}")
        for parameter in specimen.parameters(used):
            require(
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
    """float32 gives what float64 gives, as far as rounding lets it; so with a dy in float64."""
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
    for name, got, expected in zip(single.names(), *results, strict=True):
        require_close(got, expected, 1e-4, f"{name} in float32 and in float64")
    try:
        of_wide_dy = single.run(single.fresh(), x, dy.astype(np.float64))
    except (TypeError, ValueError):  # a layer may refuse it
        return
    for name, got, expected in zip(single.names(), of_wide_dy, results[0], strict=True):
        require_close(got, expected, 1e-4, f"{name} of float32 with a dy in float64 and in float32")


def check_backward_is_linear(layer: Any, input_shape: Shape) -> None:
    """backward(a·u + v) is a·backward(u) + backward(v)."""
    specimen = Specimen(layer, input_shape)
    x = specimen.input()
    y = specimen.forward(specimen.fresh(), x, training=True)
    u, v = specimen.upstream(y), specimen.upstream(y)
    of_u, of_v, of_both = (
        specimen.run(specimen.fresh(), x, dy)[1:] for dy in (u, v, -3 * u + v)
    )
    for name, one, other, both in zip(specimen.names()[1:], of_u, of_v, of_both, strict=True):
        require_close(both, -3 * one + other, 1e-9, f"{name} of a sum and the sum of {name}")


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
        require(y.shape[0] == 1, f"y of one sample must have one row, got shape {y.shape}")
        results = specimen.run(used, x, specimen.upstream(y), training)
        for name, array in zip(specimen.names(), results, strict=True):
            require(bool(np.isfinite(array).all()), f"{name} of a batch of one is not finite")


def check_memory_layouts(layer: Any, input_shape: Shape) -> None:
    """Strided, Fortran-ordered and read-only arrays give what ordinary ones give."""
    specimen = Specimen(layer, input_shape)
    x = specimen.input()
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x, training=True))
    expected = specimen.run(specimen.fresh(), x, dy)
    for what, change in _LAYOUTS.items():
        results = specimen.run(specimen.fresh(), change(x), change(dy))
        for name, got, right in zip(specimen.names(), results, expected, strict=True):
            require_close(got, right, 1e-12, f"{name} of {what} arrays and of ordinary ones")


def check_backends_agree(layer: Any, input_shape: Shape) -> None:
    """Every backend gives the same, for layers of this package and those made of its operations."""
    if not isinstance(layer, Layer):
        return
    specimen = Specimen(layer, input_shape)
    x = specimen.input()
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x, training=True))
    names = [*specimen.names(), "y of evaluation after a step"]

    def step() -> list[np.ndarray]:
        used = specimen.fresh()
        return [*specimen.run(used, x, dy), specimen.forward(used, x, training=False)]

    expected = step()
    for backend in available_backends():
        with use_backend(backend):
            results = step()
        for name, got, right in zip(names, results, expected, strict=True):
            require_close(got, right, 1e-10, f"{name} on the {backend} backend and on the chosen")


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
