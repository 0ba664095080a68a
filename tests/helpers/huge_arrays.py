"""Arrays on the interpreter that are larger than the machine's memory, of which little is used."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest


def run_blocks(patch: pytest.MonkeyPatch, choose: Callable[[int], Iterable[int]]) -> None:
    """From now on launch only the blocks that `choose` names, of the number in a grid."""
    from minicnn.ops.cuda import device

    interpreted = device._interpreted

    def partly(text: str) -> Any:
        def launch(grid: Any, threads: int, *values: Any, **settings: Any) -> Any:
            blocks = choose(int(np.prod(grid)))
            return interpreted(text).launch(grid, threads, *values, blocks=blocks, **settings)

        return SimpleNamespace(launch=launch)

    patch.setattr(device, "_interpreted", partly)


def last_block(count: int) -> list[int]:
    """The last of so many blocks alone."""
    return [count - 1]


def ending_with(images: np.ndarray, count: int) -> Any:
    """So many images on the device, of which the last few are these; nobody wrote the others."""
    from minicnn.ops.cuda.array import empty
    from minicnn.ops.cuda.device import device

    array = empty((count, *images.shape[1:]), images.dtype)
    device().upload(array.pointer + array.nbytes - images.nbytes, images)
    return array


def last_of(array: Any, count: int, most: int | None = None) -> np.ndarray:
    """The last so many numbers of an array on the device; of these only the first `most`."""
    from minicnn.ops.cuda.device import device

    numbers = np.empty(count if most is None else most, array.dtype)
    start = array.pointer + array.nbytes - count * array.dtype.itemsize
    device().download(start, numbers)
    return numbers
