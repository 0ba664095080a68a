"""The whole measurement: layers, steps, inference, processes, and how cost grows."""

import platform
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from minicnn import models
from minicnn.benchmarking import processes
from minicnn.benchmarking.machine import ceiling, description
from minicnn.benchmarking.programs import Minicnn, Program
from minicnn.benchmarking.results import Growth, Results, Row, Settings
from minicnn.benchmarking.timing import Task, Timings, fitted_exponent, measure
from minicnn.benchmarking.torch_program import Torch
from minicnn.benchmarking.work import FORWARD, work
from minicnn.errors import InputError
from minicnn.layers import Conv2D
from minicnn.ops import backend, backend_name, use_backend
from minicnn.ops.backend import Backend
from minicnn.sequential import Sequential

PROGRAMS: dict[str | None, Callable[[str], list[Program]]] = {
    None: lambda backend: [],
    "torch": lambda backend: (
        [Torch("cuda"), Torch("cuda", channels_last=False)] if backend == "cuda" else [Torch()]
    ),
    "reference": lambda backend: [Minicnn("reference", "reference")],
}
"""The programs that may stand beside a backend of this library."""

INFERENCE_BATCHES = (256, 1)

GROWTH: dict[str, tuple[int, ...]] = {
    "batch size": (4, 8, 16, 32, 64, 128),
    "image side": (12, 24, 48, 96),
    "channels": (16, 32, 64, 128, 256),
}
"""What a convolution's cost is measured against: 3×3, of 16 images of 24×24 with 64 channels to as
many, where one of the three changes."""


def settings(
    against: str | None, threads: str | None, batch: int, rounds: int, backend: str | None = None
) -> Settings:
    """`Settings` from the words of a command line.

    Parameters
    ----------
    against : {"torch", "reference"} or None
    threads : str or None
        Numbers of threads with commas between; None for 1 and as many as there are cores.
    batch, rounds : int
    backend : str, optional
        Of this library; cpu by default.

    Raises
    ------
    InputError
        For another program, a backend that cannot run here, or numbers of threads that there are
        not.
    """
    if against not in PROGRAMS:
        raise InputError(f"expected torch or reference, got {against!r}", argument="against")
    measured = backend or Settings.backend
    own = _backend(measured)
    most = own.most_threads()
    words = sorted({"1", str(most)}) if threads is None else threads.split(",")
    for word in words:
        own.use_threads(word.strip())
    own.use_threads(most)
    return Settings(against, tuple(int(word) for word in words), batch, rounds, measured)


def measure_library(settings: Settings, tell: Callable[[str], None] = lambda line: None) -> Results:
    """Measure everything that `settings` ask for.

    Parameters
    ----------
    settings : Settings
    tell : callable
        Is told what is being measured, a line at a time.

    Raises
    ------
    InputError
        Where PyTorch is asked for and not installed.
    """
    programs = [Minicnn(settings.backend), *PROGRAMS[settings.against](settings.backend)]
    own = _backend(settings.backend)
    results = Results(settings, description(own), _versions(settings.against))
    with use_backend(backend_name()):  # the programs choose theirs
        for threads in settings.threads:
            for program in programs:
                program.use_threads(threads)
            tell(f"{threads} threads: what the machine can do")
            results.ceilings[threads] = ceiling(own, settings.rounds)
            _measure_networks(results, programs, threads, tell)
            _measure_layers(results, programs, threads, tell)
        tell("how cost grows")
        results.growth = list(_growth(programs, settings.rounds))
    tell("processes from their start")
    threads = max(settings.threads)
    cold, warm = processes.cold_and_warm(settings.batch, threads, settings.backend)
    results.starts = {"minicnn, first run": cold, "minicnn": warm}
    if settings.against == "torch":
        results.starts["PyTorch"] = processes.start(
            "PyTorch", settings.batch, threads, settings.backend)
    return results


def _backend(name: str) -> Backend:
    """The package of a backend that can run here."""
    with use_backend(name):
        return backend()


