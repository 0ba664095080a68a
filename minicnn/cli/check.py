"""``minicnn check``: a verdict on a student's functions, or a starter file for them."""

import json
from typing import Annotated

import typer

from minicnn.cli.options import Json
from minicnn.cli.output import say, show
from minicnn.errors import InputError
from minicnn.files.paths import as_path

EXAMPLES = ("minicnn check --exercise batchnorm", "minicnn check batchnorm_exercise.py")


def check(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE.py",
            help="A student's file: functions with minicnn's names and signatures, or those of "
            "CS231n's assignment 2.",
        ),
    ] = None,
    exercise: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Write a starter file instead; NAME is an operation, "
                     "such as batchnorm."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", help="Seconds for each function.")
    ] = 10.0,
    as_json: Json = False,
) -> None:
    """Judge a student's forward and backward functions, and name the fault.

    The file is run, with your rights: that isolates accidents, not malice. Ends with status 0
    where all functions are correct, 1 where one is not, 2 where the file cannot be used.
    """
    from minicnn.checking import check_file
    from minicnn.checking.students import display, exercises

    if exercise is not None:
        path = exercises.write_exercise(exercise, None if file is None else as_path(file))
        say(f"written to {path}")
        return
    if file is None:
        raise InputError("check: expected a file, or --exercise NAME")
    findings = check_file(file, timeout=timeout)
    if as_json:
        print(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        show(display.describe_findings(findings))
    if any(finding.verdict != "correct" for finding in findings):
        raise typer.Exit(1)
