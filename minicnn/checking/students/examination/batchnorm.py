"""Examining a batch norm: beside y and the gradients, running statistics and evaluation mode."""

from collections.abc import Iterable

from minicnn.checking.students.examination.batchnorm_evaluation import BatchNormEvaluation
from minicnn.checking.students.examination.batchnorm_statistics import (
    about_statistic,
    patterns_of,
    running_array,
    shapes_left,
)
from minicnn.checking.students.examination.evidence import also_from, lesson, show_case
from minicnn.checking.students.examination.normalisation import (
    NormalisationExamination,
    given_in_shapes,
)
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.operations.batchnorm import BATCHNORM_EVALUATION
from minicnn.checking.students.operations.batchnorm_cases import lone_samples
from minicnn.checking.students.operations.batchnorm_running import (
    STATISTICS,
    right_running,
    running_suspects,
)
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.observation import Observation, agree
from minicnn.checking.students.operations.operation import Operation
from minicnn.checking.students.subject import Subject, Trouble


class BatchNormExamination(NormalisationExamination):
    """Beside y and the gradients: running statistics, and evaluation mode."""

    def __init__(self, operation: Operation, subject: Subject) -> None:
        super().__init__(operation, subject)
        self.kept = ""  # running statistics that the file makes in another shape than (C,)
        self.unusable = False  # whether evaluation fails with those
        if self.convention.dialect == "cs231n" and subject.pair.forward is not None:
            self._give_statistics_as_made()
        self.evaluation = BatchNormEvaluation(self.subject)

    def _give_statistics_as_made(self) -> None:
        """Give running statistics in the shapes that the file makes, if evaluation works so."""
        case, channels = self.cases[0], self.cases[0]["x"].shape[-1]
        made = shapes_left(self.subject, case, given=False)
        left = shapes_left(self.subject, case, given=True)
        patterns = patterns_of(made, channels) or patterns_of(left, channels)
        if not patterns:
            return
        as_made = given_in_shapes(self.subject, patterns)
        case = next(filter(self.is_possible, BATCHNORM_EVALUATION.cases))
        if self._evaluates(as_made, case) or not self._evaluates(self.subject, case):
            self.subject, self.convention = as_made, as_made.convention
        elif set(left.values()) == {(channels,)}:
            return  # it is right with what the course gives
        else:
            self.unusable = True
        self.kept = " and ".join(
            f"{key} in shape {case[key].reshape(shape).shape}" for key, shape in patterns.items()
        )

    def _evaluates(self, subject: Subject, case: Case) -> bool:
        """Whether a forward is right in evaluation mode."""
        try:
            return agree(subject.forward(case).y, self.operation.right_forward(case))
        except Trouble:
            return False

    def judge_forward(self) -> Finding:
        found = super().judge_forward()
        if found.verdict == "error" and found.fault is None:
            return self._probe_axes(found)
        if found.verdict != "correct":
            return found
        if self.unusable:
            text = f"It leaves {self.kept}, with which evaluation fails."
            shown = show_case(self.convention, self.cases[0], "running_mean")
            return lesson(found.function, "wrong-forward", "axis-kept", text, shown)
        later = self._judge_running() or self.evaluation.judge_forward()
        if later.verdict != "correct":
            return later
        if self.kept and not found.message:
            found.message = f"note: it keeps {self.kept}"
        return found

    def judge_backward(self, name: str, forward_is_right: bool) -> Finding:
        found = super().judge_backward(name, forward_is_right)
        if found.verdict != "correct" or not forward_is_right or not self.evaluation.cases:
            return found
        after = self.evaluation.judge_backward(name, forward_is_right)
        return found if after.verdict == "correct" and found.message else after

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

    # -- running statistics -------------------------------------------------------------------

    def _judge_running(self) -> Finding | None:
        """Whether the running statistics follow equation 8."""
        every = self._after_training(self.cases)
        for key in STATISTICS:
            seen = every[key]
            wrong = [each for each in seen if not each.right]
            if not wrong:
                continue
            explained = [each for each in running_suspects(key) if each.explains(seen)]
            small = self._after_training(filter(self.is_possible, self.operation.small))[key]
            shown = next((each for each in small if not each.right), wrong[0])
            text = explained[0].detail if explained else ""
            text += also_from([each.fault for each in explained])
            fault = explained[0].fault if explained else None
            return about_statistic(self.convention, fault, key, shown, text)
        return None

    def _after_training(self, cases: Iterable[Case]) -> dict[str, list[Observation]]:
        """What each running array is after a forward in training, beside what it should be."""
        found: dict[str, list[Observation]] = {key: [] for key in STATISTICS}
        for case in cases:
            try:
                forward = self.subject.forward(case)
            except Trouble:
                continue  # a case that may be refused
            for key in STATISTICS:
                received = running_array(self.convention, forward.arguments, key)
                rights = right_running(case, key)
                right = next((each for each in rights if agree(received, each)), rights[0])
                found[key].append(Observation(case, received, right))
        return found
