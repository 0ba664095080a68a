"""Measuring how fast the library is, on this machine and beside others."""

from collections.abc import Sequence
from pathlib import Path

from minicnn.benchmarking.results import Results, Settings
from minicnn.benchmarking.single import Single, measure_layer
from minicnn.benchmarking.suite import measure_library, settings
from minicnn.benchmarking.timing import Task, Timings, measure
from minicnn.files.writing import atomic_path, atomic_write_text

__all__ = [
    "Results", "Settings", "Single", "Task", "Timings", "measure", "measure_layer",
    "measure_library", "settings", "write",
]


def write(
    results: Results, folder: Path, more: Sequence[tuple[str, list[str], list[list[str]]]] = ()
) -> None:
    """``bench.csv``, ``bench.md`` with all tables, and the pictures.

    Parameters
    ----------
    results : Results
    folder : Path
        Must exist.
    more : sequence of (title, headings, cells)
        Tables that ``bench.md`` ends with.
    """
    from minicnn.benchmarking import pictures, tables

    with atomic_path(folder / "bench.csv") as path:
        tables.write_csv(results, path)
    page = tables.markdown([*tables.tables(results), *more])
    atomic_write_text(folder / "bench.md", f"{results.environment}\n\n{page}")
    pictures.write_pictures(results, folder)
