"""What is found about a file: a list of findings, and what was not looked at."""

from collections.abc import Iterable
from typing import Any

from minicnn.checking.students.finding import Finding

NOT_LOOKED_AT = "not-looked-at"
"""What stands for a verdict, in JSON, of a function that no dialect knows."""


class Findings(list[Finding]):
    """One finding for each function that was judged, a forward before its backwards.

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

    def as_dicts(self) -> list[dict[str, Any]]:
        """All of it, for JSON: the findings, and one entry more for each that is not looked at."""
        return [finding.as_dict() for finding in self] + [
            Finding(name, NOT_LOOKED_AT, None, "no dialect has a function of this name").as_dict()
            for name in self.not_looked_at
        ]
