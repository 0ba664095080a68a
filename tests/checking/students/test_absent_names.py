"""Functions that use a module which is not here: they are not checked, and nobody is blamed."""

from pathlib import Path

import pytest
from submission_checks import findings_of

from minicnn.checking import Finding

RELU = """
{imports}

def relu_forward(x):
    return {call}, x

def relu_backward(dout, cache):
    return dout * (cache > 0)
"""


def found_in(tmp_path: Path, text: str) -> dict[str, Finding]:
    path = tmp_path / "student.py"
    path.write_text(text, encoding="utf-8")
    return {each.function: each for each in findings_of(path)}


@pytest.mark.parametrize(("imports", "call", "verdict", "words"), [
    ("from my_absent_tools import clip", "clip(x)", "not-checked",
     "No module named 'my_absent_tools'"),
    ("import my_absent_tools as t", "t.deep.clip(x)", "not-checked",
     "No module named 'my_absent_tools'"),
    ("from my_absent_tools import *", "clip(x)", "not-checked",
     "name 'clip' is not defined: it may come from my_absent_tools, which is not here"),
    ("import math", "clip(x)", "error", "name 'clip' is not defined"),
    ("from math import *", "clip(x)", "error", "name 'clip' is not defined"),
    ("from my_absent_tools import *", "x.clip_below(0)", "error", "no attribute 'clip_below'"),
])
def test_what_is_not_here_is_nobodys_mistake(
    tmp_path: Path, imports: str, call: str, verdict: str, words: str
) -> None:
    found = found_in(tmp_path, RELU.format(imports=imports, call=call))
    assert found["relu_forward"].verdict == verdict
    assert words in found["relu_forward"].message
    assert found["relu_backward"].verdict == "not-checked"


@pytest.mark.parametrize(("imports", "prefix", "words"), [
    ("import my_absent_course.layers as L", "L.", "it calls layers of my_absent_course"),
    ("from my_absent_course import layers", "layers.", "it calls layers of my_absent_course"),
    ("from my_absent_course.layers import *", "", "affine_forward, which it calls, is not defined"),
])
def test_a_sandwich_of_absent_layers_is_judged(
    tmp_path: Path, imports: str, prefix: str, words: str
) -> None:
    text = """
{imports}

def affine_relu_forward(x, w, b):
    a, first = {prefix}affine_forward(x, w, b)
    out, second = {prefix}relu_forward(a)
    return out, (first, second)

def affine_relu_backward(dout, cache):
    return {prefix}affine_backward({prefix}relu_backward(dout, cache[1]), cache[0])
"""
    found = found_in(tmp_path, text.format(imports=imports, prefix=prefix))
    assert {each.verdict for each in found.values()} == {"correct"}
    assert words in found["affine_relu_forward"].message
