"""Faults without a name in the catalogue: ``unknown``, and the message says them in words."""

from importlib import import_module
from pathlib import Path

import pytest
from submission_checks import findings_of, planted

TABLES = sorted(Path(__file__).parents[2].glob("helpers/planted_*.py"))
UNNAMED = [row for table in TABLES for row in getattr(import_module(table.stem), "UNNAMED", [])]


@pytest.mark.parametrize(
    ("name", "function", "verdict", "old", "new", "words"), UNNAMED,
    ids=[f"{number}-{row[0]}" for number, row in enumerate(UNNAMED)],
)
def test_a_fault_without_a_name_is_said_in_words(
    name: str, function: str, verdict: str, old: str, new: str, words: str, tmp_path: Path
) -> None:
    found = {each.function: each for each in findings_of(planted(tmp_path, name, old, new))}
    assert found[function].verdict == verdict
    assert found[function].fault in (None, "unknown")
    assert words in found[function].message
