"""``minicnn classroom``: what services that collect homework run, made for some exercises."""

from typing import Annotated

import typer

from minicnn.cli.output import say

GRADESCOPE = ("minicnn classroom gradescope batchnorm conv2d --points 10",)
CLASSROOM50 = ("minicnn classroom classroom50 batchnorm --out autograders/batchnorm",)
OTTER = ("minicnn classroom otter batchnorm dropout --out tests",)

Exercises = Annotated[
    list[str] | None,
    typer.Argument(metavar="EXERCISE", help="What is asked: exercises as of minicnn check "
                   "--exercise, or functions of any dialect."),
]
Worth = Annotated[
    str | None,
    typer.Option(metavar="P", help="Points of a right function: 10 for each, or "
                 "batchnorm_backward=5,conv2d=2; those named are asked too. 1 each by default."),
]
Hint = Annotated[
    int | None,
    typer.Option(metavar="1|2|3", help="Tell students less than the answer, as minicnn check "
                 "--hint does."),
]
Build = Annotated[
    list[str] | None,
    typer.Option(metavar="CALL", help="How a class is built, as of minicnn check --build."),
]
Timeout = Annotated[float, typer.Option(metavar="S", help="Seconds for each function.")]


def gradescope(
    exercises: Exercises = None,
    points: Worth = None,
    timeout: Timeout = 10.0,
    hint: Hint = None,
    build: Build = None,
    out: Annotated[str, typer.Option(metavar="PATH", help="The archive.")] = "autograder.zip",
) -> None:
    """Write the archive that Gradescope takes as an autograder.

    It brings minicnn along; Gradescope's machine installs what that depends on. Choose Ubuntu 22.04
    or newer as its base image.
    """
    from minicnn.checking.classroom import machinery

    path = machinery.write_gradescope_archive(
        out, _worth(exercises, points), timeout=timeout, hint=hint, build=build or [])
    say(f"written to {path}; upload it as the assignment's autograder")


def classroom50(
    exercises: Exercises = None,
    points: Worth = None,
    timeout: Timeout = 10.0,
    hint: Hint = None,
    build: Build = None,
    out: Annotated[str, typer.Option(metavar="FOLDER", help="Where it goes.")] = "autograder",
) -> None:
    """Write autograder.py for Classroom 50, and minicnn as a wheel beside it.

    Both belong into CLASSROOM/autograders/ASSIGNMENT/ of the service's repository.
    """
    from minicnn.checking.classroom import machinery

    path = machinery.write_classroom50_bundle(
        out, _worth(exercises, points), timeout=timeout, hint=hint, build=build or [])
    say(f"written to {path}, with minicnn beside it; both go into autograders/ASSIGNMENT/")


def otter(
    exercises: Exercises = None,
    points: Worth = None,
    timeout: Timeout = 10.0,
    hint: Hint = None,
    build: Build = None,
    out: Annotated[str, typer.Option(metavar="FOLDER", help="Otter's tests.")] = "tests",
) -> None:
    """Write a test file for Otter-Grader for each exercise.

    Where they run, minicnn must be installed.
    """
    from minicnn.checking.classroom import machinery

    names = exercises or []
    paths = machinery.write_otter_questions(
        out, names, _worth(exercises, points), timeout=timeout, hint=hint, build=build or [])
    say(f"written to {', '.join(map(str, paths))}")


def _worth(exercises: list[str] | None, points: str | None) -> dict[str, float]:
    from minicnn.checking.classroom.machinery import worth_of
    from minicnn.checking.classroom.points import Points, read_points

    return worth_of(exercises or [], Points() if points is None else read_points(points))
