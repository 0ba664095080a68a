"""The kernels run on the interpreter of their PTX: no test here needs a GPU."""

from collections.abc import Iterator

import pytest

from minicnn.ptx.requirement import MISSING, installed


@pytest.fixture(autouse=True)
def interpreter(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Makes the cuda backend available."""
    if not installed():
        pytest.skip(MISSING)
    monkeypatch.setenv("MINICNN_CUDA_DEVICE", "interpreter")
    yield
