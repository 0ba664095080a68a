"""What the tests share: how hypothesis searches, and the backends that every operation runs on."""

import importlib
from collections.abc import Iterator
from types import ModuleType

import hypothesis
import pytest
from kill_and_resume import answer_ctrl_c

import minicnn

hypothesis.settings.register_profile(
    "minicnn", deadline=None, max_examples=20, derandomize=True, database=None
)
hypothesis.settings.load_profile("minicnn")

answer_ctrl_c()


@pytest.fixture(scope="session", params=["reference", "cpu"])
def backend(request: pytest.FixtureRequest) -> ModuleType:
    """A backend's module, one after the other."""
    return importlib.import_module(f"minicnn.ops.{request.param}")


@pytest.fixture
def chosen(backend: ModuleType) -> Iterator[ModuleType]:
    """A backend's module, and the choice of layers and losses during the test."""
    with minicnn.use_backend(backend.__name__.rpartition(".")[2]):
        yield backend
