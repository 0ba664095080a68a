"""A student's pair of functions, called in the examination's language."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.checking.students.convention import Parameters, most_positional
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.submission import Pair, describe, parameters


class Trouble(Exception):
    """A student's function raised, or returned something that is no answer.

    ``cause`` is what it raised, if it did.
    """

    def __init__(self, message: str, cause: BaseException | None = None) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class Forward:
    """What a forward returned: y in our layout, its cache, and the arguments that it was given."""

    y: np.ndarray
    cache: Any
    arguments: tuple


class Subject:
    """The pair under examination.

    Parameters
    ----------
    pair : Pair
    path : Path
        The student's file, for line numbers in messages.
    """

    def __init__(self, pair: Pair, path: Path) -> None:
        self.pair, self.path = pair, path
        self.convention = pair.convention
        self.parameters: Parameters = parameters(pair.forward) if pair.forward else None

    def forward(self, case: Case) -> Forward:
        """Call forward; without one in the file, take the cache that the dialect prescribes.

        Raises
        ------
        Trouble
            Where it raises, or returns no array of real numbers (and a cache).
        """
        positional, keywords = self.convention.arguments(case, self.parameters)
        if self.pair.forward is None:
            prescribed = self.convention.lone_cache
            if prescribed is None:
                raise Trouble(
                    f"{self.convention.forward} is needed beside it: the cache is its own"
                )
            return Forward(np.empty(0), prescribed(positional, keywords), positional)
        name = self.convention.forward
        result = self._call(name, self.pair.forward, positional, keywords)
        cache = None
        if self.convention.has_cache or self.convention.gradients:
            if not isinstance(result, tuple | list) or len(result) != 2:
                raise Trouble(f"{name} must return two things, {_what_came(result)}")
            result, cache = result
        y = self.convention.ours("y", self.array(name, self.convention.label("y"), result))
        return Forward(y, cache, positional)

    def backward(self, name: str, dy: np.ndarray, forward: Forward) -> list[np.ndarray]:
        """Call a backward with a forward's cache; dy and the gradients in our layout.

        Raises
        ------
        Trouble
            Where it raises, or returns the wrong number or kind of things.
        """
        function = self.pair.backwards[name]
        if self.convention.operation == "softmax_cross_entropy":
            both = self.backward_takes(name) > 1
            given = (forward.cache, float(dy)) if both else (forward.cache,)
        else:
            given = (self.convention.theirs("y", dy), forward.cache)
        try:
            result = self._call(name, function, given, {})
        except Trouble as trouble:
            if self.pair.forward is not None:
                raise
            raise Trouble(
                f"{trouble}. There is no {self.convention.forward} beside it, so that it was given "
                f"the cache that {self.convention.dialect} documents", trouble.cause
            ) from None
        wanted = self.convention.gradients
        if len(wanted) == 1 and not isinstance(result, tuple | list):
            result = (result,)
        if not isinstance(result, tuple | list) or len(result) != len(wanted):
            raise Trouble(
                f"{name} must return {', '.join(map(self.convention.label, wanted))}, "
                f"{_what_came(result)}"
            )
        return [
            self.convention.ours(key, self.array(name, self.convention.label(key), value))
            for key, value in zip(wanted, result, strict=True)
        ]

    def backward_takes(self, name: str) -> int:
        """How many arguments a backward can be given by position."""
        return most_positional(parameters(self.pair.backwards[name]))

    @staticmethod
    def array(function: str, name: str, value: Any) -> np.ndarray:
        """Real numbers as a new float64 array.

        Raises
        ------
        Trouble
            Where they are none.
        """
        if value is None:
            raise Trouble(f"{function} returns None for {name} (is it written yet?)")
        try:
            array = np.array(value)
        except Exception:
            raise Trouble(f"{function} must return an array for {name}, "
                          f"got {type(value).__name__}") from None
        if array.dtype.kind not in "biuf":
            raise Trouble(f"{function} must return real numbers for {name}, got {array.dtype}")
        return array.astype(np.float64)

    def _call(
        self, name: str, function: Callable[..., Any], positional: tuple, keywords: dict[str, Any]
    ) -> Any:
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                return function(*positional, **keywords)
        except NotImplementedError:
            raise Trouble(f"{name} is not written yet (NotImplementedError)") from None
        except BaseException as error:
            raise Trouble(f"{name} raised {describe(error, self.path)}", error) from None


def _what_came(result: Any) -> str:
    if result is None:
        return "got None (is it written yet?)"
    if isinstance(result, tuple | list):
        return f"got {len(result)}"
    return f"got one {type(result).__name__}"
