"""What is known about an operation: its cases, the right answers, and what faults look like."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.observation import Observation, agree
from minicnn.ops import reference


@dataclass(frozen=True)
class Suspect:
    """What a fault would have produced.

    Attributes
    ----------
    fault : str
        Its id; empty for one that the catalogue does not name, which is said in words alone.
    predict : callable
        A case, or a case and dy, to the array that this fault would have returned.
    detail : str
        What the message adds to the catalogue's lesson.
    reads : callable or None
        For a fault in what is read: a case to the one that it makes of it, which another fault then
        works on.
    in_pairs : bool
        Whether it is thought of where two faults come together. Families of many do not belong
        there: two of them soon agree by chance, and there would be millions of pairs.
    """

    fault: str
    predict: Callable[..., np.ndarray]
    detail: str = ""
    reads: Callable[[Case], Case] | None = None
    in_pairs: bool = True

    def prediction(self, seen: Observation) -> np.ndarray:
        """What this fault would have given there."""
        arguments = (seen.case,) if seen.dy is None else (seen.case, seen.dy)
        with np.errstate(all="ignore"):
            return np.asarray(self.predict(*arguments))

    def explains(self, observations: Sequence[Observation]) -> bool:
        """Whether this fault would have given just what came, on every case."""
        return all(agree(seen.received, self.prediction(seen)) for seen in observations)


@dataclass(frozen=True)
class Twin:
    """An experiment: a case changed in one respect, in which a fault would not show.

    Where every failing case has such a twin, and the function is right on all of them, this fault
    or hint explains the failures, whatever came of them.

    Attributes
    ----------
    change : callable
        A case to its twin; None where the case is so already, or has no twin.
    detail : str
        What the message says.
    fault : str
        Its id; empty for a hint.
    always : bool
        Whether the fault shows in every case that has a twin.
    """

    change: Callable[[Case], Case | None]
    detail: str
    fault: str = ""
    always: bool = True


class Explanation(NamedTuple):
    """Why answers are wrong.

    Attributes
    ----------
    faults : sequence of str
        Ids of all that would have given them, likeliest first; empty where none would.
    text : str
        What the message adds to the catalogue's lesson.
    also : (str, str)
        A second fault, where it takes two to explain them, and what the message adds to its lesson.
    """

    faults: Sequence[str]
    text: str
    also: tuple[str, str] = ("", "")


@dataclass
class Operation:
    """What is known about one operation.

    Attributes
    ----------
    name : str
        minicnn's name; the reference's functions say what is right.
    cases : list of Case
        On which it is judged; together they expose every fault.
    small : list of Case
        Ever larger; the first that shows a fault is what the student sees.
    forward_suspects : list of Suspect
        Likeliest first.
    backward_suspects : dict
        Lists of suspects by the gradient's name.
    explain : dict
        By the gradient's name, functions that explain observations themselves before the suspects
        are asked, or give None.
    also_right : dict
        By the gradient's name, whether another answer than the reference's is as right.
    twins : dict
        By the gradient's name, or ``"y"``, experiments for failures that no suspect explains.
    notes : dict
        By the gradient's name, what is to be said of an answer that is right; mostly nothing.
    size_in_words : callable
        A case, the gradient's name or ``"y"``, and what the student calls things, to how the
        right shape comes about; mostly nothing.
    blame : tuple of str
        Gradients in the order in which they are named where several are wrong; by default that of
        the convention.
    topic : str
        The equations that are cited, where a fault belongs to those of several operations.
    """

    name: str
    cases: list[Case]
    small: list[Case]
    forward_suspects: list[Suspect] = field(default_factory=list)
    backward_suspects: dict[str, list[Suspect]] = field(default_factory=dict)
    explain: dict[str, Callable[[Sequence[Observation]], Explanation | None]] = field(
        default_factory=dict
    )
    also_right: dict[str, Callable[[Case, np.ndarray, np.ndarray], bool]] = field(
        default_factory=dict
    )
    twins: dict[str, list[Twin]] = field(default_factory=dict)
    notes: dict[str, Callable[[Case, np.ndarray, np.ndarray], str]] = field(default_factory=dict)
    size_in_words: Callable[[Case, str, Callable[[str], str]], str] = lambda *_: ""
    blame: tuple[str, ...] = ()
    topic: str = ""

    def right_forward(self, case: Case) -> np.ndarray:
        """The reference's y."""
        return np.asarray(self._reference(case)[0])

    def right_gradients(self, case: Case, dy: np.ndarray) -> list[np.ndarray]:
        """The reference's gradients."""
        _, cache = self._reference(case)
        gradients = getattr(reference, f"{self.name}_backward")(dy, cache)
        return list(gradients) if isinstance(gradients, tuple) else [gradients]

    def _reference(self, case: Case) -> Any:
        """What the reference's forward returns."""
        arrays = {name: array.copy() for name, array in case.arrays.items()}
        return getattr(reference, f"{self.name}_forward")(*arrays.values(), **case.settings)
