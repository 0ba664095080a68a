"""PyTorch as the other program."""

import sys
from typing import Any

import numpy as np
import pytest

from minicnn import models
from minicnn.benchmarking import torch_program
from minicnn.errors import InputError
from minicnn.layers import Conv2D


def test_without_pytorch_one_is_told_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"pip install torch==2\.13\.0"):
        torch_program.Torch()


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not needed by anything else")


@pytest.mark.parametrize("channels_last", [True, False])
def test_a_layer_of_pytorch_in_either_layout(torch: Any, channels_last: bool) -> None:
    program = torch_program.Torch(channels_last=channels_last)
    assert program.name == ("PyTorch" if channels_last else "PyTorch NCHW")
    layer = Conv2D(4)
    layer.build((5, 6, 3))
    x, dy = np.ones((2, 5, 6, 3), np.float32), np.ones((2, 5, 6, 4), np.float32)
    tasks = dict(program.layer(layer, x, dy, first=False))
    assert set(tasks) == {"forward", "backward", "backward data", "backward weights"}
    for task in tasks.values():
        task.prepare()
        task.run()


def test_programs_that_take_turns_have_a_precision_each(torch: Any) -> None:
    network = models.drawn_faces()
    x, labels = np.zeros((2, 48, 48, 1), np.float32), np.array([0, 1])
    tasks = {tf32: torch_program.Torch(tf32=tf32).step(network, x, labels)
             for tf32 in (True, False)}
    for tf32 in (True, False, True):
        tasks[tf32].prepare()
        assert torch.backends.cudnn.allow_tf32 is tf32
        assert torch.backends.cuda.matmul.allow_tf32 is tf32
    tasks[False].run()
