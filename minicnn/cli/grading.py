"""What ``minicnn check`` writes for whoever grades: one student's results, or a class."""

import json
from pathlib import Path

from minicnn.cli.output import complain, say, show
from minicnn.cli.progress import MovingLine
from minicnn.cli.wording import of_time
from minicnn.errors import InputError

SERVICES = ("gradescope", "classroom50")
"""Those whose results can be written."""


def write_results(
    path: str, service: str, points: str | None, out: str | None, timeout: float,
    hint: int | None, build: list[str],
) -> None:
    """Check one student's file or folder, and write the results as a service reads them."""
    from minicnn.checking.classroom import classroom50, gradescope
    from minicnn.checking.classroom.grading import grade, require_hint, scores, total, with_hints
    from minicnn.checking.classroom.machinery import require_whole
    from minicnn.checking.classroom.points import Points, read_points
    from minicnn.checking.classroom.submissions import submission_of
    from minicnn.files.paths import as_path
    from minicnn.files.writing import atomic_write_text

    if service not in SERVICES:
        raise InputError(f"expected one of {', '.join(SERVICES)}, got {service!r}",
                         argument="format")
    require_hint(hint)
    worth = Points() if points is None else read_points(points)
    if service == "classroom50":
        require_whole(worth.named or {"each function": worth.each})
        place = as_path(out or "result.json")
    else:
        place = gradescope.default_place() if out is None else as_path(out)
    require_place_of_file(place)
    graded = with_hints(grade(submission_of(path), timeout=timeout, build=build), hint)
    if service == "classroom50":
        results = classroom50.classroom50_result(graded, worth)
        body = classroom50.release_body(graded, worth)
        atomic_write_text(place.with_name("release-body.md"), body)
    else:
        results = gradescope.gradescope_results(graded, worth)
    atomic_write_text(place, json.dumps(results, indent=2) + "\n")
    parts = scores(graded, worth)
    say(f"{total(part.points for part in parts):g} of {total(part.of for part in parts):g} points, "
        f"written to {place}")


def grade_folder(
    folder: str, points: str | None, csv: str | None, html: str | None, timeout: float,
    hint: int | None, build: list[str], as_json: bool,
) -> None:
    """Check the submissions of a class, and write or show what came of it."""
    from minicnn.checking.classroom.grading import require_hint
    from minicnn.checking.classroom.points import Points, read_points
    from minicnn.checking.classroom.school_class import grade_class
    from minicnn.checking.classroom.submissions import passed_over, submissions_in
    from minicnn.checking.classroom.tables import class_table, grades_csv
    from minicnn.files.paths import as_path
    from minicnn.files.writing import atomic_write_text

    require_hint(hint)
    shown_points = None if points is None else read_points(points)
    worth = shown_points or Points()
    for path in (csv, html):
        if path is not None:
            require_place_of_file(as_path(path))
    submissions = submissions_in(folder)
    if others := passed_over(folder):
        complain(f"not looked at, because they are no Python files or notebooks: "
                 f"{', '.join(others)}")
    line = MovingLine("checking")
    try:
        graded = grade_class(
            submissions, timeout=timeout, build=build,
            progress=lambda _, share: line(folder, share),
        )
    finally:
        line.close()
    for finding in (finding for each in graded for finding in each.findings):
        finding.message = of_time(finding.message)
    written = []
    if csv is not None:
        atomic_write_text(csv, grades_csv(graded, worth))
        noun = "submission" if len(graded) == 1 else "submissions"
        written.append(f"{len(graded)} {noun} in {csv}")
    if html is not None:
        from minicnn.viewing.class_page import write_class_page

        write_class_page(
            html, graded, shown_points, title=as_path(folder).resolve().name, hint=hint)
        written.append(f"a page of the class and one for each student: {html}")
    if as_json:
        print(json.dumps([each.as_dict() for each in graded], indent=2))
    elif not written:
        show(class_table(graded, worth))
    else:
        say("\n".join(written))


def require_place_of_file(path: Path) -> None:
    """A place for a file, before the work that fills it."""
    if path.is_dir():
        raise InputError(f"{path}: expected a file to write, got a folder")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written, its folder does not exist")
