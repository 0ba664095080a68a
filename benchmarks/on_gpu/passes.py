"""Section 5: every layer and direction, predicted, then measured."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from minicnn import use_backend
from minicnn.benchmarking.timing import Task, interleaved
from minicnn.benchmarking.work import BACKWARD, DATA, FORWARD, WEIGHTS, work
from minicnn.layers import Conv2D, Layer
from minicnn.ops.cuda.device import device, use_device
from minicnn.sequential import Sequential
from on_gpu import limits, networks
from on_gpu.devices import Stopwatch
from on_gpu.options import Options
from on_gpu.predictions import H200, Chip, Prediction, predict
from on_gpu.programs import programs
from on_gpu.records import Table

ROUNDS = 5

COLUMNS = ("batch", "layer", "stage", "how", "floor_ms", "predicted_ms", "kernels_ms", "ms",
           "TFLOP/s", "TB/s", "torch_ms", "torch", "note")


def run(options: Options) -> None:
    """Predictions of all passes first, then the times."""
    chip = chip_of(options)
    print(f"  predicted for {chip}")
    rows = predicted(options, chip)
    table = Table(options.out / "passes.csv", COLUMNS)
    kernels = Table(options.out / "kernels.csv", ("batch", "layer", "stage", "kernel", "ms"))
    failed = 0
    for batch in networks.BATCHES[options.tiny]:
        for layer, stage, tasks in walk(batch, options):
            prediction = rows[batch, layer.name, stage]
            line = {"batch": batch, "layer": layer.name, "stage": stage, "how": prediction.how,
                    "floor_ms": prediction.floor, "predicted_ms": prediction.expected}
            try:
                launched = timed_kernels(tasks[0][1])
                line |= reached(layer, batch, stage, launched) | against(tasks, options)
            except Exception as error:  # the next pass is tried all the same
                failed += 1
                table.add(**line, note=f"failed: {error}"[:300])
                continue
            for name, milliseconds in launched:
                kernels.add(batch=batch, layer=layer.name, stage=stage, kernel=name,
                            ms=milliseconds)
            table.add(**line, note="" if options.measures else "interpreter, no time of a GPU")
    if failed:
        raise SystemExit(f"  {failed} passes failed: see passes.csv")


def reached(
    layer: Layer, batch: int, stage: str, launched: list[tuple[str, float]]
) -> dict[str, float]:
    """The time of all kernels of a pass, and what that makes of its work."""
    total = sum(milliseconds for _, milliseconds in launched)
    taken = work(layer, batch, stage)
    rates = (taken.gflop / total, taken.gigabytes / total) if total else (0.0, 0.0)
    return {"kernels_ms": total, "TFLOP/s": rates[0], "TB/s": rates[1]}


def chip_of(options: Options) -> Chip:
    """What section 4 has measured of this GPU, or the data sheet of one."""
    found = limits.measured(options)
    if not options.measures or not {"copy", "multiply-adds", "launch"} <= found.keys():
        return H200
    return Chip(f"{device().describe()['gpu']}, as measured", found["multiply-adds"],
                found["copy"], device().multiprocessors, found["launch"] / 1e3)


def predicted(options: Options, chip: Chip) -> dict[tuple[int, str, str], Prediction]:
    """Every pass, written before any is measured."""
    table = Table(options.out / "predictions.csv",
                  ("batch", "layer", "stage", "how", "floor_ms", "predicted_ms"))
    rows = {}
    for batch in networks.BATCHES[options.tiny]:
        for place, layer in enumerate(networks.network(tiny=options.tiny).layers):
            for stage in stages(layer, first=place == 0):
                row = rows[batch, layer.name, stage] = predict(layer, batch, stage, chip)
                table.add(batch=batch, layer=layer.name, stage=stage, how=row.how,
                          floor_ms=row.floor, predicted_ms=row.expected)
    return rows


def stages(layer: Layer, *, first: bool) -> tuple[str, ...]:
    """The passes of a layer that are measured; the first has no gradient of its input."""
    if not isinstance(layer, Conv2D):
        return FORWARD, BACKWARD
    return (FORWARD, WEIGHTS) if first else (FORWARD, DATA, WEIGHTS)


def walk(
    batch: int, options: Options
) -> Iterator[tuple[Layer, str, list[tuple[str, Task]]]]:
    """Each layer and pass with the tasks of all programs, minicnn's first."""
    contestants = programs(options)
    model: Sequential = networks.network(tiny=options.tiny)
    x: Any = networks.batch_of(batch, model.input_shape)[0]
    rng = np.random.default_rng(1)
    for place, layer in enumerate(model.layers):
        with use_backend("cuda"):
            y = np.asarray(layer.forward(x, training=True))
        dy = rng.standard_normal(y.shape).astype(y.dtype)
        tasks = {
            program.name: dict(program.layer(layer, x, dy, first=place == 0))
            for program in contestants
        }
        for stage in stages(layer, first=place == 0):
            yield layer, stage, [(name, found[stage]) for name, found in tasks.items()]
        layer.forget()
        x = y


def timed_kernels(task: Task) -> list[tuple[str, float]]:
    """The kernels of one run, after one to warm up."""
    stopwatch = Stopwatch(device())
    with use_device(stopwatch):
        for _ in range(2):
            task.prepare()
            stopwatch.times()
            task.run()
        return stopwatch.times()


def against(tasks: list[tuple[str, Task]], options: Options) -> dict[str, Any]:
    """The medians of minicnn and of PyTorch's better layout, from call to end."""
    seconds = interleaved([task for _, task in tasks], ROUNDS if options.measures else 1)
    medians = 1e3 * np.median(seconds, axis=0)
    result: dict[str, Any] = {"ms": float(medians[0])}
    if len(tasks) > 1:
        best = 1 + int(np.argmin(medians[1:]))
        result |= {"torch_ms": float(medians[best]), "torch": tasks[best][0]}
    return result
