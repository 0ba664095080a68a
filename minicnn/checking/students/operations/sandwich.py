"""Sandwich layers: a dense layer or convolution, perhaps a norm, ReLU, perhaps a pool, as one."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Operation, Suspect
from minicnn.ops import reference

Part = tuple[str, tuple[str, ...], tuple[str, ...]]

PARTS: dict[str, Part] = {
    "dense": ("dense", ("w", "b"), ()),
    "conv2d": ("conv2d", ("w", "b"), ("stride", "padding")),
    "batchnorm": (
        "batchnorm", ("gamma", "beta", "running_mean", "running_var"),
        ("training", "momentum", "eps"),
    ),
    "layernorm": ("layernorm", ("gamma", "beta"), ("eps",)),
    "relu": ("relu", (), ()),
    "maxpool2d": ("maxpool2d", (), ("size",)),
}
"""Each layer's operation, and which arrays and settings of a case are its own."""

IN_WORDS = {
    "batchnorm": "batch norm", "layernorm": "layer norm", "relu": "ReLU", "maxpool2d": "the pool",
}


class Sandwich(Operation):
    """Layers one after another.

    Attributes
    ----------
    parts : tuple of str
        Keys of `PARTS`, in the order of forward.
    gradients : tuple of str
        What backward returns.
    """

    def __init__(self, name: str, *parts: str) -> None:
        self.parts = parts
        self.gradients: tuple[str, ...] = ("dx", "dw", "db")
        if any(part.endswith("norm") for part in parts):
            self.gradients += ("dgamma", "dbeta")
        cases, small = (_image_cases if "conv2d" in parts else _row_cases)(parts)
        super().__init__(
            name, cases, small, self._forward_suspects(),
            {key: self._backward_suspects(key) for key in self.gradients},
        )
        if "batchnorm" in parts:  # which takes off what b adds
            self.also_right["db"] = lambda case, dy, came: (
                came.shape == case["b"].shape and bool(np.abs(came).max() <= 1e-8)
            )

    def right_forward(self, case: Case) -> np.ndarray:
        return _forward(self.parts, case)[0]

    def right_gradients(self, case: Case, dy: np.ndarray) -> list[np.ndarray]:
        return [self._gradient(key, case, dy) for key in self.gradients]

    def _gradient(self, key: str, case: Case, dy: np.ndarray, without: str = "") -> np.ndarray:
        """A gradient; without the backward of one of the layers, if one is named."""
        gradients: dict[str, np.ndarray] = {}
        caches = _forward(self.parts, case)[1]
        for part, cache in zip(reversed(self.parts), reversed(caches), strict=True):
            if part == without:
                continue
            name, arrays, _ = PARTS[part]
            found = getattr(reference, f"{name}_backward")(dy, cache)
            dy, *own = found if isinstance(found, tuple) else (found,)
            gradients.update(zip([f"d{array}" for array in arrays], own, strict=False))
        return {"dx": dy, **gradients}.get(key, np.empty(0))

    # -- what slips produce ----------------------------------------------------------------------

    def _forward_suspects(self) -> list[Suspect]:
        suspects = [
            self._without(part, f"{IN_WORDS[part]} is left out.")
            for part in self.parts if part in IN_WORDS
        ]
        for one, two in pairwise(self.parts[1:]):
            order = [two if part == one else one if part == two else part for part in self.parts]
            suspects.append(self._as(
                order, f"{IN_WORDS[two]} comes before {IN_WORDS[one]}; it belongs after it."
            ))
        return suspects

    def _without(self, part: str, text: str) -> Suspect:
        return self._as([each for each in self.parts if each != part], text)

    @staticmethod
    def _as(parts: Sequence[str], text: str) -> Suspect:
        text = text[0].upper() + text[1:]
        return Suspect("", lambda case: _forward(parts, case)[0], text)

    def _backward_suspects(self, key: str) -> list[Suspect]:
        return [
            Suspect("", lambda case, dy, part=part: self._gradient(key, case, dy, part),
                    f"The gradient does not pass the backward of {IN_WORDS[part]}.")
            for part in self.parts if part in IN_WORDS and part != "maxpool2d"
        ]


