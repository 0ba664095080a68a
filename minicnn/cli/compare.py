"""``minicnn compare``: runs side by side."""

from typing import Annotated

import typer

from minicnn.cli.output import complain, say, show
from minicnn.errors import InputError
from minicnn.files.paths import as_path

EXAMPLES = ("minicnn compare runs/with-bn runs/without-bn",)


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Folders of runs, two or more.")],
    out: Annotated[
        str, typer.Option(metavar="FILE", help="The page to write.")
    ] = "compare.html",
) -> None:
    """Put runs side by side: figures, settings that differ, curves, layers, confusion matrices.

    An earlier page of the same name is replaced. Ends with status 1 where the runs were not
    measured on the same test images.
    """
    from minicnn.runs.folder import RunFolder
    from minicnn.viewing import comparison_table, different_images, write_comparison

    if len(runs) < 2:
        raise InputError(f"compare: expected at least two runs, got {len(runs)}")
    folders = [RunFolder(run) for run in runs]
    show(comparison_table(folders))
    page = as_path(out)
    replaced = page.exists()
    path = write_comparison(folders, page)
    say(f"page: {path}" + (" (replaces the one that was there)" if replaced else ""))
    reason = different_images(folders)
    if reason:
        complain(f"compare: {reason}")
        raise typer.Exit(1)
