"""Judging a pair: run it on cases, compare with the reference, and look for a fault that explains.

A fault is named only if what it would have produced agrees, on every case, with what came.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn.checking.differences import first_step, noise_level, slope
from minicnn.checking.faults import FAULTS
from minicnn.checking.students.conventions import Case, takes
from minicnn.checking.students.finding import Finding, numbers
from minicnn.checking.students.subject import Forward, Subject, Trouble
from minicnn.ops import reference

TOLERANCE = 1e-4
"""Of a right answer, relative to its largest element: float32 inside is right, a fault is not."""

SINGLE = float(np.finfo(np.float32).eps)
"""The precision that a student's forward may have inside."""

SAMPLED = 24
"""About how many elements of a gradient are compared with differences, at most."""

DEFAULTS: dict[str, Any] = {
    "stride": (1,), "padding": (0,), "momentum": (0.9,), "eps": (1e-5,), "slope": (0.01,),
    "alpha": (1.0,), "unbiased_running_var": (False,), "class_weights": (None,),
    "label_smoothing": (0.0,), "size": (2,),
}
"""Settings that a function need not know, while a case leaves them at these values."""


@dataclass(frozen=True)
class Suspect:
    """What a fault would have produced.

    Attributes
    ----------
    fault : str
        Its id.
    predict : callable
        A case, or a case and dy, to the array that this fault would have returned.
    detail : str
        What the message adds to the catalogue's lesson.
    """

    fault: str
    predict: Callable[..., np.ndarray]
    detail: str = ""


@dataclass(frozen=True)
class Observation:
    """One answer beside the right one, in our layout."""

    case: Case
    received: np.ndarray
    expected: np.ndarray
    dy: np.ndarray | None = None

    @property
    def right(self) -> bool:
        """Whether it is right, to a single precision's rounding."""
        return agree(self.received, self.expected)

    @property
    def shape_is_right(self) -> bool:
        """Whether its shape is."""
        return self.received.shape == self.expected.shape


