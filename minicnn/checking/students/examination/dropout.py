"""Examining a dropout: by statistics of its mask, and backward beside what forward dropped."""

import copy
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minicnn.checking.students.examination.evidence import lesson
from minicnn.checking.students.examination.examination import Examination
from minicnn.checking.students.finding import Finding, numbers
from minicnn.checking.students.keep_or_drop import Meaning, meaning_of_p
from minicnn.checking.students.operations.case import Case, upstream
from minicnn.checking.students.operations.dropout import (
    RATES,
    Mask,
    dropout_case,
    dropout_cases,
    factor_in_words,
    fault_in_backward,
    fault_in_evaluation,
    fault_in_training,
    is_right_in_training,
    normal_numbers,
    second_fault_in_training,
    share_in_words,
)
from minicnn.checking.students.operations.observation import agree
from minicnn.checking.students.subject import Forward, Trouble
from minicnn.ops import reference

SILENT = "nothing in the file says what p is"


class DropoutExamination(Examination):
    """Training by the mask's statistics, evaluation by identity, backward by forward's mask."""

    p_drops = False
    """Whether p is read as the probability of dropping; it is that of keeping else."""

    def findings(self) -> Iterator[Finding]:
        self.meaning: Meaning | None = None
        if self.has_p and self.subject.pair.forward is not None:
            self.meaning = meaning_of_p(self.subject.pair.forward)
            self.p_drops = self.meaning is not None and self.meaning.drops
        return super().findings()

    @property
    def has_p(self) -> bool:
        """Whether the dialect has a p, which courses read in two ways."""
        return self.convention.dialect == "cs231n"

    # -- forward ---------------------------------------------------------------------------------

    def judge_forward(self) -> Finding:
        found = self._judge_as_read()
        if not self.has_p or self.meaning is not None:
            return found
        if found.verdict != "correct":
            found = self._judge_otherwise(found)
        if found.verdict == "correct":
            found.message = (
                f"note: {SILENT}; here it is {self._probability}. The course's own "
                f"docstring said {'dropping until 2017' if self.p_drops else 'keeping since 2018'}."
            )
        return found

    def _judge_otherwise(self, found: Finding) -> Finding:
        """With the other meaning of p, if that is right or says more."""
        self.p_drops = True
        other = self._judge_as_read()
        says_nothing = (None, "unknown", "dropout-keep-drop-swapped")
        more = found.fault in says_nothing and other.fault not in says_nothing
        if other.verdict == "correct" or more or (other.fault and _keeps_as_many(other)):
            return other
        self.p_drops = False
        return found

    def _judge_as_read(self) -> Finding:
        """Forward, with p read as it is now."""
        name = self.convention.forward
        found = self._judge_training(name)
        if found.verdict != "correct":
            return self._with_evaluation(found)
        for case in self._cases(training=False):
            found = self._attempt(name, case, self._judge_identity)
            if found.verdict != "correct":
                return found
        return Finding(name, "correct")

    def _cases(self, training: bool) -> list[Case]:
        return dropout_cases(training, self.p_drops)

    def _attempt(
        self, name: str, case: Case, judge: Callable[[str, Case, np.ndarray], Finding]
    ) -> Finding:
        """Call forward, and judge its y if that has x's shape."""
        try:
            y = self._forward_of_its_shape(case)
        except Trouble as trouble:
            return trouble.finding(name)
        return judge(name, case, y)

    def _forward_of_its_shape(self, case: Case) -> np.ndarray:
        """y; Trouble also where it has another shape than x."""
        y = self.subject.forward(case).y
        if y.shape != case["x"].shape:
            raise Trouble(f"{self.convention.label('y')} should have x's shape "
                          f"{case['x'].shape}, got {y.shape}")
        return y

    def _judge_training(self, name: str) -> Finding:
        """All cases together: a fault is named if it explains every mask."""
        seen: list[tuple[Case, np.ndarray]] = []
        trouble: Trouble | None = None
        for case in self._cases(training=True):
            try:
                seen.append((case, self._forward_of_its_shape(case)))
            except Trouble as raised:
                trouble = raised
                break
        masks = [Mask.of(case["x"], y) for case, y in seen]
        keeps = [1 - case["rate"] for case, _ in seen]
        for (case, y), mask, keep in zip(seen, masks, keeps, strict=True):
            if not is_right_in_training(mask, keep):
                fault = fault_in_training(masks, keeps)
                if fault is None and all(each.is_whole for each in masks) and self._draws_once():
                    fault = "dropout-mask-shared"
                text = self._describe(mask, keep, fault, normal_numbers(masks, keeps))
                if fault is None:
                    share = share_in_words(masks, keeps)
                    text += f" {share or factor_in_words(mask.factor, keep)}"
                second = second_fault_in_training(masks, keeps, fault)
                return lesson(name, "wrong-forward", fault, text, self._evidence(case, y, mask),
                              also=(second, ""))
        if trouble is not None:
            return self._of_trouble(name, trouble, shown=bool(seen))
        return Finding(name, "correct")

    def _of_trouble(self, name: str, trouble: Trouble, shown: bool) -> Finding:
        """What is said of a forward that raises: one whose mask has two axes does so for images."""
        if not shown or trouble.verdict != "error":
            return trouble.finding(name)
        text = f"{trouble}. x may have any number of axes; with two it is right."
        if "values to unpack" in str(trouble):
            return lesson(name, "error", "dropout-mask-shared", text, {})
        case = dropout_case((7, 13, 7, 13), RATES[0], True, self.p_drops)
        try:
            mask = Mask.of(case["x"], self._forward_of_its_shape(case))
        except Trouble:
            return Finding(name, "error", None, text)
        if not mask.is_shared:
            return Finding(name, "error", None, text)
        text += f" Where x has shape {mask.shape} {_sharing(mask)}"
        return lesson(name, "error", "dropout-mask-shared", text, {})

    def _draws_once(self) -> bool:
        """Whether one draw decides over all values: sometimes all stay, sometimes none."""
        shares = set()
        for salt in range(16):
            case = dropout_case((3, 4), RATES[1], True, self.p_drops, salt)
            try:
                shares.add(Mask.of(case["x"], self._forward_of_its_shape(case)).share)
            except Trouble:
                return False
        return shares == {0.0, 1.0}

    @property
    def _probability(self) -> str:
        return f"the probability of {'dropping' if self.p_drops else 'keeping'} a value"

    def _reading(self) -> str:
        """What p was taken for, and why."""
        if not self.has_p:
            return ""
        if self.meaning is None:
            return f"p was read as {self._probability}; {SILENT}."
        return f'p is {self._probability}: the file says "{self.meaning.quote}"'

    def _describe(self, mask: Mask, keep: float, fault: str | None, normal: str | None) -> str:
        """A wrong mask in words."""
        factor = "by different factors" if mask.factor is None else f"times {mask.factor:.4g}"
        given = f"rate = {1 - keep:g}"
        if self.has_p:
            given = f"p = {1 - keep if self.p_drops else keep:g}"
        text = f"With {given}, {mask.share:.1%} of {math.prod(mask.shape)} values were kept"
        if fault == "dropout-mask-from-normal":
            text += f", expected {keep:.0%}: {normal}; rand is uniform, randn is normal."
        else:
            text += f", {factor}; expected about {keep:.0%}, times {1 / keep:.4g}."
        if mask.is_whole and fault == "dropout-mask-shared":
            text += " One draw decides over all values: all stay, or none."
        elif mask.is_shared:
            text += f" {_sharing(mask).capitalize()}"
        return f"{text} {self._reading()}"

    def _evidence(self, case: Case, y: np.ndarray, mask: Mask) -> dict[str, Any]:
        return {
            "of": self.convention.label("y"), "keep": 1 - case["rate"], "share_kept": mask.share,
            "factor": mask.factor, "x": numbers(case["x"].ravel()[:8]),
            "received": numbers(y.ravel()[:8]),
        }

    def _judge_identity(self, name: str, case: Case, y: np.ndarray) -> Finding:
        x = case["x"]
        if agree(y, x):
            return Finding(name, "correct")
        mask = Mask.of(x, y)
        text = f"In evaluation {self.convention.label('y')} should be x; "
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
        case = self._cases(training=False)[0]
        other = self._attempt(found.function, case, self._judge_identity)
        if other.fault == "dropout-scaled-in-eval":
            found.also = found.also or [other.fault]
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
        for salt, case in enumerate(self._every_case()):
            dy, x = upstream(case["x"].shape, salt), case["x"]
            moved = Case({"x": 1.125 * x}, copy.deepcopy(case.settings))
            try:
                with _undrawn():
                    forward = self.subject.forward(case)
                with np.errstate(invalid="ignore"):
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
        wrong: list[Finding] = []
        in_training: list[Finding] = []
        for salt, case in enumerate(self._every_case()):
            dy = upstream(case["x"].shape, salt)
            try:
                forward = self.subject.forward(case)
            except Trouble as trouble:
                if wrong or salt:
                    continue
                return self.out_of_reach(name, str(trouble))
            if self.subject.pair.forward is not None and forward.y.shape != dy.shape:
                return self.out_of_reach(name, f"y has shape {forward.y.shape}")
            try:
                (dx,) = self.subject.backward(name, dy, forward)
            except Trouble as trouble:
                if case["training"]:
                    return trouble.finding(name)
                continue  # a student need not keep a cache for evaluation
            found = self._judge_gradient(name, case, dy, forward, dx)
            if found.verdict == "error":
                return found
            if found.verdict != "correct":
                wrong.append(found)
                in_training += [found] if case["training"] else []
        if not wrong:
            return Finding(name, "correct")
        first = wrong[0]
        if len({each.fault for each in in_training or wrong}) > 1:
            first.fault = "unknown"
        return first

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
                          f"In evaluation dx should be {self.convention.label('dy')}.", evidence)
        fault = fault_in_backward(dy, dx, factors, keep)
        text = self._gradient_in_words(mask, dx, factors, keep)
        return lesson(name, "wrong-backward", fault, text, evidence)

    def _gradient_in_words(
        self, mask: Mask, dx: np.ndarray, factors: np.ndarray, keep: float
    ) -> str:
        """How a wrong dx lies beside what forward kept."""
        dy = self.convention.label("dy")
        if np.array_equal(dx != 0, factors == 0):
            return "dx is 0 where forward had kept, and not where it had dropped."
        if not np.array_equal(dx != 0, factors != 0):
            return (f"{mask.share:.1%} of {dy} passed, and forward had kept "
                    f"{(factors != 0).mean():.1%}.")
        if mask.factor is None:
            return f"dx is 0 where forward had dropped, but elsewhere no multiple of {dy}."
        text = f"dx has forward's mask, but {dy} was multiplied by {mask.factor:.4g}"
        own = Mask.of(np.ones(dx.shape), factors).factor
        if own is not None:
            text += f"; forward multiplied by {own:.4g}"
        text += "."
        words = factor_in_words(mask.factor, keep)
        return text if mask.scales(1) or not words else f"{text} {words}"

    def _every_case(self) -> list[Case]:
        """In training, then in evaluation."""
        return [*self._cases(training=True), *self._cases(training=False)]


def _keeps_as_many(found: Finding) -> bool:
    """Whether about as many values were kept as a reading of p demands."""
    share, keep = (found.evidence.get(key, np.nan) for key in ("share_kept", "keep"))
    return bool(abs(share - keep) < 0.03)


def _sharing(mask: Mask) -> str:
    """Along which axes one draw serves several values."""
    axes = " and ".join(map(str, mask.shared))
    return (f"one draw serves all values along ax{'i' if len(mask.shared) == 1 else 'e'}s {axes}: "
            "draw the mask in x's shape.")


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
