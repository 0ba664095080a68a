"""Examining a softmax or a loss: ordinary logits first, then large and underflowing ones."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from minicnn.checking.students.convention import takes
from minicnn.checking.students.examination.evidence import (
    behind,
    lesson,
    show_case,
    show_observation,
)
from minicnn.checking.students.examination.examination import Examination
from minicnn.checking.students.examination.given_rows import is_given_rows
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.loss import LossOperation
from minicnn.checking.students.operations.observation import Observation
from minicnn.checking.students.operations.operation import Suspect
from minicnn.checking.students.subject import Trouble

_OVERFLOWS = ("OverflowError", "FloatingPointError", "ZeroDivisionError", "domain error")
"""In the message of an exception: what Python's own mathematics raises where NumPy gives inf."""


class LossExamination(Examination):
    """Values first; then what becomes of large logits and of probabilities that underflow."""

    operation: LossOperation

    def findings(self) -> Iterator[Finding]:
        if not self._returns_gradient:
            yield from super().findings()
            return
        name = self.convention.forward
        found = self._judge_presence() or self.judge_forward()
        if found.verdict == "correct":
            note = found.message
            found = self.judge_backward(name, True)
            found.message = found.message or note
        elif found.verdict == "wrong-forward":
            gradient = self.judge_backward(name, True)
            if gradient.verdict != "correct":
                fault = "" if gradient.fault == "unknown" else f" ({gradient.fault})"
                found.message += f" Also wrong: dx{fault}."
        yield found

    @property
    def _returns_gradient(self) -> bool:
        """Whether the loss comes with its gradient, as in CS231n's dialect."""
        return bool(self.convention.gradients) and not self.convention.backwards

    def _judge_presence(self) -> Finding | None:
        """Whether there is a gradient beside the loss: what is not written yet is not judged."""
        name = self.convention.forward
        case = self.operation.small[1]
        try:
            forward = self.subject.forward(case)
            gradient = self.answer(name, "dlogits", case, np.asarray(1.0))
        except Trouble as trouble:
            return trouble.finding(name)
        if forward.y.shape == case["logits"].shape and gradient.ndim == 0:
            text = f"{name} returns the gradient first; the loss comes first, then dx"
            return Finding(name, "error", None, text)
        return None

    def judge_forward(self) -> Finding:
        name = self.convention.forward
        has_loss = self.operation.name != "softmax"
        observe, note = self._y, ""
        found = self._judge_values(name, "y", observe)
        if found.verdict != "correct" and not has_loss and self._takes_rows():
            by_row = self._judge_values(name, "y", self._y_by_row)
            if by_row.verdict == "correct":
                found, observe = by_row, self._y_by_row
                note = "note: it takes one row of logits at a time"
        if found.verdict == "correct":
            found = self._judge_large(name, "y", observe)
        if found.verdict == "correct" and has_loss:
            found = self._judge_underflowing(name, "y", self._y, "softmax-log-of-zero")
        if found.verdict == "correct":
            found.message = note or self._note_on_rows(observe) or self._note_on_options()
        return found

    def _note_on_rows(self, observe: Callable[[Case], Observation]) -> str:
        """A note where rows far from one another fail: the batch's maximum was taken off."""
        for case in self.operation.apart:
            try:
                right = observe(case).right
            except Trouble:
                right = False
            if not right:
                return (f"note: rows far from one another, such as {_in_short(case)}, are not "
                        "finite; take off each row's own maximum, not the batch's")
        return ""

    def _takes_rows(self) -> bool:
        """Whether a softmax is meant for one row: a batch makes it raise, also a square one, in
        which a sum without its axis goes unnoticed, or the file's own loss gives it rows."""
        for case in (self.operation.cases[0], Case({"x": np.arange(16.0).reshape(4, 4)}, {})):
            try:
                self.subject.forward(case)
            except Trouble:
                continue
            return is_given_rows(self.subject.pair.forward)
        return True

    def judge_backward(self, name: str, forward_is_right: bool) -> Finding:
        try:
            self.subject.forward(self.operation.cases[0])
        except Trouble as trouble:
            return self.out_of_reach(name, str(trouble))
        gradient = self._gradient_of(name)
        found = self._judge_values(name, "dlogits", gradient)
        if found.verdict != "correct" and not forward_is_right:
            return self.beside_wrong_forward(name, found)
        if found.verdict == "correct":
            found = self._judge_large(name, "dlogits", gradient)
        if found.verdict == "correct":
            found = self._judge_underflowing(name, "dlogits", gradient, None)
        if found.verdict == "correct" and self._takes_dloss(name):
            gradient = self._gradient_of(name, 2.5)
            seen = [gradient(case) for case in self.operation.cases]
            if not all(each.right for each in seen):
                found = self.conclude(name, "wrong-backward", "dlogits", seen, [])
                found.message = behind("With dloss = 2.5:", found.message)
        return found

    def answer(self, function: str, key: str, case: Case, dy: np.ndarray) -> np.ndarray:
        if self._returns_gradient and key != "y":
            name = self.convention.label(key)
            return self.subject.array(function, name, self.subject.forward(case).cache)
        return super().answer(function, key, case, dy)

    def _takes_dloss(self, name: str) -> bool:
        return not self._returns_gradient and self.subject.backward_takes(name) > 1

    # -- answers beside the right ones -----------------------------------------------------------

    def _y(self, case: Case) -> Observation:
        return Observation(case, self.subject.forward(case).y, self.operation.right_forward(case))

    def _y_by_row(self, case: Case) -> Observation:
        rows = [self.subject.forward(Case({"x": row}, {})).y for row in case["x"]]
        if any(row.shape != case["x"].shape[1:] for row in rows):
            raise Trouble("softmax of a row must be a row")
        return Observation(case, np.stack(rows), self.operation.right_forward(case))

    def _gradient_of(self, name: str, dloss: float = 1.0) -> Callable[[Case], Observation]:
        """What a function gives for dlogits, case by case."""
        dy = np.asarray(dloss)

        def gradient(case: Case) -> Observation:
            came = self.answer(name, "dlogits", case, dy)
            return Observation(case, came, self.operation.right_gradients(case, dy)[0], dy)

        return gradient

    # -- three kinds of logits -------------------------------------------------------------------

    def _judge_values(
        self, name: str, key: str, observe: Callable[[Case], Observation]
    ) -> Finding:
        """Ordinary logits."""
        seen = []
        for case in self.operation.cases:
            try:
                seen.append(observe(case))
            except Trouble as trouble:
                return self.raised(name, key, case, trouble)
        if all(each.right for each in seen):
            return Finding(name, "correct")
        return self.conclude(name, _verdict(key), key, seen, self._suspects(key))

    def _suspects(self, key: str) -> Sequence[Suspect]:
        if key == "y":
            return self.operation.forward_suspects
        return self.operation.backward_suspects[key]

    def _judge_large(
        self, name: str, key: str, observe: Callable[[Case], Observation]
    ) -> Finding:
        return self._judge_extreme(name, key, observe, self.operation.large, "softmax-overflow")

    def _judge_underflowing(
        self, name: str, key: str, observe: Callable[[Case], Observation], fault: str | None
    ) -> Finding:
        return self._judge_extreme(name, key, observe, self.operation.underflowing, fault)

    def _judge_extreme(
        self, name: str, key: str, observe: Callable[[Case], Observation], cases: list[Case],
        fault: str | None,
    ) -> Finding:
        """Logits at which a right formula can still fail; a loss that is clipped there may pass."""
        for case in cases:
            try:
                seen = observe(case)
            except Trouble as trouble:
                named = fault if any(word in str(trouble) for word in _OVERFLOWS) else None
                shown = show_case(self.convention, case, key)
                return lesson(name, "error", named, f"{trouble}.", shown)
            finite = bool(np.isfinite(seen.received).all())
            if seen.right or (finite and fault == "softmax-log-of-zero"):
                continue
            named = fault
            if fault == "softmax-log-of-zero" and not self._gradient_is_right(case):
                named = "softmax-overflow"
            text = f"Logits {_in_short(case)}"
            if "labels" in case.arrays:
                text += f" with labels {case['labels'][:3].tolist()}"
            came = "finite, but wrong" if finite else "not finite"
            text += f" give a {self.convention.label(key)} that is {came}."
            shown = show_observation(self.convention, seen, key)
            return lesson(name, _verdict(key), None if finite else named, text, shown)
        return Finding(name, "correct")

    def _gradient_is_right(self, case: Case) -> bool:
        """Whether p is right, so that it is the logarithm that fails; also where none can tell."""
        names = [*self.subject.pair.backwards]
        if self._returns_gradient:
            names = [self.convention.forward]
        if not names:
            return True
        try:
            return self._gradient_of(names[0])(case).right
        except Trouble:
            return False

    def _note_on_options(self) -> str:
        """A note, not a fault, where options are taken and change nothing."""
        if self.operation.name != "softmax_cross_entropy" or self.convention.dialect == "cs231n":
            return ""
        case = self.operation.cases[0]
        classes = case["logits"].shape[1]
        options = {"class_weights": np.linspace(0.5, 2, classes), "label_smoothing": 0.2}
        unused = []
        for option, value in options.items():
            if not takes(self.subject.parameters, option):
                continue
            changed = Case(case.arrays, {option: value})
            try:
                if not self._y(changed).right:
                    unused.append(option)
            except Trouble:
                unused.append(option)
        return f"note: {' and '.join(unused)} had another effect than in minicnn" if unused else ""


def _verdict(key: str) -> str:
    return "wrong-forward" if key == "y" else "wrong-backward"


def _in_short(case: Case) -> str:
    """The first logits."""
    rows = next(iter(case.arrays.values()))
    shown = [[float(f"{value:.5g}") for value in row[:4]] for row in rows[:3]]
    return str(shown) + (" …" if rows.size > 12 else "")
