"""Findings as a student reads them in the terminal."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from minicnn import terminal
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.findings import Findings
from minicnn.checking.students.folding import fold_equation, fold_prose
from minicnn.checking.students.numbers_shown import lines_of_numbers
from minicnn.terminal.lines import Row

Spell = Callable[[str], str]

INDENT = 4
"""Blanks before what is said of a function."""


def describe_findings(findings: Sequence[Finding]) -> "terminal.RenderableType":
    """A line for each function, and what is to be learnt from those that are wrong."""
    longest = max((len(finding.function) for finding in findings), default=0)
    parts = []
    for finding in findings:
        parts.append(terminal.Fitted(partial(_verdict, finding, longest)))
        if finding.message:
            parts.append(terminal.Fitted(partial(_prose, finding.message), indent=INDENT))
        if finding.equation:
            parts.append(terminal.Fitted(partial(_equation, finding.equation), indent=INDENT))
        if finding.verdict != "correct":
            parts.append(terminal.Fitted(
                partial(_numbers, finding.evidence), style="dim", indent=INDENT))
    if isinstance(findings, Findings):
        texts = [] if findings else ["found no function to check"]
        texts += [f"note: {note}" for note in findings.notes]
        if findings.not_looked_at:
            texts.append(f"not looked at: {', '.join(findings.not_looked_at)}")
        parts += [terminal.Fitted(partial(_prose, text)) for text in texts]
    return terminal.together(*parts)


def _verdict(finding: Finding, longest: int, width: int, spell: Spell) -> list[Row]:
    """The function and its verdict, and the names of its faults behind it or below."""
    style = "green" if finding.verdict == "correct" else "bold red"
    row = [(f"{finding.function:{longest}}  ", ""), (finding.verdict, style)]
    if not finding.fault:
        return [row]
    faults = " and ".join([finding.fault, *finding.also])
    if sum(len(text) for text, _ in row) + 2 + len(faults) > width:
        names = [finding.fault, *finding.also]
        return [row, *([(" " * INDENT, ""), (name, "bold")] for name in names)]
    return [[*row, ("  ", ""), (faults, "bold")]]


def _prose(message: str, width: int, spell: Spell) -> list[str]:
    return [row for text in message.splitlines() for row in fold_prose(spell(text), width)]


def _equation(equation: dict[str, Any], width: int, spell: Spell) -> list[str]:
    """Where it stands, and the equation on lines of its own."""
    where = f"docs/equations.md: {equation['topic']}, equation {equation['number']}"
    rows = fold_prose(where, width)
    for text in equation["lines"]:
        rows += [f"  {row}" for row in fold_equation(spell(text), width - 2)]
    return rows


def _numbers(evidence: dict[str, Any], width: int, spell: Spell) -> list[str]:
    return [spell(row) for row in lines_of_numbers(evidence, width)]
