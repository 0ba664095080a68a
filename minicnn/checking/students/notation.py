"""Equations in a student's names and layout: ``y[n,p,q,k]`` as ``out[n,k,p,q]``."""

import re
from typing import Any

from minicnn.checking.equations import Equation, equation_of
from minicnn.checking.faults import FAULTS
from minicnn.checking.students.convention import LAYOUTS, Convention
from minicnn.checking.students.finding import Finding

_INDICES = re.compile(r"(\(i\*, j\*\)|\b[a-z]+\u0303?)\[([^][,]+,[^][,]+,[^][,]+,[^][,]+)\]")
"""A name and its four indices."""

_NAME = re.compile(r"(?<![A-Za-z])[A-Za-z]+(?![A-Za-z\u0300-\u036f])")
"""A word that carries no hat."""

_GRADIENT = re.compile(r"(?<![A-Za-z_])(dx|dw|db|dy)(?![A-Za-z_])")

_LETTERS = {"z": "logits", "dz": "dlogits", "L": "y", "label": "labels"}
"""What the equations of softmax call an array."""


def equation_for(finding: Finding, convention: Convention) -> dict[str, Any]:
    """The equation that gives what a finding calls wrong, as `Finding.equation` holds it."""
    if finding.verdict == "correct":
        return {}
    if "lines" in finding.equation:
        return finding.equation
    broken = FAULTS[finding.fault].equation if finding.fault in FAULTS else None
    equation = equation_of(convention.operation, _array(finding, convention), broken)
    if finding.equation:
        equation = Equation(finding.equation["topic"], finding.equation["number"])
    if equation is None:
        return {}
    lines = equation_lines(equation, convention)
    return {"topic": equation.topic, "number": equation.number, "lines": lines}


def name_gradients(finding: Finding, convention: Convention) -> None:
    """Write the gradients in the catalogue's sentence as the dialect does: dA_prev for dx."""
    if finding.fault not in FAULTS:
        return
    lesson = FAULTS[finding.fault].lesson
    for sentence in (lesson, lesson[0].upper() + lesson[1:]):
        theirs = _GRADIENT.sub(lambda found: convention.label(found[0]), sentence)
        finding.message = finding.message.replace(sentence, theirs)


def _array(finding: Finding, convention: Convention) -> str:
    """What is wrong, by minicnn's name: an array of the evidence, or what the function gives."""
    label = str(finding.evidence.get("of", ""))
    settings = finding.evidence.get("settings", {})
    of_forward = finding.function == convention.forward
    own = "y" if of_forward or not convention.gradients else convention.gradients[0]
    names = {convention.label(name): name for name in ("y", *convention.gradients)}
    name = names.get(label, label) or own
    evaluates = settings.get("training") is False or settings.get("mode") == "test"
    return f"{name} in evaluation" if evaluates else name


def equation_lines(equation: Equation, convention: Convention) -> list[str]:
    """The lines of an equation as the dialect writes its arrays."""
    names = _names(convention)
    return [
        _NAME.sub(lambda found: names.get(found[0], found[0]), _in_layout(line, convention))
        for line in equation.lines
    ]


def _in_layout(text: str, convention: Convention) -> str:
    """Indices in the order of the student's axes."""

    def ordered(found: re.Match[str]) -> str:
        name = found[1].rstrip("\u0303")
        name = "y" if name == "dy" or name.startswith("(") else name
        layout = convention.layouts.get(name)
        if layout not in LAYOUTS:
            return found[0]
        comma = ", " if ", " in found[2] else ","
        indices = found[2].split(",")
        places = [indices[axis].strip() for axis in LAYOUTS[layout][0]]
        return f"{found[1]}[{comma.join(places)}]"

    return _INDICES.sub(ordered, text)


def _names(convention: Convention) -> dict[str, str]:
    """The student's words for the equations'."""
    if convention.operation == "softmax":
        return {"z": "x"}
    if convention.operation in ("softmax_cross_entropy", "svm"):
        return {letter: convention.label(name) for letter, name in _LETTERS.items()}
    names = {name: label for name, label in convention.labels.items() if label.isidentifier()}
    if convention.has_cache:
        return names
    return {**names, "dw": convention.label("g"), "decay": convention.label("smoothing")}
