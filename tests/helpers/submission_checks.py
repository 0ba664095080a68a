"""Checking a submission inside the test's own process: the verdicts, without the isolation."""

from pathlib import Path

from minicnn.checking import Finding
from minicnn.checking.students.examination import examine
from minicnn.checking.students.loading.run import load
from minicnn.checking.students.subject import Subject
from minicnn.checking.students.submission import find_pairs

SUBMISSIONS = Path(__file__).parents[1] / "submissions"


def findings_of(path: Path) -> list[Finding]:
    """Every finding about a file."""
    return [
        finding
        for pair in find_pairs(load(path))
        for finding in examine(Subject(pair, path))
    ]


def planted(tmp_path: Path, name: str, old: str, new: str) -> Path:
    """A copy of a correct submission in which one place is edited."""
    text = (SUBMISSIONS / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{name}: {old!r} occurs {text.count(old)} times"
    path = tmp_path / name
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path
