"""Exercises: starter files that come from the reference, run, and are judged as not written yet."""

import inspect
from pathlib import Path

import pytest

from minicnn import InputError
from minicnn.checking import check_file
from minicnn.checking.equations import EQUATIONS
from minicnn.checking.faults import FAULTS
from minicnn.checking.students.exercises import EXERCISES, exercise_text, write_exercise
from minicnn.checking.students.operations import OPERATIONS
from minicnn.ops import reference

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_has_the_references_functions_and_no_solution(name: str) -> None:
    text = exercise_text(name)
    module: dict = {}
    exec(compile(text, name, "exec"), module)
    for function in EXERCISES[name].functions:
        wanted = inspect.signature(getattr(reference, function)).parameters
        got = inspect.signature(module[function]).parameters
        assert [*got] == [*wanted]
        assert [each.default for each in got.values()] == [wanted[each].default for each in got]
        assert [each.kind for each in got.values()] == [wanted[each].kind for each in got]
        docstring = inspect.getdoc(module[function])
        original = inspect.getdoc(getattr(reference, function))
        if function.endswith("_backward"):  # the original's description is the solution
            assert original.split("\n\nParameters")[0] not in docstring
        else:
            assert docstring.split("\n")[0] == original.split("\n")[0]
        assert "Parameters" in docstring
        with pytest.raises(NotImplementedError):
            module[function](*[None] * len(got)) if function.endswith("_backward") else \
                module[function](**dict.fromkeys(got))
    topic = EQUATIONS[EXERCISES[name].topic]
    for number in EXERCISES[name].derived:
        assert topic[number - 1].split(" = ")[1] not in text
    assert max(map(len, text.split("\n"))) <= 110


def test_every_operation_of_the_package_is_an_exercise() -> None:
    own = {name for name in OPERATIONS if hasattr(reference, f"{name}_forward")}
    own |= {name for name in OPERATIONS if name.endswith("_update")}
    assert set(EXERCISES) == own


def test_a_starter_file_is_judged_as_not_written_yet(tmp_path: Path) -> None:
    path = write_exercise("batchnorm", tmp_path / "mine.py")
    forward, backward = check_file(path)
    assert forward.verdict == backward.verdict == "not-written"
    assert forward.message.startswith("batchnorm_forward is not written yet (NotImplementedError)")


def test_a_file_that_is_there_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_exercise("relu") == Path("relu_exercise.py")
    Path("relu_exercise.py").write_text("mine")
    with pytest.raises(InputError, match="relu_exercise.py: is there already"):
        write_exercise("relu")
    assert Path("relu_exercise.py").read_text() == "mine"
    with pytest.raises(InputError, match="expected a file named .py"):
        write_exercise("relu", tmp_path / "relu.txt")
    with pytest.raises(InputError, match="cannot be written"):
        write_exercise("relu", tmp_path / "none" / "relu.py")
    with pytest.raises(InputError, match="expected one of batchnorm, layernorm, .* got 'svm'"):
        write_exercise("svm")


def test_the_page_of_equations_is_the_packages_own() -> None:
    page = (DOCS / "equations.md").read_text(encoding="utf-8")
    for topic, equations in EQUATIONS.items():
        section = page.split(f"## {topic[0].upper()}{topic[1:]}\n")[1].split("\n## ")[0]
        lines = [line for line in section.split("\n") if line.startswith("(")]
        assert lines == [f"({number}) {text}" for number, text in enumerate(equations, start=1)]


def test_the_page_of_faults_names_every_fault() -> None:
    page = (DOCS / "checking.md").read_text(encoding="utf-8")
    for fault in FAULTS:
        assert f"`{fault}`" in page


def test_every_fault_breaks_an_equation_that_there_is() -> None:
    for fault in FAULTS.values():
        assert fault.equation is None or fault.equation.lines
        assert fault.lesson[-1] not in ".!"
