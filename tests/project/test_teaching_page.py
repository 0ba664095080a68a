"""docs/teaching.md against the exercises, the catalogue of faults and the command line."""

import re
import shlex
from pathlib import Path

import pytest
from teaching_tables import exercise_rows, fault_rows
from typer.testing import CliRunner

from minicnn.checking.faults import FAULTS
from minicnn.checking.students.exercises import EXERCISES
from minicnn.cli.program import app

PAGE = (Path(__file__).parents[2] / "docs" / "teaching.md").read_text(encoding="utf-8")

COMMANDS = [line for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
            for line in block.splitlines() if line.startswith("minicnn ")]


def test_its_tables_are_those_of_the_library() -> None:
    """`python tests/helpers/teaching_tables.py` prints them."""
    lines = PAGE.splitlines()
    assert [row for row in (*exercise_rows(), *fault_rows()) if row not in lines] == []


def test_every_fault_stands_in_it_once() -> None:
    rows = "\n".join(fault_rows())
    everywhere = [each.id for each in FAULTS.values() if each.equation is None]
    assert [id for id in FAULTS if rows.count(f"`{id}`") != 1 and id not in everywhere] == []
    assert all(f"`{id}`" in PAGE for id in everywhere)


def test_the_plan_names_exercises_that_there_are() -> None:
    plan = PAGE[PAGE.index("## Four weeks"):PAGE.index("## Less than the answer")]
    cells = [row.split("|")[2:4] for row in plan.splitlines() if re.match(r"\| \d", row)]
    named = re.findall(r"`(\w+)`", " ".join(cell for row in cells for cell in row))
    assert len(cells) == 4
    assert set(named) <= set(EXERCISES)


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_are_taken(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "homework").mkdir()
    (tmp_path / "homework" / "anna.py").write_text("def f(:\n")
    done = CliRunner().invoke(app, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output
