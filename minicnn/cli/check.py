"""``minicnn check``: a verdict on a student's functions, or a starter file for them."""

import json
from typing import Annotated

import typer

from minicnn.cli.grading import grade_folder, write_results
from minicnn.cli.options import Json
from minicnn.cli.output import say, show
from minicnn.cli.wording import of_time
from minicnn.errors import InputError
from minicnn.files.paths import as_path

EXAMPLES = (
    "minicnn check --exercise batchnorm",
    "minicnn check batchnorm_exercise.py",
    "minicnn check batchnorm_exercise.py --hint 1",
    "minicnn check batchnorm_exercise.py --format gradescope --points batchnorm=5",
    "minicnn check homework --csv grades.csv --html class.html",
)

EXERCISES = (
    "batchnorm", "layernorm", "groupnorm", "conv2d", "maxpool2d", "avgpool2d", "global_avgpool2d",
    "dense", "relu", "leaky_relu", "elu", "dropout", "softmax_cross_entropy", "sgd_update",
    "rmsprop_update", "adam_update",
)
"""Names for the help, which must not wait for what the exercises are made of."""


def check(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="A student's file or notebook: functions with minicnn's names and signatures, or "
            "those of CS231n's assignment 2. Or a class: a folder with a file or folder for each "
            "student.",
        ),
    ] = None,
    exercise: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Write a starter file instead. NAME is one of "
                     f"{', '.join(EXERCISES)}; or list, which shows what each asks for."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", help="Seconds for each function.")
    ] = 10.0,
    hint: Annotated[
        int | None,
        typer.Option(metavar="1|2|3", help="Say less than the answer: where to look (1), at "
                     "which term (2), and the equation (3)."),
    ] = None,
    build: Annotated[
        list[str] | None,
        typer.Option(metavar="CALL", help="How a class is built whose constructor's arguments "
                     'have other names: "BatchNorm(gamma, beta)". May be given several times.'),
    ] = None,
    as_json: Json = False,
    format: Annotated[
        str | None,
        typer.Option(metavar="SERVICE", help="Write the results as a service reads "
                     "them: gradescope or classroom50. FILE may be a folder, all of one student."),
    ] = None,
    points: Annotated[
        str | None,
        typer.Option(metavar="P", help="Points of a right function: 10 for each, or "
                     "batchnorm_backward=5,conv2d=2 for those asked. 1 each by default."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Where --format writes; by default where the service "
                     "looks for it, or into the current folder."),
    ] = None,
    csv: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Of the folder of a class: write a row each student."),
    ] = None,
    html: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Likewise: write a page of the class, and a folder of "
                     "pages beside it, one for each student."),
    ] = None,
) -> None:
    """Judge a student's forward and backward functions, and name the fault.

    The file is run, with your rights: that isolates accidents, not malice. Ends with status 0
    where all functions are correct, 1 where one is not, 2 where the file cannot be used; with
    --format, or for a class, always 0 where the results are written.
    """
    from minicnn.checking import check_file
    from minicnn.checking.students import display, exercises, steps

    if exercise == "list":
        for line in exercises.describe_exercises():
            say(line)
        return
    if exercise is not None:
        path = exercises.write_exercise(exercise, None if file is None else as_path(file))
        say(f"written to {path}")
        return
    if file is None:
        raise InputError("check: expected a file, or --exercise NAME")
    if format is not None:
        write_results(file, format, points, out, timeout, hint, build or [])
        return
    if out is not None:
        raise InputError("counts for --format", argument="out")
    if as_path(file).is_dir():
        grade_folder(file, points, csv, html, timeout, hint, build or [], as_json)
        return
    for name, value in (("points", points), ("csv", csv), ("html", html)):
        if value is not None:
            raise InputError("counts for --format, or for the folder of a class", argument=name)
    findings = check_file(file, timeout=timeout, build=build or ())
    for finding in findings:
        finding.message = of_time(finding.message)
    if hint is not None:
        findings = steps.hinted(findings, hint)
    if as_json:
        print(json.dumps(findings.as_dicts(), indent=2))
    else:
        show(display.describe_findings(findings))
    if any(finding.verdict != "correct" for finding in findings):
        raise typer.Exit(1)
