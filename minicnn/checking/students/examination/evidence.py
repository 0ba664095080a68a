"""What a finding tells and shows: the lesson, and numbers in the student's names and layout."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checking.equations import Equation
from minicnn.checking.faults import FAULTS
from minicnn.checking.students.convention import Convention
from minicnn.checking.students.finding import Finding, numbers
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.observation import Observation


def lesson(
    function: str, verdict: str, fault: str | None, text: str, evidence: dict[str, Any],
    equation: Equation | None = None,
    topic: str = "",
    also: tuple[str, str] = ("", ""),
    detail: str = "",
) -> Finding:
    """A finding with the catalogue's lesson, if a fault is named, before a text, and with a second
    fault, if it takes two; the equation is found by what is wrong, unless it is given.

    A detail is the special sentence: it stands before the lesson, unless it leans on it.
    """
    second, about_it = also
    if second:
        text += f" And {second}: {FAULTS[second].within(topic).lesson}. {about_it}"
    if fault:
        parts = [detail, _sentence(FAULTS[fault].within(topic).lesson)]
        text = " ".join([*(parts[::-1] if detail.startswith(_LEANING) else parts), text])
    elif detail:
        text = f"{detail} {text}"
    found = Finding(
        function, verdict, fault, " ".join(text.split()), evidence, [second] if second else []
    )
    if equation is not None:
        found.equation = {"topic": equation.topic, "number": equation.number}
    return found


_LEANING = ("It ", "They ", "For ", "Along ", "Divided ", "Your ", "Uncorrected", "before ")
"""How a detail begins that is to be read behind the lesson."""


def _sentence(lesson: str) -> str:
    """A lesson with a full stop, and a capital unless it begins with a name."""
    first = lesson.split()[0]
    is_name = first in ("dx", "dw", "db", "dgamma", "gamma", "eps", "x", "momentum")
    return f"{lesson if is_name else lesson[0].upper() + lesson[1:]}."


def unexplained(convention: Convention, key: str, text: str = "") -> str:
    """What is said of a wrong answer that has no name in the catalogue: words, if there are any."""
    what = convention.label(key)
    return f"{what} is wrong. {text}" if text else (
        f"{what} is wrong in a way that no fault of the catalogue explains."
    )


def also_from(faults: Sequence[str]) -> str:
    """What the message says of faults that explain the same numbers as the first of them."""
    others = [fault for fault in dict.fromkeys(faults) if fault != faults[0]]
    return "".join(f" It may also be {fault}: {FAULTS[fault].lesson}." for fault in others)


def behind(head: str, message: str) -> str:
    """A message behind words that end in a colon, its first letter small unless it is a name's."""
    begins = message[:1].lower() if message[1:2].islower() else message[:1]
    return f"{head} {begins}{message[1:]}"


FEW = 2
"""An array of no more elements is shown with its values where others are by their shapes."""


def in_brief(convention: Convention, name: str, array: np.ndarray) -> str:
    """An array in the student's layout: its shape, and its values if they are few."""
    theirs = convention.theirs(name, array)
    text = f"{convention.label(name)} of shape {theirs.shape}"
    return text if theirs.size > FEW else f"{text}: {numbers(theirs)}"


def show_case(convention: Convention, case: Case, key: str) -> dict[str, Any]:
    """A case as JSON-ready numbers in the student's layout."""
    return {
        "of": convention.label(key),
        "input": {
            convention.label(name): numbers(convention.theirs(name, array))
            for name, array in case.arrays.items()
        },
        "settings": _settings(convention, case),
    }


def _settings(convention: Convention, case: Case) -> dict[str, Any]:
    """A case's settings by the student's names; a pair has two names in some dialects."""
    settings: dict[str, Any] = {}
    for name, value in case.settings.items():
        label = convention.label(name)
        if label == "mode":
            settings[label] = "train" if value else "test"
        elif " and " in label:
            pair = value if isinstance(value, tuple) else (value, value)
            settings |= dict(zip(label.split(" and "), pair, strict=True))
        elif label and isinstance(value, int | float | tuple):
            settings[label] = value
    return settings


def show_observation(
    convention: Convention, seen: Observation, key: str
) -> dict[str, Any]:
    """An observation as JSON-ready numbers in the student's layout."""
    shown = show_case(convention, seen.case, key)
    if seen.dy is not None and seen.dy.ndim:
        dy = convention.theirs("y", seen.dy)
        shown["input"][convention.label("dy")] = numbers(dy)
    shown["expected"] = numbers(convention.theirs(key, seen.expected))
    shown["received"] = numbers(convention.theirs(key, seen.received))
    return shown


def worst(convention: Convention, seen: Observation, key: str) -> list[dict[str, Any]]:
    """The three elements that are furthest off."""
    received = convention.theirs(key, seen.received)
    expected = convention.theirs(key, seen.expected)
    off = np.nan_to_num(np.abs(received - expected), nan=np.inf)
    places = np.argsort(-off, axis=None, kind="stable")[:3]
    return [
        {
            "index": [int(each) for each in np.unravel_index(place, off.shape)],
            "expected": float(expected.flat[place]),
            "received": numbers(received.flat[place]),
        }
        for place in places
    ]
