"""Softmax and losses: batches and rows, large logits in both, the hinge loss by differences."""

from pathlib import Path

import numpy as np
import pytest
from submission_checks import findings_of

from minicnn.checking import Finding
from minicnn.checking.differences import slope
from minicnn.checking.students.examination.given_rows import is_given_rows
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.svm import SVM

ROW = """
import numpy as np

def softmax(z):
    e = np.exp(z - np.max(z))
    return e / e.sum()
"""
ROWS = """
def cross_entropy(logits, labels):
    p = [softmax(row) for row in logits]
    return -sum(np.log(row[label]) for row, label in zip(p, labels)) / len(labels)
"""
BATCH = """
def cross_entropy(logits, labels):
    return -np.log(softmax(logits)[np.arange(len(labels)), labels]).mean()
"""


@pytest.fixture
def check(tmp_path: Path):
    """The findings about a text, by function."""
    def findings(text: str) -> dict[str, Finding]:
        path = tmp_path / "student.py"
        path.write_text(text, encoding="utf-8")
        return {finding.function: finding for finding in findings_of(path)}

    return findings


@pytest.mark.parametrize(("loss", "verdict"), [
    ("", "wrong-forward"), (BATCH, "wrong-forward"), (ROWS, "correct"),
    ("\ndef cross_entropy(logits, labels):\n    1 / 0\n    softmax(logits)\n", "wrong-forward"),
    ("\ndef cross_entropy(logits, labels):\n    raise SystemExit(softmax(logits))\n",
     "wrong-forward"),
])
def test_rows_are_given_where_the_files_own_loss_does_so(check, loss: str, verdict: str) -> None:
    found = check(ROW + loss)["softmax"]
    assert found.verdict == verdict
    assert ("one row of logits" if verdict == "correct" else "over all rows") in found.message


def test_a_sum_without_keepdims_is_no_softmax_of_rows(check) -> None:
    text = "import numpy as np\ndef softmax(z):\n    e = np.exp(z - z.max(axis=-1{}))\n" \
           "    return e / e.sum(axis=-1{})\n"
    assert check(text.format("", ""))["softmax"].verdict != "correct"
    assert check(text.format(", keepdims=True", ", keepdims=True"))["softmax"].verdict == "correct"


def test_large_logits_are_looked_at_row_by_row_too(check) -> None:
    text = "import numpy as np\ndef softmax(z):\n    assert z.ndim == 1\n    e = np.exp(z)\n" \
           "    return e / e.sum()\n"
    found = check(text)["softmax"]
    assert (found.verdict, found.fault) == ("wrong-forward", "softmax-overflow")


def test_the_files_names_are_as_before() -> None:
    module: dict = {}
    exec(ROW + ROWS, module)
    softmax = module["softmax"]
    assert is_given_rows(softmax)
    assert module["softmax"] is softmax
    assert not is_given_rows(np.exp)
    assert not is_given_rows(None)


@pytest.mark.parametrize(
    "case", [*SVM.cases, *SVM.small], ids=lambda case: str(case["logits"].shape)
)
def test_the_hinge_loss_and_its_gradient_by_loops_and_differences(case: Case) -> None:
    logits, labels = case["logits"], case["labels"]
    loss = np.mean([
        sum(max(0, row[c] - row[label] + 1) for c in range(len(row)) if c != label)
        for row, label in zip(logits, labels, strict=True)
    ])
    assert SVM.right_forward(case) == pytest.approx(loss, rel=1e-14)
    (gradient,) = SVM.right_gradients(case, np.asarray(1.5))
    for place in np.ndindex(logits.shape):
        def rise(t: float, place: tuple[int, ...] = place) -> float:
            moved = logits.copy()
            moved[place] += t
            return float(SVM.right_forward(Case({**case.arrays, "logits": moved}, {})) - loss)

        found = slope(rise, 2.0**-12, 1e-13, 1e-8)
        assert not found.kink
        assert gradient[place] == pytest.approx(1.5 * found.value, abs=1e-7)
