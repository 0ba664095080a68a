"""`check_functions` on what a program has defined, and in a notebook that runs."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from minicnn.checking import check_functions

RELU = """
import numpy as np

def relu_forward(x):
    return np.maximum(x, 0), x

def relu_backward(dout, cache):
    return dout * (dout > 0)
"""


def defined(text: str) -> dict[str, Any]:
    """What a cell defines."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(text, namespace)
    return namespace


def test_functions_of_a_namespace_are_judged_as_they_are_now() -> None:
    namespace = defined(RELU)
    found = check_functions(namespace)
    assert [(each.verdict, each.fault) for each in found] == [
        ("correct", None), ("wrong-backward", "relu-mask-from-dy")]
    exec("def relu_backward(dout, cache): return dout * (cache > 0)", namespace)
    assert [each.verdict for each in check_functions(namespace)] == ["correct", "correct"]


def test_what_is_imported_or_not_asked_for_is_left_out() -> None:
    text = "from minicnn.ops import softmax, dense_forward\n" \
           "def affine_forward(x, w, b): return x.reshape(len(x), -1) @ w + b, x\n"
    namespace = defined(RELU + text)
    assert [each.function for each in check_functions(namespace)] == [
        "affine_forward", "relu_forward", "relu_backward"]
    only = check_functions(namespace, only=["relu_backward"])
    assert [each.function for each in only] == ["relu_forward", "relu_backward"]


def test_an_endless_loop_is_stopped() -> None:
    namespace = defined(RELU.replace("return dout * (dout > 0)", "\n    while True: pass"))
    forward, backward = check_functions(namespace, timeout=0.3)
    assert forward.verdict == "correct"
    assert "took longer than 0.3 s" in backward.message
    assert backward.verdict in ("error", "not-checked")


def test_it_reads_as_in_a_terminal() -> None:
    found = check_functions(defined(RELU))
    assert str(found).startswith("relu_forward   correct\nrelu_backward  wrong-backward  relu-mask")
    html = found._repr_html_()
    assert html.startswith("<pre")
    assert "relu-mask-from-dy" in html
    assert "dout = [[" in html
    assert str(check_functions({})) == "found no function to check"


def test_a_class_is_built_as_one_says() -> None:
    text = """
class Layer:
    def __init__(self, one, other): self.one, self.other = one, other
    def forward(self, x): self.x = x; return x @ self.one + self.other
    def backward(self, dy):
        self.dw, self.db = self.x.T @ dy, dy.sum(0)
        return dy @ self.one.T
"""
    namespace = defined(text)
    assert check_functions(namespace) == []
    found = check_functions(namespace, build="dense: Layer(w, b)")
    assert [each.verdict for each in found] == ["correct", "correct"]


CELLS = (
    "from minicnn.checking import check_functions\n%load_ext minicnn",
    RELU.replace("dout > 0", "cache > 0"),
    "check_functions(globals())",
    "%%check\ndef affine_forward(x, w, b):\n    !echo 1 > /dev/null\n"
    "    return x.reshape(len(x), -1) @ w, (x, w, b)\n\n"
    "def affine_backward(dout, cache):\n    x, w, b = cache\n"
    "    dx = (dout @ w.T).reshape(x.shape)\n"
    "    return dx, x.reshape(len(x), -1).T @ dout, dout.undefined\n\n"
    "def rnn_forward(x):\n    pass",
    "%%check BatchNorm(gamma, beta)\nclass BatchNorm:\n"
    "    def __init__(self, one, other):\n        self.one, self.other = one, other\n"
    "    def forward(self, x):\n        self.sd = x.std(0)\n"
    "        self.n = (x - x.mean(0)) / self.sd\n"
    "        return self.one * self.n + self.other\n"
    "    def backward(self, dy):\n"
    "        self.dgamma, self.dbeta = (dy * self.n).sum(0), dy.sum(0)\n"
    "        return self.one / self.sd * (dy - dy.mean(0))",
)


@pytest.mark.slow(seconds=15)
def test_in_a_notebook_that_runs(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(
        notebook, timeout=300, kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    outputs = [[each["data"] for each in cell.outputs if "data" in each]
               for cell in notebook.cells]
    assert json.dumps([cell.outputs for cell in notebook.cells]).count("Traceback") == 0
    assert outputs[0] == outputs[1] == []
    (shown,) = outputs[2]
    assert shown["text/plain"] == "relu_forward   correct\nrelu_backward  correct"
    assert shown["text/html"].startswith("<pre")
    (shown,) = outputs[3]
    text = shown["text/plain"]
    assert "affine_forward   wrong-forward  dense-bias-missing" in text
    assert "affine_backward raised in line 9: AttributeError" in text
    assert "relu" not in text
    assert "not looked at: rnn_forward" in text
    (shown,) = outputs[4]
    assert "BatchNorm.backward  wrong-backward  bn-missing-variance-term" in shown["text/plain"]
