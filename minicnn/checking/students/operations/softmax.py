"""Softmax and its cross-entropy: ordinary logits, large ones, and probabilities that underflow."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from minicnn.checking.students.conventions import Case, takes
from minicnn.checking.students.evidence import lesson, show_case, show_observation
from minicnn.checking.students.examination import Examination
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.operations.operation import Observation, Operation, Suspect
from minicnn.checking.students.subject import Trouble
from minicnn.ops import reference


def _case(logits: np.ndarray, labels: Sequence[int]) -> Case:
    return Case({"logits": logits, "labels": np.asarray(labels, np.int64)}, {})


def _ordinary() -> list[Case]:
    rng = np.random.default_rng(70)
    return [
        _case(2 * rng.standard_normal((5, 7)), [3, 0, 6, 3, 1]),
        _case(rng.standard_normal((4, 3)), [2, 0, 1, 1]),
    ]


def _large() -> list[Case]:
    """Every row far from 0, and each elsewhere; no probability is small."""
    rng = np.random.default_rng(71)
    around = np.array([[1000.0], [-1000.0], [0.0], [800.0], [5000.0]])
    return [_case(around + rng.standard_normal((5, 7)), [3, 0, 6, 3, 1])]


def _underflowing() -> list[Case]:
    """The label's probability is too small for a float."""
    logits = np.random.default_rng(72).standard_normal((4, 3))
    logits[1, 0] = -2000
    logits[2, 1] = 1500
    return [_case(logits, [2, 0, 2, 1])]


_SMALL = [
    _case(np.array([[0.0, 0.0]]), [0]),
    _case(np.array([[1.0, 0.0], [0.0, 2.0]]), [0, 0]),
    _case(np.array([[1.0, 0.0, -1.0], [0.0, 2.0, 1.0]]), [2, 0]),
]
_SMALL_LARGE = [
    _case(np.array([[1000.0, 1000.0]]), [0]),
    _case(np.array([[1000.0, 1000.0], [0.0, 0.0]]), [0, 1]),
]
_SMALL_UNDERFLOWING = [_case(np.array([[0.0, -1000.0]]), [1])]


def _p(case: Case) -> np.ndarray:
    return reference.softmax(case["logits"])


def _onehot(case: Case) -> np.ndarray:
    return np.eye(case["logits"].shape[1])[case["labels"]]


def _loss(case: Case) -> float:
    return float(reference.softmax_cross_entropy_forward(case["logits"], case["labels"])[0])


_LOSS_SUSPECTS = [
    Suspect("softmax-missing-mean", lambda case: np.asarray(_loss(case) * len(case["labels"])),
            "The loss is the sum over the batch."),
]
_GRADIENT_SUSPECTS = [
    Suspect("softmax-missing-mean", lambda case, dy: dy * (_p(case) - _onehot(case)),
            "The gradient is that of the sum."),
    Suspect("softmax-gradient-no-onehot", lambda case, dy: dy * _p(case) / len(case["labels"])),
    Suspect("softmax-gradient-no-onehot", lambda case, dy: dy * _p(case),
            "Nor is it divided by N."),
]

_OVERFLOWS = ("OverflowError", "FloatingPointError", "ZeroDivisionError", "domain error")
"""In the message of an exception: what Python's own mathematics raises where NumPy gives inf."""


