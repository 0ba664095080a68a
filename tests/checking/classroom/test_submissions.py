"""Whose files are whose, in folders as they come from mail and from learning platforms."""

from pathlib import Path

import pytest
from services import RIGHT

from minicnn import InputError
from minicnn.checking.classroom.submissions import (
    passed_over,
    shown,
    submission_of,
    submissions_in,
)


def put(folder: Path, *names: str, text: str = RIGHT) -> None:
    """Files with this text, in folders as their names say."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_a_file_and_a_folder_are_a_student_each(tmp_path: Path) -> None:
    put(tmp_path, "Zoë Müller.py", "anna/relu.py", "anna/more/dense.py", "ben.py")
    assert [
        (each.name, [str(path.relative_to(tmp_path)) for path in each.files])
        for each in submissions_in(tmp_path)
    ] == [
        ("anna", ["anna/relu.py", "anna/more/dense.py"]), ("ben", ["ben.py"]),
        ("Zoë Müller", ["Zoë Müller.py"]),
    ]


def test_what_no_student_wrote_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "anna/layers.py", "anna/.ipynb_checkpoints/layers.py", "__MACOSX/anna/layers.py",
        ".git/hooks.py", "anna/._layers.py", "anna/__pycache__/layers.py", "anna/my_env/lib/x.py")
    put(tmp_path, "anna/my_env/pyvenv.cfg", "notes.txt")
    (only,) = submissions_in(tmp_path)
    assert only.files == (tmp_path / "anna" / "layers.py",)


def test_files_without_functions_that_can_be_checked_are_not_run(tmp_path: Path) -> None:
    put(tmp_path, "anna/layers.py")
    put(tmp_path, "anna/solver.py", "anna/setup.py", text="raise SystemExit('never run me')\n")
    assert submission_of(tmp_path / "anna").files == (tmp_path / "anna" / "layers.py",)


def test_a_file_with_classes_can_be_checked(tmp_path: Path) -> None:
    methods = "class Relu:\n    def forward(self, x): ...\n    def backward(self, dout): ...\n"
    put(tmp_path, "anna/layers.py", text=methods)
    put(tmp_path, "anna/net.py", text="def forward(x): pass\n")
    assert submission_of(tmp_path / "anna").files == (tmp_path / "anna" / "layers.py",)


def test_a_folder_without_any_keeps_its_files_for_the_reason(tmp_path: Path) -> None:
    put(tmp_path, "anna/layers.py", text="def helper(): pass\n")
    assert submission_of(tmp_path / "anna").files == (tmp_path / "anna" / "layers.py",)


def test_equal_names_are_told_apart(tmp_path: Path) -> None:
    put(tmp_path, "anna.py", "anna/relu.py")
    assert [each.name for each in submissions_in(tmp_path)] == ["anna/", "anna.py"]


def test_a_student_who_handed_in_something_else_is_there_and_the_pages_of_a_class_are_not(
    tmp_path: Path,
) -> None:
    put(tmp_path, "anna/relu.pdf", "class-students/anna.html", "ben.py", "cem.zip", "grades.csv")
    (tmp_path / "dora").mkdir()
    assert [(each.name, len(each.files)) for each in submissions_in(tmp_path)] == [
        ("anna", 0), ("ben", 1), ("dora", 0)]
    assert passed_over(tmp_path) == ["cem.zip"]


@pytest.mark.parametrize("folder", ["class", "anna"])
def test_equal_names_of_files(tmp_path: Path, folder: str) -> None:
    put(tmp_path / folder, "anna.py", "anna.ipynb")
    assert [each.name for each in submissions_in(tmp_path / folder)] == ["anna.ipynb", "anna.py"]


def test_a_name_that_is_no_utf_8_can_be_written() -> None:
    assert shown(Path("m\udcfcller")) == r"m\xfcller"


def test_where_there_is_no_class(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder of submissions, found nothing"):
        submissions_in(tmp_path / "none")
    with pytest.raises(InputError, match="found no submission; expected a file"):
        submissions_in(tmp_path)
