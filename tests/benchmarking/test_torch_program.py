"""PyTorch as the other program."""

import sys

import pytest

from minicnn.benchmarking import torch_program
from minicnn.errors import InputError


def test_without_pytorch_one_is_told_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"pip install torch==2\.13\.0"):
        torch_program.Torch()
