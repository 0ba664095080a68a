"""What a layer declares of its arrays, and whether it keeps its word."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import initializers, validation
from minicnn.layers.parameters import Parameter
from minicnn.layers.shapes import Shape


@dataclass(frozen=True)
class ArraySpec:
    """What a layer declares of one of its arrays, before there is one.

    Parameters
    ----------
    name : str
        Unique within the layer, for example ``"w"``.
    shape : tuple of int
    initializer : Initializer, str, dict or float
        How it starts: drawn by an initializer (see `minicnn.initializers.get`), or one number
        everywhere.
    decays : bool, default False
        Whether weight decay applies by default; only what is learnt decays.
    learnt : bool, default True
        False of state that is no parameter, such as running statistics.

    Raises
    ------
    TypeError, ValueError
        Where one of them has the wrong type or range.
    """

    name: str
    shape: Shape
    initializer: Any
    decays: bool = False
    learnt: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"ArraySpec: name must be text, got {self.name!r}")
        if not isinstance(self.shape, tuple | list):
            raise TypeError(
                f"ArraySpec: the shape of {self.name} must be a tuple of lengths, "
                f"got {self.shape!r}"
            )
        lengths = [
            validation.integer("ArraySpec", f"a length of {self.name}", length, 0)
            for length in self.shape
        ]
        object.__setattr__(self, "shape", tuple(lengths))
        object.__setattr__(self, "initializer", _start(self.initializer))
        validation.flag("ArraySpec", "decays", self.decays)
        validation.flag("ArraySpec", "learnt", self.learnt)
        if self.decays and not self.learnt:
            raise ValueError(f"ArraySpec: {self.name} is not learnt, so it cannot decay")

    @property
    def size(self) -> int:
        """How many numbers the array holds."""
        return math.prod(self.shape)

    def draw(self, rng: np.random.Generator, dtype: Any) -> np.ndarray:
        """A new array, as it starts."""
        if isinstance(self.initializer, float):
            return np.full(self.shape, self.initializer, dtype)
        return self.initializer(self.shape, rng, dtype)


def _start(initializer: Any) -> initializers.Initializer | float:
    """How an array starts: a number stands for itself."""
    if isinstance(initializer, initializers.Initializer | str | Mapping):
        return initializers.get(initializer)
    return validation.number("ArraySpec", "initializer", initializer)


def require_specs(layer: str, declared: Any) -> list[ArraySpec]:
    """What a layer declares as a list, if it is `ArraySpec`s of different names."""
    if not isinstance(declared, Iterable):
        raise TypeError(f"{layer}: arrays must return a list of ArraySpecs, got {declared!r}")
    specs = list(declared)
    for spec in specs:
        if not isinstance(spec, ArraySpec):
            raise TypeError(
                f"{layer}: arrays must return a list of ArraySpecs, got one of {spec!r}"
            )
    names = [spec.name for spec in specs]
    if len(set(names)) < len(names):
        raise ValueError(f"{layer}: arrays declares a name twice: {', '.join(names)}")
    return specs


def specs_of(
    parameters: Mapping[str, Parameter], buffers: Mapping[str, np.ndarray]
) -> list[ArraySpec]:
    """Declarations of arrays that are there already; how they started is not known any more."""
    return [
        *(ArraySpec(key, parameter.data.shape, 0, decays=parameter.decays)
          for key, parameter in parameters.items()),
        *(ArraySpec(key, buffer.shape, 0, learnt=False) for key, buffer in buffers.items()),
    ]


def require_made(
    layer: str, declared: Iterable[ArraySpec],
    parameters: Mapping[str, Parameter], buffers: Mapping[str, np.ndarray],
) -> None:
    """Refuse other arrays of a layer than those that it has declared."""
    expected = {spec.name: _described(spec.shape, spec.learnt, spec.decays) for spec in declared}
    made = {
        key: _described(parameter.data.shape, True, parameter.decays)
        for key, parameter in parameters.items()
    } | {key: _described(buffer.shape, False, False) for key, buffer in buffers.items()}
    for name in [*expected, *made]:
        if expected.get(name) != made.get(name):
            raise ValueError(
                f"{layer}: {name}: expected what arrays declares, {expected.get(name, 'nothing')}, "
                f"but create made {made.get(name, 'nothing')}; let the two agree"
            )


def _described(shape: Shape, learnt: bool, decays: bool) -> str:
    """An array in the words of an error message."""
    return f"shape {shape}{', learnt' * learnt}{', decaying' * decays}"
