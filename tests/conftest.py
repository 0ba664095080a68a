"""What the tests share: how hypothesis searches, which are quick, and the backends that every
operation runs on."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before Numba: tests share the cores

import hypothesis
import numeric
import pytest
from home import at_home
from kill_and_resume import answer_ctrl_c

import minicnn
from minicnn.ptx.requirement import MISSING, installed

hypothesis.settings.register_profile(
    "minicnn", deadline=None, max_examples=20, derandomize=True, database=None
)
hypothesis.settings.load_profile("minicnn")

answer_ctrl_c()

SLOW_FIXTURES = {"results", "folder", "finished"}
"""Those that train or measure before the first test that asks for them."""

KERNELS = {"cpu", "cuda"}
"""The backends whose kernels are compiled, and the folders of their own tests."""


def pytest_configure(config: pytest.Config) -> None:
    """Let the quick tests choose no backend that has to be compiled, unless one is named."""
    if config.option.markexpr == "quick":
        os.environ.setdefault("MINICNN_BACKEND", "reference")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is quick, and begin with what is slow: nobody shall wait for it at the end."""
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
        compiled = KERNELS & {*_backends(item), *_folders(item.path)}
        if "cuda" in compiled:
            item.add_marker("cuda")
        if not compiled and not any(map(item.get_closest_marker, ("slow", "cuda"))):
            item.add_marker("quick")
    items.sort(key=_seconds, reverse=True)


def _backends(item: pytest.Item) -> set[str]:
    """The backends that a test's parameters name."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return {parameters[name] for name in ("backend", "compiled") if name in parameters}


def _folders(path: Path) -> tuple[str, ...]:
    """The folders below this one in which a test's file is."""
    return path.parent.relative_to(Path(__file__).parent).parts


def _seconds(item: pytest.Item) -> float:
    """About how long a test takes, as its mark says: 1 unless it names a number, 0 without it."""
    mark = item.get_closest_marker("slow")
    return 0 if mark is None else next(iter(mark.args), 1)


@pytest.fixture(scope="session", params=["reference", "cpu", "cuda"])
def backend(request: pytest.FixtureRequest) -> ModuleType:
    """A backend's module, one after the other; that of cuda gives its results as NumPy's arrays."""
    return _module(request.param)


@pytest.fixture(scope="session", params=sorted(KERNELS))
def compiled(request: pytest.FixtureRequest) -> ModuleType:
    """The same of the backends that are compared with the reference."""
    return _module(request.param)


def _module(name: str) -> ModuleType:
    package = importlib.import_module(f"minicnn.ops.{name}")
    return at_home(package) if name == "cuda" else package


@pytest.fixture(autouse=True)
def interpreted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the backend is cuda, the kernels run on the interpreter of their PTX.

    It is slow: hypothesis tries few examples, and differences are taken at some places.
    """
    if "cuda" not in _backends(request.node):
        return
    if not installed():
        pytest.skip(MISSING)
    monkeypatch.setenv("MINICNN_CUDA_DEVICE", "interpreter")
    monkeypatch.setattr(numeric, "MOST_PLACES", 6)
    settings = "_hypothesis_internal_use_settings"
    if hasattr(request.function, settings):
        few = hypothesis.settings(getattr(request.function, settings), max_examples=3)
        monkeypatch.setattr(request.function, settings, few)


@pytest.fixture
def chosen(backend: ModuleType) -> Iterator[ModuleType]:
    """A backend's module, and the choice of layers and losses during the test."""
    with minicnn.use_backend(backend.__name__.rpartition(".")[2]):
        yield backend
