"""Sandwich layers: a fault in what they call is not theirs, one of their own is."""

from pathlib import Path

import numpy as np
import pytest
from submission_checks import SUBMISSIONS, findings_of, planted

from minicnn.checking import Finding
from minicnn.checking.students import course_layers
from minicnn.checking.students.course_layers import COURSE_LAYERS, right_layers
from minicnn.checking.students.operations.case import Case, upstream
from minicnn.checking.students.operations.sandwich import SANDWICHES, Sandwich

LAYERS = "sandwich_layers_cs231n.py"


def found_in(tmp_path: Path, old: str, new: str) -> dict[str, Finding]:
    return {each.function: each for each in findings_of(planted(tmp_path, LAYERS, old, new))}


def test_what_is_not_in_the_file_is_named() -> None:
    found = {each.function: each for each in findings_of(SUBMISSIONS / LAYERS)}
    assert {each.verdict for each in found.values()} == {"correct"}
    assert not found["affine_relu_forward"].message
    assert found["conv_relu_pool_forward"].message == (
        "note: it is right itself; conv_forward_fast, which it calls, is not defined here (it "
        "belongs to the course's fast_layers)")


@pytest.mark.parametrize(("old", "new", "guilty", "calls"), [
    ("np.sum(dout, axis=0)", "np.mean(dout, axis=0)", "affine_backward", "affine_relu_backward"),
    ("np.where(cache, dout, 0)", "dout", "relu_backward", "affine_relu_backward"),
    ("rows.dot(w) + b", "rows.dot(w)", "affine_forward", "affine_relu_forward"),
    ("np.where(cache, dout, 0)", "1 / 0", "relu_backward", "affine_relu_backward"),
])
def test_a_fault_in_what_a_sandwich_calls_is_not_its_own(
    tmp_path: Path, old: str, new: str, guilty: str, calls: str
) -> None:
    found = found_in(tmp_path, old, new)
    assert found[guilty].verdict != "correct"
    assert found[calls].verdict == "correct"
    assert found[calls].message.startswith("note: it is right itself, but not ")
    assert guilty in found[calls].message


@pytest.mark.parametrize(("old", "new", "function", "words"), [
    ("affine_backward(relu_backward(dout, relu_cache), fc_cache)",
     "affine_backward(dout, fc_cache)", "affine_relu_backward",
     "The gradient does not pass the backward of ReLU"),
    ("    out, relu_cache = relu_forward(a)\n    return out, (fc_cache, relu_cache)",
     "    out, relu_cache = relu_forward(a)\n    return a, (fc_cache, relu_cache)",
     "affine_relu_forward", "ReLU is left out"),
    ("return dx, dw, db, dgamma, dbeta", "return dx, dw, db, dbeta, dgamma",
     "conv_bn_relu_backward", "dbeta came where dgamma belongs"),
])
def test_a_fault_of_its_own_is_said_in_words(
    tmp_path: Path, old: str, new: str, function: str, words: str
) -> None:
    found = found_in(tmp_path, old, new)
    assert found[function].verdict.startswith("wrong")
    assert words in found[function].message
    others = {name: each for name, each in found.items() if not name.startswith(function[:9])}
    assert {each.verdict for each in others.values()} == {"correct"}


@pytest.mark.parametrize("sandwich", SANDWICHES.values(), ids=list(SANDWICHES))
def test_gradients_agree_with_differences(sandwich: Sandwich) -> None:
    case = sandwich.cases[0]
    y = sandwich.right_forward(case)
    dy = upstream(y.shape, 3)
    gradients = dict(zip(sandwich.gradients, sandwich.right_gradients(case, dy), strict=True))
    rng = np.random.default_rng(7)
    for key, gradient in gradients.items():
        name, direction = key[1:], rng.standard_normal(case[key[1:]].shape)
        moved = [
            sandwich.right_forward(Case(
                {**case.arrays, name: case[name] + t * direction}, case.settings
            )) for t in (1e-6, -1e-6)
        ]
        slope = ((moved[0] - moved[1]) * dy).sum() / 2e-6
        assert (gradient * direction).sum() == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_names_are_as_before_afterwards() -> None:
    names = {"affine_forward": 1, "layers": course_layers, "np": np}
    exec("def sandwich():\n    return affine_forward, relu_forward", names)
    own = dict(names)
    with right_layers(names["sandwich"], but="affine_forward"):
        assert names["sandwich"]() == (1, COURSE_LAYERS["relu_forward"])
    assert {name: names[name] for name in own} == own
    assert names.keys() == own.keys()


