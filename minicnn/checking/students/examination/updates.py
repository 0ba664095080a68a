"""Examining an update rule: walks of several steps, and the pieces that explain a wrong one."""

import inspect
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from minicnn.checking.equations import Equation
from minicnn.checking.faults import FAULTS
from minicnn.checking.students.convention import takes
from minicnn.checking.students.examination.evidence import lesson, show_case, unexplained
from minicnn.checking.students.examination.examination import Examination
from minicnn.checking.students.examination.settings import NOT_ASKED
from minicnn.checking.students.examination.walks import Walk, Walker
from minicnn.checking.students.finding import Finding, numbers
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.observation import TOLERANCE
from minicnn.checking.students.operations.update_variations import COUNTED_LATE
from minicnn.checking.students.operations.updates import Piece, Pieces, UpdateRule, Variation
from minicnn.checking.students.subject import Subject, Trouble

_STARTS = (0, 1)
"""What t is before the first step where nobody says: the course's starter had 1 until 2016."""

_SAYS_BEFORE = re.compile(
    r"(modify|increase|increment|update|count)\W+t\W+.{0,40}before", re.IGNORECASE | re.DOTALL
)
"""The starter's note on t, in whatever words and lines."""

_IN_ADAM = {("RMSProp", 1): 2, ("RMSProp", 2): 4}
"""Adam's equations that are RMSProp's too."""


