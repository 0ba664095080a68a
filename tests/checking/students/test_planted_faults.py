"""The checker is checked: correct submissions pass, and every planted fault is named, none other.

The submissions in tests/submissions are correct, in many styles and both dialects. A planted fault
is one edit of one of them.
"""

from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from submission_checks import SUBMISSIONS, findings_of, planted

from minicnn.checking.faults import FAULTS

CORRECT = sorted(path.name for path in SUBMISSIONS.glob("*.py"))
TABLES = sorted(Path(__file__).parents[2].glob("helpers/planted_*.py"))
PLANTED = [row for table in TABLES for row in import_module(table.stem).PLANTED]


@pytest.mark.parametrize("name", CORRECT)
def test_no_false_alarm(name: str) -> None:
    findings = findings_of(SUBMISSIONS / name)
    assert findings
    for finding in findings:
        assert (finding.verdict, finding.fault) == ("correct", None), finding.message


@pytest.mark.parametrize(
    ("fault", "name", "function", "verdict", "old", "new"), PLANTED,
    ids=[f"{number}-{row[0]}-{row[1]}" for number, row in enumerate(PLANTED)],
)
def test_planted_fault_is_named(
    fault: str, name: str, function: str, verdict: str, old: str, new: str, tmp_path: Path
) -> None:
    findings = findings_of(planted(tmp_path, name, old, new))
    found = {finding.function: finding for finding in findings}
    assert (found[function].verdict, found[function].fault) == (verdict, fault)
    assert found[function].message
    assert {finding.fault for finding in findings} <= {fault, "unknown", None}
    if function.endswith(("backward", "backward_alt")):  # nothing comes of it but in itself
        others = [each for each in findings if each.function.endswith("_forward")]
        assert {each.verdict for each in others} <= {"correct"}


def test_table_has_at_least_two_of_every_fault_and_eighty_correct_files() -> None:
    files = {fault: {row[1] for row in PLANTED if row[0] == fault} for fault in FAULTS}
    assert Counter(row[0] for row in PLANTED).keys() == FAULTS.keys()
    assert min(map(len, files.values())) >= 2
    assert len(CORRECT) >= 80


def test_the_page_says_how_many_there_are() -> None:
    page = (SUBMISSIONS.parents[1] / "docs" / "checking.md").read_text(encoding="utf-8")
    assert f"holds {len(CORRECT)} correct submissions" in page
    assert f"hold {len(PLANTED)} edits of them" in page
    assert f"each of the {len(FAULTS)} faults is planted" in page
