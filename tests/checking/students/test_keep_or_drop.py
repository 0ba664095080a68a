"""What a file says p is: the courses' docstrings, students' comments, and what says nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minicnn.checking.students.keep_or_drop import meaning_of_p, statements
from minicnn.checking.students.loading.run import load

KEEP = [
    """- p: Dropout parameter. We keep each neuron output with probability p.
    NOTE: Please implement **inverted** dropout, not the vanilla version of dropout.
    NOTE 2: Keep in mind that p is the probability of **keep** a neuron
    output; this might be contrary to some sources, where it is referred to
    as the probability of dropping a neuron output.""",
    """Here, p is the probability of keeping a neuron output, as opposed to
    the probability of dropping a neuron output.""",
    "Unlike the paper, where p is the probability of dropping, here p is that of keeping; "
    "the probability of keeping is p.",
    "p: keep probability",
    "p = prob of retaining a unit",
    "drop with probability 1 - p",
    "1-p is the probability of dropping",
    "The probability of keeping a unit is p.",
    "each unit survives with probability p",
    "probability p of keeping a unit",
    "We keep a neuron active with some probability p.",
    "dropout_param['p'] is the probability that a neuron stays",
    "Dropout with p as the keep probability",
    "- p: dropout激活参数，每个神经元的激活概率p。",
    "每个神经元以概率p被保留",
    "以 1 - p 的概率丢弃神经元",
    "p의 확률로 뉴런을 유지한다",
]
DROP = [
    """- dropout_param: A dictionary with the following keys:
      - p: Dropout parameter. We drop each neuron output with probability p.
      - mode: 'test' or 'train'. If the mode is train, then perform dropout;
        if the mode is test, then just return the input.
    - cache: In training mode, mask is the dropout
      mask that was used to multiply the input; in test mode, mask is None.""",
    "p is the probability of dropping, not of keeping",
    "p: drop prob",
    "p - the drop rate",
    "p: prob to drop a neuron",
    "the probability of keeping a unit is 1 - p",
    "neurons are zeroed with probability p",
    "setting a unit to 0 with probability p",
    "p is the fraction of units to drop",
    "p is the chance of dropping out a neuron",
    "以概率p丢弃神经元",
    "各ニューロンを確率pで消す",
]
NEITHER = [
    "", "drop!", "keep the mask for backward", "p: dropout probability", "p: dropout rate",
    "A neuron is kept if its random number is smaller than p.", "p is the dropout parameter",
    "In some papers p is the probability of dropping.",
    "p is not the probability of keeping",
    "p: 随机失活概率", "p 不是保留的概率", "p: 保留掩码",
]


@pytest.mark.parametrize("text", KEEP)
def test_keeping(text: str) -> None:
    assert {each.drops for each in statements(text)} == {False}


@pytest.mark.parametrize("text", DROP)
def test_dropping(text: str) -> None:
    assert {each.drops for each in statements(text)} == {True}


@pytest.mark.parametrize("text", NEITHER)
def test_neither(text: str) -> None:
    assert not list(statements(text))


BODY = """{module}
import numpy as np
{above}
def dropout_forward(x, dropout_param):
    {docstring}
    p = dropout_param["p"]{comment}
    return x, p
"""


def _function(folder: Path, **parts: str) -> Callable[..., Any]:
    parts = {**dict.fromkeys(("module", "above", "docstring", "comment"), ""), **parts}
    path = folder / "student.py"
    path.write_text(BODY.format(**parts), encoding="utf-8")
    function: Callable[..., Any] = load(path).module.dropout_forward
    return function


@pytest.mark.parametrize(("parts", "drops"), [
    ({"docstring": "'We drop with probability p.'"}, True),
    ({"docstring": "'We drop with probability p.'", "comment": "  # keep probability"}, True),
    ({"comment": "  # keep probability"}, False),
    ({"comment": "\n    # drop every unit\n    # with probability p"}, True),
    ({"above": "# p: prob. of keeping"}, False),
    ({"module": "'''Here we keep with probability p.'''", "above": "# p: drop prob."}, False),
    ({"module": "'''Drop and keep.'''"}, None),
    ({"docstring": r"'We drop with probability p.\n\nWe keep with probability p.'"}, None),
])
def test_the_docstring_decides_then_a_comment_then_the_file(
    parts: dict[str, str], drops: bool | None, tmp_path: Path
) -> None:
    found = meaning_of_p(_function(tmp_path, **parts))
    assert (found.drops if found else None) == drops


def test_a_function_without_a_source() -> None:
    module: dict[str, Any] = {}
    exec("def dropout_forward(x, dropout_param):\n    'We keep with probability p.'", module)
    found = meaning_of_p(module["dropout_forward"])
    assert found is not None
    assert found.quote == "We keep with probability p."
