"""What ``minicnn check`` writes for whoever grades: one student's results."""

import json

from minicnn.cli.output import say
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
