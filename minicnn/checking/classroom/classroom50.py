"""What Classroom 50 reads: ``result.json`` of schema classroom50/result/v1, and the release's text.

Source: https://github.com/foundation50/classroom50, schemas/result-v1.schema.json and the page
Advanced Autograding of its wiki. The service's runner sets over it who handed in, and when.
"""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from minicnn.checking.classroom.grading import Graded, Score, scores, total
from minicnn.checking.classroom.points import Points
from minicnn.checking.classroom.texts import explained, summary

SCHEMA = "classroom50/result/v1"

NAMES = {
    "classroom": "CLASSROOM", "assignment": "ASSIGNMENT", "assignment_type": "ASSIGNMENT_TYPE",
    "owner": "OWNER", "submission": "SUBMISSION_TAG", "commit": "COMMIT_URL",
    "release": "RELEASE_URL", "review": "REVIEW_URL",
}
"""Keys of the result, and the variables of the environment that the runner gives them by."""

WITHOUT = {"assignment_type": "individual", "submission": "submit/local"}
"""What stands for a variable that is not set, as where somebody tries it at home."""


def classroom50_result(
    graded: Graded, points: Points, environment: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """A submission's result as Classroom 50 takes it.

    Parameters
    ----------
    graded : Graded
    points : Points
        Whole numbers.
    environment : mapping, optional
        Variables by which the service names the submission; the process's own by default.

    Returns
    -------
    dict
        JSON-ready. A test for each function that counts; where a file cannot be used, none passes.
    """
    parts = scores(graded, points)
    named = {key: environment.get(name) or WITHOUT.get(key, "local")
             for key, name in NAMES.items()}
    if not environment.get("REVIEW_URL"):
        named["review"] = named["commit"]
    return {
        "schema": SCHEMA, **named,
        "datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": total(part.points for part in parts),
        "max-score": total(part.of for part in parts),
        "tests": [_test(part, graded) for part in parts],
    }


def release_body(graded: Graded, points: Points) -> str:
    """What a student reads on the release's page, as Markdown: points, and each function's verdict.

    Parameters
    ----------
    graded : Graded
    points : Points

    Returns
    -------
    str
    """
    parts = scores(graded, points)
    gained, most = (total(getattr(part, name) for part in parts) for name in ("points", "of"))
    sections = [f"### {gained:g} of {most:g} points", _fenced(summary(parts, graded))]
    for part in parts:
        sections += [f"#### `{part.function}`: {part.points:g} of {part.of:g}",
                     _fenced(explained(part, graded))]
    return "\n\n".join(sections) + "\n"


def _test(part: Score, graded: Graded) -> dict[str, Any]:
    finding = part.finding
    return {
        "test-name": part.function,
        "passed": finding is not None and finding.verdict == "correct",
        "score": part.points,
        "max-score": part.of,
        "verdict": "missing" if finding is None else finding.verdict,
        "faults": [] if finding is None or not finding.fault else [finding.fault, *finding.also],
        "output": explained(part, graded),
    }


def _fenced(text: str) -> str:
    """Text as it is, between fences longer than any within it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
