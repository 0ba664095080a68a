"""How weights start.

An initializer is called with a shape, a generator and a dtype, and draws an array. Weights have
shape (KH, KW, C, K) or (in, out), so that an output sums ``fan_in = KH·KW·C`` products, and an
input goes into ``fan_out = KH·KW·K``.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from minicnn import validation
from minicnn.errors import InputError
from minicnn.files import registry


@dataclass(frozen=True)
class Initializer:
    """Base of all initializers.

    Subclasses say how to draw in `sample`; calling one converts to the dtype that is wanted.
    """

    def __call__(
        self, shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = "float32"
    ) -> np.ndarray:
        """An array of `shape` and `dtype`, drawn from `rng`."""
        return self.sample(shape, rng).astype(dtype)

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """An array of `shape`, float64."""
        raise TypeError(f"{type(self).__name__} does not say how to draw")


@dataclass(frozen=True)
class Zeros(Initializer):
    """All 0."""

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Zeros of `shape`."""
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones(Initializer):
    """All 1."""

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Ones of `shape`."""
        return np.ones(shape)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal with mean 0 and standard deviation `std` (default 0.05)."""

    std: float = 0.05

    def __post_init__(self) -> None:
        validation.number("Normal", "std", self.std, 0)

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Draw from N(0, std²)."""
        return rng.normal(0.0, self.std, shape)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform in [-limit, limit) (default 0.05)."""

    limit: float = 0.05

    def __post_init__(self) -> None:
        validation.number("Uniform", "limit", self.limit, 0)

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Draw from U(-limit, limit)."""
        return rng.uniform(-self.limit, self.limit, shape)


@dataclass(frozen=True)
class HeNormal(Initializer):
    """Normal with variance 2 / fan_in: keeps the variance through ReLU layers.

    He, Zhang, Ren and Sun 2015, arXiv:1502.01852, equation 10.
    """

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Draw from N(0, 2 / fan_in)."""
        fan_in, _ = fans(shape)
        return Normal(math.sqrt(2 / fan_in)).sample(shape, rng)


@dataclass(frozen=True)
class HeUniform(Initializer):
    """Uniform with variance 2 / fan_in: as `HeNormal`, limit sqrt(6 / fan_in)."""

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Draw from U(-l, l) with l² = 6 / fan_in."""
        fan_in, _ = fans(shape)
        return Uniform(math.sqrt(6 / fan_in)).sample(shape, rng)


@dataclass(frozen=True)
class GlorotNormal(Initializer):
    """Normal with variance 2 / (fan_in + fan_out).

    Glorot and Bengio 2010, *Understanding the difficulty of training deep feedforward neural
    networks*, equation 12.
    """

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Draw from N(0, 2 / (fan_in + fan_out))."""
        return Normal(math.sqrt(2 / sum(fans(shape)))).sample(shape, rng)


@dataclass(frozen=True)
class GlorotUniform(Initializer):
    """Uniform with variance 2 / (fan_in + fan_out): limit sqrt(6 / (fan_in + fan_out)).

    Glorot and Bengio 2010, equation 16, the "normalized initialization".
    """

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Draw from U(-l, l) with l² = 6 / (fan_in + fan_out)."""
        return Uniform(math.sqrt(6 / sum(fans(shape)))).sample(shape, rng)


INITIALIZERS: dict[str, type[Initializer]] = {
    "he_normal": HeNormal,
    "he_uniform": HeUniform,
    "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "normal": Normal,
    "uniform": Uniform,
    "zeros": Zeros,
    "ones": Ones,
}
"""The initializers by the names that experiments and model files use."""


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """``(fan_in, fan_out)`` of weights (..., in, out); axes before the last two multiply both.

    Raises
    ------
    ValueError
        For fewer than two axes.
    """
    if len(shape) < 2:
        raise ValueError(f"fans: expected a shape (..., in, out), got {shape}")
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def get(spec: "str | Mapping[str, Any] | Initializer") -> Initializer:
    """An initializer from its name, from ``{"name": …, settings …}``, or as it is.

    Raises
    ------
    InputError
        For an unknown name or setting.
    """
    if isinstance(spec, Initializer):
        return spec
    if isinstance(spec, str):
        spec = {"name": spec}
    if not isinstance(spec, Mapping):
        raise InputError(f"initializer: expected a name or a table, got {spec!r}")
    settings = dict(spec)
    return registry.build(INITIALIZERS, settings.pop("name", None), settings, "initializer")


def spec_of(initializer: Initializer) -> dict[str, Any]:
    """The table from which `get` makes an equal initializer.

    Raises
    ------
    TypeError
        For a kind that `INITIALIZERS` does not list: no file could name it.
    """
    for name, kind in INITIALIZERS.items():
        if type(initializer) is kind:
            return {"name": name, **asdict(initializer)}
    raise TypeError(f"{type(initializer).__name__} is none of {', '.join(INITIALIZERS)}")
