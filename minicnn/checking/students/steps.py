"""Hints in three steps: where to look, at which term, and in which equation.

A teacher can hand out less than the answer: a hint says neither the fault's name nor any numbers.
"""

import re
from dataclasses import replace
from typing import Any

import numpy as np

from minicnn.checking.students.finding import Finding
from minicnn.checking.students.findings import Findings
from minicnn.checking.students.places import PLACES
from minicnn.errors import InputError

STEPS = 3
"""How many there are."""

_LINE = re.compile(r"(?:cell \d+, )?line \d+")


def hinted(findings: Findings, step: int) -> Findings:
    """The findings with a hint in place of the answer.

    Parameters
    ----------
    findings : Findings
    step : {1, 2, 3}
        1 names the function and the array, 2 the term besides, 3 the equation besides.

    Returns
    -------
    Findings
        Without faults and evidence, and with hints as messages; correct ones are as they were.

    Raises
    ------
    InputError
        Where there is no such step.
    """
    if step not in range(1, STEPS + 1):
        raise InputError(f"expected 1, 2 or 3, got {step}", argument="hint")
    return Findings(
        [hint(finding, step) for finding in findings], not_looked_at=findings.not_looked_at,
        notes=findings.notes,
    )


def hint(finding: Finding, step: int) -> Finding:
    """A finding with a hint in place of the answer, unless it is correct."""
    if finding.verdict == "correct":
        return finding
    message = _where(finding)
    if step > 1:
        message += f" {_what(finding)}"
    equation = finding.equation if step == STEPS and not _came_to_nothing(finding) else {}
    if step == STEPS and not equation:
        message += f" {finding.message}"
    found = replace(finding, message=message, evidence={}, also=[], equation=equation)
    found.fault = None
    return found


def _where(finding: Finding) -> str:
    """The function, the array, and how one sees that it is wrong."""
    name, of = finding.function, finding.evidence.get("of")
    if finding.verdict == "not-written":
        return f"{name} is not written yet."
    if finding.verdict == "not-checked":
        return f"{name} waits for its forward."
    if _came_to_nothing(finding):
        return f"{name} does not come to an answer."
    what = f"Look at {of} in {name}" if of else f"Look at {name}"
    if finding.verdict == "error":
        return f"{what}: its shape is not the right one."
    return f"{what}{', in evaluation mode' if _evaluates(finding) else ''}."


def _what(finding: Finding) -> str:
    """The term or the place in the code; of what nothing is known, the case that shows it."""
    if finding.fault in PLACES:
        return f"Think of {PLACES[finding.fault]}."
    if finding.verdict == "not-written":
        lines = finding.equation.get("lines", [finding.function])
        return f"What it should give first: {lines[0].split(' = ')[0]}."
    if finding.verdict == "not-checked":
        return "That one raises, or returns something else than it should: begin with its hints."
    line = _LINE.search(finding.message)
    if finding.verdict == "error" and line:
        return f"It stops at {line[0]}."
    return _case(finding.evidence) or "Nothing that the catalogue knows explains it."


def _case(evidence: dict[str, Any]) -> str:
    """The shapes and settings of a case, without its numbers."""
    arrays = evidence.get("input", {}).items()
    given = [f"{name} of shape {np.shape(value)}" for name, value in arrays]
    given += [f"{name} = {value}" for name, value in evidence.get("settings", {}).items()]
    return f"It shows with {', '.join(given)}." if given else ""


def _came_to_nothing(finding: Finding) -> bool:
    """Whether there is no answer, so that the message gives none away."""
    return finding.verdict == "not-checked" or (
        finding.verdict == "error" and "received" not in finding.evidence
    )


def _evaluates(finding: Finding) -> bool:
    settings = finding.evidence.get("settings", {})
    return settings.get("training") is False or settings.get("mode") == "test"
