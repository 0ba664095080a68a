"""What a student reads: equations whole, arrays in rows, no line too wide, in any encoding."""

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console
from submission_checks import findings_of, planted

from minicnn import terminal
from minicnn.checking import Finding
from minicnn.checking.equations import EQUATIONS
from minicnn.checking.students.display import describe_findings
from minicnn.checking.students.folding import fold_equation, fold_prose

EVERY_LINE = [line for equations in EQUATIONS.values() for text in equations
              for line in re.split(r" {2,}", text)]


def shown(finding: Finding, width: int = 80, encoding: str = "utf-8") -> list[str]:
    """The lines that a pipe of this encoding gets."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    Console(file=stream, width=width, color_system=None).print(describe_findings([finding]))
    stream.flush()
    return stream.buffer.getvalue().decode(encoding).splitlines()


def finding(**evidence: object) -> Finding:
    return Finding("f_backward", "wrong-backward", "bn-gamma-missing", "It is wrong.", evidence)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_or_ends_in_blanks(width: int, encoding: str) -> None:
    found = Finding(
        "f_backward", "wrong-backward", "unknown", "Σ·∂ " * 70,
        equation={"topic": "batch norm", "number": 7, "lines": EVERY_LINE},
    )
    lines = shown(found, width, encoding)
    assert len(lines) > 20
    assert max(map(cell_len, lines)) <= width
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("text", EVERY_LINE)
def test_an_equation_is_broken_at_an_operator_or_not_at_all(text: str) -> None:
    assert fold_equation(text, 200) == [text]
    lines = fold_equation(text, 70)
    assert " ".join(map(str.strip, lines)) == text
    for line in lines[1:]:
        assert re.match(r" {4}([-+=*/·] |\S+ = |stands$)", line)


def test_each_of_several_statements_begins_a_line_or_stands_in_one() -> None:
    text = "T1 = γ·r·dy, T2 = γ·r·mean(dy), T3 = γ·r·x̂·mean(dy·x̂)"
    assert fold_equation(text, 40) == [
        "T1 = γ·r·dy, T2 = γ·r·mean(dy),", "    T3 = γ·r·x̂·mean(dy·x̂)"]


def test_prose_keeps_shapes_and_short_formulas_whole() -> None:
    text = "db should have shape (3, 4, 5), got (1, 3); r = 1 / sqrt(v) is missing"
    assert fold_prose(text, 32) == [
        "db should have shape (3, 4, 5),", "got (1, 3); r = 1 / sqrt(v) is", "missing"]


def test_a_small_array_is_a_line_and_a_matrix_has_rows() -> None:
    found = finding(
        of="dw", input={"x": [[[[3.0, -30.0], [-2.0, 0.5]]]], "b": [1.0]}, settings={"pad": 1},
        expected=[[[[1.0], [-4.0], [9.25]]]], received=[[[[0.0], [-4.0], ["nan"]]]],
    )
    assert shown(found)[2:] == [
        "    with x[0, 0, :, :] = [[  3 -30]",
        "                          [ -2 0.5]],",
        "         b = [1], pad = 1",
        "    dw should be [[[[1], [-4], [9.25]]]]",
        "             got [[[[0], [-4], [nan]]]]",
    ]


def test_answers_of_two_rows_stand_below_each_other() -> None:
    found = finding(of="dx", input={"x": [1.0]}, expected=[[1.0, 2.0], [3.0, 4.0]],
                    received=[[1.0, 20.0], [3.0, 4.0]])
    assert shown(found)[3:] == [
        "    dx should be [[1 2]",
        "                  [3 4]]",
        "             got [[ 1 20]",
        "                  [ 3  4]]",
    ]


def test_an_answer_of_another_shape_keeps_all_its_axes() -> None:
    found = finding(of="dx", input={"x": [1.0]}, expected=[[[1.0, 2.0], [3.0, 4.0]]],
                    received=[[1.0, 2.0], [3.0, 4.0]])
    assert shown(found)[3:] == [
        "    dx should be [[[1 2]",
        "                   [3 4]]]",
        "             got [[1 2]",
        "                  [3 4]]",
    ]


def test_the_worst_of_large_arrays_stand_beside_the_shapes() -> None:
    found = finding(
        of="dx", input={"x": [[1.0] * 9] * 4}, settings={"stride": 2}, expected=[[1.0] * 9] * 4,
        received=[[0.0] * 9] * 4, worst=[{"index": [0, 3], "expected": 1.0, "received": 0.0}],
    )
    assert shown(found)[2:] == [
        "    with x of shape (4, 9), stride = 2", "    dx[0, 3] should be 1, got 0"]


@pytest.mark.parametrize(("of", "training", "number"), [
    ("y", True, 1), ("y", False, 3), ("running_mean", True, 3)])
def test_running_statistics_are_shown_where_they_matter(
    of: str, training: bool, number: int
) -> None:
    found = finding(
        of=of, input={"x": [1.0], "running_mean": [0.0]}, expected=[1.0], received=[0.0],
        settings={"training": training, "momentum": 0.9},
    )
    text = " ".join(shown(found)[2:])
    assert sum(word in text for word in ("x = [1]", "running_mean = [0]", "momentum")) == number


def test_a_fault_is_shown_in_the_students_own_names_and_axes(tmp_path) -> None:
    path = planted(tmp_path, "conv_im2col_cs231n.py", "out = w_rows @ cols + b.reshape(1, F, 1) ",
                   "out = w_rows @ cols ")
    (found, _) = findings_of(path)
    assert terminal.plain(describe_findings([found]), 80).splitlines()[1:] == [
        "    The bias b is not added.",
        "    docs/equations.md: convolution, equation 1",
        "      out[n,k,p,q] = b[k] + Σ(i,j,c) x̃[n, c, p·s+i, q·s+j] · w[k,c,i,j]",
        "      x̃ is x in a rim of zeros",
        "    with x = [[[[-2]]]], w = [[[[3]]]], b = [1], stride = 1, pad = 0",
        "    out should be [[[[-5]]]]",
        "              got [[[[-6]]]]",
    ]


def test_two_faults_stand_behind_the_verdict_or_each_below_it() -> None:
    found = finding()
    found.also = ["bn-missing-mean-term"]
    assert shown(found)[0] == (
        "f_backward  wrong-backward  bn-gamma-missing and bn-missing-mean-term"
    )
    assert shown(found, 40)[:3] == [
        "f_backward  wrong-backward", "    bn-gamma-missing", "    bn-missing-mean-term"
    ]
