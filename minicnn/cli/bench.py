"""``minicnn bench``: how fast the library is on this machine, and beside others."""

from typing import Annotated

import typer

from minicnn.cli.backend import compilation_line
from minicnn.cli.options import Backend
from minicnn.cli.output import console, say, show
from minicnn.files.reading import require_folder

EXAMPLES = ("minicnn bench --against torch --out benchmark",)


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
    batch_size: Annotated[int, typer.Option(metavar="N", min=2, help="Images of a step.")] = 64,
    rounds: Annotated[
        int, typer.Option(metavar="N", min=1, help="Of each measurement; the median counts.")
    ] = 9,
    out: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Write bench.csv, bench.md and pictures there."),
    ] = None,
) -> None:
    """Time every layer of the paper's network, whole steps and inference on this machine."""
    from minicnn import benchmarking
    from minicnn.benchmarking import tables

    settings = benchmarking.settings(against, threads, batch_size, rounds, backend)
    folder = None if out is None else require_folder(out, "the folder of the benchmark")
    with compilation_line(), console.status("measuring") as status:
        results = benchmarking.measure(settings, lambda line: status.update(f"measuring: {line}"))
    console.print(results.environment, highlight=False)
    for title, headings, cells in tables.tables(results):
        show(tables.table(title, headings, cells))
    if folder is not None:
        benchmarking.write(results, folder)
        say(f"written to {folder}")
