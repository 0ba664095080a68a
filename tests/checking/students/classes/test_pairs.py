"""Classes of a file: which are judged, how one says how they are built, and what is said of others.
"""

from pathlib import Path

import pytest

from minicnn import InputError
from minicnn.checking.students.examination import examine
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.loading.run import load
from minicnn.checking.students.subject import Subject
from minicnn.checking.students.submission import find_pairs, not_looked_at

NORM = """
import numpy as np

class Norm:
    def __init__(self, first, second):
        self.first, self.second = first, second

    def forward(self, x):
        self.std = np.sqrt(x.var(0) + 1e-5)
        self.normal = (x - x.mean(0)) / self.std
        return self.first * self.normal + self.second

    def backward(self, dy):
        self.dbeta, self.dgamma = dy.sum(0), (dy * self.normal).sum(0)
        return self.first / self.std * (
            dy - dy.mean(0) - self.normal * (dy * self.normal).mean(0))

class BatchNorm(Norm):
    pass

class Sigmoid:
    def forward(self, x): pass
    def backward(self, dy): pass
"""


def judged(path: Path, *builds: str) -> dict[str, Finding]:
    """The findings about a file, by function."""
    return {
        finding.function: finding
        for pair in find_pairs(load(path), builds) for finding in examine(Subject(pair, path))
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "norms.py"
    file.write_text(NORM)
    return file


def test_one_whose_arguments_say_nothing_is_not_looked_at(path: Path) -> None:
    assert judged(path) == {}
    assert not_looked_at(load(path), []) == [
        "BatchNorm (how is it built? unknown: first, second)", "Sigmoid"
    ]


def test_one_says_how_a_class_is_built(path: Path) -> None:
    found = judged(path, "BatchNorm(gamma, beta)", "batchnorm: Norm(second=beta, first=gamma)")
    assert {name: each.verdict for name, each in found.items()} == dict.fromkeys(
        ("Norm.forward", "Norm.backward", "BatchNorm.forward", "BatchNorm.backward"), "correct")
    assert found["Norm.forward"].message == "note: evaluation not checked: it cannot be told of it"
    swapped = judged(path, "BatchNorm(beta, gamma)")
    assert swapped["BatchNorm.forward"].verdict == "wrong-forward"


@pytest.mark.parametrize(("build", "message"), [
    ("Norm(gamma, beta)", "expected an operation before a colon, such as batchnorm: Norm(gamma"),
    ("rnn: Norm(gamma, beta)", "expected an operation before a colon"),
    ("Foo(gamma)", "the file has no class Foo with a forward and a backward"),
    ("BatchNorm", "expected a call such as BatchNorm(gamma, beta)"),
    ("BatchNorm(gamma,, beta)", "expected a call such as BatchNorm(gamma, beta)"),
    ("BatchNorm(gamma, shape)", "shape is unknown; expected names among w, b, inputs, outputs"),
])
def test_what_is_said_wrongly_is_refused(path: Path, build: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        find_pairs(load(path), [build])
    assert message in str(caught.value)
    assert caught.value.argument == "build"


@pytest.mark.parametrize(("text", "verdict", "message"), [
    ("def forward(self, x): return x * (x > 0)\n    def backward(self, dy): return dy",
     "wrong-backward", "backward passes dy through unchanged"),
    ("def forward(self, x): return None\n    def backward(self, dy): return dy",
     "not-written", "Relu.forward returns None for y"),
    ("def forward(self, x): raise NotImplementedError\n    def backward(self, dy): return dy",
     "not-written", "Relu.forward is not written yet"),
    ("def forward(self, x): return self.nothing\n    def backward(self, dy): return dy",
     "error", "Relu.forward raised in line 2: AttributeError: 'Relu' object has no attribute"),
    ("def forward(self, x):\n        self.x = x; return np.maximum(x, 0)\n"
     "    def backward(self, dy): dy[self.x <= 0] = 0; return dy", "correct", ""),
])
def test_verdicts_are_those_of_functions(
    tmp_path: Path, text: str, verdict: str, message: str
) -> None:
    file = tmp_path / "layers.py"
    file.write_text(f"class Relu:\n    {text}\nimport numpy as np\n")
    found = judged(file)
    worst = next((each for each in found.values() if each.verdict != "correct"),
                 found["Relu.forward"])
    assert worst.verdict == verdict
    assert message.lower() in worst.message.lower()


def test_a_gradient_by_an_unknown_name_is_taken_if_it_is_alone(tmp_path: Path) -> None:
    text = """
class Linear:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias
    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias
    def backward(self, dy):
        self.step_of_matrix = self.x.T @ dy
        self.step_of_row = dy.sum(0)
        return dy @ self.weight.T
"""
    file = tmp_path / "layers.py"
    file.write_text(text)
    assert {each.verdict for each in judged(file).values()} == {"correct"}
    file.write_text(text.replace("self.step_of_row", "self.other = dy.mean(0)\n"
                                 "        self.step_of_row"))
    found = judged(file)
    assert found["Linear.backward"].verdict == "not-checked"
    assert "leaves no gradient whose name is known" in found["Linear.backward"].message


@pytest.mark.parametrize("text", [
    "class Affine:\n"
    "    def forward(self, x, w, b):\n        self.x, self.w = x, w\n        return x @ w + b\n"
    "    def backward(self, dy): return dy @ self.w.T, self.x.T @ dy, dy.sum(0)\n",
    "class Dense:\n    __slots__ = ('W', 'b', 'x', 'dW', 'db')\n"
    "    def __init__(self, W, b): self.W, self.b = W, b\n"
    "    def forward(self, x):\n        self.x = x\n        return x @ self.W + self.b\n"
    "    def backward(self, dy):\n        self.dW, self.db = self.x.T @ dy, dy.sum(0)\n"
    "        return dy @ self.W.T\n",
    "from dataclasses import dataclass\n@dataclass\nclass Linear:\n"
    "    weight: object\n    bias: object\n"
    "    def forward(self, x):\n        self.x = x\n        return x @ self.weight + self.bias\n"
    "    def backward(self, dy):\n        self.dweight, self.dbias = self.x.T @ dy, dy.sum(0)\n"
    "        return dy @ self.weight.T\n",
])
def test_arrays_at_forward_slots_and_dataclasses(tmp_path: Path, text: str) -> None:
    file = tmp_path / "layers.py"
    file.write_text(text)
    found = judged(file)
    assert [each.verdict for each in found.values()] == ["correct", "correct"], found


@pytest.mark.parametrize(("text", "why"), [
    ("@staticmethod\n    def forward(ctx, x, w): pass", "Linear"),
    ("def __init__(self, **options): pass\n    def forward(self, x): pass",
     "Linear (how is it built? unknown: options)"),
    ("def __init__(self, w, b): pass\n    def forward(self, x, previous): pass",
     "Linear (how is forward called? unknown: previous)"),
])
def test_a_class_that_nobody_can_call_is_not_looked_at(
    tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "layers.py"
    file.write_text(f"class Linear:\n    {text}\n    def backward(self, dy): pass\n")
    assert judged(file) == {}
    assert not_looked_at(load(file), []) == [why]


def test_what_a_class_cannot_be_told_is_not_blamed(tmp_path: Path) -> None:
    file = tmp_path / "layers.py"
    file.write_text("""
import numpy as np

def counted(method):
    def call(*arguments, **options):
        return method(*arguments, **options)
    return call

class LeakyReLU:
    def forward(self, x):
        self.slope = np.where(x > 0, 1, 0.1)
        return x * self.slope
    def backward(self, dy): return dy * self.slope

class Relu:
    @counted
    def forward(self, x):
        self.x = x
        return x * (x > 0)
    @counted
    def backward(self, dy): return dy * (self.x > 0)

class Conv2D:
    def __init__(self, w, b, padding="same"):
        self.w, self.b, self.padding = w, b, padding
    def forward(self, x):
        assert self.padding == "valid"
        self.windows = np.lib.stride_tricks.sliding_window_view(x, self.w.shape[2:], (2, 3))
        return np.einsum("ncijuv,fcuv->nfij", self.windows, self.w) + self.b[:, None, None]
    def backward(self, dy):
        self.dw, self.db = np.einsum("ncijuv,nfij->fcuv", self.windows, dy), dy.sum((0, 2, 3))
        kh, kw = self.w.shape[2:]
        rim = np.pad(dy, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
        windows = np.lib.stride_tricks.sliding_window_view(rim, (kh, kw), (2, 3))
        return np.einsum("nfijuv,fcuv->ncij", windows, self.w[:, :, ::-1, ::-1])
""")
    found = judged(file)
    assert {name: each.verdict for name, each in found.items()} == dict.fromkeys(
        ("Relu.forward", "Relu.backward", "Conv2D.forward", "Conv2D.backward"), "correct")
    assert not_looked_at(load(file), find_pairs(load(file))) == [
        "LeakyReLU (how is it built? unknown: slope)"]


def test_a_layer_of_one_image_is_not_checked(tmp_path: Path) -> None:
    file = tmp_path / "layers.py"
    file.write_text("""
class MaxPool:
    def __init__(self, size=2): self.size = size
    def forward(self, image):
        channels, height, width = image.shape
        return image
    def backward(self, dy): return dy
""")
    found = judged(file)
    assert [each.verdict for each in found.values()] == ["not-checked", "not-checked"]
    assert "takes one image, without a batch" in found["MaxPool.forward"].message
