"""Two faults at once are both named, where together they explain every case and none does alone."""

from pathlib import Path

import numpy as np
import pytest
from submission_checks import SUBMISSIONS, findings_of

from minicnn.checking import Finding
from minicnn.checking.students.examination.pairs import explained_by_two
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.observation import Observation
from minicnn.checking.students.operations.operation import Suspect

Edits = list[tuple[str, str]]

KERNEL = "conv_kernel_offsets_minicnn.py"
LOOPS = "conv_six_loops_cs231n.py"
DENSE = "dense_einsum_minicnn.py"
STAGED = "batchnorm_staged_graph_cs231n.py"
FLAT = "batchnorm_flat_rows_minicnn.py"

TWO: list[tuple[str, str, set[str], Edits]] = [
    (KERNEL, "conv2d_forward", {"conv-true-convolution", "conv-missing-bias"}, [
        ("y += xp[:, rows, cols] @ w[i, j]", "y += xp[:, rows, cols] @ w[KH - 1 - i, KW - 1 - j]"),
        ("        y = y + b\n", "        pass\n"),
    ]),
    (LOOPS, "conv_forward_naive", {"conv-padding-shifted", "conv-missing-bias"}, [
        ("total = b[f]", "total = 0"), ("row = i * stride + u - pad", "row = i * stride + u"),
    ]),
    (KERNEL, "conv2d_backward", {"conv-dx-kernel-not-rotated", "conv-dx-not-cropped"}, [
        ("w[i, j].T\n", "w[KH - 1 - i, KW - 1 - j].T\n"),
        ("top:top + H, left:left + W", "0:H, 0:W"),
    ]),
    (KERNEL, "conv2d_backward", {"conv-stride-ignored", "conv-dw-averaged"}, [
        ("xp[here].reshape(-1, C).T @ flat", "xp[:, i:i+OH, j:j+OW].reshape(-1, C).T @ flat / N"),
    ]),
    (LOOPS, "conv_backward_naive", {"conv-true-convolution", "conv-dw-averaged"}, [
        ("dw[f, :, u, v] += g *", "dw[f, :, HH-1-u, WW-1-v] += g / N *"),
    ]),
    (DENSE, "dense_backward", {"dense-dw-transposed", "dense-db-averaged"}, [
        ('"ni,no->io", cache["x"], dy)',
         '"ni,no->oi", cache["x"], dy).reshape(cache["w"].shape) / len(dy)'),
    ]),
    (STAGED, "batchnorm_forward", {"bn-eval-without-affine", "bn-eps-missing"}, [
        ("xhat = (x - running_mean) / np.sqrt(running_var + eps)",
         "xhat = (x - running_mean) / (np.sqrt(running_var) + eps)"),
        ("        out = gamma * xhat + beta\n    else", "        out = xhat\n    else"),
    ]),
    (STAGED, "batchnorm_backward", {"bn-gamma-missing", "bn-missing-mean-term"}, [
        ("dxhat = dgammax * gamma", "dxhat = dgammax"), ("dx = dx1 + dx2  #", "dx = dx1  #"),
    ]),
    (FLAT, "batchnorm_backward", {"bn-variance-term-sign", "bn-gamma-missing"}, [
        ("through_mean - through_var", "through_mean + through_var"),
        ("cache.gamma * cache.inv_std", "cache.inv_std"),
    ]),
    (FLAT, "batchnorm_backward", {"bn-missing-variance-term", "bn-std-power"}, [
        ("- through_mean - through_var", "- through_mean"),
        ("scale = cache.gamma * cache.inv_std", "scale = cache.gamma * cache.inv_std**2"),
    ]),
]


@pytest.fixture
def check(tmp_path: Path):
    """The findings about a submission with some edits, by function."""
    def findings(name: str, edits: Edits) -> dict[str, Finding]:
        text = (SUBMISSIONS / name).read_text(encoding="utf-8")
        for old, new in edits:
            assert text.count(old) == 1
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return {finding.function: finding for finding in findings_of(path)}

    return findings


