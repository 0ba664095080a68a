"""Whether a file's own loss gives its softmax one row of logits at a time."""

import inspect
import warnings
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import numpy as np

from minicnn.checking.students.convention import most_positional


def is_given_rows(softmax: Callable[..., Any] | None) -> bool:
    """Whether some function of the file, called with logits and labels, does so."""
    names = getattr(softmax, "__globals__", {})
    own = next((name for name, value in names.items() if value is softmax), None)
    if own is None or softmax is None:
        return False
    seen: list[int] = []

    def watched(x: Any, *more: Any, **others: Any) -> Any:
        seen.append(np.ndim(x))
        return softmax(x, *more, **others)

    names[own] = watched
    try:
        for loss in list(_users(names, own)):
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    loss(np.array([[1.0, 2.0, 0.5], [0.0, 1.0, 3.0]]), np.array([2, 0]))
            except BaseException:  # whatever a file's function does, it is only watched here
                continue
    finally:
        names[own] = softmax
    return 1 in seen


def _users(names: dict[str, Any], own: str) -> Iterator[Callable[..., Any]]:
    """Functions that name the softmax and can be given logits and labels."""
    for value in names.values():
        if not inspect.isfunction(value) or own not in _names(value.__code__):
            continue
        parameters = list(inspect.signature(value).parameters.values())
        required = [each for each in parameters if each.default is each.empty]
        if most_positional(required) <= 2 <= most_positional(parameters):
            yield value


def _names(code: CodeType) -> set[str]:
    """The names that code uses, also in what it defines inside, such as comprehensions."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return set(code.co_names).union(*map(_names, inner))
