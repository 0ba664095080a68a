"""Batch norm in students' files: running statistics of any shape or kind, and both modes."""

from pathlib import Path

import pytest
from submission_checks import SUBMISSIONS, findings_of

from minicnn.checking import Finding

KEPT = "spatial_batchnorm_kept_axes_cs231n.py"
CLOSURE = "batchnorm_closure_minicnn.py"
STAGED = "batchnorm_staged_graph_cs231n.py"


@pytest.fixture
def check(tmp_path: Path):
    """The findings about a submission with some edits, by function."""
    def findings(name: str, *edits: tuple[str, str]) -> dict[str, Finding]:
        text = (SUBMISSIONS / name).read_text(encoding="utf-8")
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return {finding.function: finding for finding in findings_of(path)}

    return findings


def test_running_statistics_are_given_in_the_shape_that_the_file_makes(check) -> None:
    forward = check(KEPT)["spatial_batchnorm_forward"]
    assert forward.verdict == "correct"
    assert forward.message.startswith("note: it keeps running_mean in shape (1, 4, 1, 1) and")


@pytest.mark.parametrize("left", ["None", "'gone'", "[[1], [1, 2]]", "object()", "[mu, mu]"])
def test_running_statistics_of_any_kind_are_compared(check, left: str) -> None:
    found = check(STAGED, ("    return out, cache\n\n\ndef",
                           f"    if mode == 'train':\n        bn_param['running_mean'] = {left}\n"
                           "    return out, cache\n\n\ndef"))["batchnorm_forward"]
    assert (found.verdict, found.fault) == ("wrong-forward", "unknown")
    assert "running_mean should have shape (1,), got (" in found.message


@pytest.mark.parametrize("made", [
    "np.zeros((1, 1))", "np.zeros((0, 0))", "[[0.0]]", "np.zeros((2, 2))",
])
def test_running_statistics_made_for_no_channel_are_no_shape_to_be_given(
    check, made: str
) -> None:
    found = check(STAGED, ('    bn_param["running_mean"] = running_mean\n',
                           f'    bn_param["running_mean"] = {made}\n'))["batchnorm_forward"]
    assert (found.verdict, found.fault) == ("wrong-forward", "unknown")
    assert "running_mean" in found.message


def test_one_that_keeps_no_running_statistics_in_the_dict_is_told_so(check) -> None:
    found = check(STAGED, ('    bn_param["running_var"] = running_var\n', ""))["batchnorm_forward"]
    assert (found.verdict, found.fault) == ("wrong-forward", "bn-running-not-updated")
    assert "running_var[0] should be" in found.message


def test_after_evaluation_minicnn_asks_for_gradients_and_cs231n_only_notes(check) -> None:
    dropped = ("            return dy * gamma * r, _sum(dy * xhat), _sum(dy)\n",
               "            return dy * gamma * r - _mean(dy), _sum(dy * xhat), _sum(dy)\n")
    found = check(CLOSURE, dropped)["batchnorm_backward"]
    assert (found.verdict, found.fault) == ("wrong-backward", "unknown")
    assert found.message.startswith("After a forward in evaluation mode: dx is wrong")
    found = check("batchnorm_backward_alt_cs231n.py")
    for name in ("batchnorm_backward", "batchnorm_backward_alt"):
        assert found[name].verdict == "correct"
        assert found[name].message.startswith("note: after a forward in evaluation mode dx should")


def test_a_cache_for_training_alone_is_an_error_in_minicnns_dialect(check) -> None:
    found = check(CLOSURE, ("return gamma * xhat + beta, pull_back\n\n    mu",
                            "return gamma * xhat + beta, None\n\n    mu"))["batchnorm_backward"]
    assert found.verdict == "error"
    assert found.message.startswith("After a forward in evaluation mode: batchnorm_backward raised")
    found = check(STAGED)["batchnorm_backward"]
    assert (found.verdict, found.message) == ("correct", "")


def test_the_equation_of_a_gradient_in_evaluation_is_cited(check) -> None:
    found = check("batchnorm_paper_equations_minicnn.py",
                  ('if not cache["training"]:', "if cache is None:"))["batchnorm_backward"]
    assert (found.equation["topic"], found.equation["number"]) == ("batch norm", 10)
    assert found.equation["lines"][0].startswith("evaluation: dx = γ · dy")


@pytest.mark.parametrize(("old", "new", "said"), [
    ("out = gammax + beta  # step 9", "out = gammax  # step 9", "beta is not added."),
    ("out = gammax + beta  # step 9", "out = xhat  # step 9", "gamma and beta are left out."),
    ("xmu = x - mu  # step 2", "xmu = x  # step 2", "μ is not taken off"),
    ("sqrtvar = np.sqrt(var + eps)", "sqrtvar = np.sqrt(var + eps + eps)", "eps is added twice."),
    ("sq = xmu ** 2", "sq = x ** 2", "μ is not taken off before squaring."),
    ("xhat = xmu * ivar  # step 7", "xhat = x - mu * ivar  # step 7", "Brackets are missing"),
    ("xhat = xmu * ivar  # step 7",
     "xhat = (x - running_mean) / np.sqrt(running_var + eps)  # step 7",
     "Training normalises with the running statistics"),
])
def test_slips_of_y_that_have_no_name_are_said_in_words(
    check, old: str, new: str, said: str
) -> None:
    found = check(STAGED, (old, new))["batchnorm_forward"]
    assert (found.verdict, found.fault) == ("wrong-forward", "unknown")
    assert said in found.message


def test_rows_that_are_not_moved_back_are_told(check) -> None:
    found = check("spatial_batchnorm_transpose_cs231n.py", (
        "return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta",
        "return dx.reshape(N, C, H, W), dgamma, dbeta",
    ))["spatial_batchnorm_backward"]
    assert (found.verdict, found.fault) == ("wrong-backward", "unknown")
    assert "without moving C back first" in found.message


def test_a_term_is_missed_where_gamma_is_missing_too(check) -> None:
    found = check("layernorm_transposed_cs231n.py", ("dhat = (dout * gamma).T", "dhat = dout.T"),
                  (" + dmean / D\n", "\n"))["layernorm_backward"]
    assert (found.verdict, found.fault) == ("wrong-backward", "ln-missing-mean-term")
    assert "bn-gamma-missing" in found.message
