"""``minicnn bench``: how fast the library is on this machine, and beside others."""

from typing import Annotated

import typer

from minicnn.cli.backend import compilation_line
from minicnn.cli.options import Backend
from minicnn.cli.output import console, say, show
from minicnn.errors import InputError
from minicnn.files.reading import require_folder

EXAMPLES = (
    "minicnn bench --against torch --out benchmark",
    "minicnn bench --layer conv2d --shape 64,48,48,64 --filters 64",
)


def bench(
    against: Annotated[
        str | None,
        typer.Option(
            metavar="PROGRAM",
            help="Also time this one: torch (PyTorch, if it is installed; on the GPU beside cuda) "
            "or reference (plain NumPy, slow).",
        ),
    ] = None,
    backend: Backend = None,
    threads: Annotated[
        str | None,
        typer.Option(metavar="N,N", help="Numbers of threads; by default 1 and all cores."),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", min=2, help="Images of a step; by default 64.")
    ] = None,
    rounds: Annotated[
        int, typer.Option(metavar="N", min=1, help="Of each measurement; the median counts.")
    ] = 9,
    out: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Write bench.csv, bench.md and pictures there."),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="Time this layer alone: conv2d, dense, batchnorm, …"),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(metavar="N,H,W,C", help="Of the layer's inputs, the batch first; or N,C."),
    ] = None,
    filters: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Of conv2d.")
    ] = None,
    units: Annotated[int | None, typer.Option(metavar="N", min=1, help="Of dense.")] = None,
    groups: Annotated[int | None, typer.Option(metavar="N", min=1, help="Of groupnorm.")] = None,
    size: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Of a pooling window; by default 2.")
    ] = None,
    kernel_size: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Of conv2d; by default 3.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(metavar="P", help="Of dropout.")
    ] = None,
) -> None:
    """Time every layer of the paper's network, whole steps and inference; or one layer."""
    from minicnn import benchmarking
    from minicnn.benchmarking import tables

    settings_of_layer = {
        name: value for name, value in (
            ("filters", filters), ("units", units), ("size", size), ("kernel_size", kernel_size),
            ("rate", rate), ("groups", groups),
        ) if value is not None
    }
    if layer is not None or shape is not None or settings_of_layer:
        if batch_size is not None:
            raise InputError("a layer's shape begins with its batch: leave this out",
                             argument="batch_size")
        _one_layer(layer, shape, settings_of_layer, against, backend, threads, rounds, out)
        return
    settings = benchmarking.settings(against, threads, batch_size or 64, rounds, backend)
    folder = None if out is None else require_folder(out, "the folder of the benchmark")
    with compilation_line(), console.status("measuring") as status:
        results = benchmarking.measure_library(
            settings, lambda line: status.update(f"measuring: {line}")
        )
    console.print(results.environment, highlight=False)
    for title, headings, cells in tables.tables(results):
        show(tables.table(title, headings, cells))
    if folder is not None:
        benchmarking.write(results, folder)
        say(f"written to {folder}")


def _one_layer(
    layer: str | None, shape: str | None, settings: dict[str, float], against: str | None,
    backend: str | None, threads: str | None, rounds: int, out: str | None,
) -> None:
    """Time one layer, and show a table a pass."""
    from minicnn import benchmarking
    from minicnn.benchmarking import tables

    if layer is None:
        raise InputError("expected a layer, as conv2d, got none", argument="layer")
    if shape is None:
        raise InputError("expected the shape of its inputs, as 64,48,48,64", argument="shape")
    if out is not None:
        raise InputError("the figures of one layer are only shown: leave this out", argument="out")
    checked = benchmarking.settings(against, threads, 1, rounds, backend)
    with compilation_line(), console.status(f"measuring: {layer}"):
        single = benchmarking.measure_layer(
            layer, _lengths(shape), settings, against=against, backend=checked.backend,
            rounds=rounds, threads=max(checked.threads),
        )
    say(f"{single.layer}: {single.shape} to {single.output_shape}; medians of {rounds} rounds, "
        f"{max(checked.threads)} threads")
    show(tables.table(*tables.passes_of_one(single)))


def _lengths(shape: str) -> tuple[int, ...]:
    """The numbers between the commas."""
    try:
        return tuple(int(word) for word in shape.split(","))
    except ValueError:
        raise InputError(
            f"expected numbers with commas between, as 64,48,48,64, got {shape!r}",
            argument="shape",
        ) from None
