"""Sharing the first compilation with another process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core import event

import minicnn
from minicnn import compile_ahead, layers, optimizers
from minicnn.ops import cpu
from minicnn.sequential import Sequential

STEP = """
import json, sys
import numpy as np
from numba.core import event
import minicnn
from minicnn.sequential import Sequential

class Names(event.Listener):
    names = []
    def on_start(self, event): self.names.append(event.data["dispatcher"].__name__)
    def on_end(self, event): pass

model = Sequential.from_config(json.loads(sys.argv[1]))
x = np.random.default_rng(0).standard_normal((64, *model.input_shape)).astype(model.dtype)
y = model.forward(x, training=True)
with event.install_listener("numba:compile", Names()):
    model.backward(y, input_gradient=False)
print(Names.names)
"""


def network() -> Sequential:
    return Sequential([layers.Dense(5), layers.ReLU(), layers.Dense(3)], (4,))


def run(*arguments: str, cache: Path, **options: str) -> str:
    """What a fresh interpreter prints, with its own cache of kernels."""
    result = subprocess.run(
        [sys.executable, *arguments], env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        capture_output=True, text=True, check=False, **options,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
def test_a_backward_that_was_compiled_ahead_compiles_nothing(tmp_path: Path) -> None:
    architecture = json.dumps(network().config())
    assert "_relu_gradient" in run("-c", STEP, architecture, cache=tmp_path / "without")
    run("-m", "minicnn.compile_ahead", "cpu", cache=tmp_path / "ahead", input=architecture)
    assert run("-c", STEP, architecture, cache=tmp_path / "ahead").strip() == "[]"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to the process, which is none."""
    happened: list[str] = []

    class Helper:
        def terminate(self) -> None:
            happened.append("ended")

        def wait(self) -> None:
            happened.append("gone")

    def start(model: Sequential) -> Helper:
        happened.append(f"started for {len(model)} layers")
        return Helper()

    monkeypatch.setattr(compile_ahead, "_start", start)
    monkeypatch.setattr(cpu, "most_threads", lambda: 2)
    return happened


def compile_something() -> None:
    """What Numba tells when it compiles."""
    for _ in range(2):
        with event.trigger_event("numba:compile"):
            pass


def test_it_starts_at_the_first_kernel_and_ends_with_the_block(started: list[str]) -> None:
    with minicnn.use_backend("cpu"), compile_ahead.compile_ahead(network()):
        assert started == []
        compile_something()
        assert started == ["started for 3 layers"]
    assert started == ["started for 3 layers", "ended", "gone"]


def test_it_ends_where_training_fails(started: list[str]) -> None:
    with (pytest.raises(ZeroDivisionError), minicnn.use_backend("cpu"),
          compile_ahead.compile_ahead(network())):
        compile_something()
        raise ZeroDivisionError
    assert started[1:] == ["ended", "gone"]


@pytest.mark.parametrize(("backend", "threads"), [("reference", 2), ("cpu", 1)])
def test_it_is_not_started_where_it_would_not_help(
    started: list[str], monkeypatch: pytest.MonkeyPatch, backend: str, threads: int
) -> None:
    monkeypatch.setattr(cpu, "most_threads", lambda: threads)
    with minicnn.use_backend(backend), compile_ahead.compile_ahead(network()):
        compile_something()
    assert started == []


@pytest.mark.slow
def test_a_process_that_cannot_be_started_does_not_matter(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(cpu, "most_threads", lambda: 2)
    monkeypatch.setattr(compile_ahead.subprocess, "Popen", refuse)
    model = network()
    before = model.layers[0].parameters()[0].data.copy()
    with minicnn.use_backend("cpu"), compile_ahead.compile_ahead(model):
        compile_something()
        y = model.forward(np.ones((2, 4), np.float32), training=True)
        model.backward(y)
        optimizers.SGD(model.parameters(), lr=1.0).step()
    assert not np.array_equal(before, model.layers[0].parameters()[0].data)
