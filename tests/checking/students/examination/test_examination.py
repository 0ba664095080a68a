"""What `minicnn check` must not blame, must not miss, and must not name wrongly."""

import json
from pathlib import Path

import pytest
from submission_checks import SUBMISSIONS, findings_of

from minicnn.checking import Finding

BATCHNORM = (SUBMISSIONS / "batchnorm_backward_alt_cs231n.py").read_text(encoding="utf-8")
POOL = (SUBMISSIONS / "pool_onehot_cs231n.py").read_text(encoding="utf-8")

DENSE = """
def dense_forward(x, w, b=None):
    return x @ w + b, (x, w)

def dense_backward(dy, cache):
    x, w = cache
    return dy @ w.T, x.T @ dy, dy.sum(0)
"""

AFFINE = """
def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w)

def affine_backward(dout, cache):
    x, w = cache
    rows = x.reshape(len(x), -1)
    return (dout @ w.T).reshape(x.shape), rows.T @ dout, dout.sum(0)
"""

FEATURES = """
import numpy as np

def batchnorm_forward(x, gamma, beta, bn_param):
    eps, m = bn_param["eps"], bn_param["momentum"]
    if bn_param["mode"] == "test":
        r = 1 / np.sqrt(bn_param["running_var"] + eps)
        return gamma * (x - bn_param["running_mean"]) * r + beta, None
    mean, var = x.mean(0), x.var(0)
    bn_param["running_mean"] = m * bn_param["running_mean"] + (1 - m) * mean
    bn_param["running_var"] = m * bn_param["running_var"] + (1 - m) * var
    r = 1 / np.sqrt(var + eps)
    xhat = (x - mean) * r
    return gamma * xhat + beta, (x - mean, xhat, gamma, r)

def batchnorm_backward(dout, cache):
    centred, xhat, gamma, r = cache
    m = len(dout)
    dbeta, dgamma = dout.sum(0), (dout * xhat).sum(0)
    return gamma * r / m * (m * dout - dbeta - xhat * dgamma), dgamma, dbeta
"""

DROPOUT = """
import numpy as np

def dropout_forward(x, *, rate, training, rng):
    m = (rng.random(x.shape) >= rate) / (1 - rate) if training else np.ones(x.shape)
    return x * m, m

def dropout_backward(dy, cache):
    return dy * cache
"""

TIMED = """
def timed(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

"""


@pytest.fixture
def check(tmp_path: Path):
    """The findings about a text, by function."""
    def findings(text: str) -> dict[str, Finding]:
        path = tmp_path / "student.py"
        path.write_text(text, encoding="utf-8")
        return {finding.function: finding for finding in findings_of(path)}

    return findings


def changed(text: str, *edits: tuple[str, str]) -> str:
    """A text with edits, each of which must find its place."""
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


def verdicts(found: dict[str, Finding]) -> dict[str, tuple[str, str | None]]:
    return {name: (finding.verdict, finding.fault) for name, finding in found.items()}


@pytest.mark.parametrize("text", [DENSE, AFFINE, FEATURES, BATCHNORM, POOL])
def test_the_texts_of_these_tests_are_correct(check, text: str) -> None:
    assert set(verdicts(check(text)).values()) == {("correct", None)}


@pytest.mark.parametrize("text", [
    "def softmax(x):\n    e = np.exp(x - x.max(axis=1, keepdims=True))\n"
    "    return e / e.sum(axis=1, keepdims=True)\n",
    "def softmax(row):\n    assert row.ndim == 1\n    e = np.exp(row - row.max())\n"
    "    return e / e.sum()\n",
])
def test_the_usual_softmax_of_rows_is_right(check, text: str) -> None:
    assert check("import numpy as np\n" + text)["softmax"].verdict == "correct"


def test_a_helper_with_an_axis_is_not_judged(check) -> None:
    helper = "import numpy as np\ndef softmax(scores, axis=0):\n    return scores\n"
    assert set(check(helper + DENSE)) == {"dense_forward", "dense_backward"}


def test_decorated_functions_keep_their_dialect(check) -> None:
    text = TIMED + changed(FEATURES, ("\ndef ", "\n@timed\ndef "))
    assert set(verdicts(check(text)).values()) == {("correct", None)}


@pytest.mark.parametrize("order", ["for q in range(kw) for p in range(kh)",
                                   "for p in reversed(range(kh)) for q in range(kw)"])
