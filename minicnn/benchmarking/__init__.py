"""Measuring how fast the library is, on this machine and beside others."""

from pathlib import Path

from minicnn.benchmarking.suite import Results, Settings, measure, settings
from minicnn.files.writing import atomic_path, atomic_write_text

__all__ = ["Results", "Settings", "measure", "settings", "write"]


def write(results: Results, folder: Path) -> None:
    """``bench.csv``, ``bench.md`` with all tables, and the pictures.

    Parameters
    ----------
    results : Results
    folder : Path
        Must exist.
    """
    from minicnn.benchmarking import pictures, tables

    with atomic_path(folder / "bench.csv") as path:
        tables.write_csv(results, path)
    atomic_write_text(folder / "bench.md", f"{results.circumstances}\n\n{tables.markdown(results)}")
    pictures.write_pictures(results, folder)
