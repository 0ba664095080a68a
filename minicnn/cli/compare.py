"""``minicnn compare``: runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from minicnn.cli.output import complain, say, show
from minicnn.errors import InputError

EXAMPLES = ("minicnn compare runs/with-bn runs/without-bn",)


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Folders of runs, two or more.")],
    out: Annotated[
        str, typer.Option(metavar="FILE", help="The page to write.")
    ] = "compare.html",
) -> None:
    """Put runs side by side: figures, settings that differ, curves, confusion matrices.

    Ends with status 1 where the runs were not measured on the same test images.
    """
    from minicnn.runs.folder import RunFolder
    from minicnn.viewing import comparison_table, write_comparison

    if len(runs) < 2:
        raise InputError(f"compare: expected at least two runs, got {len(runs)}")
    folders = [RunFolder(run) for run in runs]
    show(comparison_table(folders))
    path = write_comparison(folders, Path(out))
    say(f"page: {path}")
    results = [folder.read_results() for folder in folders]
    if len({result["data"][result["measured_on"]] for result in results}) > 1:
        complain("compare: the runs were measured on different test images")
        raise typer.Exit(1)
