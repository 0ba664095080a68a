"""What is found about a file: a list of findings, and what was not looked at."""

from collections.abc import Iterable
from typing import Any

from minicnn.checking.students.finding import Finding
from minicnn.terminal import as_html, as_printed, plain

NOT_LOOKED_AT = "not-looked-at"
"""What stands for a verdict, in JSON, of a function that no dialect knows."""


class Findings(list[Finding]):
    """One finding for each function that was judged, a forward before its backwards.

    Printed, or at the end of a notebook's cell, it reads as in a terminal.

    Attributes
    ----------
    not_looked_at : list of str
        Functions and classes of the file that are written like layers and that no dialect knows.
        One whose name is nearly a known one has that in brackets.
    notes : list of str
        What could not be run, or is not here, so that the findings are about the rest.
    """

    def __init__(
        self, findings: Iterable[Finding] = (), *, not_looked_at: Iterable[str] = (),
        notes: Iterable[str] = (),
    ) -> None:
        super().__init__(findings)
        self.not_looked_at, self.notes = list(not_looked_at), list(notes)

    def __str__(self) -> str:
        """What ``minicnn check`` shows in a terminal."""
        return plain(self._described()).rstrip()

    _repr_pretty_ = as_printed

    def _repr_html_(self) -> str:
        """Likewise in a notebook, with its colours."""
        return as_html(self._described())

    def _described(self) -> Any:
        from minicnn.checking.students.display import describe_findings  # which knows of this

        return describe_findings(self)

    def as_dicts(self) -> list[dict[str, Any]]:
        """All of it, for JSON: the findings, and one entry more for each that is not looked at."""
        return [finding.as_dict() for finding in self] + [
            Finding(name, NOT_LOOKED_AT, None, "no dialect has a function of this name").as_dict()
            for name in self.not_looked_at
        ]
