"""The gradients of the package's own layers on every backend, as a table."""

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Any

from minicnn import terminal
from minicnn.checking.examples import EXAMPLES, kind_of
from minicnn.checking.specimen import Specimen
from minicnn.errors import InputError, NotCompiledError
from minicnn.ops import available_backends, backend, backend_is_chosen, use_backend
from minicnn.terminal import Column, Row


@dataclass(frozen=True)
class SurveyRow:
    """One layer on one backend, checked in full in float64.

    Attributes
    ----------
    layer, backend : str
    elements : int
        How many were compared in each mode, of the gradients of the input and of parameters.
    kinks : int
        How many were left out because the layer has no derivative there, in both modes.
    training, evaluation : float
        The largest error in that mode, relative to the largest element of its gradient.
    uncertainty : float
        Of the difference quotients, at its largest.
    verdict : str
        Of `gradcheck`; the worse of both modes'.
    """

    layer: str
    backend: str
    elements: int
    kinks: int
    training: float
    evaluation: float
    uncertainty: float
    verdict: str

    @property
    def passed(self) -> bool:
        """Whether every element agrees in both modes."""
        return self.verdict == "correct"

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def measure(
    kinds: Sequence[str], backends: Sequence[str] | None, tell: Callable[[str], None]
) -> tuple[list[SurveyRow], list[tuple[str, str]]]:
    """Check these kinds of layers, or all, on these backends, or on all that can run here.

    Returns
    -------
    rows : list of SurveyRow
    left_out : list of (layer, backend)
        What would have to be compiled first: that is done for backends that somebody named.

    Raises
    ------
    InputError
        For an unknown kind.
    """
    known = list(dict.fromkeys(kind_of(name) for name in EXAMPLES))
    for kind in kinds:
        if kind not in known:
            raise InputError(f"gradcheck: expected layers among {', '.join(known)}, got {kind!r}")
    compiling = backends is not None or backend_is_chosen()
    rows: list[SurveyRow] = []
    left_out: list[tuple[str, str]] = []
    for name, (make, shape) in EXAMPLES.items():
        if kinds and kind_of(name) not in kinds:
            continue
        for where in backends or available_backends():
            tell(f"{name} on {where}")
            with use_backend(where):
                try:
                    with nullcontext() if compiling else backend().nothing_compiled():
                        rows.append(_row_of(name, where, Specimen(make(), shape)))
                except NotCompiledError:
                    left_out.append((name, where))
    return rows, left_out


def _row_of(name: str, backend: str, specimen: Specimen) -> SurveyRow:
    training, evaluation = specimen.gradients(True), specimen.gradients(False)
    found = training.gradients + evaluation.gradients
    return SurveyRow(
        name, backend,
        sum(each.checked for each in training.gradients),
        sum(len(each.kinks) for each in found),
        max((each.error for each in training.gradients), default=math.nan),
        max((each.error for each in evaluation.gradients), default=math.nan),
        max((each.uncertainty for each in found), default=math.nan),
        training.verdict if not training.passed else evaluation.verdict,
    )


def table(rows: Sequence[SurveyRow]) -> terminal.FittingTable:
    """The rows for a terminal."""
    columns = (
        Column("layer"), Column("backend"), Column("elements", right=True),
        Column("training", right=True), Column("evaluation", right=True), Column("±", right=True),
        Column("verdict"),
    )
    return terminal.table(
        columns, map(_shown, rows), compact=True,
        title="Gradients against central differences, float64, every element",
    )


def _shown(row: SurveyRow) -> Row:
    kinks = f", {row.kinks} at kinks" if row.kinks else ""
    cells = (
        row.layer, row.backend, str(row.elements), f"{row.training:.1e}", f"{row.evaluation:.1e}",
        f"{row.uncertainty:.0e}", row.verdict + kinks,
    )
    return Row(cells, style="" if row.passed else "bold red")