def test_any_one_of_tied_maxima_may_receive(check, order: str) -> None:
    text = f"""
import numpy as np

def max_pool_forward_naive(x, pool_param):
    kh, kw, s = (pool_param[key] for key in ("pool_height", "pool_width", "stride"))
    n, c, h, w = x.shape
    out = np.full((n, c, (h - kh) // s + 1, (w - kw) // s + 1), -np.inf)
    for n, c, i, j in np.ndindex(out.shape):
        out[n, c, i, j] = x[n, c, i*s:i*s+kh, j*s:j*s+kw].max()
    return out, (x, pool_param)

def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    kh, kw, s = (pool_param[key] for key in ("pool_height", "pool_width", "stride"))
    dx = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dout.shape):
        p, q = max(((p, q) {order}), key=lambda at: x[n, c, i*s+at[0], j*s+at[1]])
        dx[n, c, i*s+p, j*s+q] += dout[n, c, i, j]
    return dx
"""
    assert set(verdicts(check(text)).values()) == {("correct", None)}


def test_the_gradient_of_a_wrong_forward_is_not_blamed_for_it(check) -> None:
    found = check(changed(FEATURES, ("sqrt(var + eps)", "sqrt(var)")))
    assert verdicts(found) == {
        "batchnorm_forward": ("wrong-forward", "bn-eps-missing"),
        "batchnorm_backward": ("correct", None),
    }
    assert "gradient of the forward in this file" in found["batchnorm_backward"].message


def test_a_gradient_of_nan_is_no_gradient_of_a_wrong_forward(check) -> None:
    text = changed(DENSE, ("+ b,", "+ 2 * b,"), ("dy @ w.T,", "dy @ w.T * float('nan'),"),
                   ("dy.sum(0)", "2 * dy.sum(0)"))
    assert check(text)["dense_backward"].verdict == "wrong-backward"


def test_the_gradient_of_a_wrong_dropout_is_not_blamed_for_it(check) -> None:
    assert set(verdicts(check(DROPOUT)).values()) == {("correct", None)}
    moved = ("return x * m, m", "return x * m + 0.1, m")
    found = check(changed(DROPOUT, moved))
    assert verdicts(found) == {
        "dropout_forward": ("wrong-forward", "unknown"), "dropout_backward": ("correct", None)}
    assert "gradient of the forward in this file" in found["dropout_backward"].message
    for slip in ("dy * cache ** 2", "dy * (cache > 0)"):
        backward = check(changed(DROPOUT, moved, ("dy * cache", slip)))["dropout_backward"]
        assert backward.verdict == "wrong-backward"
        assert "Mend forward first" in backward.message
    # a generator that everybody shares draws the same for both, one's own does not
    common = check(changed(DROPOUT, moved, ("rng.random", "np.random.random")))
    assert common["dropout_backward"].verdict == "correct"
    own = check(changed(DROPOUT, moved, ("rng.random", "OWN.random"), (
        "import numpy as np", "import numpy as np\nOWN = np.random.default_rng()")))
    assert own["dropout_backward"].fault != "dropout-new-mask-in-backward"


def test_a_gradient_without_dy_is_said_to_be_none(check) -> None:
    found = check(changed(DROPOUT, ("return dy * cache", "return cache")))["dropout_backward"]
    assert found.verdict == "wrong-backward"
    assert found.message.endswith("elsewhere no multiple of dy.")


def test_a_backward_that_is_missing_or_misspelt_is_missed(check) -> None:
    found = check(changed(DROPOUT, ("def dropout_backward", "def dropout_backwards")))
    assert verdicts(found) == {"dropout_forward": ("correct", None)}
    assert found["dropout_forward"].message == "There is no dropout_backward beside it."


@pytest.mark.parametrize("forward", [
    ("/ (1 - rate) if", "/ 1 if"), ("else np.ones(x.shape)", "else 0.7 * np.ones(x.shape)"),
])
@pytest.mark.parametrize("evaluation", ["dy * 0.5", "-dy", "0 * dy"])
def test_a_dropout_that_is_wrong_in_evaluation_is_not_excused_by_training(
    check, forward: tuple[str, str], evaluation: str
) -> None:
    found = check(changed(DROPOUT, forward, ("return x * m, m", "return x * m, (m, training)"), (
        "return dy * cache", f"return dy * cache[0] if cache[1] else {evaluation}")))
    assert found["dropout_forward"].verdict == "wrong-forward"
    assert found["dropout_backward"].verdict == "wrong-backward"


