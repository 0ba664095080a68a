"""A convolution as a product of matrices: axes read in another order than they stand."""

from pathlib import Path

import numpy as np
import pytest
from submission_checks import SUBMISSIONS, findings_of

from minicnn.checking import Finding
from minicnn.checking.students.operations.conv2d_matrices import misread

COLUMNS = "conv_im2col_cs231n.py"
FORWARD, BACKWARD = "conv_forward_naive", "conv_backward_naive"
SCRAMBLED = ("w_rows = w.reshape(F, -1)", "w_rows = w.reshape(-1, F).T")


@pytest.fixture
def check(tmp_path: Path):
    """The finding about a function of the submission with some edits."""
    def finding(function: str, *edits: tuple[str, str]) -> Finding:
        text = (SUBMISSIONS / COLUMNS).read_text(encoding="utf-8")
        for old, new in edits:
            assert text.count(old) == 1
            text = text.replace(old, new)
        path = tmp_path / COLUMNS
        path.write_text(text, encoding="utf-8")
        return {finding.function: finding for finding in findings_of(path)}[function]

    return finding


def test_misread_is_a_reshape_without_its_transpose() -> None:
    w = np.random.default_rng(0).standard_normal((2, 3, 4, 5))  # HH, WW, C, F
    theirs = w.transpose(3, 2, 0, 1)  # F, C, HH, WW
    columns = np.random.default_rng(1).standard_normal((7, 4 * 2 * 3))
    wrong = columns @ theirs.reshape(-1, 5)
    read = misread(w, (3, 2, 0, 1), (2, 0, 1, 3))
    assert np.allclose(columns @ read.transpose(3, 2, 0, 1).reshape(5, -1).T, wrong)
    assert np.array_equal(misread(w, (3, 2, 0, 1), (3, 2, 0, 1)), w)


@pytest.mark.parametrize(("function", "old", "new", "words"), [
    (FORWARD, *SCRAMBLED, "axes of w stand as (F, C, HH, WW)"),
    (FORWARD, "out.reshape(N, F, out_h", "out.transpose(0, 2, 1).reshape(N, F, out_h",
     "(N, H′, W′, F), but they are reshaped as (N, F, H′, W′)"),
    (BACKWARD, "dw_each.sum(axis=0).reshape", "dw_each.sum(axis=0).T.reshape",
     "(C, HH, WW, F), but they are reshaped as (F, C, HH, WW)"),
    (BACKWARD, "w.reshape(F, -1).T @ d", "w.reshape(-1, F) @ d",
     "axes of w stand as (F, C, HH, WW)"),
])
def test_what_is_reshaped_and_not_transposed_is_said(
    check, function: str, old: str, new: str, words: str
) -> None:
    found = check(function, (old, new))
    assert found.fault == "unknown"
    assert words in found.message


@pytest.mark.parametrize(("edit", "fault", "verdict"), [
    (("b.reshape(1, F, 1)", "0"), "conv-missing-bias", "wrong-forward"),
    (("(pad, pad), (pad, pad)", "(0, 2 * pad), (0, 2 * pad)"), "conv-padding-shifted",
     "wrong-forward"),
    (("conv_param['stride'], conv_param['pad']", "conv_param['stride'], 0"), "conv-padding-fixed",
     "error"),  # which has another shape
])
def test_a_scrambled_w_beside_a_fault_with_a_name(check, edit, fault: str, verdict: str) -> None:
    found = check(FORWARD, SCRAMBLED, edit)
    assert (found.verdict, found.fault, found.also) == (verdict, fault, [])
    assert "axes of w stand as (F, C, HH, WW)" in found.message
