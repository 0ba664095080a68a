"""Answers before kernels are compiled: whose backend computes, and what it says."""

import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import minicnn
from minicnn import ops
from minicnn.errors import NotCompiledError
from minicnn.inference import first_answers
from minicnn.inference.first_answers import without_waiting

choice = importlib.import_module("minicnn.ops.backend")

PROGRAM = """
import json, sys
import numpy as np
import minicnn
from minicnn.inference.classifier import Classifier

classifier = Classifier.load(sys.argv[1])
faces = np.random.default_rng(5).integers(0, 256, (3, 48, 48), dtype=np.uint8)
print(json.dumps(classifier.probabilities(faces).tolist()))
"""


@pytest.fixture(autouse=True)
def nobody_has_chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The default backend, as in a fresh process."""
    monkeypatch.delenv("MINICNN_BACKEND", raising=False)
    monkeypatch.setattr(choice, "_chosen", None)
    monkeypatch.setattr(choice, "_initial", None)
    monkeypatch.setattr(first_answers, "_left", 6)
    yield


def needs_a_compiler() -> str:
    """The backend that computes; on the cpu a kernel is missing where nothing is compiled."""
    if ops.backend_name() == "cpu" and refused():
        raise NotCompiledError("relu_forward")
    return ops.backend_name()


def refused() -> bool:
    """Whether the cpu backend compiles nothing now."""
    from minicnn.compiling import watching

    return watching._refused.get()


def test_few_pictures_are_computed_by_the_reference_backend_until_they_are_many() -> None:
    assert [without_waiting(needs_a_compiler, views) for views in (2, 3, 2, 1, 1)] == [
        "reference", "reference", "cpu", "reference", "cpu"
    ]
    assert ops.backend_name() == "cpu"
    assert not ops.backend_is_chosen()


def test_kernels_that_are_there_compute() -> None:
    assert [without_waiting(ops.backend_name, 6) for _ in range(3)] == ["cpu"] * 3


def by_use_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_chosen", "cpu")


def by_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINICNN_BACKEND", "cpu")


@pytest.mark.parametrize("choose", [by_use_backend, by_the_variable])
def test_who_has_chosen_the_cpu_gets_it(
    choose: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch)
    assert without_waiting(needs_a_compiler, 1) == "cpu"


def test_the_choice_ends_with_its_block() -> None:
    with minicnn.use_backend("cpu"):
        assert ops.backend_is_chosen()
    assert not ops.backend_is_chosen()
    assert without_waiting(needs_a_compiler, 1) == "reference"


def test_other_python_threads_keep_their_backend() -> None:
    computing, seen = threading.Event(), threading.Event()
    said: list[str] = []

    def compute() -> str:
        name = needs_a_compiler()
        computing.set()
        seen.wait(60)
        return name

    thread = threading.Thread(target=lambda: said.append(without_waiting(compute, 1)))
    thread.start()
    assert computing.wait(60)
    here = (ops.backend_name(), ops.backend_is_chosen())
    seen.set()
    thread.join(60)
    assert (said, here) == (["reference"], ("cpu", False))


def test_another_error_is_the_callers() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        without_waiting(fail, 1)
    assert not refused()


def answers(model: str, cache: Path, **environment: str) -> np.ndarray:
    """What a fresh process answers with this cache of kernels."""
    cleared = {name: value for name, value in os.environ.items() if name != "MINICNN_BACKEND"}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, model], capture_output=True, text=True, check=False,
        env={**cleared, "NUMBA_CACHE_DIR": str(cache), **environment},
    )
    assert ended.returncode == 0, ended.stderr
    return np.array(json.loads(ended.stdout))


@pytest.mark.slow
@pytest.mark.parametrize("model", ["best-single", "paper-bn"])
def test_an_empty_cache_stays_empty_and_the_answers_are_those_of_the_kernels(
    model: str, tmp_path: Path
) -> None:
    before = answers(model, tmp_path)
    assert list(tmp_path.rglob("*.nbc")) == []
    compiled = answers(model, tmp_path, MINICNN_BACKEND="cpu")
    assert list(tmp_path.rglob("*.nbc")) != []
    np.testing.assert_allclose(before, compiled, atol=1e-4)
    np.testing.assert_array_equal(before.argmax(1), compiled.argmax(1))
    np.testing.assert_array_equal(answers(model, tmp_path), compiled)  # the kernels are found
