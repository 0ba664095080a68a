"""The kernels run on the interpreter of their PTX: no test here needs a GPU."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from minicnn.ptx.requirement import MISSING, installed


class Skipped(pytest.File):
    """A file of tests that is not imported."""

    def collect(self) -> list[pytest.Item]:
        pytest.skip(MISSING, allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Without the compiler the tests here cannot be imported."""
    return None if installed() else Skipped.from_parent(parent, path=module_path)


@pytest.fixture(autouse=True)
def interpreter(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Makes the cuda backend available."""
    monkeypatch.setenv("MINICNN_CUDA_DEVICE", "interpreter")
    yield