def _forward(parts: Sequence[str], case: Case) -> tuple[np.ndarray, list[Any]]:
    """y and every layer's cache."""
    y, caches = case["x"], []
    for part in parts:
        name, arrays, settings = PARTS[part]
        forward: Callable[..., Any] = getattr(reference, f"{name}_forward")
        own = {key: case[key] for key in settings}
        if part == "maxpool2d":
            own["stride"] = case["pool_stride"]
        y, cache = forward(y, *(case[array].copy() for array in arrays), **own)
        caches.append(cache)
    return y, caches


# -- cases ---------------------------------------------------------------------------------------

Cases = tuple[list[Case], list[Case]]


def _row_cases(parts: Sequence[str]) -> Cases:
    rng = np.random.default_rng(80)
    sizes = [(5, 6, 4), (7, 4, 3)]
    return [_rows(parts, rng, *size) for size in sizes], [_rows(parts, rng, 3, 2, 2, whole=True)]


def _image_cases(parts: Sequence[str]) -> Cases:
    rng = np.random.default_rng(81)
    cases = [
        _images(parts, rng, (2, 6, 8, 3), 4, 3, 1, 1, 2),
        _images(parts, rng, (3, 5, 7, 2), 3, 3, 2, 1, 1),
    ]
    return cases, [_images(parts, rng, (2, 2, 4, 1), 1, 1, 1, 0, 2, whole=True)]


def _rows(
    parts: Sequence[str], rng: np.random.Generator, n: int, features: int, units: int,
    whole: bool = False,
) -> Case:
    shapes = {"x": (n, features), "w": (features, units), "b": (units,)}
    return _case(parts, rng, shapes, units, {}, whole)


def _images(
    parts: Sequence[str], rng: np.random.Generator, shape: tuple[int, ...], filters: int,
    window: int, stride: int, padding: int, pool_stride: int, whole: bool = False,
) -> Case:
    shapes = {"x": shape, "w": (window, window, shape[3], filters), "b": (filters,)}
    settings = {"stride": stride, "padding": padding}
    if "maxpool2d" in parts:
        settings |= {"size": 2, "pool_stride": pool_stride}
    return _case(parts, rng, shapes, filters, settings, whole)


def _case(
    parts: Sequence[str], rng: np.random.Generator, shapes: dict[str, tuple[int, ...]],
    channels: int, settings: dict[str, Any], whole: bool,
) -> Case:
    arrays = {
        name: np.round(2 * values) + 0.5 if whole else values
        for name, values in ((name, rng.standard_normal(shape)) for name, shape in shapes.items())
    }
    if any(part.endswith("norm") for part in parts):
        arrays["gamma"] = rng.uniform(0.5, 2, channels).round(2)
        arrays["beta"] = rng.standard_normal(channels).round(2)
        settings = settings | {"eps": 1e-3}
    if "batchnorm" in parts:
        arrays["running_mean"], arrays["running_var"] = np.zeros(channels), np.ones(channels)
        settings |= {"training": True, "momentum": 0.9}
    return Case(arrays, settings)


SANDWICHES: dict[str, Sandwich] = {
    sandwich.name: sandwich
    for sandwich in (
        Sandwich("affine_relu", "dense", "relu"),
        Sandwich("affine_bn_relu", "dense", "batchnorm", "relu"),
        Sandwich("affine_ln_relu", "dense", "layernorm", "relu"),
        Sandwich("conv_relu", "conv2d", "relu"),
        Sandwich("conv_bn_relu", "conv2d", "batchnorm", "relu"),
        Sandwich("conv_relu_pool", "conv2d", "relu", "maxpool2d"),
        Sandwich("conv_bn_relu_pool", "conv2d", "batchnorm", "relu", "maxpool2d"),
    )
}
"""By name."""
