"""Examining a dropout: by statistics of its mask, and backward beside what forward dropped."""

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minicnn.checking.students.examination.evidence import lesson
from minicnn.checking.students.examination.examination import Examination
from minicnn.checking.students.finding import Finding, numbers
from minicnn.checking.students.operations.case import Case, upstream
from minicnn.checking.students.operations.dropout import (
    Mask,
    dropout_cases,
    fault_in_backward,
    fault_in_evaluation,
    fault_in_training,
    is_right_in_training,
)
from minicnn.checking.students.operations.observation import agree
from minicnn.checking.students.subject import Forward, Trouble
from minicnn.ops import reference


class DropoutExamination(Examination):
    """Training by the mask's statistics, evaluation by identity, backward by forward's mask."""

    def judge_forward(self) -> Finding:
        name = self.convention.forward
        for case in self.cases:
            found = self._attempt(name, case, self._judge_training)
            if found.verdict != "correct":
                return self._with_evaluation(found)
        for case in dropout_cases(training=False):
            found = self._attempt(name, case, self._judge_identity)
            if found.verdict != "correct":
                return found
        return Finding(name, "correct")

    def _attempt(
        self, name: str, case: Case, judge: Callable[[str, Case, np.ndarray], Finding]
    ) -> Finding:
        """Call forward, and judge its y if that has x's shape."""
        try:
            y = self.subject.forward(case).y
        except Trouble as trouble:
            return Finding(name, "error", None, str(trouble))
        if y.shape != case["x"].shape:
            return Finding(name, "error", None,
                           f"y should have x's shape {case['x'].shape}, got {y.shape}.")
        return judge(name, case, y)

    def _judge_training(self, name: str, case: Case, y: np.ndarray) -> Finding:
        x, keep = case["x"], 1 - case["rate"]
        mask = Mask.of(x, y)
        if is_right_in_training(mask, keep, x.size):
            return Finding(name, "correct")
        fault = fault_in_training(mask, keep, x.size)
        factor = "by different factors" if mask.factor is None else f"times {mask.factor:.4g}"
        text = (
            f"With a probability {keep:g} of keeping, {mask.share:.1%} of {x.size} values were "
            f"kept, {factor}; expected about {keep:.0%}, times {1 / keep:.4g}."
        )
        if mask.per_row:
            text += " One mask serves all rows (or columns); every value needs a draw of its own."
        if fault == "dropout-keep-drop-swapped" and mask.scales(1):
            text += " And those that stay are not divided by the probability (dropout-not-scaled)."
        evidence = {"of": "y", "keep": keep, "share_kept": mask.share, "factor": mask.factor,
                    "x": numbers(x.ravel()[:8]), "received": numbers(y.ravel()[:8])}
        return lesson(name, "wrong-forward", fault, text, evidence)

    def _judge_identity(self, name: str, case: Case, y: np.ndarray) -> Finding:
        x = case["x"]
        if agree(y, x):
            return Finding(name, "correct")
        mask = Mask.of(x, y)
        text = "In evaluation y should be x; "
        if mask.share < 1:
            text += f"{1 - mask.share:.1%} of the values were dropped."
        else:
            factor = "changed" if mask.factor is None else f"multiplied by {mask.factor:.4g}"
            text += f"they were {factor}."
        shown = _first(case, "y", x, y)
        return lesson(name, "wrong-forward", fault_in_evaluation(mask), text, shown)

    def _with_evaluation(self, found: Finding) -> Finding:
        """Say so where evaluation makes up for what training lacks: dropout as first published."""
        if found.fault != "dropout-not-scaled":
            return found
        case = dropout_cases(training=False)[0]
        other = self._attempt(found.function, case, self._judge_identity)
        if other.fault == "dropout-scaled-in-eval":
            found.message += (
                " Evaluation scales instead (dropout-scaled-in-eval), as dropout was first "
                "published; inverted dropout scales in training."
            )
        return found

    def judge_backward(self, name: str, forward_is_right: bool) -> Finding:
        found = self._judge_gradients(name)
        if found.verdict == "wrong-backward" and not forward_is_right:
            return self.beside_wrong_forward(name, found)
        return found

    def agrees_with_own_forward(self, name: str) -> bool:
        """Whether dy is multiplied by dy/dx of the student's own forward, by differences.

        A forward draws the same mask for x and for what x is moved to if it takes it from what it
        is given, or from NumPy's or Python's common generator.
        """
        for salt, case in enumerate(_every_case()):
            dy, x = upstream(case["x"].shape, salt), case["x"]
            moved = Case({"x": 1.125 * x}, copy.deepcopy(case.settings))
            try:
                with _undrawn():
                    forward = self.subject.forward(case)
                change = self.subject.forward(moved).y - forward.y
                (dx,) = self.subject.backward(name, dy, forward)
            except Trouble:
                if case["training"]:
                    return False
                continue
            if not agree(dx, dy * change / (0.125 * x)):
                return False
        return True

    def _judge_gradients(self, name: str) -> Finding:
        """Training and evaluation, beside what forward did to each value."""
        for salt, case in enumerate(_every_case()):
            dy = upstream(case["x"].shape, salt)
            try:
                forward = self.subject.forward(case)
            except Trouble as trouble:
                return Finding(name, "error", None,
                               f"not checked, because of its forward: {trouble}")
            if self.subject.pair.forward is not None and forward.y.shape != dy.shape:
                return Finding(name, "error", None, "not checked, because of its forward's shape")
            try:
                (dx,) = self.subject.backward(name, dy, forward)
            except Trouble as trouble:
                if case["training"]:
                    return Finding(name, "error", None, str(trouble))
                continue  # a student need not keep a cache for evaluation
            found = self._judge_gradient(name, case, dy, forward, dx)
            if found.verdict != "correct":
                return found
        return Finding(name, "correct")

    def _judge_gradient(
        self, name: str, case: Case, dy: np.ndarray, forward: Forward, dx: np.ndarray
    ) -> Finding:
        if dx.shape != dy.shape:
            return Finding(name, "error", None,
                           f"dx should have x's shape {dy.shape}, got {dx.shape}.")
        keep = 1 - case["rate"]
        factors = _factors(case, forward)
        rights = [dy * factors, dy * (factors != 0) / keep]
        if not case["training"]:
            rights = [dy, dy * factors]
        if any(agree(dx, right) for right in rights):
            return Finding(name, "correct")
        evidence = _first(case, "dx", rights[0], dx)
        mask = Mask.of(dy, dx)
        if not case["training"]:
            return lesson(name, "wrong-backward", fault_in_evaluation(mask),
                          "In evaluation dx should be dy.", evidence)
        text = f"{mask.share:.1%} of dy passed, and forward had kept {(factors != 0).mean():.1%}."
        if np.array_equal(dx != 0, factors != 0):
            text = "dx is 0 where forward had dropped, but elsewhere no multiple of dy."
            if mask.factor is not None:
                text = (f"dx has forward's mask, but dy was multiplied by {mask.factor:.4g}; "
                        f"expected {1 / keep:.4g}, as in forward.")
        fault = fault_in_backward(dy, dx, factors, keep)
        return lesson(name, "wrong-backward", fault, text, evidence)


def _every_case() -> list[Case]:
    """In training, then in evaluation."""
    return [*dropout_cases(training=True), *dropout_cases(training=False)]


def _first(case: Case, key: str, expected: np.ndarray, received: np.ndarray) -> dict[str, Any]:
    """The first values of a large array that differ, as evidence."""
    places = np.flatnonzero(~np.isclose(expected, received, 1e-4))[:4]
    return {
        "of": key, "keep": 1 - case["rate"], "places": numbers(places),
        "expected": numbers(expected.ravel()[places]),
        "received": numbers(received.ravel()[places]),
    }


@contextmanager
def _undrawn() -> Iterator[None]:
    """After the block, the generators that everybody shares stand where they stood before it."""
    of_numpy, of_python = np.random.get_state(), random.getstate()  # noqa: NPY002
    yield
    np.random.set_state(of_numpy)  # noqa: NPY002
    random.setstate(of_python)


def _factors(case: Case, forward: Forward) -> np.ndarray:
    """What each x was multiplied by."""
    if forward.y.size:
        return forward.y / case["x"]
    # without a forward in the file the cache is the reference's
    return reference.dropout_backward(np.ones(case["x"].shape), forward.cache)
