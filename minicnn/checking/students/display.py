"""Findings as a student reads them in the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from minicnn.checking.students.finding import Finding

MOST_NUMBERS = 24
"""An array of more is not shown in the terminal; ``--json`` has it."""


def describe_findings(findings: Sequence[Finding]) -> RenderableType:
    """A line for each function, and what is to be learnt from those that are wrong."""
    width = max(len(finding.function) for finding in findings)
    parts: list[RenderableType] = []
    for finding in findings:
        right = finding.verdict == "correct"
        line = Text(f"{finding.function:{width}}  ")
        line.append(finding.verdict, "green" if right else "bold red")
        if finding.fault:
            line.append(f"  {finding.fault}", "bold")
        parts.append(line)
        if finding.message:
            parts.append(Padding(Text(finding.message), (0, 0, 0, 4)))
        if not right:
            lines = _numbers(finding.evidence)
            parts += [Padding(Text(line, "dim"), (0, 0, 0, 4)) for line in lines]
    return Group(*parts)


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
