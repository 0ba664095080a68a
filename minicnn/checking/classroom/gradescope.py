"""What Gradescope reads: the ``results.json`` of one submission, and where it looks for it.

Source: Gradescope's autograder specification
(https://gradescope-autograders.readthedocs.io/en/latest/specs/).
"""

from pathlib import Path
from typing import Any

from minicnn.checking.classroom.grading import Graded, Score, scores, total
from minicnn.checking.classroom.points import Points
from minicnn.checking.classroom.texts import explained, summary

RESULTS = Path("/autograder/results")
"""The folder from which the service takes ``results.json``."""


def default_place() -> Path:
    """Where the results go: where the service looks, else into the current folder."""
    return (RESULTS if RESULTS.is_dir() else Path()) / "results.json"


def gradescope_results(graded: Graded, points: Points) -> dict[str, Any]:
    """A submission's results as Gradescope takes them.

    Parameters
    ----------
    graded : Graded
    points : Points

    Returns
    -------
    dict
        JSON-ready. A test for each function that counts; a file that cannot be used is told in
        ``"output"``, and its functions give nothing.
    """
    parts = scores(graded, points)
    return {
        "score": total(part.points for part in parts),
        "execution_time": round(graded.seconds),
        "output": summary(parts, graded),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(part, graded) for part in parts],
    }


def _test(part: Score, graded: Graded) -> dict[str, Any]:
    finding = part.finding
    verdict = "missing" if finding is None else finding.verdict
    faults = [] if finding is None or not finding.fault else [finding.fault, *finding.also]
    return {
        "name": part.function,
        "score": part.points,
        "max_score": part.of,
        "status": "passed" if verdict == "correct" else "failed",
        "output": explained(part, graded),
        "visibility": "visible",
        "tags": [verdict, *faults],
        "extra_data": {"verdict": verdict, "faults": faults},
    }
