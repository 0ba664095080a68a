"""Exercises: starter files that come from the reference, run, and are judged as not written yet."""

import doctest
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from submission_checks import findings_of

from minicnn import InputError
from minicnn.checking.equations import EQUATIONS
from minicnn.checking.faults import FAULTS
from minicnn.checking.students.examination.settings import NOT_ASKED
from minicnn.checking.students.exercises import (
    EXERCISES,
    describe_exercises,
    exercise_text,
    write_exercise,
)
from minicnn.checking.students.operations import OPERATIONS
from minicnn.ops import reference

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_has_the_references_functions_and_no_solution(name: str) -> None:
    text, exercise = exercise_text(name), EXERCISES[name]
    module: dict = {}
    exec(compile(text, name, "exec"), module)
    for function in exercise.functions:
        wanted = dict(inspect.signature(getattr(reference, function)).parameters)
        for left_out in NOT_ASKED:
            wanted.pop(left_out, None)
        got = inspect.signature(module[function]).parameters
        assert [*got] == [*wanted]
        assert [each.default for each in got.values()] == [each.default for each in wanted.values()]
        assert [each.kind for each in got.values()] == [each.kind for each in wanted.values()]
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
    topic = EQUATIONS[exercise.topic]
    for number in exercise.derived:
        assert topic[number - 1].split(" = ")[1] not in text
    assert max(map(len, text.split("\n"))) <= 100


@pytest.mark.parametrize("name", EXERCISES)
def test_a_starter_says_nothing_that_it_does_not_ask(name: str) -> None:
    text = exercise_text(name)
    words = "float32", "float64", "dtype", "GPU", "C-contiguous"
    assert [word for word in words if word in text] == []
    parameters = re.findall(r"\w+(?==)|\w+(?=(?:, \w+)* : )", text)
    assert set(parameters) & set(NOT_ASKED) == set()
    others = set(EXERCISES) - {name}
    assert [other for other in others if f"{other}_forward" in text and other not in name] == []


def run_example(name: str, functions: dict) -> doctest.TestResults:
    """What doctest says of a starter's example, if its functions were these."""
    module: dict = {}
    exec(compile(exercise_text(name), name, "exec"), module)
    example = doctest.DocTestParser().get_doctest(
        module["__doc__"], module | functions, name, None, 0)
    assert len(example.examples) > 2
    return doctest.DocTestRunner(verbose=False).run(example, out=lambda text: None)


@pytest.mark.parametrize("name", EXERCISES)
def test_an_example_is_right_for_a_right_function_and_for_no_other(name: str) -> None:
    functions = {each: getattr(reference, each) for each in EXERCISES[name].functions}
    assert run_example(name, functions).failed == 0
    for wrong, right in functions.items():
        doubled = functions | {wrong: twice(right)}
        assert run_example(name, doubled).failed > 0, wrong


def twice(function: Callable) -> Callable:
    """A function whose first array is twice too large: returned, or the first argument."""

    def wrong(*arguments: Any, **keywords: Any) -> Any:
        result = function(*arguments, **keywords)
        if result is None:
            arguments[0][...] *= 2
            return None
        return (2 * result[0], *result[1:]) if isinstance(result, tuple) else 2 * result

    return wrong


def test_every_operation_of_the_package_is_an_exercise() -> None:
    own = {name for name in OPERATIONS if hasattr(reference, f"{name}_forward")}
    own |= {name for name in OPERATIONS if name.endswith("_update")}
    assert set(EXERCISES) == own


@pytest.mark.parametrize("name", EXERCISES)
def test_a_starter_is_judged_as_not_written_yet(name: str, tmp_path: Path) -> None:
    path = write_exercise(name, tmp_path / "mine.py")
    findings = findings_of(path)
    assert {finding.function for finding in findings} == set(EXERCISES[name].functions)
    for finding in findings:
        assert (finding.verdict, finding.fault) == ("not-written", None)
        assert finding.message.startswith(f"{finding.function} is not written yet")


@pytest.mark.parametrize("name", EXERCISES)
def test_a_right_answer_gets_no_note(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    lines = ["import numpy as np", "from minicnn.ops import reference", ""]
    module: dict = {}
    exec(compile(exercise_text(name), name, "exec"), module)
    for function in EXERCISES[name].functions:
        signature = inspect.signature(module[function])
        given = ", ".join(
            f"{each.name}={each.name}" if each.kind is each.KEYWORD_ONLY else each.name
            for each in signature.parameters.values())
        lines += [f"def {function}{signature}:", f"    return reference.{function}({given})", ""]
    path.write_text("\n".join(lines))
    for finding in findings_of(path):
        assert (finding.verdict, finding.message) == ("correct", "")


def test_the_list_of_exercises_names_each_with_its_functions() -> None:
    lines = describe_exercises()
    assert len(lines) == len(EXERCISES)
    assert lines[0].split() == ["batchnorm", "batchnorm_forward,", "batchnorm_backward"]


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
