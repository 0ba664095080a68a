"""A mistake in no catalogue stays unknown, and is said in words where that can be proved."""

import time
from pathlib import Path

import numpy as np
import pytest
from submission_checks import SUBMISSIONS, findings_of

from minicnn.checking import Finding
from minicnn.checking.mutants import KINDS, mutants
from minicnn.checking.students.examination.formulas import changed_formula, in_words
from minicnn.checking.students.operations import OPERATIONS
from minicnn.checking.students.operations.case import upstream
from minicnn.checking.students.operations.observation import Observation
from minicnn.ops import reference

KERNEL = "conv_kernel_offsets_minicnn.py"
LOOPS = "conv_six_loops_cs231n.py"
FLAT = "batchnorm_flat_rows_minicnn.py"
DENSE = "dense_einsum_minicnn.py"
ELU = "leaky_elu_pieces_minicnn.py"
STAGED = "batchnorm_staged_graph_cs231n.py"
ROWS = "layernorm_flat_rows_minicnn.py"
AVERAGE = "avgpool_counted_minicnn.py"


@pytest.fixture
def check(tmp_path: Path):
    """The finding about a function of a submission with one edit."""
    def finding(name: str, function: str, old: str, new: str) -> Finding:
        text = (SUBMISSIONS / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        path = tmp_path / name
        path.write_text(text.replace(old, new), encoding="utf-8")
        return {finding.function: finding for finding in findings_of(path)}[function]

    return finding


@pytest.mark.parametrize(("name", "function", "old", "new", "words"), [
    (KERNEL, "conv2d_forward", "y = y + b", "y = y - b", "`y -= b` in place of `y += b`"),
    (LOOPS, "conv_forward_naive", "total = b[f]", "total = -b[f]", "`y -= b` in place of `y += b`"),
    (FLAT, "batchnorm_forward", "(rows - mean) * inv", "(rows + mean) * inv",
     "`x + mean` in place of `x - mean`"),
    (FLAT, "batchnorm_forward", "gamma + beta\n", "gamma - beta\n",
     "`gamma * normalized - beta` in place of `gamma * normalized + beta`"),
    (FLAT, "batchnorm_forward", "xhat * gamma", "(xhat + gamma)",
     "`gamma + normalized` in place of `gamma * normalized`"),
    (FLAT, "batchnorm_backward", "(rows * cache.xhat).sum", "(rows + cache.xhat * 0).sum",
     "`dy` in place of `dy * normalized`"),
    (ROWS, "layernorm_forward", "rows - rows.mean(1)[:, None]", "rows + rows.mean(1)[:, None]",
     "`x + mean` in place of `x - mean`"),  # in the variance too
    (ELU, "elu_forward", "np.exp(-minus) - 1.0", "-minus - 1.0 + 1.0", "alpha * negative"),
])
def test_the_change_of_the_right_formula_is_told(
    check, name: str, function: str, old: str, new: str, words: str
) -> None:
    found = check(name, function, old, new)
    assert found.fault == "unknown"
    assert "minicnn's own formula gives" in found.message
    assert words in found.message


@pytest.mark.parametrize(("name", "function", "old", "new", "words"), [
    (KERNEL, "conv2d_backward", "dxp[here] += dy", "dxp[here] -= dy", "the right dx times -1."),
    (KERNEL, "conv2d_backward", ".T @ flat", ".T @ flat / N ** 2", "the right dw times 1/N²."),
    (KERNEL, "conv2d_backward", "flat.sum(axis=0)", "3 * flat.sum(axis=0)", "right db times 3."),
    (LOOPS, "conv_backward_naive", "dx[n, :, r, q] += g", "dx[n, :, r, q] += F * g",
     "the right dx times F."),
    (FLAT, "batchnorm_backward", "dbeta = rows.sum", "dbeta = -rows.sum", "dbeta times -1."),
    (DENSE, "dense_backward", "grad_x = np", "grad_x = 1 / dy.shape[1] * np", "dx times 1/M."),
    (AVERAGE, "global_avgpool2d_backward", "/ (h * w)", "/ (n * h * w)", "dx times 1/N."),
    (LOOPS, "conv_backward_naive", "dw = np.zeros", "dw = np.ones", "dw plus 1 everywhere."),
    (LOOPS, "conv_backward_naive", "dx = np.zeros(x.shape)", "dx = np.zeros(x.shape) - 0.5",
     "dx minus 0.5 everywhere."),
    (STAGED, "batchnorm_backward", "np.sum(dgammax * xhat", "np.sum(xhat",
     "It is 0 everywhere, up to rounding."),
])
def test_a_factor_is_told(
    check, name: str, function: str, old: str, new: str, words: str
) -> None:
    found = check(name, function, old, new)
    assert found.fault == "unknown"
    assert f"It is {words}" in found.message or words in found.message


@pytest.mark.parametrize(("name", "function", "old", "new", "words"), [
    (KERNEL, "conv2d_backward", "    H, W = cache", "    dxp[1:] *= 0.3\n    H, W = cache",
     "Only the first sample is right."),
    (KERNEL, "conv2d_forward", "        y = y + b\n", "        y = y + b\n    y[-1] += 1\n",
     "Every sample but the last is right."),
    (DENSE, "dense_backward", "    return grad_x", "    grad_w[:, 0] **= 2\n    return grad_x",
     "Every column but the first is right."),
    (LOOPS, "conv_backward_naive", "    return dx, dw", "    dw[:-1] += 1\n    return dx, dw",
     "Only the last filter is right."),
])
def test_the_part_that_is_right_is_told(
    check, name: str, function: str, old: str, new: str, words: str
) -> None:
    found = check(name, function, old, new)
    assert found.fault == "unknown"
    assert words in found.message


@pytest.mark.parametrize(("name", "function", "old", "new"), [
    (KERNEL, "conv2d_forward", "y = y + b", "y = y + np.tanh(b)"),
    (KERNEL, "conv2d_backward", "dxp[here] += dy @", "dxp[here] += dy ** 3 @"),
    (FLAT, "batchnorm_forward", "xhat * gamma", "np.sin(xhat) * gamma"),
])
def test_nothing_is_told_where_nothing_is_proved(
    check, name: str, function: str, old: str, new: str
) -> None:
    found = check(name, function, old, new)
    assert found.fault == "unknown"
    for words in ("formula", "times", "is right"):
        assert words not in found.message


@pytest.mark.parametrize("name", [
    name for name in OPERATIONS if hasattr(reference, f"{name}_backward")
])
def test_a_right_answer_is_no_changed_formula_and_it_is_soon_known(name: str) -> None:
    """A mutant that changes nothing may give a right answer; it is never asked for one."""
    operation = OPERATIONS[name]
    case = operation.cases[0]
    y = operation.right_forward(case)
    wrong = np.asarray(np.exp(y))
    begun = time.process_time()
    assert changed_formula(operation, "y", (), [Observation(case, wrong, y)]) == ""
    dy = upstream(y.shape)
    for at, right in enumerate(operation.right_gradients(case, dy)):
        names = tuple(f"d{each}" for each in range(at + 1))
        seen = [Observation(case, np.exp(right), right, dy)]
        assert changed_formula(operation, names[at], names, seen) == ""
    assert time.process_time() - begun < 60  # a loop that does not end would show
    if name != "dropout":  # which draws other numbers every time
        assert np.array_equal(operation.right_forward(case), y)  # the reference is as it was


def test_what_has_no_reference_or_another_shape_has_no_formula() -> None:
    right = np.ones((2, 3))
    case = OPERATIONS["relu"].cases[0]
    assert changed_formula(OPERATIONS["svm"], "y", (), [Observation(case, right, right)]) == ""
    seen = [Observation(case, right[:1], right)]
    assert changed_formula(OPERATIONS["relu"], "y", (), seen) == ""


@pytest.mark.parametrize(
    "file", ["conv2d", "pool2d", "batchnorm", "layernorm", "groupnorm", "dense", "activations"]
)
def test_every_change_can_be_said(file: str) -> None:
    for mutant in mutants(file, list(KINDS), everywhere=True):
        said = in_words(mutant)
        assert said.startswith("What came is ")
        assert "\n" not in said
