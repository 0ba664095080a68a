"""Files as students leave them: in packages, with what is not here, run as scripts, as notebooks.

The functions of each are right, and said to be.
"""

import json
from pathlib import Path

import pytest

from minicnn import InputError
from minicnn.checking import Findings, check_file

RELU = """import numpy as np

def relu_forward(x):
    return np.maximum(x, 0), x

def relu_backward(dout, cache):
    return dout * (cache > 0)
"""
BOTH = ["relu_forward", "relu_backward"]


def check(path: Path, text: str = RELU, encoding: str = "utf-8", timeout: float = 10) -> Findings:
    """The findings about a file with this text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return check_file(path, timeout=timeout)


def right(findings: Findings) -> list[str]:
    return [each.function for each in findings if each.verdict == "correct"]


def notebook(*cells: str) -> str:
    return json.dumps({"nbformat": 4, "cells": [
        {"cell_type": "markdown", "source": "# Layers"},
        *({"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells),
    ]})


@pytest.mark.slow(seconds=8)
@pytest.mark.parametrize(("name", "text", "encoding"), [
    ("bom.py", "\ufeff" + RELU, "utf-8"),
    ("crlf.py", RELU.replace("\n", "\r\n"), "utf-8"),
    ("latin.py", "# père\n" + RELU, "latin-1"),
    ("declared.py", "# -*- coding: cp1252 -*-\n# “π”\n".replace("π", "x") + RELU, "cp1252"),
    ("notepad.py", RELU, "utf-16"),
    ("homework 2 (copy).v1.2.py", RELU, "utf-8"),
    ("numpy.py", RELU, "utf-8"),
    ("random.py", RELU, "utf-8"),
    ("minicnn.py", RELU, "utf-8"),
])
def test_encodings_and_names_of_files(
    tmp_path: Path, name: str, text: str, encoding: str
) -> None:
    findings = check(tmp_path / name, text, encoding)
    assert right(findings) == BOTH
    assert (findings.notes, findings.not_looked_at) == ([], [])


def test_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text(RELU)
    (tmp_path / "link.py").symlink_to("real.py")
    assert right(check_file(tmp_path / "link.py")) == BOTH


@pytest.mark.slow(seconds=6)
@pytest.mark.parametrize("line", [
    "from .masks import positive",
    "from .masks import *",
    "from . import masks\npositive = masks.positive",
    "from cs231n.masks import positive",
    "from masks import positive",
    "from ..above import positive",
    "from homework.above import positive",
    "import homework.cs231n.masks\npositive = homework.cs231n.masks.positive",
])
@pytest.mark.parametrize("has_init", [True, False])
def test_what_stands_beside_is_imported_as_part_of_its_package(
    tmp_path: Path, line: str, has_init: bool
) -> None:
    package = tmp_path / "homework" / "cs231n"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        if has_init:
            (folder / "__init__.py").write_text("import nothing_of_this_name\n")
    positive = "def positive(x):\n    return x > 0\n"
    (package / "masks.py").write_text(positive)
    (package.parent / "above.py").write_text(positive)
    text = f"{line}\n" + RELU.replace("(cache > 0)", "positive(cache)")
    findings = check(package / "layers.py", text)
    assert (right(findings), findings.notes) == (BOTH, [])


@pytest.mark.slow(seconds=1)
def test_files_may_import_each_other(tmp_path: Path) -> None:
    package = tmp_path / "cs231n"
    package.mkdir()
    (package / "fast.py").write_text("from .layers import RATE\nfrom cs231n.layers import RATE\n")
    findings = check(package / "layers.py", "RATE = 3\nfrom .fast import *\n" + RELU)
    assert (right(findings), findings.notes) == (BOTH, [])


@pytest.mark.slow(seconds=3)
def test_python_2s_names_by_the_libraries_that_carry_them_over(tmp_path: Path) -> None:
    text = "from __future__ import division, print_function\nfrom builtins import range\n" \
           "from past.builtins import xrange\nfrom past.utils import old_div\n" \
           "from six.moves import cPickle\nassert list(xrange(old_div(5, 2))) == [0, 1]\n"
    findings = check(tmp_path / "layers.py", text.replace("print_function", "annotations") + RELU)
    assert (right(findings), findings.notes) == (BOTH, [])


@pytest.mark.slow(seconds=3)
def test_what_needs_an_absent_module_fails_alone(tmp_path: Path) -> None:
    text = "from .im2col_cython import im2col\nimport absent.nn as nn\n\n" + RELU + """
