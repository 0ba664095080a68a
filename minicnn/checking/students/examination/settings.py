"""Which cases a student's function can be given: it need not take every setting."""

from typing import Any

from minicnn.checking.students.convention import takes
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.subject import Subject

DEFAULTS: dict[str, Any] = {
    "stride": (1,), "padding": (0,), "momentum": (0.9,), "eps": (1e-5,), "slope": (0.01,),
    "alpha": (1.0,), "unbiased_running_var": (False,), "class_weights": (None,),
    "label_smoothing": (0.0,), "size": (2,),
}
"""Settings that a function need not know, while a case leaves them at these values."""

NOT_ASKED = (
    "unbiased_running_var", "class_weights", "label_smoothing", "scale", "decay", "shrink",
)
"""Parameters of the package's functions that no exercise asks for: nobody is told of them."""


def is_possible(subject: Subject, case: Case) -> bool:
    """Whether the dialect asks it, and the function takes every setting that is given a value."""
    by_keyword = subject.convention.dialect in ("minicnn", "class")
    return subject.convention.asks(case) and not (by_keyword and unknown_settings(subject, case))


def unknown_settings(subject: Subject, case: Case) -> list[str]:
    """Settings that a case gives another value than the default, and that forward does not take."""
    return [
        key for key, value in case.settings.items()
        if not takes(subject.parameters, key) and value not in _defaults(subject, case, key)
    ]


def _defaults(subject: Subject, case: Case, key: str) -> tuple[Any, ...]:
    """The values that a setting has where nobody gives one; a window's stride is its size, and a
    class that cannot be told of evaluation is in training."""
    if key == "stride" and "size" in case.settings:
        return (case["size"],)
    if key == "training" and subject.convention.dialect == "class":
        return (True,)
    return DEFAULTS.get(key, ())
