"""Several steps of a student's update rule, each from where the last one ended."""

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from minicnn.checking.students.changes import Watched
from minicnn.checking.students.convention import takes
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.updates import UpdateRule
from minicnn.checking.students.subject import Subject, Trouble, wrong_number


class Walk(NamedTuple):
    """What came of a walk.

    Attributes
    ----------
    case : Case
        With the settings that the function had by default, if none were given.
    added : ndarray (steps, *w.shape)
        What each step added to w, NaN from where it was no number on.
    """

    case: Case
    added: np.ndarray


class Walker(Subject):
    """An update rule in either form: with a config that keeps what later steps need, or with arrays
    that change in place.

    Parameters
    ----------
    subject : Subject
        Who is told of arguments that must not change.

    Attributes
    ----------
    changes_dw : bool
        Whether dw has changed, which nobody forbids where there is a config.
    """

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject.pair, subject.path)
        self.changes = subject.changes
        self.changes_dw = False

    def walk(self, rule: UpdateRule, case: Case) -> Walk:
        """Take all steps of a case.

        Raises
        ------
        Trouble
            Where the function raises or returns what is no answer.
        """
        if self.convention.dialect == "cs231n":
            return self._by_config(rule, case)
        return self._in_place(case)

    def _by_config(self, rule: UpdateRule, case: Case) -> Walk:
        """``next_w, config = rule(w, dw, config)``."""
        name = self.convention.forward
        labels = self.convention.labels
        kept = {key: case[key].copy() for key in rule.state if key in case.arrays}
        given = {labels.get(key, key): value for key, value in {**case.settings, **kept}.items()}
        config: Any = given or None
        settings = dict(case.settings)
        w, added = case["w"].copy(), []
        for number, g in enumerate(case["g"]):
            dw = g.copy()
            result = self._call(name, self._function, (w.copy(), dw, config), {})
            if not isinstance(result, tuple | list) or len(result) != 2:
                raise wrong_number(name, "next_w and config", result)
            next_w, config = self.array(name, "next_w", result[0]), result[1]
            if next_w.shape != w.shape:
                raise Trouble(f"next_w should have w's shape {w.shape}, got {next_w.shape}")
            if not isinstance(config, Mapping):
                raise Trouble(
                    f"{name} must return next_w and config, got {type(config).__name__} for config"
                )
            if number == 0:
                settings |= _by_default(rule, case, labels, config)
            self.changes_dw = self.changes_dw or not np.array_equal(dw, g)
            added.append(next_w - w)
            w = next_w
        return Walk(Case(case.arrays, settings), np.stack(added))

    def _in_place(self, case: Case) -> Walk:
        """``rule(w, g, …, lr=…)`` changes w and what it keeps, and returns nothing."""
        name = self.convention.forward
        arrays = {key: array.copy() for key, array in case.arrays.items() if key != "g"}
        w, added = arrays.pop("w"), []
        settings = {
            key: value for key, value in case.settings.items() if takes(self.parameters, key)
        }
        for number, g in enumerate(case["g"]):
            if "t" in case.settings:
                settings["step"] = case["t"] + number + 1
            before, given = w.copy(), g.copy()
            watched = Watched([("g", given)])
            result = self._call(name, self._function, (w, given, *arrays.values()), settings)
            self.changes.note(name, watched)
            if result is not None and np.array_equal(w, before):
                raise Trouble(f"{name} must change w in place; it returns something and leaves w")
            added.append(w - before)
        return Walk(case, np.stack(added))

    @property
    def _function(self) -> Callable[..., Any]:
        assert self.pair.forward is not None
        return self.pair.forward


def _by_default(
    rule: UpdateRule, case: Case, labels: Mapping[str, str], config: Mapping[str, Any]
) -> dict[str, float]:
    """The settings that the function chose where none were given."""
    chosen = {}
    for key in rule.defaults:
        value = config.get(labels.get(key, key))
        if key not in case.settings and isinstance(value, Real):
            chosen[key] = float(value)
    return chosen