def agree(received: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Whether two arrays have one shape and the same values, relative to the largest."""
    if received.shape != expected.shape:
        return False
    if not (np.isfinite(received).all() and np.isfinite(expected).all()):
        return bool(np.array_equal(received, expected, equal_nan=True))
    scale = np.abs(expected).max(initial=0)
    return bool(np.abs(received - expected).max(initial=0) <= tolerance * max(scale, 1e-12))


@dataclass
class Operation:
    """What is to be known about one operation in order to examine it.

    Attributes
    ----------
    name : str
        minicnn's name; the reference's functions say what is right.
    cases : list of Case
        On which it is judged; together they expose every fault.
    small : list of Case
        Ever larger; the first that shows a fault is what the student sees.
    forward_suspects : list of Suspect
        Likeliest first.
    backward_suspects : dict
        Lists of suspects by the gradient's name.
    explain : dict
        By the gradient's name, functions that look at observations themselves before the suspects
        are asked; they return a fault and a sentence, or None.
    also_right : dict
        By the gradient's name, whether another answer than the reference's is as right.
    blame : tuple of str
        Gradients in the order in which they are named where several are wrong; by default that of
        the convention.
    """

    name: str
    cases: list[Case]
    small: list[Case]
    forward_suspects: list[Suspect] = field(default_factory=list)
    backward_suspects: dict[str, list[Suspect]] = field(default_factory=dict)
    explain: dict[str, Callable[[list[Observation]], tuple[str | None, str] | None]] = field(
        default_factory=dict
    )
    also_right: dict[str, Callable[[Case, np.ndarray, np.ndarray], bool]] = field(
        default_factory=dict
    )
    blame: tuple[str, ...] = ()

    def right_forward(self, case: Case) -> np.ndarray:
        """The reference's y."""
        return np.asarray(self._reference(case)[0])

    def right_gradients(self, case: Case, dy: np.ndarray) -> list[np.ndarray]:
        """The reference's gradients."""
        _, cache = self._reference(case)
        backward = getattr(reference, f"{self.name}_backward")
        gradients = (
            backward(cache, float(dy)) if self.name == "softmax_cross_entropy"
            else backward(dy, cache)
        )
        return list(gradients) if isinstance(gradients, tuple) else [gradients]

    def _reference(self, case: Case) -> Any:
        arrays = {name: array.copy() for name, array in case.arrays.items()}
        return getattr(reference, f"{self.name}_forward")(*arrays.values(), **case.settings)

    def examine(self, subject: Subject) -> Iterator[Finding]:
        """The findings about a pair, one for each of its functions, forward first."""
        return Examination(self, subject).findings()


def upstream(shape: tuple[int, ...], salt: int = 0) -> np.ndarray:
    """A dy that hides nothing: normal numbers that have nothing to do with any case's inputs."""
    return np.random.default_rng([7919, salt]).standard_normal(shape)


class Examination:
    """One pair on the cases of its operation."""

    def __init__(self, operation: Operation, subject: Subject) -> None:
        self.operation, self.subject = operation, subject
        self.convention = subject.convention
        self.cases = [case for case in operation.cases if self._possible(case)]
        self.likely: str | None = None  # the fault of forward, which may show in backward too

    def _possible(self, case: Case) -> bool:
        """Whether the function takes every setting that this case gives another value."""
        if self.convention.dialect == "cs231n":
            return self.convention.operation != "maxpool2d" or not case["padding"]
        return not self._unknown(case)

    def _unknown(self, case: Case) -> list[str]:
        """Settings that this case gives another value than the default, and that forward does not
        take."""
        return [
            key for key, value in case.settings.items()
            if not takes(self.subject.parameters, key) and value not in self._defaults(case, key)
        ]

    @staticmethod
    def _defaults(case: Case, key: str) -> tuple[Any, ...]:
        """The values that a setting has where nobody gives one; a window's stride is its size."""
        if key == "stride" and "size" in case.settings:
            return (case["size"],)
        return DEFAULTS.get(key, ())

    def findings(self) -> Iterator[Finding]:
        """Forward first, then every backward."""
        forward_is_right = True
        if not self.cases:
            yield from self._uncallable(self.operation.cases)
            return
        if self.subject.pair.forward is not None:
            found = self.judge_forward()
            forward_is_right = found.verdict == "correct"
            self.likely = found.fault
            yield found
        for name in self.subject.pair.backwards:
            yield self.judge_backward(name, forward_is_right)

    def _uncallable(self, cases: Sequence[Case]) -> Iterator[Finding]:
        """What is said of functions that no case can be given to."""
        missing = min(map(self._unknown, cases), key=len)
        why = f"{self.convention.forward} takes no argument named {', '.join(missing)}"
        for name in self.subject.pair.names:
            yield Finding(name, "error", None, why)

    # -- forward ------------------------------------------------------------------------------

    def judge_forward(self) -> Finding:
        """Run every case, and name what explains the answers."""
        name = self.convention.forward
        observations: list[Observation] = []
        for case in self.cases:
            try:
                y = self.subject.forward(case).y
            except Trouble as trouble:
                if self.may_be_refused(case, trouble) and observations:
                    continue
                return self.raised(name, "y", case, trouble)
            observations.append(Observation(case, y, self.operation.right_forward(case)))
        if all(seen.right for seen in observations):
            return Finding(name, "correct", None, self._note_on_settings())
        return self.conclude(
            name, "wrong-forward", "y", observations, self.operation.forward_suspects
        )

    def may_be_refused(self, case: Case, trouble: Trouble) -> bool:
        """Whether a right implementation may raise so; CS231n's windows have two sizes, always."""
        both = isinstance(case.settings.get("size"), tuple) and self.convention.dialect == "cs231n"
        return not both and isinstance(trouble.cause, case.may_refuse)

    def raised(self, function: str, key: str, case: Case, trouble: Trouble) -> Finding:
        """A finding about what raised or gave no arrays, on the smallest case that does so."""
        for small in filter(self._possible, self.operation.small):
            dy = upstream(self.operation.right_forward(small).shape)
            try:
                self.answer(function, key, small, dy)
            except Trouble as same:
                case, trouble = small, same
                break
        given = []
        for name, array in case.arrays.items():
            if array.ndim > 1:
                shape = self.convention.their_shape(name, array.shape)
                given.append(f"{self.convention.label(name)} of shape {shape}")
        shown = self.show(case, key)
        given += [f"{name} = {value}" for name, value in shown["settings"].items()]
        return Finding(function, "error", None, f"{trouble}, with {', '.join(given)}", shown)

    def _note_on_settings(self) -> str:
        """A note on what could not be checked, because forward takes no such argument."""
        left = [case for case in self.operation.cases if not self._possible(case)]
        if self.convention.dialect == "cs231n" or not left:
            return ""
        unknown = dict.fromkeys(key for case in left for key in self._unknown(case))
        return f"note: {', '.join(unknown)} not checked: there is no such argument"

    # -- backward -----------------------------------------------------------------------------

    def judge_backward(self, name: str, forward_is_right: bool) -> Finding:
        """Run every case, gradient by gradient, and name what explains the first that is wrong."""
        gradients = self.convention.gradients
        observations: dict[str, list[Observation]] = {key: [] for key in gradients}
        refused: Trouble | None = None
        last: Trouble | None = None
        for salt, case in enumerate(self.cases):
            dy = upstream(self.operation.right_forward(case).shape, salt)
            try:
                forward = self.subject.forward(case)
                if self.subject.pair.forward is not None and forward.y.shape != dy.shape:
                    last = refused = Trouble(f"y has shape {forward.y.shape}, so that no dy fits")
                    continue
            except Trouble as trouble:
                last = trouble
                if not self.may_be_refused(case, trouble):
                    refused = trouble
                continue
            try:
                received = self.subject.backward(name, dy, forward)
            except Trouble as trouble:
                if self.may_be_refused(case, trouble) and observations[gradients[0]]:
                    continue
                return self.raised(name, gradients[0], case, trouble)
            expected = self.operation.right_gradients(case, dy)
            for key, came, right in zip(gradients, received, expected, strict=True):
                other = self.operation.also_right.get(key)
                if other is not None and other(case, dy, came):
                    right = came
                observations[key].append(Observation(case, came, right, dy))
        if not observations[gradients[0]]:
            lone = self.subject.pair.forward is None
            why = str(last) if lone else f"not checked, because of its forward: {last}"
            return Finding(name, "error", None, why)
        wrong = [key for key in gradients if not all(seen.right for seen in observations[key])]
        if wrong and not forward_is_right and self.agrees_with_own_forward(name):
            return self.of_own_forward(name)
        if not wrong:
            note = f"note: not checked everywhere, because of its forward: {refused}"
            return Finding(name, "correct", None, note if refused else "")
        found = [
            self.conclude(
                name, "wrong-backward", key, observations[key],
                self.operation.backward_suspects.get(key, []),
            )
            for key in wrong
        ]
        by_name = dict(zip(wrong, found, strict=True))
        named = [
            by_name[key] for key in self.operation.blame or gradients
            if key in by_name and by_name[key].fault not in (None, "unknown")
        ]
        first = named[0] if named else found[0]
        others = {key: each for key, each in by_name.items() if each is not first}
        if others:
            also = ", ".join(
                self.convention.label(key)
                + (f" ({each.fault})" if each.fault not in (None, "unknown", first.fault) else "")
                for key, each in others.items()
            )
            first.message += f" Also wrong: {also}."
        first.message += self._exchanged({key: observations[key] for key in gradients})
        if any(each.verdict == "error" for each in found):
            first.verdict = "error"
        if not forward_is_right:
            first.message += " Mend forward first: what it leaves in the cache may be the cause."
        return first

    def _exchanged(self, observations: dict[str, list[Observation]]) -> str:
        """A hint where one gradient came in another's place."""
        for key, seen in observations.items():
            for other, wanted in observations.items():
                if key != other and not seen[0].right and all(
                    agree(np.squeeze(one.received), np.squeeze(two.expected))
                    for one, two in zip(seen, wanted, strict=True)
                ):
                    names = self.convention.label(other), self.convention.label(key)
                    return f" {names[0]} came where {names[1]} belongs."
        return ""

    @staticmethod
    def of_own_forward(name: str) -> Finding:
        """A backward that is right for the forward in its file, which is not."""
        return Finding(
            name, "correct", None,
            "it is the gradient of the forward in this file, which is itself wrong",
        )

    def agrees_with_own_forward(self, name: str) -> bool:
        """Whether a backward is the gradient of the student's own forward, by differences."""
        compared = dict.fromkeys(self.convention.gradients, 0)
        for case in filter(self._possible, self.operation.small):
            try:
                forward = self.subject.forward(case)
                dy = upstream(forward.y.shape, 99)
                received = self.subject.backward(name, dy, forward)
            except Trouble:
                continue
            for key, gradient in zip(self.convention.gradients, received, strict=True):
                number = self._compare_differences(case, key[1:], gradient, forward, dy)
                if number is None:
                    return False
                compared[key] += number
        return min(compared.values()) > 0

    def _compare_differences(
        self, case: Case, name: str, gradient: np.ndarray, forward: Forward, dy: np.ndarray
    ) -> int | None:
        """How many elements agree with differences of the student's forward; None if one does not.
        """
        array = case.arrays[name]
        if gradient.shape != array.shape or not np.isfinite(gradient).all():
            return None
        size = float(np.sqrt(np.square(array).mean())) or 1.0
        scale = max(float(np.abs(gradient).max(initial=0)), 1e-6)
        compared = 0
        every = list(np.ndindex(array.shape))
        for place in every[:: 1 + len(every) // SAMPLED]:

            def rise(t: float, place: tuple[int, ...] = place) -> float:
                moved = array.copy()
                moved[place] += t
                changed = Case({**case.arrays, name: moved}, case.settings)
                try:
                    y = self.subject.forward(changed).y
                except Trouble:
                    return np.nan
                return float(((y - forward.y) * dy).sum()) if y.shape == dy.shape else np.nan

            rounding = 2 * noise_level(rise, 1e-5 * size) + 1e-12
            found = slope(rise, first_step(SINGLE, size), rounding, TOLERANCE * scale)
            if found.kink or not found.uncertainty <= 100 * TOLERANCE * scale:
                continue
            if abs(found.value - gradient[place]) > 10 * TOLERANCE * scale + found.uncertainty:
                return None
            compared += 1
        return compared

    # -- conclusions --------------------------------------------------------------------------

    def conclude(
        self, function: str, verdict: str, key: str, observations: Sequence[Observation],
        suspects: Sequence[Suspect], small: Sequence[Case] | None = None,
    ) -> Finding:
        """A finding about wrong answers: the fault that explains them, or the worst elements."""
        seen = list(observations)
        wrong = [each for each in seen if not each.right]
        misshapen = next((each for each in wrong if not each.shape_is_right), None)
        if misshapen is not None:
            verdict = "error"
        fault, text = None, ""
        if key in self.operation.explain and misshapen is None:
            fault, text = self.operation.explain[key](seen) or (None, "")
        if fault is None:
            explained = [suspect for suspect in suspects if _explains(suspect, seen)]
            explained.sort(key=lambda suspect: suspect.fault != self.likely)
            if explained:
                fault, text = explained[0].fault, _detail(explained)
        evidence = self.smallest(
            function, key, small or self.operation.small
        ) or self.evidence(wrong[0], key)
        if fault is None:
            text = self.unexplained(key, text)
            if misshapen is None:
                evidence["worst"] = self.worst(wrong[0], key)
                text += f" {self._worst_in_words(key, evidence['worst'])}"
        if misshapen is not None:
            shapes = [
                self.convention.their_shape(key, misshapen.expected.shape),
                self.convention.theirs(key, misshapen.received).shape,
            ]
            text += f" {self.convention.label(key)} should have shape {shapes[0]}, got {shapes[1]}."
        return self.lesson(function, verdict, fault, text, evidence)

    def unexplained(self, key: str, text: str = "") -> str:
        """What is said of a wrong answer that no fault explains."""
        what = self.convention.label(key)
        return f"{what} is wrong in a way that no fault of the catalogue explains. {text}".strip()

    @staticmethod
    def lesson(
        function: str, verdict: str, fault: str | None, text: str, evidence: dict[str, Any]
    ) -> Finding:
        """A finding with the catalogue's lesson, if a fault is named, before a text."""
        if fault:
            known = FAULTS[fault]
            equation = known.equation.of(str(evidence.get("of")))
            text = f"{_sentence(known.lesson)} {text} ({equation}: {equation.text})"
        return Finding(function, verdict, fault, " ".join(text.split()), evidence)

    def smallest(
        self, function: str, key: str, small: Sequence[Case]
    ) -> dict[str, Any] | None:
        """The first small case on which the answer is wrong, with both answers."""
        for salt, case in enumerate(small):
            if not self._possible(case):
                continue
            expected = self.operation.right_forward(case)
            dy = np.array(1.0)
            if expected.ndim:
                dy = np.round(3 * upstream(expected.shape, salt)) + 0.0  # no -0
            if key != "y":
                at = self.convention.gradients.index(key)
                expected = self.operation.right_gradients(case, dy)[at]
            try:
                received = self.answer(function, key, case, dy)
            except Trouble:
                continue
            seen = Observation(case, received, expected, None if key == "y" else dy)
            if not seen.right:
                return self.evidence(seen, key)
        return None

    def answer(self, function: str, key: str, case: Case, dy: np.ndarray) -> np.ndarray:
        """What the student's functions give for y or a gradient."""
        forward = self.subject.forward(case)
        if key == "y":
            return forward.y
        gradients = self.subject.backward(function, dy, forward)
        return gradients[self.convention.gradients.index(key)]

    def evidence(self, seen: Observation, key: str) -> dict[str, Any]:
        """An observation as JSON-ready numbers in the student's layout."""
        shown = self.show(seen.case, key)
        if seen.dy is not None and seen.dy.ndim:
            dy = self.convention.theirs("y", seen.dy)
            shown["input"][self.convention.label("dy")] = numbers(dy)
        shown["expected"] = numbers(self.convention.theirs(key, seen.expected))
        shown["received"] = numbers(self.convention.theirs(key, seen.received))
        return shown

    def show(self, case: Case, key: str) -> dict[str, Any]:
        """A case as JSON-ready numbers in the student's layout."""
        return {
            "of": self.convention.label(key),
            "input": {
                self.convention.label(name): numbers(self.convention.theirs(name, array))
                for name, array in case.arrays.items()
            },
            "settings": {
                self.convention.label(name): value for name, value in case.settings.items()
                if isinstance(value, int | float | tuple) and self.convention.label(name)
            },
        }

    def _worst_in_words(self, key: str, worst: list[dict[str, Any]]) -> str:
        what = self.convention.label(key)
        return "Worst: " + "; ".join(
            f"{what}{each['index'] or ''} should be {each['expected']:.6g}, got {each['received']}"
            for each in worst
        ) + "."

    def worst(self, seen: Observation, key: str) -> list[dict[str, Any]]:
        """The three elements that are furthest off."""
        received = self.convention.theirs(key, seen.received)
        expected = self.convention.theirs(key, seen.expected)
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


def _explains(suspect: Suspect, observations: Sequence[Observation]) -> bool:
    """Whether a fault would have given just what came, on every case."""
    for seen in observations:
        arguments = (seen.case,) if seen.dy is None else (seen.case, seen.dy)
        with np.errstate(all="ignore"):
            if not agree(seen.received, np.asarray(suspect.predict(*arguments))):
                return False
    return True


def _detail(explained: Sequence[Suspect]) -> str:
    """What there is to say beside the likeliest fault's lesson: what else would give the same."""
    first = explained[0]
    return first.detail + also_from([each.fault for each in explained])


def also_from(faults: Sequence[str]) -> str:
    """What the message says of faults that explain the same numbers as the first of them."""
    others = [fault for fault in dict.fromkeys(faults) if fault != faults[0]]
    return f" What came would also follow from {', '.join(others)}." if others else ""


def _sentence(lesson: str) -> str:
    """A lesson with a full stop, and a capital unless it begins with a name."""
    first = lesson.split()[0]
    is_name = first in ("dx", "dw", "db", "dgamma", "gamma", "eps", "x", "momentum")
    return f"{lesson if is_name else lesson[0].upper() + lesson[1:]}."
