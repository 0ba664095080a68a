"""``minicnn data audit``: a data set looked over before a number on it is trusted."""

import json
from typing import Annotated

import typer

from minicnn.cli.options import Json
from minicnn.cli.output import show
from minicnn.cli.progress import reading_line

EXAMPLES = ("minicnn data audit fer2013.csv --json",)


def audit(
    path: Annotated[str, typer.Argument(metavar="PATH", help="As --data of minicnn train.")],
    as_json: Json = False,
) -> None:
    """Count classes, duplicates, conflicting labels, leakage between splits and blank images."""
    from minicnn.data import fer2013
    from minicnn.data.audit import audit as examine

    with reading_line():
        dataset = fer2013.load(path)
    findings = examine(dataset)
    if as_json:
        print(json.dumps(findings.as_dict(), indent=2))
    else:
        show(findings.table())
