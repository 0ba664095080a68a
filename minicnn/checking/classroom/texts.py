"""What a submission's results say in words, for services that show plain text."""

from collections.abc import Sequence

from minicnn import terminal
from minicnn.checking.classroom.grading import Graded, Score
from minicnn.checking.students import display

WIDTH = 88
"""Characters of a line."""


def summary(parts: Sequence[Score], graded: Graded) -> str:
    """How many of the functions that count are correct, what cannot be used, and what is noted."""
    right = sum(part.finding is not None and part.finding.verdict == "correct" for part in parts)
    noun = "function" if len(parts) == 1 else "functions"
    counted = [f"{right} of {len(parts)} {noun} correct"] if parts else []
    return "\n".join([*counted, *graded.troubles, *graded.notes])


def explained(part: Score, graded: Graded) -> str:
    """A function's verdict and what is to be learnt from it, as the terminal shows it."""
    if part.finding is None:
        reason = "; ".join(graded.troubles) or "the submission has no function of this name"
        return f"{part.function}  missing: {reason}"
    shown = terminal.plain(display.describe_findings([part.finding]), width=WIDTH)
    return "\n".join(line.rstrip() for line in shown.splitlines())