class Net(nn.Module):
    pass

def affine_forward(x, w, b):
    return im2col(x) @ w + b, (x, w, b)
"""
    findings = check(tmp_path / "layers.py", text)
    assert right(findings) == BOTH
    (wrong,) = (each for each in findings if each.verdict != "correct")
    assert wrong.message.startswith("affine_forward raised in line 16: ModuleNotFoundError: "
                                    "No module named")
    assert "im2col_cython" in wrong.message
    assert [note.partition(":")[0] for note in findings.notes] == ["line 1", "line 2"]
    assert findings.notes[1] == ("line 2: ModuleNotFoundError: No module named 'absent'; what uses "
                                 "it cannot be judged")


@pytest.mark.slow(seconds=1)
def test_a_file_may_do_without_a_module_that_it_tries(tmp_path: Path) -> None:
    text = "try:\n    import absent\nexcept ImportError:\n    absent = None\nassert not absent\n"
    findings = check(tmp_path / "layers.py", text + RELU)
    assert (right(findings), findings.notes) == (BOTH, [])


@pytest.mark.slow(seconds=1)
def test_data_is_found_from_the_files_own_folder(tmp_path: Path) -> None:
    (tmp_path / "table.txt").write_text("3")
    text = "SCALE = int(open('table.txt').read())\n" + RELU.replace(
        "return np", "assert open('table.txt').read() == '3'\n    return np")
    findings = check(tmp_path / "layers.py", text)
    assert (right(findings), findings.notes) == (BOTH, [])


@pytest.mark.slow(seconds=10)
@pytest.mark.parametrize(("line", "note"), [
    ("x = np.load('none.npy')", "line 8: FileNotFoundError"),
    ("n = input('name? ')", "line 8: EOFError"),
    ("1 / 0", "line 8: ZeroDivisionError: division by zero"),
    ("import sys; sys.exit(2)", "the file ends the program when it is imported (sys.exit(2))"),
    ("import argparse; p = argparse.ArgumentParser(); p.add_argument('a'); p.parse_args()",
     "the file ends the program when it is imported"),
    ("import os; os._exit(7)", "importing the file ended the process with status 7"),
    ("while True: pass", "importing the file took longer than 2 s"),
    ("relu_forward(3, 4)", "line 8: TypeError"),
])
def test_what_cannot_be_run_as_a_whole_is_judged_with_a_note(
    tmp_path: Path, line: str, note: str
) -> None:
    findings = check(tmp_path / "layers.py", RELU + line + "\n", timeout=2)
    assert right(findings) == BOTH
    assert findings.notes[0].startswith(note)
    assert findings.notes[0].endswith("; only its imports, definitions and constants were run")


@pytest.mark.slow(seconds=3)
@pytest.mark.parametrize("text", [
    "import argparse\nargparse.ArgumentParser().parse_args()\n" + RELU,
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n" + RELU,
    "import numpy as np\nif __name__ == '__main__':\n"
    + "".join(f"    {line}\n" for line in RELU.splitlines()) + "    relu_forward(3, 4)\n",
])
def test_scripts_are_run_as_they_are(tmp_path: Path, text: str) -> None:
    findings = check(tmp_path / "script.py", text)
    assert (right(findings), findings.notes) == (BOTH, [])


@pytest.mark.slow(seconds=1)
def test_a_file_saved_from_a_notebook_may_have_its_magics(tmp_path: Path) -> None:
    text = "%matplotlib inline\n!pip install 'numpy\nget_ipython().run_line_magic('pylab')\n"
    findings = check(tmp_path / "saved.py", text + RELU)
    assert right(findings) == BOTH
    assert findings.notes == [
        "line 3: NameError: name 'get_ipython' is not defined; only its imports, definitions and "
        "constants were run",
        "lines 1, 2: for IPython alone, which no Python file may have; left out",
    ]


@pytest.mark.slow(seconds=1)
def test_of_many_notes_the_first_are_told(tmp_path: Path) -> None:
    cells = [f"x{number} = np.load('{number}.npy')" for number in range(9)]
    findings = check(tmp_path / "many.ipynb", notebook(RELU, *cells))
    assert right(findings) == BOTH
    assert len(findings.notes) == 5
    assert findings.notes[-1] == "and 5 more like these"


@pytest.mark.slow(seconds=1)
def test_a_link_finds_what_stands_beside_the_file_that_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "masks.py").write_text("def positive(x):\n    return x > 0\n")
    text = "from masks import positive\n" + RELU.replace("(cache > 0)", "positive(cache)")
    (tmp_path / "real" / "layers.py").write_text(text)
    (tmp_path / "link.py").symlink_to("real/layers.py")
    assert right(check_file(tmp_path / "link.py")) == BOTH


@pytest.mark.slow(seconds=1)
def test_an_error_in_a_file_beside_names_both_lines(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("\nx = 1 / 0\n")
    with pytest.raises(InputError, match=r"line 2 \(helpers.py, line 2\): ZeroDivisionError"):
        check(tmp_path / "layers.py", "x = 1\nimport helpers\n")
    (tmp_path / "helpers.py").write_text("\nprint 'x'\n")
    with pytest.raises(InputError, match=r"line 2: helpers.py, line 2: this is Python 2: print"):
        check(tmp_path / "layers.py", "x = 1\nimport helpers\n")


@pytest.mark.slow(seconds=2)
def test_a_notebook_names_cell_and_line(tmp_path: Path) -> None:
    (tmp_path / "cs231n").mkdir()
    (tmp_path / "cs231n" / "layers.py").write_text(RELU)
    text = notebook(
        "%matplotlib inline\nimport numpy as np\nfrom cs231n.layers import *\n",
        "def affine_forward(x, w, b):\n    out = x.reshape(len(x), -1) @ w + b\n"
        "    return out, (x, w, b)\n",
        "x = np.load('none.npy')\naffine_forward(x)\nassert False\n",
        "def affine_backward(dout, cache):\n    x, w, b = cache\n"
        "    return dout / 0, undefined, 1\n",
        "def broken(:\n",
        "%%time\ndef rnn_forward(x):\n    pass\n",
    )
    findings = check(tmp_path / "Layers.ipynb", text)
    assert right(findings) == ["affine_forward", *BOTH]
    (wrong,) = (each for each in findings if each.verdict != "correct")
    assert "raised in cell 4, line 3: NameError: name 'undefined' is not defined" in wrong.message
    assert findings.not_looked_at == ["rnn_forward"]
    assert findings.notes == [
        "cell 5, line 1: SyntaxError: invalid syntax; this cell was left out",
        "cell 3, line 1: FileNotFoundError: [Errno 2] No such file or directory: 'none.npy'; "
        "this statement was left out",
    ]


@pytest.mark.slow(seconds=2)
def test_what_is_not_looked_at_is_named(tmp_path: Path) -> None:
    text = RELU + """
def rnn_forward(x): pass
def conv_foward_naive(x): pass
def BatchNorm_forward(x): pass
def im2col(x): pass
def rel_error(x, y): pass
def eval_numerical_gradient(f, x): pass
def _private_forward(x): pass
def test_forward(): pass
def compute_cost(a): pass
class Sigmoid:
    def forward(self, x): pass
    def backward(self, dy): pass
class Solver:
    pass
"""
    findings = check(tmp_path / "layers.py", text)
    assert right(findings) == BOTH
    assert findings.not_looked_at == [
        "rnn_forward", "conv_foward_naive (conv_forward_naive?)",
        "BatchNorm_forward (batchnorm_forward?)", "compute_cost", "Sigmoid",
    ]
    assert [(each["function"], each["verdict"]) for each in findings.as_dicts()[:3]] == [
        ("relu_forward", "correct"), ("relu_backward", "correct"),
        ("rnn_forward", "not-looked-at"),
    ]
    with pytest.raises(InputError, match="found no function to check.*; it has rnn_forward"):
        check(tmp_path / "other.py", "def rnn_forward(x): pass\n")