class UpdateExamination(Examination):
    """One update rule, step after step."""

    operation: UpdateRule

    def __init__(self, operation: UpdateRule, subject: Subject) -> None:
        self.in_place = subject.convention.dialect == "minicnn"
        super().__init__(operation, subject)
        self.walker = Walker(subject)
        self.forms: list[Pieces] = [{}, *operation.also_right_pieces]
        self.variations = [
            each for each in operation.variations
            if not (self.in_place and "count" in each.pieces)
        ]

    def is_possible(self, case: Case) -> bool:
        return not self._unknown(case)

    def _unknown(self, case: Case) -> list[str]:
        """Settings that the function does not take, though a case gives them another value."""
        return [
            key for key, value in case.settings.items()
            if self.in_place and not takes(self.subject.parameters, "step" if key == "t" else key)
            and value != self.operation.defaults.get(key)
        ]

    def findings(self) -> Iterator[Finding]:
        """One: a rule has no backward."""
        name = self.convention.forward
        if not self.cases:
            missing = min(map(self._unknown, self.operation.cases), key=len)
            why = f"{name} takes no argument named {', '.join(missing)}"
            yield Finding(name, "error", None, why)
        else:
            yield self.judge_forward()

    def judge_forward(self) -> Finding:
        """Take every walk, and name what explains the steps."""
        name = self.convention.forward
        seen = []
        for case in self.cases:
            try:
                seen.append(self.walker.walk(self.operation, case))
            except Trouble as trouble:
                return self.raised(name, "y", case, trouble)
        if self.explains(seen, {}):
            return Finding(name, "correct", None, self._notes())
        why = self._why(seen)
        if COUNTED_LATE in why and self._may_count_late(seen, why):
            why.remove(COUNTED_LATE)
            if not why:
                return Finding(
                    name, "correct", None,
                    "note: t is counted after its use, from 1; the course's check counts it before",
                )
        return self._finding(seen, why)

    def raised(self, function: str, key: str, case: Case, trouble: Trouble) -> Finding:
        """A finding about what raised or gave no answer, on the smallest walk that does so."""
        for small in filter(self.is_possible, self.operation.small):
            try:
                self.walker.walk(self.operation, small)
            except Trouble as same:
                case, trouble = small, same
                break
        if trouble.verdict == "not-written":
            return trouble.finding(function)
        shown = show_case(self.convention, case, key)
        given = [f"w of shape {case['w'].shape}"]
        given += [f"{name} = {value}" for name, value in shown["settings"].items()]
        why = f"{trouble}, with {', '.join(given)}"
        return Finding(function, trouble.verdict, None, why, shown)

    # -- what explains ------------------------------------------------------------------------

    def explains(self, seen: Iterable[Walk], pieces: Pieces) -> bool:
        """Whether all walks are what the rule gives, in one of its forms, with these pieces."""
        return any(
            all(self._agrees(walk, {**form, **pieces}) for walk in seen)
            for form in self.forms if not form.keys() & pieces.keys()
        )

    def _agrees(self, walk: Walk, pieces: Pieces) -> bool:
        """Whether a walk is what these pieces give, from wherever t may have begun."""
        begun = "t" in walk.case.settings or "count" not in self.operation.pieces
        return any(
            close(walk.added, self.operation.walk(case, pieces))
            for case in ([walk.case] if begun else [_counted_from(t, walk.case) for t in _STARTS])
        )

    def _why(self, seen: Sequence[Walk]) -> list[Variation]:
        """The variation that explains all walks, or two; named ones before others.

        Of walks that mostly come to nothing, any variation that does so would be one.
        """
        finite = [walk for walk in seen if np.isfinite(walk.added).mean() > 0.5]
        if all(self.explains([walk], {}) for walk in finite):
            return []
        for one in self.variations:
            if self.explains(seen, one.pieces):
                return [one]
        pairs = [
            [one, other] for one, other in itertools.combinations(self.variations, 2)
            if not one.pieces.keys() & other.pieces.keys()
        ]
        pairs.sort(key=lambda pair: sum(each.fault is None for each in pair))
        for pair in pairs:
            if self.explains(seen, {**pair[0].pieces, **pair[1].pieces}):
                return sorted(pair, key=lambda each: each.fault is None)
        return []

    def _may_count_late(self, seen: Sequence[Walk], why: Sequence[Variation]) -> bool:
        """Whether t begins at 1 in this file, so that its count is right, and no starter forbids
        it."""
        others: dict[str, Piece] = {}
        for each in why:
            others |= each.pieces if each is not COUNTED_LATE else {}
        if not self.explains([walk for walk in seen if "t" not in walk.case.settings], others):
            return False
        function: Any = self.subject.pair.forward
        try:
            source = inspect.getsource(inspect.unwrap(function))
        except (OSError, TypeError):
            return False
        return not _SAYS_BEFORE.search(source)

    # -- what is said -------------------------------------------------------------------------

    def _finding(self, seen: Sequence[Walk], why: Sequence[Variation]) -> Finding:
        name = self.convention.forward
        shown = self._smallest() or self._shown(
            next(walk for walk in seen if not self.explains([walk], {}))
        )
        faults = [each.fault for each in why if each.fault]
        also = (faults[1], why[1].detail) if len(faults) > 1 else ("", "")
        text = " ".join(each.detail for each in why[: 1 if also[0] else 2])
        if not faults:
            text = unexplained(self.convention, "y", text)
            return Finding(name, "wrong-forward", None, text, shown)
        return lesson(
            name, "wrong-forward", faults[0], "", shown, self._equation(faults[0]), also=also,
            detail=text,
        )

    def _equation(self, fault: str) -> Equation | None:
        """The fault's equation, in this rule's topic."""
        known, topic = FAULTS[fault].equation, self.operation.topic
        if known is None:
            return None
        if topic == "Adam":
            return Equation(topic, _IN_ADAM.get((known.topic, known.number), known.number))
        return Equation(topic, 3) if self.in_place and topic == "momentum" else known

    def _smallest(self) -> dict[str, Any] | None:
        """The first small walk that goes wrong, with both answers."""
        for case in filter(self.is_possible, self.operation.small):
            try:
                walk = self.walker.walk(self.operation, case)
            except Trouble:
                continue
            if not self.explains([walk], {}):
                return self._shown(walk)
        return None

    def _shown(self, walk: Walk) -> dict[str, Any]:
        """A walk up to its first wrong step, as JSON-ready numbers by the student's names."""
        case, label = walk.case, self.convention.label
        right = self.operation.walk(case)
        step = next(
            (at for at, pair in enumerate(zip(walk.added, right, strict=True)) if not close(*pair)),
            len(right) - 1,
        )
        before = case["w"] + walk.added[:step].sum(0)
        given = {"w": case["w"]}
        for at, g in enumerate(case["g"][: step + 1]):
            given[label("g") + (f" of step {at + 1}" if step else "")] = g
        given |= {label(key): case[key] for key in self.operation.state if key in case.arrays}
        settings = {label(key): value for key, value in case.settings.items()}
        if self.in_place and "t" in settings:
            settings["step"] = settings.pop("t") + step + 1
        return {
            "of": label("y") + (f" of step {step + 1}" if step else ""),
            "input": {name: numbers(array) for name, array in given.items()},
            "settings": settings,
            "expected": numbers(before + right[step]),
            "received": numbers(before + walk.added[step]),
        }

    def _notes(self) -> str:
        """What could not be checked, because the function takes no such argument, or changed."""
        left = dict.fromkeys(
            key for case in self.operation.cases for key in self._unknown(case)
            if key not in NOT_ASKED
        )
        if left:
            return f"note: {', '.join(left)} not checked: there is no such argument"
        return "note: it changes the dw that it was given" if self.walker.changes_dw else ""


def close(received: np.ndarray, expected: np.ndarray) -> bool:
    """Whether two arrays have the same finite values, relative to the largest, in the same
    places."""
    finite = np.isfinite(expected)
    if received.shape != expected.shape or not np.array_equal(finite, np.isfinite(received)):
        return False
    scale = max(np.abs(expected[finite]).max(initial=0), 1e-12)
    return bool(np.abs(received - expected)[finite].max(initial=0) <= TOLERANCE * scale)


def _counted_from(t: int, case: Case) -> Case:
    return Case(case.arrays, {**case.settings, "t": t})
