"""``minicnn gradcheck``: the gradients of the package's own layers."""

import json
from typing import Annotated

import typer

from minicnn.cli.backend import choose, compilation_line
from minicnn.cli.options import Json, Threads
from minicnn.cli.output import console, show

EXAMPLES = ("minicnn gradcheck BatchNorm Conv2D --backend cpu",)


def gradcheck(
    layers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LAYER]...", help="Kinds of layers, such as Conv2D; all if none."),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(metavar="B", help="cpu, reference or cuda; all that can run here by default."),
    ] = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Compare the gradients of the package's layers with central differences, element by element.

    Ends with status 1 where one is further off than 1e-7 in float64.
    """
    from minicnn.checking import survey

    choose(backend, threads)
    with compilation_line(), console.status("checking") as status:
        rows = survey.measure(
            layers or [], [backend] if backend else None,
            lambda name: status.update(f"checking: {name}"),
        )
    if as_json:
        print(json.dumps([row.as_dict() for row in rows], indent=2))
    else:
        show(survey.table(rows))
    if not all(row.passed for row in rows):
        raise typer.Exit(1)