def test_relu_and_a_maximum_may_change_places(tmp_path: Path) -> None:
    path = tmp_path / "student.py"
    path.write_text("""
def conv_relu_pool_forward(x, w, b, conv_param, pool_param):
    a, first = conv_forward_fast(x, w, b, conv_param)
    s, second = max_pool_forward_fast(a, pool_param)
    out, third = relu_forward(s)
    return out, (first, second, third)

def conv_relu_pool_backward(dout, cache):
    first, second, third = cache
    ds = max_pool_backward_fast(relu_backward(dout, third), second)
    return conv_backward_fast(ds, first)
""")
    assert [each.verdict for each in findings_of(path)] == ["correct", "correct"]


def test_a_backward_of_its_own_wrong_forward_is_said_to_be_that(tmp_path: Path) -> None:
    path = tmp_path / "student.py"
    path.write_text("""
def affine_bn_relu_forward(x, w, b, gamma, beta, bn_param):
    a, first = affine_forward(x, w, b)
    r, second = relu_forward(a)
    out, third = batchnorm_forward(r, gamma, beta, bn_param)
    return out, (first, second, third)

def affine_bn_relu_backward(dout, cache):
    first, second, third = cache
    d, dgamma, dbeta = batchnorm_backward(dout, third)
    dx, dw, db = affine_backward(relu_backward(d, second), first)
    return dx, dw, db, dgamma, dbeta
""")
    forward, backward = findings_of(path)
    assert (forward.verdict, forward.fault) == ("wrong-forward", "unknown")
    assert "ReLU comes before batch norm" in forward.message
    assert backward.verdict == "correct"
    assert "it is the gradient of the forward in this file" in backward.message


def test_layers_in_the_wrong_order_raise_also_where_they_are_not_in_the_file(
    tmp_path: Path
) -> None:
    path = tmp_path / "student.py"
    path.write_text("""
def affine_relu_forward(x, w, b):
    a, first = affine_forward(x, w, b)
    out, second = relu_forward(a)
    return out, (first, second)

def affine_relu_backward(dout, cache):
    dx, dw, db = affine_backward(dout, cache[0])
    return relu_backward(dx, cache[1]), dw, db
""")
    forward, backward = findings_of(path)
    assert (forward.verdict, backward.verdict) == ("correct", "error")
    assert "operands could not be broadcast" in backward.message


BN = """
def affine_bn_relu_forward({parameters}):
    a, first = affine_forward({affine})
    n, second = batchnorm_forward(a, {norm})
    out, third = relu_forward(n)
    return out, (first, second, third)
"""


@pytest.mark.parametrize(("parameters", "affine", "norm", "judged"), [
    ("x, w, b, gamma, beta, bn_param", "x, w, b", "gamma, beta, bn_param", True),
    ("X, W, b, gamma, beta, params", "X, W, b", "gamma, beta, params", True),
    ("bn, inputs, g, beta, weights, bias", "inputs, weights, bias", "g, beta, bn", True),
    ("x, w1, b1, g, be, bn, dropout=None", "x, w1, b1", "g, be, bn", True),
    ("x, w, b", "x, w, b", "1, 0, {}", False),
    ("x, gamma, beta, u, v, bn_param", "x, u, v", "gamma, beta, bn_param", False),
    ("x, w, b, gamma, beta, bn_param, how", "x, w, b", "gamma, beta, bn_param", False),
])
def test_arguments_are_told_by_their_names(
    tmp_path: Path, parameters: str, affine: str, norm: str, judged: bool
) -> None:
    path = tmp_path / "student.py"
    path.write_text(BN.format(parameters=parameters, affine=affine, norm=norm))
    assert [each.verdict for each in findings_of(path)] == ["correct"] * judged
