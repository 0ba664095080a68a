"""Kernels in forked processes, in several Python threads, and without Numba's compiler."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from minicnn import ops

FORKED = """
import multiprocessing, sys
import numpy as np
from minicnn import Sequential, layers

model = Sequential([layers.Conv2D(4), layers.BatchNorm(),
                           layers.ReLU(), layers.MaxPool2D(),
                           layers.Flatten(), layers.Dense(7)], (12, 12, 1), seed=0)
x = np.random.default_rng(0).standard_normal((9, 12, 12, 1), dtype=np.float32)
dy = np.random.default_rng(1).standard_normal((9, 7), dtype=np.float32)


def work(number):
    y = model.forward(x + number, training=True)
    dx = model.backward(dy)
    return y.tobytes() + dx.tobytes() + b"".join(p.grad.tobytes() for p in model.parameters())


if __name__ == "__main__":
    before = [work(number) for number in range(3)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        answers = pool.map_async(work, range(3)).get(timeout=240)
    assert answers == before
    assert work(0) == before[0]
    print("the same bits")
"""

LOADER = """
import multiprocessing
import numpy as np
from minicnn import data, ops

change = data.Augmentation(flip=True, shift=0.1)
images = np.random.default_rng(0).random((6, 48, 48, 1), dtype=np.float32)


def load(number):
    return change(images, np.random.default_rng(number)).tobytes()


if __name__ == "__main__":
    ops.relu_forward(images)
    before = [load(number) for number in range(3)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(load, range(3)).get(timeout=240) == before
    print("the same bits")
"""

STARTED = """
import multiprocessing, sys, threading
import numba
import numpy as np
from minicnn import ops

x = np.arange(-6, 6, dtype=np.float32).reshape(3, 4)


def count():
    ops.cpu.thread_count()


def a_kernel_of_the_user():
    @numba.njit(parallel=True)
    def total(values):
        result = 0.0
        for i in numba.prange(values.size):
            result += values[i]
        return result
    total(np.ones(9))


def a_thread_that_compiles():
    from numba.core import event
    compiles = threading.Event()
    class Listener(event.Listener):
        def on_start(self, started):
            compiles.set()
        def on_end(self, ended):
            pass
    ops.cpu.thread_count()
    event.register("numba:compile", Listener())
    threading.Thread(target=ops.cpu.elu_forward, args=[x], daemon=True).start()
    assert compiles.wait(60)


def work(number):
    return float(ops.cpu.relu_forward(x + number)[0].sum())


if __name__ == "__main__":
    locals()[sys.argv[1]]()
    with multiprocessing.get_context(sys.argv[2]).Pool(2) as pool:
        print(*pool.map_async(work, range(3)).get(timeout=120))
"""

IN_THREADS = """
import threading
import numpy as np
from minicnn import ops

x = np.random.default_rng(0).standard_normal((16, 24, 24, 8), dtype=np.float32)
w = np.random.default_rng(1).standard_normal((3, 3, 8, 8), dtype=np.float32)
expected = ops.conv2d_forward(x, w)[0]
wrong = []


def work():
    for _ in range(20):
        if not (ops.conv2d_forward(x, w)[0] == expected).all():
            wrong.append(1)


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("wrong:", len(wrong))
"""

COUNTS = """
import threading
from minicnn import ops

counts = [ops.cpu.thread_count()]
def look():
    counts.append(ops.cpu.thread_count())
def choose():
    ops.cpu.use_threads(2)
for work in (look, choose, look):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
print(*counts, ops.cpu.thread_count())
"""


def ended(program: str, **changes: object) -> "subprocess.CompletedProcess[str]":
    """A fresh process; it is given up after five minutes."""
    environment = {**os.environ, **{name: str(value) for name, value in changes.items()}}
    environment.pop("MINICNN_BACKEND", None)
    return subprocess.run([sys.executable, "-c", program], env=environment, text=True,
                          capture_output=True, timeout=300)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
@pytest.mark.slow(seconds=20)
@pytest.mark.parametrize("layer", ["default", "workqueue"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_pool_computes_the_same_bits(threads: int, layer: str) -> None:
    result = ended(FORKED, MINICNN_NUM_THREADS=threads, NUMBA_NUM_THREADS=2,
                   NUMBA_THREADING_LAYER=layer)
    assert result.stdout == "the same bits\n", result.stderr


@needs_fork
@pytest.mark.slow(seconds=6)
def test_a_forked_pool_augments_images() -> None:
    result = ended(LOADER, NUMBA_NUM_THREADS=2)
    assert result.stdout == "the same bits\n", result.stderr


@needs_fork
@pytest.mark.slow(seconds=5)
@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("start", ["count", "a_kernel_of_the_user", "a_thread_that_compiles"])
def test_a_pool_answers_whatever_started_the_threads(
    start: str, method: str, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(STARTED)
    result = subprocess.run(
        [sys.executable, str(program), start, method], text=True, capture_output=True, timeout=300,
        env={**os.environ, "NUMBA_NUM_THREADS": "2", "NUMBA_CACHE_DIR": str(tmp_path / "kernels")},
    )
    assert result.stdout == "15.0 21.0 28.0\n", result.stderr


@pytest.mark.slow(seconds=2)
@pytest.mark.parametrize("layer", ["tbb", "nonsense"])
def test_threads_that_cannot_start_are_refused(layer: str) -> None:
    if layer == "tbb" and find_spec("tbb"):
        pytest.skip("needs a machine without TBB")
    program = "import numpy as np; from minicnn import ops; ops.cpu.relu_forward(np.ones((2, 3)))"
    result = ended(program, NUMBA_THREADING_LAYER=layer)
    said = "NUMBA_THREADING_LAYER: expected default, or a layer that Numba can load here, got "
    assert f"InputError: {said}'{layer}'" in result.stderr


@pytest.mark.slow(seconds=6)
@pytest.mark.parametrize("layer", ["default", "workqueue"])
def test_python_threads_compute_at_once(layer: str) -> None:
    result = ended(IN_THREADS, NUMBA_NUM_THREADS=2, NUMBA_THREADING_LAYER=layer)
    assert result.stdout == "wrong: 0\n", result.stderr


@pytest.mark.slow(seconds=2)
def test_the_number_of_threads_holds_in_every_python_thread() -> None:
    result = ended(COUNTS, NUMBA_NUM_THREADS=3, MINICNN_NUM_THREADS=1)
    assert result.stdout == "1 1 2 2\n", result.stderr


@pytest.mark.slow(seconds=3)
def test_without_numbas_compiler_the_reference_computes() -> None:
    program = "import numpy as np; from minicnn import ops; ops.relu_forward(np.ones((2, 3)))"
    program += "; print(ops.backend_name(), ops.available_backends()[0])"
    result = ended(program, NUMBA_DISABLE_JIT=1)
    assert result.stdout == "reference reference\n"
    (line,) = result.stderr.splitlines()
    assert "NUMBA_DISABLE_JIT" in line
    refused = ended("from minicnn import ops; ops.use_backend('cpu')", NUMBA_DISABLE_JIT=1)
    assert "InputError: backend: cpu cannot run on this machine: NUMBA_DISABLE_JIT is set" in (
        refused.stderr)


@pytest.mark.slow(seconds=3)
@pytest.mark.parametrize("layer", ["no such layer", "tbb"])
def test_threads_that_are_not_there_are_named(layer: str) -> None:
    if layer == "tbb" and ended("from numba.np.ufunc import tbbpool").returncode == 0:
        pytest.skip("tbb is installed")
    result = ended("from minicnn import ops; ops.use_backend('cpu')", NUMBA_THREADING_LAYER=layer)
    last = result.stderr.splitlines()[-1]
    assert f"NUMBA_THREADING_LAYER asks for {layer!r}" in last
    assert "unset it" in last


def test_a_kernel_alone_gives_the_same_bits() -> None:
    import numpy as np

    from minicnn.compiling import kernels

    with ops.use_backend("cpu"), pytest.MonkeyPatch.context() as patch:
        x = np.random.default_rng(0).standard_normal((5, 7), dtype=np.float32)
        before = ops.relu_forward(x)[0]
        patch.setattr(kernels._team, "serves_all", False)
        patch.setattr(kernels._team, "lost", True)
        assert (ops.relu_forward(x)[0] == before).all()