@pytest.mark.parametrize(
    ("name", "function", "faults", "edits"), TWO,
    ids=[f"{number}-{row[0]}" for number, row in enumerate(TWO)],
)
def test_both_faults_are_named(check, name: str, function: str, faults: set[str], edits) -> None:
    found = check(name, edits)[function]
    assert {found.fault, *found.also} == faults
    assert f"And {found.also[0]}: " in found.message


@pytest.mark.parametrize(
    ("name", "function", "edits"),
    [(row[0], row[1], [edit]) for row in TWO for edit in row[3] if len(row[3]) > 1],
)
def test_one_of_them_alone_is_one_fault(check, name: str, function: str, edits) -> None:
    found = check(name, edits)[function]
    assert found.fault not in (None, "unknown")
    assert found.also == []


@pytest.mark.parametrize(("name", "function", "edits"), [
    (KERNEL, "conv2d_forward", [("y = y + b", "y = y + b * b")]),
    (KERNEL, "conv2d_backward", [("@ w[i, j].T", "@ w[i, j].T * 0.5")]),
    (KERNEL, "conv2d_backward", [(".T @ flat", ".T @ flat / N**2")]),
    (FLAT, "batchnorm_backward", [("rows - through_mean", "rows - 2 * through_mean")]),
    (FLAT, "batchnorm_backward", [("scale = cache.gamma", "scale = np.abs(cache.gamma)")]),
    (FLAT, "batchnorm_backward", [
        ("through_mean = rows.mean(axis=0)", "through_mean = rows.sum(axis=0) * len(rows)"),
    ]),
    (DENSE, "dense_backward", [
        ('"ni,no->io", cache["x"], dy)', '"ni,no->io", cache["x"], 3 * dy)'),
    ]),
])
def test_a_mistake_in_no_catalogue_is_no_pair(check, name: str, function: str, edits) -> None:
    found = check(name, edits)[function]
    assert (found.fault, found.also) == ("unknown", [])


def _seen(received: np.ndarray, expected: np.ndarray) -> list[Observation]:
    return [Observation(Case({"x": expected}, {}), received, expected)]


def test_a_term_and_a_factor_of_each_channel_act_after_another_fault() -> None:
    right = np.random.default_rng(1).standard_normal((5, 3))
    term, factor = np.array([1.0, 2.0, 3.0]), np.array([0.5, 2.0, -1.0])
    suspects = [
        Suspect("turned", lambda case: case["x"][::-1]),
        Suspect("moved", lambda case: factor * case["x"] + term, "It is moved."),
    ]
    found = explained_by_two(suspects, _seen(factor * right[::-1] + term, right))
    assert found is not None
    assert (found.faults, found.also, found.text) == (["turned"], ("moved", "It is moved."), "")


def test_what_no_two_explain_has_no_explanation() -> None:
    right = np.random.default_rng(2).standard_normal((5, 3))
    suspects = [
        Suspect("turned", lambda case: case["x"][::-1]),
        Suspect("twice", lambda case: 2 * case["x"]),
        Suspect("nothing", lambda case: np.full(2, np.nan)),
        Suspect("one", lambda case: np.ones(())),
    ]
    assert explained_by_two(suspects, _seen(right + 1, right)) is None
    assert explained_by_two(suspects, _seen(right[:4], right)) is None
    assert explained_by_two([], _seen(right + 1, right)) is None
    two = Suspect("two", lambda case: 2 * case["x"])
    more = Suspect("more", lambda case: 1 + case["x"])
    assert explained_by_two([two, more], _seen(np.array(7.0), np.ones(()))) is None


def test_a_right_answer_on_few_values_makes_no_change_of_channels() -> None:
    """Two values a channel fit any term and factor."""
    right = np.random.default_rng(3).standard_normal((2, 3))
    suspects = [
        Suspect("any", lambda case: np.square(case["x"])),
        Suspect("turned", lambda case: case["x"][::-1]),
    ]
    assert explained_by_two(suspects, _seen(np.square(right)[::-1] + right, right)) is None
