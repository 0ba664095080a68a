"""Examining a batch norm: beside y and the gradients, running statistics and evaluation mode."""

from typing import Any

import numpy as np

from minicnn.checking.students.convention import Convention
from minicnn.checking.students.examination.evidence import (
    lesson,
    show_case,
    show_observation,
    unexplained,
    worst,
)
from minicnn.checking.students.examination.examination import Examination
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.operations.batchnorm import BATCHNORM_EVALUATION
from minicnn.checking.students.operations.batchnorm_cases import lone_samples
from minicnn.checking.students.operations.batchnorm_running import (
    STATISTICS,
    is_near,
    right_running,
    running_fault,
)
from minicnn.checking.students.operations.case import Case, upstream
from minicnn.checking.students.operations.observation import Observation, agree
from minicnn.checking.students.subject import Trouble


class BatchNormExamination(Examination):
    """Beside y and the gradients: running statistics, and evaluation mode."""

    def is_possible(self, case: Case) -> bool:
        dims = case["x"].ndim
        if self.convention.dialect == "cs231n":
            return dims == (4 if "spatial" in self.convention.forward else 2)
        return super().is_possible(case)

    def judge_forward(self) -> Finding:
        found = super().judge_forward()
        if found.verdict == "error" and found.fault is None:
            return self._probe_axes(found)
        if found.verdict == "correct":
            found = self._judge_running()
        if found.verdict == "correct":
            found = self._judge_evaluation()
        return found

    def judge_backward(self, name: str, forward_is_right: bool) -> Finding:
        found = super().judge_backward(name, forward_is_right)
        if found.verdict == "correct" and not found.message:
            found.message = self._note_on_evaluation(name)
        return found

    def _note_on_evaluation(self, name: str) -> str:
        """A note, not a fault, on dx after a forward in evaluation mode: many courses leave it out.
        """
        if self.convention.dialect == "cs231n":
            return ""
        for case in filter(self.is_possible, BATCHNORM_EVALUATION.cases):
            dy = upstream(case["x"].shape)
            try:
                dx = self.answer(name, "dx", case, dy)
            except Trouble:
                continue
            if not agree(dx, self.operation.right_gradients(case, dy)[0]):
                return ("note: after a forward in evaluation mode dx should be "
                        "gamma · dy / sqrt(running_var + eps)")
        return ""

    def _probe_axes(self, found: Finding) -> Finding:
        """Statistics of too many axes often raise; where those axes have one element, all is right.
        """
        try:
            self.subject.forward(self.cases[0])
        except Trouble as trouble:
            raised = str(trouble)
        else:
            return found
        for what, (sizes, case) in lone_samples().items():
            if not self.is_possible(case) or not self._is_about_statistics(raised, what):
                continue
            try:
                y = self.subject.forward(case).y
            except Trouble:
                continue
            if agree(y, self.operation.right_forward(case)):
                return lesson(
                    found.function, "error", "bn-wrong-axes",
                    f"{found.message}. With {sizes} all is right: there seems to be a mean for "
                    f"every {what}.", found.evidence,
                )
        return found

    def _is_about_statistics(self, message: str, what: str) -> bool:
        """Whether an exception speaks of arrays that do not broadcast, or of as many elements as
        the first case has statistics for every image or pixel."""
        n, height, width, channels = self.operation.cases[0]["x"].shape
        statistics_there_are = n * channels if what == "image" else height * width * channels
        return "raised" in message and (
            "broadcast" in message or f"of size {statistics_there_are} " in message
        )

    def _judge_running(self) -> Finding:
        """Whether the running statistics follow equation 8."""
        name = self.convention.forward
        for case in [*filter(self.is_possible, self.operation.small), *self.cases]:
            try:
                forward = self.subject.forward(case)
            except Trouble:
                continue  # a case that may be refused
            for key in STATISTICS:
                received = _running(self.convention, forward.arguments, key)
                rights = right_running(case, key)
                if not any(is_near(received, right) for right in rights):
                    seen = Observation(case, np.asarray(received, float), rights[0])
                    return self._name(name, running_fault(case, key, received), key, seen)
        return Finding(name, "correct")

    def _judge_evaluation(self) -> Finding:
        """Whether evaluation follows equation 9 and leaves the running statistics alone."""
        name = self.convention.forward
        observations: list[Observation] = []
        changed: tuple[str, Observation] | None = None
        for case in filter(self.is_possible, BATCHNORM_EVALUATION.cases):
            try:
                forward = self.subject.forward(case)
            except Trouble as trouble:
                if self.may_be_refused(case, trouble) and observations:
                    continue
                message = f"In evaluation mode {trouble}"
                return Finding(name, "error", None, message, show_case(self.convention, case, "y"))
            observations.append(
                Observation(case, forward.y, self.operation.right_forward(case))
            )
            for key in STATISTICS:
                received = _running(self.convention, forward.arguments, key)
                if changed is None and not is_near(received, case[key], 1e-6):
                    changed = key, Observation(case, np.asarray(received, float), case[key])
        if not all(seen.right for seen in observations):
            finding = self.conclude(
                name, "wrong-forward", "y", observations, BATCHNORM_EVALUATION.forward_suspects,
                BATCHNORM_EVALUATION.small,
            )
            finding.message = f"In evaluation mode: {finding.message}"
            return finding
        if changed is not None:
            return self._name(name, None, *changed, "It changes in evaluation mode.")
        return Finding(name, "correct")

    def _name(
        self, name: str, fault: str | None, key: str, seen: Observation, text: str = ""
    ) -> Finding:
        """A finding about a running array."""
        element = worst(self.convention, seen, key)[0]
        place, right, came = element["index"], element["expected"], element["received"]
        text = f"{key}{place} should be {right:.6g}, got {came}. {text}"
        if fault is None:
            text = unexplained(self.convention, key, text)
        shown = show_observation(self.convention, seen, key)
        return lesson(name, "wrong-forward", fault, text, shown)


def _running(convention: Convention, arguments: tuple, key: str) -> Any:
    """A running array as the student's function left it, whatever axes of one element it has."""
    if convention.dialect == "cs231n":
        return np.asarray(arguments[3].get(key), np.float64).ravel()
    return np.ravel(arguments[3 + (key == "running_var")])