class SoftmaxExamination(Examination):
    """Values first; then what becomes of large logits and of probabilities that underflow."""

    operation: "SoftmaxOperation"

    def findings(self) -> Iterator[Finding]:
        if self.convention.forward != "softmax_loss":
            yield from super().findings()
            return
        found = self._judge_presence() or self.judge_forward()
        if found.verdict == "correct":
            found = self.judge_backward("softmax_loss", True)
        elif found.verdict == "wrong-forward":
            gradient = self.judge_backward("softmax_loss", True)
            if gradient.verdict != "correct":
                found.message += f" Also wrong: dx ({gradient.fault})."
        yield found

    def _judge_presence(self) -> Finding | None:
        """Whether there is a gradient beside the loss: what is not written yet is not judged."""
        try:
            self.answer("softmax_loss", "dlogits", self.operation.small[0], np.asarray(1.0))
        except Trouble as trouble:
            return Finding("softmax_loss", "error", None, str(trouble))
        return None

    def judge_forward(self) -> Finding:
        name = self.convention.forward
        found = self._judge_values(name, "y", self._y)
        if found.verdict != "correct" and self.operation.name == "softmax":
            by_row = self._judge_values(name, "y", self._y_by_row)
            if by_row.verdict == "correct":
                return Finding(name, "correct", None, "note: it takes one row of logits at a time")
        if found.verdict == "correct":
            found = self._judge_extreme(name, "y", self._y, _large(), "softmax-overflow")
        if found.verdict == "correct" and self.operation.name != "softmax":
            found = self._judge_extreme(
                name, "y", self._y, _underflowing(), "softmax-log-of-zero"
            )
        if found.verdict == "correct":
            found.message = self._note_on_options()
        return found

    def judge_backward(self, name: str, forward_is_right: bool) -> Finding:
        def gradient(case: Case, dloss: float = 1.0) -> Observation:
            dy = np.asarray(dloss)
            came = self.answer(name, "dlogits", case, dy)
            return Observation(case, came, self.operation.right_gradients(case, dy)[0], dy)

        try:
            self.subject.forward(_ordinary()[0])
        except Trouble as trouble:
            return Finding(name, "error", None, f"not checked, because of its forward: {trouble}")
        found = self._judge_values(name, "dlogits", gradient)
        if found.verdict != "correct" and not forward_is_right:
            return self.beside_wrong_forward(name, found)
        if found.verdict == "correct":
            found = self._judge_extreme(name, "dlogits", gradient, _large(), "softmax-overflow")
        if found.verdict == "correct":
            found = self._judge_extreme(name, "dlogits", gradient, _underflowing(), None)
        if found.verdict == "correct" and self._takes_dloss(name):
            seen = [gradient(case, 2.5) for case in _ordinary()]
            if not all(each.right for each in seen):
                found = self.conclude(name, "wrong-backward", "dlogits", seen, [])
                found.message = f"With dloss = 2.5: {found.message}"
        return found

    def answer(self, function: str, key: str, case: Case, dy: np.ndarray) -> np.ndarray:
        if function == "softmax_loss" and key != "y":
            name = self.convention.label(key)
            return self.subject.array(function, name, self.subject.forward(case).cache)
        return super().answer(function, key, case, dy)

    def _takes_dloss(self, name: str) -> bool:
        return name != "softmax_loss" and self.subject.backward_takes(name) > 1

    def _y(self, case: Case) -> Observation:
        return Observation(case, self.subject.forward(case).y, self.operation.right_forward(case))

    def _y_by_row(self, case: Case) -> Observation:
        rows = [self.subject.forward(Case({"x": row}, {})).y for row in case["x"]]
        if any(row.shape != case["x"].shape[1:] for row in rows):
            raise Trouble("softmax of a row must be a row")
        return Observation(case, np.stack(rows), self.operation.right_forward(case))

    def _judge_values(
        self, name: str, key: str, observe: Callable[[Case], Observation]
    ) -> Finding:
        """Ordinary logits."""
        verdict = "wrong-forward" if key == "y" else "wrong-backward"
        seen = []
        for case in self.operation.cases:
            try:
                seen.append(observe(case))
            except Trouble as trouble:
                return self.raised(name, key, case, trouble)
        if all(each.right for each in seen):
            return Finding(name, "correct")
        suspects = _LOSS_SUSPECTS if key == "y" else _GRADIENT_SUSPECTS
        if self.operation.name == "softmax":
            suspects = []
        return self.conclude(name, verdict, key, seen, suspects)

    def _judge_extreme(
        self, name: str, key: str, observe: Callable[[Case], Observation], cases: list[Case],
        fault: str | None,
    ) -> Finding:
        """Logits at which a right formula can still fail; a loss that is clipped there may pass."""
        verdict = "wrong-forward" if key == "y" else "wrong-backward"
        small = _SMALL_LARGE if fault == "softmax-overflow" else _SMALL_UNDERFLOWING
        for case in [*small, *cases]:
            case = self.operation.adapted(case)
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
            text = f"Logits {self._in_short(case)}"
            if "labels" in case.arrays:
                text += f" with labels {case['labels'][:3].tolist()}"
            came = "finite, but wrong" if finite else "not finite"
            text += f" give a {self.convention.label(key)} that is {came}."
            shown = show_observation(self.convention, seen, key)
            return lesson(name, verdict, None if finite else named, text, shown)
        return Finding(name, "correct")

    def _gradient_is_right(self, case: Case) -> bool:
        """Whether p is right, so that it is the logarithm that fails; also where none can tell."""
        names = [*self.subject.pair.backwards]
        if self.convention.forward == "softmax_loss":
            names = ["softmax_loss"]
        if not names:
            return True
        one = np.asarray(1.0)
        try:
            came = self.answer(names[0], "dlogits", case, one)
        except Trouble:
            return False
        return Observation(case, came, self.operation.right_gradients(case, one)[0], one).right

    @staticmethod
    def _in_short(case: Case) -> str:
        rows = next(iter(case.arrays.values()))
        shown = [[float(f"{value:.5g}") for value in row[:4]] for row in rows[:3]]
        return str(shown) + (" …" if rows.size > 12 else "")

    def _note_on_options(self) -> str:
        """A note, not a fault, where options are taken and change nothing."""
        if self.operation.name != "softmax_cross_entropy" or self.convention.dialect == "cs231n":
            return ""
        case = _ordinary()[0]
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


class SoftmaxOperation(Operation):
    """Softmax or its cross-entropy, as `SoftmaxExamination` looks at them."""

    def adapted(self, case: Case) -> Case:
        """A case of the cross-entropy as this operation takes it."""
        return case


class SoftmaxAlone(SoftmaxOperation):
    """``softmax(x)``, without labels."""

    def right_forward(self, case: Case) -> np.ndarray:
        return reference.softmax(case["x"])

    def adapted(self, case: Case) -> Case:
        return Case({"x": case["logits"]}, {})


SOFTMAX = SoftmaxAlone(
    "softmax",
    [Case({"x": case["logits"]}, {}) for case in _ordinary()],
    [Case({"x": case["logits"]}, {}) for case in _SMALL],
)
SOFTMAX_CROSS_ENTROPY = SoftmaxOperation("softmax_cross_entropy", _ordinary(), _SMALL)
