"""What a service's machine runs: its files, filled in for some exercises, and minicnn itself."""

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from minicnn.checking.classroom.grading import require_hint, total
from minicnn.checking.classroom.points import Points, functions_of
from minicnn.checking.classroom.wheel import wheel, wheel_name, zipped
from minicnn.checking.students.exercises import EXERCISES
from minicnn.checking.students.isolation import TIMEOUT, require_timeout
from minicnn.errors import InputError
from minicnn.files.paths import as_path
from minicnn.files.reading import require_folder
from minicnn.files.writing import atomic_path, atomic_write_text


def worth_of(exercises: Iterable[str], points: Points) -> dict[str, float]:
    """The points of every function that is asked.

    Parameters
    ----------
    exercises : iterable of str
        Names of exercises, or of functions.
    points : Points
        Those that it names are asked too.

    Returns
    -------
    dict
        By function.

    Raises
    ------
    InputError
        Where nothing is asked, or a name is unknown.
    """
    worth = dict.fromkeys(functions_of(exercises, "exercises"), points.each) | points.named
    if not worth:
        raise InputError("expected what is asked: names of exercises, or of functions with their "
                         f"points; the exercises are {', '.join(EXERCISES)}", argument="exercises")
    return worth


def write_gradescope_archive(
    path: str | os.PathLike, worth: dict[str, float], *, timeout: float = TIMEOUT,
    hint: int | None = None, build: Sequence[str] = (),
) -> Path:
    """Write the zip file that Gradescope takes as an autograder.

    It holds ``setup.sh`` and ``run_autograder``, executable and at the root, as the specification
    asks (https://gradescope-autograders.readthedocs.io/en/latest/specs/), and minicnn as a wheel.

    Parameters
    ----------
    path : path
    worth : dict
        Points by function, as of `worth_of`.
    timeout : float, default 10.0
        As of `check_file`.
    hint : {1, 2, 3}, optional
        Tell students less than the answer.
    build : sequence of str, optional
        As of `check_file`.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputError
        Where it cannot be written, minicnn is not installed, or the time or the hint is out of
        range.
    """
    _require(timeout, hint)
    path = as_path(path)
    values = _values(worth, timeout, hint, build)
    scripts = {"setup.sh": _filled("setup.sh", values).encode(),
               "run_autograder": _filled("run_autograder.j2", values).encode()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(zipped({**scripts, wheel_name(): wheel()}, executable=scripts))
    return path


def write_classroom50_bundle(
    folder: str | os.PathLike, worth: dict[str, float], *, timeout: float = TIMEOUT,
    hint: int | None = None, build: Sequence[str] = (),
) -> Path:
    """Write ``autograder.py`` for Classroom 50, and minicnn as a wheel beside it.

    Both go into the folder ``CLASSROOM/autograders/ASSIGNMENT/`` of the service's repository
    (https://github.com/foundation50/classroom50/wiki/Advanced-Autograding).

    Parameters
    ----------
    folder : path
        Made if need be.
    worth : dict
        Points by function, as of `worth_of`: whole numbers.
    timeout : float, default 10.0
        As of `check_file`.
    hint : {1, 2, 3}, optional
        Tell students less than the answer.
    build : sequence of str, optional
        As of `check_file`.

    Returns
    -------
    Path
        Of ``autograder.py``.

    Raises
    ------
    InputError
        Where points are no whole numbers, the files cannot be written, minicnn is not installed,
        or the time or the hint is out of range.
    """
    _require(timeout, hint)
    require_whole(worth)
    content = wheel()
    folder = require_folder(folder, "the folder of the autograder")
    with atomic_path(folder / wheel_name()) as temporary:
        temporary.write_bytes(content)
    path = folder / "autograder.py"
    values = _values(worth, timeout, hint, build)
    atomic_write_text(path, _filled("autograder.py.j2", values))
    return path


def write_otter_questions(
    folder: str | os.PathLike, exercises: Iterable[str], worth: dict[str, float], *,
    timeout: float = TIMEOUT, hint: int | None = None, build: Sequence[str] = (),
) -> list[Path]:
    """Write a test file for Otter-Grader for each exercise, and one for what is asked beside them.

    They are exception-based test files
    (https://otter-grader.readthedocs.io/en/latest/test_files/python_format.html).

    Parameters
    ----------
    folder : path
        Otter's folder of tests; made if need be.
    exercises : iterable of str
    worth : dict
        Points by function, as of `worth_of`.
    timeout : float, default 10.0
        As of `check_file`.
    hint : {1, 2, 3}, optional
        Tell students less than the answer.
    build : sequence of str, optional
        As of `check_file`.

    Returns
    -------
    list of Path
        Of the files, which are called as the exercises.

    Raises
    ------
    InputError
        Where they cannot be written, or the time or the hint is out of range.
    """
    _require(timeout, hint)
    folder = require_folder(folder, "the folder of the tests")
    left = dict(worth)
    questions = {
        name: {function: left.pop(function) for function in functions_of([name], "exercises")
               if function in left}
        for name in exercises
    }
    questions |= {name.replace(".", "_"): {name: points} for name, points in left.items()}
    paths = []
    for question, own in questions.items():
        paths.append(folder / f"{question}.py")
        atomic_write_text(paths[-1], _filled("question.py.j2", {
            "question": question, "worth": own, "total": total(own.values()),
            "timeout": f"{timeout:g}", "hint": hint, "build": list(build),
        }))
    return paths


def require_whole(worth: dict[str, float]) -> None:
    """Refuse points that are no whole numbers, which Classroom 50 does not take.

    Raises
    ------
    InputError
        Where there are any.
    """
    for function, points in worth.items():
        if points != int(points):
            raise InputError(f"Classroom 50 takes whole numbers, got {points:g} for {function}",
                             argument="points")


def _require(timeout: float, hint: int | None) -> None:
    """Refuse what the service's machine would refuse."""
    require_timeout(timeout)
    require_hint(hint)


def _values(
    worth: dict[str, float], timeout: float, hint: int | None, build: Sequence[str]
) -> dict[str, Any]:
    """What the templates of whole submissions are filled with."""
    return {"points": _spelt(worth), "timeout": f"{timeout:g}", "hint": hint, "build": list(build)}


def _spelt(worth: dict[str, float]) -> str:
    """Points as `read_points` reads them."""
    return ",".join(f"{function}={points}" for function, points in worth.items())


def _filled(template: str, values: dict[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("minicnn.checking.classroom"), undefined=StrictUndefined,
        trim_blocks=True, keep_trailing_newline=True,
    )
    environment.filters.update(shell=shlex.quote, python=repr)
    return environment.get_template(template).render(values)
