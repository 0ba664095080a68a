"""Judging a pair: run it on cases, compare with the reference, and look for a fault that explains.

A fault is named only if what it would have produced agrees, on every case, with what came.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from minicnn.checking.students.examination.asking import Asking
from minicnn.checking.students.examination.evidence import (
    also_from,
    in_brief,
    lesson,
    show_case,
    show_observation,
    unexplained,
    worst,
)
from minicnn.checking.students.examination.formulas import changed_formula
from minicnn.checking.students.examination.likeness import likeness
from minicnn.checking.students.examination.own_forward import agrees_with_own_forward
from minicnn.checking.students.examination.pairs import explained_by_two
from minicnn.checking.students.examination.settings import (
    NOT_ASKED,
    unknown_settings,
)
from minicnn.checking.students.examination.shapes import (
    kept_axis_in_words,
    without_lone_axes,
)
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.operations.case import Case, upstream
from minicnn.checking.students.operations.observation import Observation, agree
from minicnn.checking.students.operations.operation import Explanation, Suspect
from minicnn.checking.students.subject import Trouble
from minicnn.checking.students.unwritten import is_unwritten


class Examination(Asking):
    """The verdicts on a pair."""

    def findings(self) -> Iterator[Finding]:
        """Forward first, then every backward."""
        forward_is_right = True
        if not self.cases:
            yield from self._uncallable()
            return
        if self.subject.pair.forward is not None:
            found = self.judge_forward()
            forward_is_right = found.verdict == "correct"
            self.likely = found.fault
            if self.convention.backwards and not self.subject.pair.backwards:
                found.message += f" There is no {self.convention.backwards[0]} beside it."
                found.message = found.message.strip()
            yield found
        for name in self.subject.pair.backwards:
            yield self.judge_backward(name, forward_is_right)

    def _uncallable(self) -> Iterator[Finding]:
        """What is said of functions that no case can be given to."""
        missing = min(
            (unknown_settings(self.subject, case) for case in self.operation.cases), key=len
        )
        why = f"{self.convention.forward} takes no argument named {', '.join(missing)}"
        for name in self.subject.pair.names:
            yield Finding(name, "error", None, why)

    # -- forward ------------------------------------------------------------------------------

    def judge_forward(self) -> Finding:
        """Run every case, and name what explains the answers."""
        name = self.convention.forward
        self.let_pass.clear()
        observations: list[Observation] = []
        for case in self.cases:
            try:
                y = self.subject.forward(case).y
            except Trouble as trouble:
                if self.may_be_refused(case, trouble) and observations:
                    self.refused(case, trouble)
                    continue
                return self.raised(name, "y", case, trouble)
            observations.append(Observation(case, y, self.operation.right_forward(case)))
        if all(seen.right for seen in observations):
            notes = filter(None, [self._note_on_settings(), *self.let_pass])
            return Finding(name, "correct", None, " ".join(notes))
        return self.conclude(
            name, "wrong-forward", "y", observations, self.operation.forward_suspects
        )

    def raised(self, function: str, key: str, case: Case, trouble: Trouble) -> Finding:
        """A finding about what raised or gave no arrays, on the smallest case that does so."""
        if trouble.verdict != "error":
            return trouble.finding(function)
        for small in filter(self.is_possible, self.operation.small):
            dy = upstream(self.operation.right_forward(small).shape)
            try:
                self.answer(function, key, small, dy)
            except Trouble as same:
                case, trouble = small, same
                break
        given = []
        for name, array in case.arrays.items():
            if array.ndim > 1:
                given.append(in_brief(self.convention, name, array))
        shown = show_case(self.convention, case, key)
        given += [f"{name} = {value}" for name, value in shown["settings"].items()]
        why = f"{trouble}, with {', '.join(given)}"
        fault, detail = self._explain_raising(function, key)
        return lesson(function, "error", fault, why, shown, detail=detail)

    def _explain_raising(self, function: str, key: str) -> tuple[str | None, str]:
        """The fault that explains at least two answers beside those that raised, or an experiment
        that explains all; and what is to be said of it."""
        keys = ("y",) if key == "y" else self.convention.gradients
        observations = self.observations(function, keys)
        for each, seen in observations.items():
            suspects = self.suspects(each)
            if sum(not one.right for one in seen) > 1:
                for suspect in suspects:
                    if suspect.fault and suspect.explains(seen):
                        return suspect.fault, suspect.detail
        twin = self.experiment(function, key, keys)
        return (twin.fault or None, twin.detail) if twin else (None, "")

    def _note_on_settings(self) -> str:
        """A note on what could not be checked, because forward takes no such argument."""
        left = [case for case in self.operation.cases if not self.is_possible(case)]
        if self.convention.dialect != "minicnn" or not left:
            return ""
        unknown = dict.fromkeys(
            key for case in left for key in unknown_settings(self.subject, case)
            if key not in NOT_ASKED
        )
        if not unknown:
            return ""
        return f"note: {', '.join(unknown)} not checked: there is no such argument"

    # -- backward -----------------------------------------------------------------------------

    def judge_backward(self, name: str, forward_is_right: bool) -> Finding:
        """Run every case, gradient by gradient, and name what explains the first that is wrong."""
        gradients = self.convention.gradients
        self.let_pass.clear()
        observations: dict[str, list[Observation]] = {key: [] for key in gradients}
        refused: Trouble | None = None
        last: Trouble | None = None
        for salt, case in enumerate(self.cases):
            dy = upstream(self.operation.right_forward(case).shape, salt)
            try:
                forward = self.forward_for(dy, case)
            except Trouble as trouble:
                last = trouble
                if not self.may_be_refused(case, trouble):
                    refused = trouble
                continue
            try:
                received = self.subject.backward(name, dy, forward)
            except Trouble as trouble:
                if self.may_be_refused(case, trouble) and observations[gradients[0]]:
                    self.refused(case, trouble)
                    continue
                if self.passes(gradients[0], case, dy, trouble.cause):
                    continue
                return self.raised(name, gradients[0], case, trouble)
            for key, seen in self.beside_right(case, dy, received):
                observations[key].append(seen)
        if not observations[gradients[0]]:
            return self.out_of_reach(name, str(last))
        if all(seen.right for of_gradient in observations.values() for seen in of_gradient):
            note = f"note: not checked everywhere, because of its forward: {refused}"
            return Finding(name, "correct", None, note if refused else self._note(observations))
        found = self._blame(name, observations)
        return found if forward_is_right else self.beside_wrong_forward(name, found)

    def out_of_reach(self, name: str, why: str) -> Finding:
        """What is said of a backward that nothing can be given to, because of its forward."""
        if is_unwritten(self.subject.pair.backwards[name]):
            return Finding(name, "not-written", None, f"{name} is not written yet")
        if self.subject.pair.forward is not None:
            why = f"not checked, because of its forward: {why}"
        return Finding(name, "not-checked", None, why)

    def _note(self, observations: dict[str, list[Observation]]) -> str:
        """What is to be said of right gradients."""
        for key, note in self.operation.notes.items():
            for seen in observations[key]:
                said = note(seen.case, seen.dy, seen.received) if seen.dy is not None else ""
                if said:
                    return said
        return " ".join(self.let_pass)

    def _blame(self, name: str, observations: dict[str, list[Observation]]) -> Finding:
        """A finding about the gradient that tells most, and a word about the others."""
        found = {
            key: self.conclude(
                name, "wrong-backward", key, seen, self.operation.backward_suspects.get(key, [])
            )
            for key, seen in observations.items() if not all(each.right for each in seen)
        }
        named = [
            found[key] for key in self.operation.blame or self.convention.gradients
            if key in found and found[key].fault not in (None, "unknown")
        ]
        written = [each for each in found.values() if each.verdict != "not-written"]
        first = [*named, *written, *found.values()][0]
        others = {key: each for key, each in found.items() if each is not first}
        if others:
            also = ", ".join(
                self.convention.label(key)
                + (f" ({each.fault})" if each.fault not in (None, "unknown", first.fault) else "")
                for key, each in others.items()
            )
            first.message += f" Also wrong: {also}."
        first.message += self._exchanged(observations)
        if any(each.verdict == "error" for each in found.values()):
            first.verdict = "error"
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

    def beside_wrong_forward(self, name: str, found: Finding) -> Finding:
        """What is to be said of a backward that is wrong, where its forward is wrong too."""
        if self.agrees_with_own_forward(name):
            return self.of_own_forward(name)
        found.message += " Mend forward first: what it leaves in the cache may be the cause."
        return found

    def agrees_with_own_forward(self, name: str) -> bool:
        """Whether a backward is the gradient of the student's own forward, by differences."""
        return agrees_with_own_forward(
            self.subject, name, filter(self.is_possible, self.operation.small)
        )

    @staticmethod
    def of_own_forward(name: str) -> Finding:
        """A backward that is right for the forward in its file, which is not."""
        return Finding(
            name, "correct", None,
            "it is the gradient of the forward in this file, which is itself wrong",
        )

    # -- conclusions --------------------------------------------------------------------------

    def conclude(
        self, function: str, verdict: str, key: str, observations: Sequence[Observation],
        suspects: Sequence[Suspect], small: Sequence[Case] | None = None,
    ) -> Finding:
        """A finding about wrong answers: the fault that explains them, or the worst elements."""
        seen = list(observations)
        wrong = [each for each in seen if not each.right]
        misshapen = next((each for each in wrong if not each.shape_is_right), None)
        if not any(each.received.any() for each in seen if each.expected.any()):
            return Finding(function, "not-written", None, (
                f"{self.convention.label(key)} is 0 everywhere: is it filled yet?"))
        reshaped = without_lone_axes(self.convention, key, seen)
        if reshaped and all(each.right for each in reshaped):
            return self._kept_axis(function, verdict, key, misshapen or wrong[0])
        if misshapen is not None and not reshaped:
            verdict = "error"
        explanation = self._explain(
            key, reshaped or seen, suspects, shapes_are_right=bool(reshaped) or misshapen is None
        )
        fault = next(iter(explanation.faults), None)
        detail, text = explanation.text, also_from(explanation.faults)
        example = self.smallest(function, key, small or self.operation.small) or wrong[0]
        shown = show_observation(self.convention, example, key)
        if example.shape_is_right:
            shown["worst"] = worst(self.convention, example, key)
        twin = self.experiment(function, key, (key,)) if not (fault or detail) else None
        if twin is not None and twin.fault:
            fault, detail = twin.fault, twin.detail
        if fault is None:
            words = detail or self._in_words(key, seen) or (twin.detail if twin else "")
            detail = unexplained(self.convention, key, words)
        if misshapen is not None:
            shapes = [
                self.convention.their_shape(key, misshapen.expected.shape),
                self.convention.theirs(key, misshapen.received).shape,
            ]
            text += f" {self.convention.label(key)} should have shape {shapes[0]}, got {shapes[1]}"
            sums = self.operation.size_in_words(misshapen.case, key, self.convention.label)
            text += f": {sums}." if sums else "."
        return lesson(
            function, verdict, fault, text, shown, topic=self.operation.topic,
            also=explanation.also, detail=detail,
        )

    def _in_words(self, key: str, seen: Sequence[Observation]) -> str:
        """In what wrong answers are like the right ones, where no fault explains them."""
        return likeness(key, self.convention.label(key), seen) or changed_formula(
            self.operation, key, self.convention.gradients, seen
        )

    def _kept_axis(
        self, function: str, verdict: str, key: str, seen: Observation
    ) -> Finding:
        """A finding about right numbers in a shape with a lone axis too many, or too few."""
        text = kept_axis_in_words(self.convention, key, seen)
        shown = show_observation(self.convention, seen, key)
        return lesson(function, verdict, "axis-kept", text, shown)

    def _explain(
        self, key: str, seen: Sequence[Observation], suspects: Sequence[Suspect], *,
        shapes_are_right: bool,
    ) -> Explanation:
        """The faults that would have given just what came, the likeliest first."""
        own = self.operation.explain.get(key)
        found = own(seen) if own is not None and shapes_are_right else None
        if found is not None and found.faults:
            return found
        explained = [suspect for suspect in suspects if suspect.explains(seen)]
        if not explained:
            return explained_by_two(suspects, seen) or found or Explanation([], "")
        explained.sort(key=lambda suspect: suspect.fault != self.likely)
        named = [each.fault for each in explained if each.fault]
        return Explanation(named, explained[0].detail)