def test_evidence_is_json_where_dropout_divides_by_nothing(check) -> None:
    text = changed(DROPOUT, ("/ (1 - rate)", "/ np.where(np.arange(x.size) == 9, 0.0, 1 - rate)"
                             ".reshape(x.shape)"))
    found = check(text)["dropout_forward"]
    assert found.verdict == "wrong-forward"
    json.dumps(found.as_dict(), allow_nan=False)


@pytest.mark.parametrize(("wrong", "old", "new"), [
    ("batchnorm_forward", "*, training, momentum", "*, train, momentum"),
    ("dropout_forward", "rate, training", "rate, train"),
])
def test_arguments_of_other_names_are_named(check, wrong: str, old: str, new: str) -> None:
    text = changed(
        "def batchnorm_forward(x, gamma, beta, running_mean, running_var, *, training,"
        " momentum=0.9, eps=1e-5):\n    return 17 * x, None\n\n"
        "def dropout_forward(x, *, rate, training, rng):\n    return x, None\n", (old, new))
    found = check(text)[wrong]
    assert found.verdict == "error"
    assert "takes no argument named" in found.message


def test_a_function_without_an_optional_setting_is_still_judged(check) -> None:
    text = "def batchnorm_forward(x, gamma, beta, running_mean, running_var, *, training,\n" \
           "                      eps=1e-5):\n    return 17 * x, None\n"
    assert check(text)["batchnorm_forward"].verdict == "wrong-forward"


def test_windows_of_two_sizes_are_no_matter_of_choice_in_cs231n(check) -> None:
    text = changed(POOL, ("    dx = np.zeros_like(x)\n",
                          "    dx = np.zeros_like(x)\n    if hp != wp: raise ValueError\n"))
    assert check(text)["max_pool_backward_naive"].verdict == "error"


def test_dgamma_is_blamed_where_dx_is_made_of_it(check) -> None:
    text = changed(FEATURES, ("(dout * xhat).sum(0)", "(dout * centred).sum(0)"))
    finding = check(text)["batchnorm_backward"]
    assert finding.fault == "bn-dgamma-not-normalized"
    assert "Also wrong: dx (bn-std-power)." in finding.message


def test_a_forgotten_factor_is_no_wrong_count(check) -> None:
    text = changed(FEATURES, ("- xhat * dgamma)", "- xhat * dgamma / 2)"))
    finding = check(text)["batchnorm_backward"]
    assert finding.fault == "unknown"
    assert "Your dx is T1 - T2 - 0.5·T3" in finding.message


def test_exchanged_results_are_recognised(check) -> None:
    finding = check(changed(FEATURES, (", dgamma, dbeta", ", dbeta, dgamma")))["batchnorm_backward"]
    assert "dbeta came where dgamma belongs" in finding.message
    finding = check(changed(AFFINE, ("return (dout @ w.T).reshape(x.shape), rows.T @ dout,",
                                     "return rows.T @ dout, (dout @ w.T).reshape(x.shape),")))
    assert finding["affine_backward"].verdict == "error"
    assert "dw came where dx belongs" in finding["affine_backward"].message


def test_dx_of_another_shape_than_x_is_an_error(check) -> None:
    finding = check(changed(AFFINE, (".reshape(x.shape)", "")))["affine_backward"]
    assert finding.verdict == "error"
    assert "dx should have shape (5, 2, 3), got (5, 6)." in finding.message


def test_what_raises_is_shown_on_a_small_input(check) -> None:
    text = changed(DENSE, ("x.T @ dy", "x @ dy"))
    finding = check(text)["dense_backward"]
    assert finding.verdict == "error"
    assert "with x of shape (" in finding.message
    assert len(finding.evidence["input"]["x"]) <= 3


def test_the_cited_equation_is_that_of_the_wrong_gradient(check) -> None:
    found = check(changed(DENSE, ("x.T @ dy", "x.T @ dy / len(dy)")))["dense_backward"]
    assert found.fault == "dense-db-averaged"
    assert found.equation == {"topic": "dense", "number": 3, "lines": ["dw = xᵀ · dy"]}


def test_running_statistics_may_keep_their_axes(check) -> None:
    text = changed(FEATURES, ("mean, var = x.mean(0), x.var(0)",
                              "mean, var = x.mean(0, keepdims=True), x.var(0, keepdims=True)"))
    assert check(text)["batchnorm_forward"].verdict == "correct"
