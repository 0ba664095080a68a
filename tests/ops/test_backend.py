"""Choosing a backend; that backends have the same functions; when the compiled one compiles."""

import inspect
import os
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher
from operations import OPERATIONS, Operation

import minicnn
from minicnn import ops
from minicnn.ops import cpu, reference


def run(program: str, **environment: str) -> subprocess.CompletedProcess:
    """A fresh interpreter's run of `program`."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          env=os.environ | environment, check=False)


def kernels() -> dict[str, Dispatcher]:
    """Every compiled function of the CPU backend."""
    modules = [import_module(module.name)
               for module in pkgutil.iter_modules(cpu.__path__, f"{cpu.__name__}.")]
    return {f"{module.__name__}.{name}": member for module in modules
            for name, member in vars(module).items() if isinstance(member, Dispatcher)}


def test_every_backend_has_the_same_functions() -> None:
    assert set(reference.__all__) == set(cpu.__all__) <= set(ops.__all__)
    for name in reference.__all__:
        parameters = [inspect.signature(getattr(module, name)).parameters.values()
                      for module in (reference, cpu, ops)]
        settings = [[(item.name, item.kind, item.default) for item in some] for some in parameters]
        assert settings[0] == settings[1] == settings[2]
        assert getattr(ops, name).__doc__ == getattr(reference, name).__doc__


def test_operations_run_on_the_chosen_backend(
    chosen: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert minicnn.backend_name() == chosen.__name__.rpartition(".")[2]
    assert ops.backend() is chosen
    monkeypatch.setattr(chosen, "softmax", lambda x: ("called", x))
    assert ops.softmax(3) == ("called", 3)


def test_a_choice_ends_with_its_block() -> None:
    before = minicnn.backend_name()
    with minicnn.use_backend("reference"):
        with minicnn.use_backend("cpu"):
            assert minicnn.backend_name() == "cpu"
        assert minicnn.backend_name() == "reference"
        with pytest.raises(KeyError), minicnn.use_backend("cpu"):
            raise KeyError
        assert minicnn.backend_name() == "reference"
    assert minicnn.backend_name() == before


@pytest.mark.parametrize("name", ["gpu", "", "CPU", None, "backend"])
def test_an_unknown_backend(name: object) -> None:
    before = minicnn.backend_name()
    with pytest.raises(minicnn.InputError, match="^backend: expected one of cpu, reference"):
        minicnn.use_backend(name)
    assert minicnn.backend_name() == before


@pytest.mark.parametrize(("value", "printed"), [("reference", "reference"), ("", "cpu")])
def test_the_environment_chooses_the_first_backend(value: str, printed: str) -> None:
    result = run("import minicnn; print(minicnn.backend_name())", MINICNN_BACKEND=value)
    assert (result.stdout.strip(), result.stderr) == (printed, "")


def test_the_environment_names_an_unknown_backend() -> None:
    result = run("import minicnn; minicnn.backend_name()", MINICNN_BACKEND="gpu")
    assert "MINICNN_BACKEND: expected one of cpu, reference, got 'gpu'" in result.stderr


def test_an_import_compiles_nothing(tmp_path: Path) -> None:
    program = "import minicnn, minicnn.ops.cpu"
    result = run(program, NUMBA_CACHE_DIR=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_kernels_are_cached_on_disk() -> None:
    for name, kernel in kernels().items():
        assert type(kernel._cache).__name__ == "FunctionCache", name
    assert len(kernels()) > 20


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)
def test_no_layout_compiles_a_kernel_again(operation: Operation) -> None:
    x = np.abs(np.random.default_rng(0).standard_normal(operation.x_shape)).astype(np.float32)

    def run_with(x: np.ndarray) -> None:
        y, cache = operation.forward(cpu, x)
        dy = y.copy()
        dy.flags.writeable = x.flags.writeable
        operation.backward(cpu, dy, cache)
        operation.backward(cpu, np.asfortranarray(dy), cache)

    run_with(x)
    before = {name: len(kernel.signatures) for name, kernel in kernels().items()}
    read_only = x.copy()
    read_only.flags.writeable = False
    for other in (read_only, np.asfortranarray(x), x[::-1], x.astype(">f4"), x.astype(np.float16),
                  x.astype(np.int32)):
        run_with(other)
    assert {name: len(kernel.signatures) for name, kernel in kernels().items()} == before
