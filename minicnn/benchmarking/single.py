"""One layer of any size: its passes on a backend, beside another program."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.benchmarking.programs import Minicnn
from minicnn.benchmarking.suite import PROGRAMS
from minicnn.benchmarking.timing import Task, Timings, measure
from minicnn.errors import InputError
from minicnn.layers import LAYERS, Flatten, Layer

KINDS = {name.lower(): kind for name, kind in LAYERS.items() if kind is not Flatten}
"""The layers that can be timed, by their names in small letters."""


@dataclass(frozen=True, eq=False)
class Single:
    """The times of one layer.

    Attributes
    ----------
    layer : str
        With its settings.
    shape, output_shape : tuple of int
        Of x and y, batch first.
    passes : dict of str to Timings
        By pass: forward, backward, and of a convolution also the two halves of its backward.
    """

    layer: str
    shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    passes: dict[str, Timings]

    def __str__(self) -> str:
        tables = (f"{name}\n{timings}" for name, timings in self.passes.items())
        return "\n".join([f"{self.layer}, {self.shape} to {self.output_shape}", *tables])


def measure_layer(
    kind: str, shape: tuple[int, ...], settings: Mapping[str, Any] | None = None, *,
    against: str | None = None, backend: str = "cpu", rounds: int = 9, threads: int | None = None,
) -> Single:
    """Time the passes of one layer on random float32 numbers.

    Parameters
    ----------
    kind : str
        One of `KINDS`, as ``"conv2d"``.
    shape : tuple of int
        Of x, batch first: (N, H, W, C), or (N, C).
    settings : mapping, optional
        Of the layer, as ``{"filters": 64}``.
    against : {"torch", "reference"} or None
        The program beside this library.
    backend : str, default "cpu"
    rounds : int, default 9
    threads : int, optional
        All cores by default.

    Returns
    -------
    Single

    Raises
    ------
    InputError
        Where the layer is unknown, lacks a setting, or does not take inputs of this shape, or a
        program cannot run here.
    """
    if against not in PROGRAMS:
        raise InputError(f"expected torch or reference, got {against!r}", argument="against")
    if len(shape) < 2 or min(shape) < 1:
        raise InputError(
            "expected the batch and the axes of one input, as 64,48,48,64 or 64,100, got "
            + ",".join(map(str, shape)), argument="shape",
        )
    layer = _layer(kind, shape, settings or {})
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape, np.float32)
    dy = rng.standard_normal((shape[0], *layer.output_shape(shape[1:])), np.float32)
    with ops.use_backend(ops.backend_name()):  # the programs choose theirs
        programs = [Minicnn(backend), *PROGRAMS[against](backend)]
        tasks: dict[str, dict[str, Task]] = {}
        try:
            for program in programs:
                program.use_threads(threads or _most_threads(backend))
                for stage, task in program.layer(layer, x, dy, first=False):
                    tasks.setdefault(stage, {})[program.name] = task
        except ValueError as error:
            raise InputError(str(error)) from error
        passes = {stage: measure(runs, rounds=rounds) for stage, runs in tasks.items()}
    return Single(repr(layer), shape, dy.shape, passes)


def _most_threads(name: str) -> int:
    """How many threads a backend can compute with."""
    with ops.use_backend(name):
        return ops.backend().most_threads()


def _layer(kind: str, shape: tuple[int, ...], settings: Mapping[str, Any]) -> Layer:
    """The layer, built for inputs of this shape."""
    if kind.lower() not in KINDS:
        raise InputError(f"expected one of {', '.join(KINDS)}, got {kind!r}", argument="layer")
    make = KINDS[kind.lower()]
    parameters = inspect.signature(make).parameters
    for name in settings:
        if name not in parameters:
            raise InputError(f"{kind} has no {name}", argument=name)
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in settings:
            raise InputError(f"{kind} needs {name}", argument=name)
    try:
        layer = make(**settings)
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error
    try:
        layer.build(shape[1:])
    except (TypeError, ValueError) as error:
        raise InputError(f"{shape} does not fit: {error}", argument="shape") from error
    return layer
