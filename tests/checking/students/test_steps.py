"""Hints in steps: each says more than the one before, none the fault's name or a number."""

import itertools
from importlib import import_module
from pathlib import Path

import pytest
from submission_checks import findings_of, planted

from minicnn import InputError
from minicnn.checking import Finding, check_file
from minicnn.checking.faults import FAULTS
from minicnn.checking.students.exercises import write_exercise
from minicnn.checking.students.findings import Findings
from minicnn.checking.students.places import PLACES
from minicnn.checking.students.steps import hint, hinted

TABLES = sorted(Path(__file__).parents[2].glob("helpers/planted_*.py"))
EVERY = [row for table in TABLES for row in import_module(table.stem).PLANTED]
ONE_OF_EACH = {row[0]: row for row in EVERY}


def assert_three_steps(finding: Finding) -> None:
    """Three that grow, without the name of any fault and without what came."""
    texts = []
    for step in (1, 2, 3):
        given = hint(finding, step)
        assert (given.fault, given.also, given.evidence) == (None, [], {})
        assert (given.function, given.verdict) == (finding.function, finding.verdict)
        texts.append(" ".join([given.message, *given.equation.get("lines", [])]))
    for less, more in itertools.pairwise(texts):
        assert more.startswith(less)
        assert len(more) > len(less) + 5
    assert finding.function in texts[0]
    assert [fault for fault in FAULTS if fault in " ".join(texts)] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_three_steps(fault: str, tmp_path: Path) -> None:
    _, name, function, _, old, new = ONE_OF_EACH[fault]
    found = {each.function: each for each in findings_of(planted(tmp_path, name, old, new))}
    assert found[function].fault == fault
    for finding in found.values():
        if finding.verdict != "correct":
            assert_three_steps(finding)
    first, second = (hint(found[function], step).message for step in (1, 2))
    assert fault not in PLACES or PLACES[fault] in second
    assert fault not in PLACES or PLACES[fault] not in first


def test_every_place_is_that_of_a_fault() -> None:
    assert set(PLACES) <= set(FAULTS)


WRONG = """
import numpy as np

def relu_forward(x):
    return np.maximum(x, 0), x

def relu_backward(dy, cache):
    {body}
"""


@pytest.mark.parametrize(("body", "verdict", "words"), [
    ("return dy * cache ** 2", "wrong-backward",
     ["Look at dx in relu_backward.", "It shows with x of shape (1, 1)", "ReLU: dx = dy where"]),
    ("return 1 / 0", "error", ["does not come to an answer", "line 8", "ZeroDivisionError"]),
    ("return dy[:1]", "error", ["its shape", "It shows with x of shape", "ReLU: dx = dy"]),
    ("return dy, dy", "error", ["does not come to an answer", "It shows with", "must return"]),
    ("pass", "not-written", ["is not written yet", "dx", "ReLU: dx = dy where"]),
    ("while True: pass", "error", ["does not come to an answer", "Nothing", "longer than"]),
])
def test_what_no_fault_explains_has_three_steps_too(
    body: str, verdict: str, words: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "relu.py"
    path.write_text(WRONG.format(body=body))
    finding = check_file(path, timeout=1)[1]
    assert finding.verdict == verdict
    assert_three_steps(finding)
    for step, word in enumerate(words, start=1):
        given = hint(finding, step)
        assert word in " ".join([given.message, *given.equation.get("lines", [])])


def test_what_waits_for_its_forward_has_three_steps(tmp_path: Path) -> None:
    path = tmp_path / "relu.py"
    path.write_text(WRONG.format(body="return dy").replace("np.maximum(x, 0)", "x / None"))
    forward, backward = check_file(path)
    assert (forward.verdict, backward.verdict) == ("error", "not-checked")
    assert_three_steps(forward)
    assert_three_steps(backward)


def test_a_starter_has_three_steps(tmp_path: Path) -> None:
    for finding in check_file(write_exercise("batchnorm", tmp_path / "mine.py")):
        assert finding.verdict == "not-written"
        assert_three_steps(finding)


def test_what_is_right_and_what_is_said_of_the_file_stay() -> None:
    right = Finding("f", "correct", None, "note: this")
    findings = hinted(Findings([right], not_looked_at=["g"], notes=["n"]), 1)
    assert (list(findings), findings.not_looked_at, findings.notes) == ([right], ["g"], ["n"])


def test_there_is_no_fourth_step() -> None:
    for step in (0, 4):
        with pytest.raises(InputError, match=f"expected 1, 2 or 3, got {step}"):
            hinted(Findings(), step)
