"""Memory of the device: blocks are used again when nobody holds them."""

import gc

import numpy as np
import pytest

from minicnn.ops.cuda import memory
from minicnn.ops.cuda.array import DeviceArray, empty
from minicnn.ops.cuda.device import device


def test_a_block_is_used_again_when_nobody_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    allocated = []
    original = device().allocate
    monkeypatch.setattr(device(), "allocate", lambda n: allocated.append(n) or original(n))
    first = empty((1234567,), np.float32)
    pointer, view = first.pointer, first.reshape(-1, 1)
    assert len(allocated) == 1
    del first
    gc.collect()
    second = empty((1234567,), np.float32)
    assert second.pointer != pointer  # the view holds the first
    del view
    gc.collect()
    assert empty((1234567,), np.float32).pointer == pointer
    assert len(allocated) == 2


def test_memory_that_nobody_holds_is_given_back_before_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device_ = device()
    original, freed = device_.allocate, []
    memory.release()
    held = empty((7654321,), np.uint8)
    pointer = held.pointer
    del held
    free = device_.free
    monkeypatch.setattr(device_, "free", lambda address: (freed.append(address), free(address)))

    def full(nbytes: int) -> int:
        if pointer not in freed:
            raise MemoryError("full")
        return original(nbytes)

    monkeypatch.setattr(device_, "allocate", full)
    assert isinstance(empty((99,), np.uint8), DeviceArray)
    assert freed == [pointer]