def _measure_networks(
    results: Results, programs: list[Program], threads: int, tell: Callable[[str], None]
) -> None:
    """Training steps and inference of the whole network."""
    rounds, batch = results.settings.rounds, results.settings.batch
    names = [program.name for program in programs]
    image = "×".join(map(str, models.INPUT_SHAPE))
    forward = sum(work(layer, 1, FORWARD).gflop for layer in models.paper().layers)
    tell(f"{threads} threads: whole steps")
    steps = [program.step(models.paper(), *_batch(batch)) for program in programs]
    _add(results, threads, batch, "step", "step", image, 3 * forward * batch, float("nan"),
         measure(dict(zip(names, steps, strict=True)), rounds=rounds))
    del steps
    for count in INFERENCE_BATCHES:
        tell(f"{threads} threads: inference of {count}")
        images, _ = _batch(count)
        calls = [program.inference(models.paper(), images) for program in programs]
        _add(results, threads, count, "inference", FORWARD, image, forward * count, float("nan"),
             measure(dict(zip(names, calls, strict=True)),
                     rounds=rounds if count > 1 else 5 * rounds))


def _measure_layers(
    results: Results, programs: list[Program], threads: int, tell: Callable[[str], None]
) -> None:
    """Every pass of every layer."""
    rounds, batch = results.settings.rounds, results.settings.batch
    for layer, tasks in _layers(programs, models.paper(), _batch(batch)[0]):
        tell(f"{threads} threads: {layer.name}")
        shape = "×".join(map(str, layer.input_shape or ()))
        for stage, runs in tasks.items():
            taken = work(layer, batch, stage)
            _add(results, threads, batch, layer.name, stage, shape, taken.gflop, taken.gigabytes,
                 measure(dict(runs), rounds=rounds))


def _versions(against: str | None) -> dict[str, str]:
    versions = {"Python": platform.python_version()}
    packages = ["minicnn", "numpy", "numba"] + ["torch"] * (against == "torch")
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "?"
    return versions


def _batch(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random images and labels."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((count, *models.INPUT_SHAPE)).astype(np.float32)
    return x, rng.integers(0, models.CLASSES, count)


def _layers(
    programs: list[Program], network: Sequential, x: np.ndarray
) -> Iterator[tuple[Any, dict[str, list[tuple[str, Task]]]]]:
    """Each layer, and by pass the tasks of all programs, on what the layers before give it."""
    rng = np.random.default_rng(1)
    for place, layer in enumerate(network.layers):
        y = layer.forward(x, training=True)
        dy = rng.standard_normal(y.shape).astype(y.dtype)
        tasks: dict[str, list[tuple[str, Task]]] = {}
        for program in programs:
            for stage, task in program.layer(layer, x, dy, first=place == 0):
                tasks.setdefault(stage, []).append((program.name, task))
        yield layer, tasks
        layer.forget()
        x = y


def _growth(programs: list[Program], rounds: int) -> Iterator[Growth]:
    for of, sizes in GROWTH.items():
        times: dict[str, list[float]] = {program.name: [] for program in programs}
        for size in sizes:
            batch, side, channels = (
                size if of == name else usual
                for name, usual in zip(GROWTH, (16, 24, 64), strict=True)
            )
            layer = Conv2D(channels)
            layer.build((side, side, channels))
            rng = np.random.default_rng(0)
            x = rng.standard_normal((batch, side, side, channels)).astype(np.float32)
            timings = measure({
                program.name: dict(program.layer(layer, x, x, first=False))[FORWARD]
                for program in programs
            }, rounds=rounds)
            for name, median in zip(timings.names, timings.medians, strict=True):
                times[name].append(float(median))
        for name, seconds in times.items():
            yield Growth(
                of, name, sizes, tuple(1e3 * value for value in seconds),
                fitted_exponent(sizes, seconds),
            )


def _add(
    results: Results, threads: int, batch: int, layer: str, stage: str, shape: str, gflop: float,
    gigabytes: float, timings: Timings,
) -> None:
    """A row for each program's column of seconds."""
    most = results.ceilings[threads]
    for program, median, column in zip(
        timings.names, map(float, timings.medians), timings.seconds.T, strict=True
    ):
        results.rows.append(Row(
            threads, batch, layer, stage, shape, program, 1e3 * median, 1e3 * float(column.min()),
            gflop, gigabytes, gflop / median / most.gflops, gigabytes / median / most.gigabytes,
        ))
