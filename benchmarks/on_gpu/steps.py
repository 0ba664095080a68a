"""Section 6: whole training steps beside PyTorch, in float32 and in TF32."""

from typing import Any

import numpy as np

from minicnn.benchmarking.programs import Program
from minicnn.benchmarking.timing import interleaved
from on_gpu import networks
from on_gpu.options import Options
from on_gpu.passes import chip_of
from on_gpu.predictions import predict_step
from on_gpu.programs import programs
from on_gpu.records import Table

ROUNDS = 15

COLUMNS = "batch", "precision", "program", "ms", "least_ms", "predicted_ms", "speed", "note"


def run(options: Options) -> None:
    """Predict and measure; then the names of the kernels that PyTorch took."""
    chip = chip_of(options)
    print(f"  predicted for {chip}")
    predictions = {}
    for batch in networks.BATCHES[options.tiny]:
        predictions[batch] = predict_step(networks.network(tiny=options.tiny), batch, chip)
        print(f"  predicted: {predictions[batch]:.3g} ms a step at batch {batch}")
    table = Table(options.out / "steps.csv", COLUMNS)
    note = "" if options.measures else "interpreter, no time of a GPU"
    kernels = Table(options.out / "torch_kernels.csv",
                    ("batch", "program", "kernel", "calls", "ms"))
    failed = 0
    for precision in ("float32", "TF32"):
        contestants = programs(options, tf32=precision == "TF32")
        for batch in networks.BATCHES[options.tiny]:
            predicted = predictions[batch] if precision == "float32" else None
            try:
                measure(table, batch, precision, contestants, predicted, note, options)
                for program in contestants:
                    for name, calls, milliseconds in torch_kernels(program, batch, options):
                        kernels.add(batch=batch, program=program.name, kernel=name, calls=calls,
                                    ms=milliseconds)
            except Exception as error:  # the next batch is tried all the same
                failed += 1
                table.add(batch=batch, precision=precision, note=f"failed: {error}"[:300])
    if failed:
        raise SystemExit(f"  {failed} comparisons failed: see steps.csv")


def measure(
    table: Table, batch: int, precision: str, contestants: list[Program],
    predicted: float | None, note: str, options: Options,
) -> None:
    """A line for each program; the speed is minicnn's over the program's."""
    x, labels = networks.batch_of(batch, networks.network(tiny=options.tiny).input_shape)
    tasks = [program.step(networks.network(tiny=options.tiny), x, labels)
             for program in contestants]
    seconds = interleaved(tasks, ROUNDS if options.measures else 1)
    medians = 1e3 * np.median(seconds, axis=0)
    for program, median, least in zip(contestants, medians, seconds.min(axis=0), strict=True):
        more: dict[str, Any] = {}
        if program is not contestants[0]:
            more["speed"] = float(median / medians[0])
        elif predicted is not None:
            more["predicted_ms"] = predicted
        table.add(batch=batch, precision=precision, program=program.name, ms=float(median),
                  least_ms=float(1e3 * least), note=note, **more)


def torch_kernels(
    program: Program, batch: int, options: Options
) -> list[tuple[str, int, float]]:
    """The names, calls and milliseconds of what a step of PyTorch launches, the slowest first."""
    if not program.name.startswith("PyTorch"):
        return []
    from torch.profiler import ProfilerActivity, profile

    x, labels = networks.batch_of(batch, networks.network(tiny=options.tiny).input_shape)
    task = program.step(networks.network(tiny=options.tiny), x, labels)
    for _ in range(3):  # cuDNN tries its algorithms
        task.prepare()
        task.run()
    activity = ProfilerActivity.CUDA if options.measures else ProfilerActivity.CPU
    task.prepare()
    with profile(activities=[activity]) as profiled:
        task.run()
    which = "self_device_time_total" if options.measures else "self_cpu_time_total"
    found = [(event.key, event.count, getattr(event, which) / 1e3)
             for event in profiled.key_averages()]
    return sorted(found, key=lambda line: -line[2])[:25]
