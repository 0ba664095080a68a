"""``minicnn gradcheck``: the gradients of the package's own layers."""

import json
from typing import Annotated

import typer

from minicnn.cli.backend import choose, compilation_line
from minicnn.cli.options import Json, Threads
from minicnn.cli.output import complain, console, show

EXAMPLES = ("minicnn gradcheck BatchNorm Conv2D --backend cpu",)


def gradcheck(
    layers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LAYER]...", help="Kinds of layers, such as Conv2D; all if none."),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(metavar="B", help="cpu, reference or cuda; by default all that are ready."),
    ] = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Compare the gradients of the package's layers with central differences, element by element.

    Ends with status 1 where one is further off than 1e-7 in float64. Kernels that are not compiled
    yet are left out, with a line that says so, unless a backend is named.
    """
    from minicnn.checking import survey

    choose(backend, threads)
    with compilation_line(), console.status("checking") as status:
        rows, left_out = survey.measure(
            layers or [], [backend] if backend else None,
            lambda name: status.update(f"checking: {name}"),
        )
    if as_json:
        print(json.dumps([row.as_dict() for row in rows], indent=2))
    else:
        show(survey.table(rows))
    if left_out:
        names = " and ".join(dict.fromkeys(where for _, where in left_out))
        complain(
            f"gradcheck: not examined: {len(left_out)} of {len(rows) + len(left_out)} rows, on "
            f"{names}, whose kernels are not compiled yet; --backend {left_out[0][1]} compiles "
            "and examines them"
        )
    if not all(row.passed for row in rows):
        raise typer.Exit(1)
