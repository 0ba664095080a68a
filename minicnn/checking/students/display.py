"""Findings as a student reads them in the terminal."""

from collections.abc import Sequence
from typing import Any

from minicnn import terminal
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.findings import Findings
from minicnn.terminal import line

MOST_NUMBERS = 24
"""An array of more is not shown in the terminal; `Finding.as_dict` has it."""


def describe_findings(findings: Sequence[Finding]) -> "terminal.RenderableType":
    """A line for each function, and what is to be learnt from those that are wrong."""
    width = max(len(finding.function) for finding in findings)
    parts = []
    for finding in findings:
        right = finding.verdict == "correct"
        fault = [(f"  {finding.fault}", "bold")] if finding.fault else []
        parts.append(line(
            f"{finding.function:{width}}  ", (finding.verdict, "green" if right else "bold red"),
            *fault,
        ))
        if finding.message:
            parts.append(line(finding.message, indent=4))
        if not right:
            parts += [line(text, style="dim", indent=4) for text in _numbers(finding.evidence)]
    if isinstance(findings, Findings):
        parts += [line(f"note: {note}") for note in findings.notes]
        if findings.not_looked_at:
            parts.append(line(f"not looked at: {', '.join(findings.not_looked_at)}"))
    return terminal.together(*parts)


def _numbers(evidence: dict[str, Any]) -> list[str]:
    """The smallest input that shows the fault, and both answers, if they are short enough."""
    if "input" not in evidence or "expected" not in evidence:
        return []
    shown = {**evidence["input"], "expected": evidence["expected"], "": evidence["received"]}
    if any(_size(value) > MOST_NUMBERS for value in shown.values()):
        return []
    given = [f"{name} = {_short(value)}" for name, value in evidence["input"].items()]
    given += [f"{name} = {value}" for name, value in evidence.get("settings", {}).items()]
    return [
        f"with {', '.join(given)}",
        f"{evidence['of']} should be {_short(evidence['expected'])}",
        f"{' ' * len(evidence['of'])}       got {_short(evidence['received'])}",
    ]


def _size(value: Any) -> int:
    return sum(map(_size, value)) if isinstance(value, list) else 1


def _short(value: Any) -> str:
    """Numbers to six digits, whole ones without a point."""
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
