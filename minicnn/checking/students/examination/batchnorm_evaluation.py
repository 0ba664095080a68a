"""Examining a batch norm in evaluation mode, forward and backward."""

from minicnn.checking.students.examination.batchnorm_statistics import (
    about_statistic,
    running_array,
)
from minicnn.checking.students.examination.evidence import behind
from minicnn.checking.students.examination.normalisation import NormalisationExamination
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.operations.batchnorm import BATCHNORM_EVALUATION
from minicnn.checking.students.operations.batchnorm_running import STATISTICS
from minicnn.checking.students.operations.observation import Observation, agree
from minicnn.checking.students.subject import Subject, Trouble


class BatchNormEvaluation(NormalisationExamination):
    """Equations 9 and 10, with the running statistics left alone."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(BATCHNORM_EVALUATION, subject)

    def _is_diagonal(self, name: str) -> bool:
        return False  # here it should be

    def judge_forward(self) -> Finding:
        found = super().judge_forward()
        if found.verdict == "correct":
            return self._judge_statistics() or found
        if not found.message.startswith("Evaluation"):
            found.message = behind("In evaluation mode:", found.message)
        return found

    def _judge_statistics(self) -> Finding | None:
        """Whether the running statistics are left alone."""
        for case in self.cases:
            try:
                forward = self.subject.forward(case)
            except Trouble:
                continue  # a case that may be refused
            for key in STATISTICS:
                received = running_array(self.convention, forward.arguments, key)
                if not agree(received, case[key], 1e-6):
                    seen = Observation(case, received, case[key])
                    text = "It changes in evaluation mode."
                    return about_statistic(self.convention, None, key, seen, text)
        return None

    def judge_backward(self, name: str, forward_is_right: bool) -> Finding:
        """minicnn's signature promises equation 10; where a course leaves it out, it is a note."""
        found = super().judge_backward(name, forward_is_right)
        if found.verdict == "correct":
            return found
        if self.convention.dialect == "minicnn":
            found.message = behind("After a forward in evaluation mode:", found.message)
            return found
        note = ("note: after a forward in evaluation mode dx should be "
                "gamma · dout / sqrt(running_var + eps)")
        return Finding(name, "correct", None, note if found.verdict == "wrong-backward" else "")
