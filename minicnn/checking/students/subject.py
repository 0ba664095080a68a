"""A student's pair of functions, called in the examination's language."""

import inspect
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.checking.students.changes import Changes, Watched
from minicnn.checking.students.convention import Parameters, most_positional
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.hints import hint_for
from minicnn.checking.students.loading.absent import absent_star_imports
from minicnn.checking.students.loading.errors import describe
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.pair import Pair, parameters
from minicnn.checking.students.unwritten import unfilled_names


class Trouble(Exception):
    """A student's function raised, or returned something that is no answer.

    Attributes
    ----------
    cause : BaseException or None
        What it raised, if it did.
    verdict : {"error", "not-written", "not-checked"}
    """

    def __init__(
        self, message: str, cause: BaseException | None = None, verdict: str = "error"
    ) -> None:
        super().__init__(message)
        self.cause, self.verdict = cause, verdict

    def finding(self, function: str) -> Finding:
        """What it says of the function that made it."""
        return Finding(function, self.verdict, None, str(self))


@dataclass(frozen=True)
class Forward:
    """What a forward returned: y in our layout, its cache, and the arguments that it was given."""

    y: np.ndarray
    cache: Any
    arguments: tuple
    watched: Watched


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
        self.changes = Changes()

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
            cache = prescribed(positional, keywords)
            return Forward(np.empty(0), cache, positional, Watched(self._named(case, positional)))
        name, cache = self.convention.forward, None
        watched = Watched(self._named(case, positional))
        result = self._call(name, self.pair.forward, positional, keywords)
        self.changes.note(name, watched)
        if self.convention.has_cache or self.convention.gradients:
            if not isinstance(result, list) or len(result) != 2:
                raise wrong_number(name, "two things", result)
            result, cache = result
        y = self.convention.ours("y", self.array(name, self.convention.label("y"), result))
        return Forward(y, cache, positional, Watched(self._named(case, positional)))

    def _named(self, case: Case, positional: tuple) -> Iterator[tuple[str, object]]:
        """The arguments that must stay as they are, by the student's names: all but running
        statistics."""
        for name, value in zip(case.arrays, positional, strict=False):
            if not name.startswith("running"):
                yield self.convention.label(name), value

    def backward(self, name: str, dy: np.ndarray, forward: Forward) -> list[np.ndarray]:
        """Call a backward with a forward's cache; dy and the gradients in our layout.

        Raises
        ------
        Trouble
            Where it raises, or returns the wrong number or kind of things.
        """
        function = self.pair.backwards[name]
        if self.convention.operation == "softmax_cross_entropy":
            if dy.ndim:
                raise Trouble(f"the loss has shape {dy.shape}, so that no dloss fits")
            both = self.backward_takes(name) > 1
            given = (forward.cache, float(dy)) if both else (forward.cache,)
        else:
            more = self.convention.backward_more[: self.backward_takes(name) - 2]
            given = (self.convention.theirs("y", dy), forward.cache, *more)
        first = next(iter(parameters(function) or ()), self.convention.label("dy"))
        watched = Watched([(first, given[0])])
        try:
            result = self._call(name, function, given, {})
        except Trouble as trouble:
            if self.pair.forward is not None:
                if forward.cache is None and "NoneType" in str(trouble):
                    raise Trouble(
                        f"{trouble}. The cache that {self.convention.forward} returns is None: "
                        "what backward needs belongs there", trouble.cause
                    ) from None
                raise
            raise Trouble(
                f"{trouble}. There is no {self.convention.forward} beside it, so that it was given "
                f"the cache that {self.convention.dialect} documents", trouble.cause
            ) from None
        self.changes.note(name, watched)
        self.changes.note(name, forward.watched)
        wanted = self.convention.gradients
        if len(wanted) == 1 and not isinstance(result, list):
            result = [result]
        if not isinstance(result, list) or len(result) != len(wanted):
            raise wrong_number(name, ", ".join(map(self.convention.label, wanted)), result)
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
            text = f"{function} returns None for {name} (is it written yet?)"
            raise Trouble(text, verdict="not-written")
        try:
            array = np.array(value)
        except BaseException:  # whatever an object does that is asked for its numbers
            raise Trouble(f"{function} must return an array for {name}, "
                          f"got {type(value).__name__}") from None
        if array.dtype.kind not in "biuf":
            raise Trouble(f"{function} must return real numbers for {name}, got {array.dtype}")
        with np.errstate(all="ignore"):
            return array.astype(np.float64)

    def _call(
        self, name: str, function: Callable[..., Any], positional: tuple, keywords: dict[str, Any]
    ) -> Any:
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                result = function(*positional, **keywords)
                return [*result] if isinstance(result, tuple | list) else result
        except Trouble:
            raise
        except NotImplementedError:
            text = f"{name} is not written yet (NotImplementedError)"
            raise Trouble(text, verdict="not-written") from None
        except BaseException as error:
            hint = hint_for(error)
            raised = describe(error, self.path)
            at = "in " if raised.startswith(("line ", "cell ")) else ""
            text = f"{name} raised {at}{raised}{f' ({hint})' if hint else ''}"
            if "NoneType" in text and unfilled_names(function):
                raise Trouble(text, error, "not-written") from None
            missing = _what_is_not_here(function, error)
            if missing is not None:
                raise Trouble(f"{text}{missing}", error, "not-checked") from None
            raise Trouble(text, error) from None


def _what_is_not_here(function: Callable[..., Any], error: BaseException) -> str | None:
    """What to add where a function fails for a module that is not here; None where that is not why.

    A name that is not defined may come from such a module.
    """
    if isinstance(error, ModuleNotFoundError):
        return ""
    if not isinstance(error, NameError) or isinstance(error, UnboundLocalError):
        return None
    try:
        source = inspect.getsource(sys.modules[function.__module__])
    except (OSError, TypeError, KeyError, AttributeError):
        return None
    absent = absent_star_imports(source)
    return f": it may come from {' or '.join(absent)}, which is not here" if absent else None


def wrong_number(function: str, wanted: str, result: Any) -> Trouble:
    """What is said where a function returns another number of things than it must."""
    if result is None:
        text = f"{function} must return {wanted}, got None (is it written yet?)"
        return Trouble(text, verdict="not-written")
    came = f"{len(result)}" if isinstance(result, list) else f"one {type(result).__name__}"
    return Trouble(f"{function} must return {wanted}, got {came}")
