"""Batch norm: what each fault would produce, running statistics, and evaluation mode."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minicnn.checking.students.conventions import Case, Convention
from minicnn.checking.students.evidence import (
    lesson,
    show_case,
    show_observation,
    unexplained,
    worst,
)
from minicnn.checking.students.examination import Examination
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.operations.batchnorm_cases import (
    COUNTS,
    Axes,
    batch_axes,
    batch_count,
    batchnorm_case,
    batchnorm_cases,
    small_cases,
    statistics,
)
from minicnn.checking.students.operations.batchnorm_terms import explain_dx
from minicnn.checking.students.operations.operation import (
    TOLERANCE,
    Observation,
    Operation,
    Suspect,
    agree,
    upstream,
)
from minicnn.checking.students.subject import Trouble


def _scaled(case: Case, normalized: np.ndarray) -> np.ndarray:
    return case["gamma"] * normalized + case["beta"]


def _y(
    case: Case, mean: np.ndarray | None = None, var: np.ndarray | None = None,
    inverse: Callable[[np.ndarray, float], np.ndarray] = lambda var, eps: (var + eps) ** -0.5,
) -> np.ndarray:
    """Equations 3 and 4 with other statistics, or another inverse deviation."""
    if case["training"]:
        right_mean, right_var = statistics(case, batch_axes(case))
    else:
        right_mean, right_var = case["running_mean"], case["running_var"]
    mean = right_mean if mean is None else mean
    var = right_var if var is None else var
    return _scaled(case, (case["x"] - mean) * inverse(var, case["eps"]))


INVERSES: dict[str, list[Callable[[np.ndarray, float], np.ndarray]]] = {
    "bn-eps-missing": [
        lambda var, eps: var**-0.5,
        lambda var, eps: 1 / (np.sqrt(var) + eps),
        lambda var, eps: 1 / np.sqrt(var) + eps,
        lambda var, eps: (var + eps * eps) ** -0.5,
        lambda var, eps: (var - eps) ** -0.5,
        *(lambda var, eps, fixed=fixed: (var + fixed) ** -0.5 for fixed in
          (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8)),
    ],
    "bn-std-power": [
        *(lambda var, eps, power=power: (var + eps) ** power for power in
          (-1, -0.25, 0.5, 1, -2, -1.5)),
        *(lambda var, eps, power=power: var**power for power in (-1, -0.25, 0.5, 1)),
        lambda var, eps: 1 / (np.sqrt(var) + eps) ** 2,
        lambda var, eps: (np.sqrt(var) + eps) ** -0.5,
        lambda var, eps: 1 / (var**2 + eps),
        lambda var, eps: (var**2 + eps) ** -0.5,
    ],
}
"""What stands for 1 / sqrt(σ² + eps) in the two faults of it."""


def _inverse_suspects() -> list[Suspect]:
    return [
        Suspect(fault, lambda case, inverse=inverse: _y(case, inverse=inverse))
        for fault, inverses in INVERSES.items() for inverse in inverses
    ]


def _forward_suspects() -> list[Suspect]:
    def unbiased(case: Case) -> np.ndarray:
        return case["x"].var(batch_axes(case), ddof=1)

    return [
        *_inverse_suspects(),
        Suspect("bn-unbiased-variance", lambda case: _y(case, var=unbiased(case))),
        *(
            Suspect("bn-sum-for-mean", partial(_with_count, count=lambda case: 1, where=where))
            for where in range(4)
        ),
        *(
            Suspect("bn-wrong-count", partial(_with_count, count=count, where=where),
                    f"It divides by {name}.")
            for name, count in COUNTS.items() for where in range(4)
        ),
        *(
            Suspect("bn-wrong-axes", _over_axes(choose, which))
            for choose in _axis_choices() for which in ("both", "mean", "variance")
        ),
        Suspect("bn-wrong-axes", _without_transpose,
                "(N, C, H, W) is reshaped to (N·H·W, C) without moving C to the end first."),
    ]


def _without_transpose(case: Case) -> np.ndarray:
    """What reshape(-1, C) makes of images with channels first."""
    if case["x"].ndim == 2:
        return _y(case)
    first = case["x"].transpose(0, 3, 1, 2)
    rows = first.reshape(-1, first.shape[1])
    scrambled = Case({**case.arrays, "x": rows}, case.settings)
    return _y(scrambled).reshape(first.shape).transpose(0, 2, 3, 1)


def _with_count(case: Case, count: Callable[[Case], int], where: int) -> np.ndarray:
    """y where sums are divided by another number: in the variance, both statistics (in two ways),
    or the mean."""
    axes, x, divisor = batch_axes(case), case["x"], count(case)
    mean = x.mean(axes)
    wrong_mean = x.sum(axes) / divisor
    if where == 0:
        return _y(case, var=np.square(x - mean).sum(axes) / divisor)
    if where == 1:
        return _y(case, mean=wrong_mean, var=np.square(x - wrong_mean).sum(axes) / divisor)
    if where == 2:
        return _y(case, mean=wrong_mean, var=np.square(x - wrong_mean).mean(axes))
    return _y(case, mean=wrong_mean)


Choose = Callable[[Case], Axes]


def _axis_choices() -> list[Choose]:
    """Sets of axes by which statistics go wrong; those of images are right for features."""
    of_images = [
        axes for length in range(1, 5) for axes in itertools.combinations(range(4), length)
        if axes != (0, 1, 2)
    ]
    return [
        *(partial(_for_features, axes=axes) for axes in of_images),
        lambda case: (case["x"].ndim - 1,),
        lambda case: tuple(range(case["x"].ndim)),
        lambda case: tuple(range(1, case["x"].ndim)),
    ]


def _for_features(case: Case, axes: Axes) -> Axes:
    """Of features, which have fewer axes, the right ones."""
    return axes if case["x"].ndim == 4 else batch_axes(case)


def _over_axes(choose: Choose, which: str) -> Callable[[Case], np.ndarray]:
    def predict(case: Case) -> np.ndarray:
        mean, var = statistics(case, choose(case))
        if which == "mean":
            return _y(case, mean=mean)
        return _y(case, mean=mean if which == "both" else None, var=var)

    return predict


def _evaluation_suspects() -> list[Suspect]:
    def batch(case: Case) -> tuple[np.ndarray, np.ndarray]:
        return statistics(case, batch_axes(case))

    return [
        Suspect("bn-eval-uses-batch", lambda case: _y(case, *batch(case))),
        Suspect("bn-eval-uses-batch", lambda case: _y(case, mean=batch(case)[0])),
        Suspect("bn-eval-uses-batch", lambda case: _y(case, var=batch(case)[1])),
        *_inverse_suspects(),
    ]


def _dx_suspects() -> list[Suspect]:
    """What is no sum of the three terms: means over the wrong axes."""

    def over(choose: Choose, which: str) -> Callable[[Case, np.ndarray], np.ndarray]:
        def predict(case: Case, dy: np.ndarray) -> np.ndarray:
            right, axes = batch_axes(case), choose(case)
            own = axes if which == "all" else right
            mean, var = statistics(case, own)
            inverse = 1 / np.sqrt(var + case["eps"])
            normalized = (case["x"] - mean) * inverse
            second = axes if which in ("all", "both", "mean") else right
            third = axes if which in ("all", "both", "variance") else right
            return case["gamma"] * inverse * (
                dy - dy.mean(second, keepdims=True)
                - normalized * (dy * normalized).mean(third, keepdims=True)
            )

        return predict

    return [
        Suspect("bn-wrong-axes", over(choose, which))
        for choose in _axis_choices() for which in ("both", "all", "mean", "variance")
    ]


def _reductions(values: Callable[[Case, np.ndarray], np.ndarray]) -> list[Suspect]:
    """A sum over the batch that is averaged, or not taken over every axis."""

    def divided(by: Callable[[Case], float]) -> Callable[[Case, np.ndarray], np.ndarray]:
        return lambda case, dy: values(case, dy).sum(batch_axes(case)) / by(case)

    def summed_over(axes: Axes, first: bool) -> Callable[[Case, np.ndarray], np.ndarray]:
        def predict(case: Case, dy: np.ndarray) -> np.ndarray:
            array = values(case, dy)
            summed = array.sum(_for_features(case, axes)) if array.ndim == 4 else array.sum(0)
            return np.moveaxis(summed, -1, 0) if first and array.ndim == 4 else summed

        return predict

    def features(axes: Axes) -> Callable[[Case, np.ndarray], np.ndarray]:
        return lambda case, dy: values(case, dy).sum(tuple(
            axis for axis in axes if axis < case["x"].ndim))

    averaged = [divided(count) for count in (batch_count, *COUNTS.values())]
    over = [
        summed_over(axes, first)
        for length in range(4) for axes in itertools.combinations(range(4), length)
        if axes != (0, 1, 2) for first in (False, True)
    ]
    return [
        Suspect("bn-dgamma-wrong-reduction", predict)
        for predict in [*averaged, *over, features((1,)), features(())]
    ]


def _normalized(case: Case) -> np.ndarray:
    mean, var = statistics(case, batch_axes(case))
    return (case["x"] - mean) / np.sqrt(var + case["eps"])


def _centred(case: Case) -> np.ndarray:
    return case["x"] - statistics(case, batch_axes(case))[0]


def _dgamma_suspects() -> list[Suspect]:
    return [
        Suspect("bn-dgamma-not-normalized", lambda case, dy: (
            (dy * case["x"]).sum(batch_axes(case))), "x stands there."),
        Suspect("bn-dgamma-not-normalized", lambda case, dy: (
            (dy * _centred(case)).sum(batch_axes(case))), "x - mean stands there."),
        *_reductions(lambda case, dy: dy * _normalized(case)),
    ]


class BatchNormExamination(Examination):
    """Beside y and the gradients: running statistics, and evaluation mode."""

    def _possible(self, case: Case) -> bool:
        dims = case["x"].ndim
        if self.convention.dialect == "cs231n":
            return dims == (4 if "spatial" in self.convention.forward else 2)
        return super()._possible(case)

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
        for case in filter(self._possible, batchnorm_cases(training=False)):
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
        for shape, what in [((1, 5, 7, 4), "image"), ((3, 1, 1, 4), "pixel")]:
            case = batchnorm_case(np.random.default_rng(52), shape, 0.5, training=True)
            if not self._possible(case) or not _is_about_statistics(raised, what):
                continue
            try:
                y = self.subject.forward(case).y
            except Trouble:
                continue
            if agree(y, self.operation.right_forward(case)):
                sizes = "N = 1" if what == "image" else "H = W = 1"
                return lesson(
                    found.function, "error", "bn-wrong-axes",
                    f"{found.message}. With {sizes} all is right: there seems to be a mean for "
                    f"every {what}.", found.evidence,
                )
        return found

    def _judge_running(self) -> Finding:
        """Whether the running statistics follow equation 8."""
        name = self.convention.forward
        for case in [*filter(self._possible, self.operation.small), *self.cases]:
            try:
                forward = self.subject.forward(case)
            except Trouble:
                continue  # a case that may be refused
            for key in ("running_mean", "running_var"):
                received = _running(self.convention, forward.arguments, key)
                old, momentum = case[key], case["momentum"]
                targets = _targets(case, key)
                rights = [momentum * old + (1 - momentum) * target for target in targets]
                if any(_near(received, right) for right in rights):
                    continue
                swapped = [(1 - momentum) * old + momentum * target for target in targets]
                fault = None
                if _near(received, old, 1e-6):
                    fault = "bn-running-not-updated"
                elif any(_near(received, each) for each in swapped):
                    fault = "bn-running-momentum-swapped"
                elif key == "running_var" and any(
                    _near(received, momentum * old + (1 - momentum) * each)
                    for target in targets for each in _wrong_powers(target, case["eps"])
                ):
                    fault = "bn-std-power"
                seen = Observation(case, np.asarray(received, float), rights[0])
                return self._name(name, fault, key, seen)
        return Finding(name, "correct")

    def _judge_evaluation(self) -> Finding:
        """Whether evaluation follows equation 9 and leaves the running statistics alone."""
        name = self.convention.forward
        observations: list[Observation] = []
        changed: tuple[str, Observation] | None = None
        for case in filter(self._possible, batchnorm_cases(training=False)):
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
            for key in ("running_mean", "running_var"):
                received = _running(self.convention, forward.arguments, key)
                if changed is None and not _near(received, case[key], 1e-6):
                    changed = key, Observation(case, np.asarray(received, float), case[key])
        if not all(seen.right for seen in observations):
            finding = self.conclude(
                name, "wrong-forward", "y", observations, _evaluation_suspects(), small_cases(False)
            )
            finding.message = f"In evaluation mode: {finding.message}"
            return finding
        if changed is not None:
            return self._name(name, None, *changed, "It changes in evaluation mode.")
        return Finding(name, "correct")

    def _name(
        self, name: str, fault: str | None, key: str, seen: Observation, text: str = ""
    ) -> Finding:
        element = worst(self.convention, seen, key)[0]
        place, right, came = element["index"], element["expected"], element["received"]
        text = f"{key}{place} should be {right:.6g}, got {came}. {text}"
        if fault is None:
            text = unexplained(self.convention, key, text)
        shown = show_observation(self.convention, seen, key)
        return lesson(name, "wrong-forward", fault, text, shown)


def _is_about_statistics(message: str, what: str) -> bool:
    """Whether an exception speaks of arrays that do not broadcast, or of as many elements as the
    first case has statistics for every image or pixel."""
    n, height, width, channels = batchnorm_cases(training=True)[0]["x"].shape
    statistics_there_are = n * channels if what == "image" else height * width * channels
    return "raised" in message and (
        "broadcast" in message or f"of size {statistics_there_are} " in message
    )


def _running(convention: Convention, arguments: tuple, key: str) -> Any:
    """A running array as the student's function left it, whatever axes of one element it has."""
    if convention.dialect == "cs231n":
        return np.asarray(arguments[3].get(key), np.float64).ravel()
    return np.ravel(arguments[3 + (key == "running_var")])


def _near(received: np.ndarray, right: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Whether a running array is this one."""
    return received.shape == right.shape and np.allclose(received, right, tolerance, tolerance)


def _wrong_powers(variance: np.ndarray, eps: float) -> list[np.ndarray]:
    """The deviation, its inverse or the variance's square, with eps and without."""
    return [each**power for each in (variance, variance + eps) for power in (0.5, -0.5, 2)]


def _targets(case: Case, key: str) -> list[np.ndarray]:
    """What a running array moves towards: of variances the biased one, or PyTorch's unbiased."""
    axes = batch_axes(case)
    if key == "running_mean":
        return [case["x"].mean(axes)]
    return [case["x"].var(axes), case["x"].var(axes, ddof=1)]


BATCHNORM = Operation(
    "batchnorm", batchnorm_cases(training=True), small_cases(), _forward_suspects(),
    {
        "dx": _dx_suspects(),
        "dgamma": _dgamma_suspects(),
        "dbeta": _reductions(lambda case, dy: dy),
    },
    {"dx": explain_dx},
    blame=("dgamma", "dbeta", "dx"),  # dx may be made of the other two
)
