"""What ``minicnn check`` writes for whoever grades: one student's results, or a class."""

import json
from pathlib import Path

from minicnn.cli.output import say, show
from minicnn.cli.progress import MovingLine
from minicnn.errors import InputError

SERVICES = ("gradescope",)
"""Those whose results can be written."""


def write_results(
    path: str, service: str, points: str | None, out: str | None, timeout: float
) -> None:
    """Check one student's file or folder, and write the results as a service reads them."""
    from minicnn.checking.classroom import gradescope
    from minicnn.checking.classroom.grading import grade
    from minicnn.checking.classroom.points import Points, read_points
    from minicnn.checking.classroom.submissions import submission_of
    from minicnn.files.paths import as_path
    from minicnn.files.writing import atomic_write_text

    if service not in SERVICES:
        raise InputError(f"expected one of {', '.join(SERVICES)}, got {service!r}",
                         argument="format")
    worth = Points() if points is None else read_points(points)
    place = gradescope.default_place() if out is None else as_path(out)
    graded = grade(submission_of(path), timeout=timeout)
    results = gradescope.gradescope_results(graded, worth)
    atomic_write_text(place, json.dumps(results, indent=2) + "\n")
    say(f"{results['score']:g} of {sum(test['max_score'] for test in results['tests']):g} points, "
        f"written to {place}")


def grade_folder(
    folder: str, points: str | None, csv: str | None, html: str | None, timeout: float,
    as_json: bool,
) -> None:
    """Check the submissions of a class, and write or show what came of it."""
    from minicnn.checking.classroom.points import Points, read_points
    from minicnn.checking.classroom.school_class import grade_class
    from minicnn.checking.classroom.submissions import submissions_in
    from minicnn.checking.classroom.tables import class_table, grades_csv
    from minicnn.files.paths import as_path
    from minicnn.files.writing import atomic_write_text

    shown_points = None if points is None else read_points(points)
    worth = shown_points or Points()
    for path in (csv, html):
        if path is not None:
            _require_place(as_path(path))
    submissions = submissions_in(folder)
    line = MovingLine("checking")
    try:
        graded = grade_class(
            submissions, timeout=timeout, progress=lambda _, share: line(folder, share))
    finally:
        line.close()
    if csv is not None:
        atomic_write_text(csv, grades_csv(graded, worth))
        say(f"{len(graded)} submissions in {csv}")
    if html is not None:
        from minicnn.viewing.class_page import write_class_page

        write_class_page(html, graded, shown_points, title=as_path(folder).resolve().name)
        say(f"a page of the class and one for each student: {html}")
    if as_json:
        print(json.dumps([each.as_dict() for each in graded], indent=2))
    elif csv is None and html is None:
        show(class_table(graded, worth))


def _require_place(path: Path) -> None:
    """A place for a file, before the work that fills it."""
    if path.is_dir():
        raise InputError(f"{path}: expected a file to write, got a folder")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written, its folder does not exist")
