"""Choosing a backend; that backends have the same functions; when the compiled one compiles."""

import inspect
import json
import os
import pickle
import pkgutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher
from operations import OPERATIONS as EXAMPLES, Operation

import minicnn
from minicnn import ops
from minicnn.ops import cpu, reference
from minicnn.ops.backend import _BODIES, OPERATIONS, bodies
from minicnn.ptx.requirement import installed

choice = import_module("minicnn.ops.backend")


def run(program: str, **environment: str) -> subprocess.CompletedProcess:
    """A fresh interpreter's run of `program`."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          env=os.environ | environment, check=False)


def bodies_in(backend: str) -> dict[str, inspect.Signature]:
    """The public functions that a backend's files define under a door's file's name."""
    found = {}
    for file in {door.__module__.rpartition(".")[2] for door in OPERATIONS.values()}:
        module = import_module(f"minicnn.ops.{backend}.{file}")
        found |= {
            name: inspect.signature(member) for name, member in vars(module).items()
            if inspect.isfunction(member) and not name.startswith("_")
            and member.__module__.startswith("minicnn.ops.") and "linalg" not in member.__module__
        }
    return found


def kernels() -> dict[str, Dispatcher]:
    """Every compiled function of the CPU backend."""
    modules = [import_module(module.name)
               for module in pkgutil.walk_packages(cpu.__path__, f"{cpu.__name__}.")]
    return {f"{module.__name__}.{name}": member for module in modules
            for name, member in vars(module).items() if isinstance(member, Dispatcher)}


def test_every_backend_has_exactly_the_operations() -> None:
    found = {
        name: {operation: [(each.name, each.kind) for each in signature.parameters.values()]
               for operation, signature in bodies_in(name).items()}
        for name in ops.BACKENDS if name != "cuda" or installed()
    }
    found["cpu"].pop("convolutions")  # the choice of an algorithm, of the cpu backend alone
    if "cuda" in found:  # its files define parts of kernels too
        found["cuda"] = {name: found["cuda"][name] for name in OPERATIONS}
    for bodies_of_one in found.values():
        assert bodies_of_one.keys() == OPERATIONS.keys()
        assert bodies_of_one == found["cpu"]


def test_a_star_and_a_dot_find_the_operations() -> None:
    program = """if True:
        import minicnn
        print(minicnn.ops.reference.softmax([0.0, 0.0]), minicnn.ops.cpu.convolutions)
        from minicnn.ops.cpu import *
        print(softmax.__module__, relu_forward.__module__)
        from minicnn.ops import *
        print(softmax.__module__, use_backend.__name__)
    """
    result = run(program)
    assert result.stderr == ""
    first, second, third = result.stdout.splitlines()
    assert first.startswith("[0.5 0.5] <function convolutions")
    assert second == "minicnn.ops.cpu minicnn.ops.cpu"
    assert third == "minicnn.ops.softmax_cross_entropy use_backend"


def test_a_backend_that_this_machine_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    package = SimpleNamespace(available=lambda: False, missing=lambda: "it is far away")
    monkeypatch.setattr(choice, "BACKENDS", (*ops.BACKENDS, "distant"))
    monkeypatch.setitem(choice._PACKAGES, "distant", package)
    with pytest.raises(minicnn.InputError, match="distant cannot run on this machine: it is far"):
        minicnn.use_backend("distant")
    assert package not in ops.every_backend()
    package.available, package.missing = (lambda: True), (lambda: "")
    assert package in ops.every_backend()
    with minicnn.use_backend("distant"):
        assert ops.backend() is package


@pytest.mark.parametrize("package", [cpu, reference])
def test_the_operations_of_a_package_are_the_doors_bound_to_it(package: ModuleType) -> None:
    for name, door in OPERATIONS.items():
        assert getattr(ops, name) is door
        own = getattr(package, name)
        assert own is getattr(package, name)
        assert (own.__name__, own.__doc__) == (name, door.__doc__)
        assert own.__doc__.rstrip()
        assert inspect.signature(own) == inspect.signature(door)
        assert pickle.loads(pickle.dumps(own)) is own
    assert set(OPERATIONS) <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'conv3d_forward'"):
        package.conv3d_forward  # noqa: B018


@pytest.mark.parametrize("name", ops.BACKENDS)
def test_what_a_backend_says_of_itself(name: str) -> None:
    if name not in ops.available_backends():
        pytest.skip(import_module(f"minicnn.ops.{name}").missing())
    with minicnn.use_backend(name):
        backend = ops.backend()
    assert backend.available()
    assert backend.missing() == ""
    assert backend.wait() is None
    assert json.loads(json.dumps(backend.describe())) == backend.describe()
    assert 1 <= backend.thread_count() <= backend.most_threads()
    before = backend.thread_count()
    backend.use_threads(1)
    assert backend.thread_count() == 1
    backend.use_threads(before)
    wide = np.arange(6.0)[::2]
    assert backend.asarray(wide) is wide
    narrow = backend.asarray(wide, np.float32)
    assert narrow.dtype == np.float32
    assert np.asarray(narrow).flags.carray
    assert backend.asarray(narrow, np.float32) is narrow
    def fail(*names: str) -> None:
        pytest.fail("nothing is compiled here")

    with (backend.on_first_compilation(fail), backend.watch_compilation(fail, fail),
          backend.nothing_compiled()):
        pass


def test_a_bound_operation_runs_on_its_own_backend_in_every_thread() -> None:
    x = np.ones((1, 4, 4, 8))
    calls: list[str] = []

    def run(package: ModuleType) -> None:
        for _ in range(50):
            package.relu_forward(x)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("cpu", "reference"):
            body = getattr(_BODIES[name], "relu_forward")  # noqa: B009
            patch.setitem(vars(_BODIES[name]), "relu_forward",
                          lambda x, name=name, body=body: (calls.append(name), body(x))[1])
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(run, [cpu, reference]))
        assert sorted(calls) == ["cpu"] * 50 + ["reference"] * 50
        with minicnn.use_backend("reference"):
            cpu.relu_forward(x)
            assert calls[-1] == "cpu"
            assert minicnn.backend_name() == "reference"
            with pytest.raises(TypeError):
                cpu.relu_forward("no numbers")
            ops.relu_forward(x)
            assert calls[-1] == "reference"


def test_operations_run_on_the_chosen_backend(
    chosen: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert minicnn.backend_name() == chosen.__name__.rpartition(".")[2]
    assert ops.backend() is import_module(chosen.__name__)
    monkeypatch.setitem(vars(bodies()), "softmax", lambda x: ("called", *np.asarray(x)))
    assert ops.softmax([3.0]) == ("called", 3.0)


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
    assert "MINICNN_BACKEND: expected one of cpu, reference, cuda, got 'gpu'" in result.stderr


def test_an_import_compiles_nothing(tmp_path: Path) -> None:
    program = "import minicnn, minicnn.ops.cpu"
    result = run(program, NUMBA_CACHE_DIR=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_kernels_are_cached_on_disk() -> None:
    for name, kernel in kernels().items():
        assert type(kernel._cache).__name__ == "KernelCache", name
    assert len(kernels()) > 20


@pytest.mark.slow
@pytest.mark.parametrize("operation", EXAMPLES, ids=lambda item: item.name)
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
