"""The one module that imports Numba's CUDA compiler: a Python function becomes PTX, without a GPU.

Everybody else takes `cuda` and what else a kernel is written with from here, so that a change of
the compiler is a change of this file and of the intrinsics.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np

from minicnn.errors import InputError
from minicnn.ptx.requirement import MISSING, installed

TARGET = (9, 0)
"""The compute capability that is compiled for where no GPU says its own."""


if not installed():
    raise InputError(MISSING)

# numba-cuda 0.30 names np.row_stack where it is imported; NumPy 2.5 has it no more
vars(np).setdefault("row_stack", np.vstack)

from numba import cuda  # noqa: E402  (the line above has to come first)
from numba.cuda import cgutils, types  # noqa: E402
from numba.cuda.cudadecl import registry as typing_registry  # noqa: E402
from numba.cuda.cudaimpl import registry as lowering_registry  # noqa: E402
from numba.cuda.extending import intrinsic, overload  # noqa: E402
from numba.cuda.typing.templates import AttributeTemplate  # noqa: E402

__all__ = [
    "TARGET", "AttributeTemplate", "cgutils", "cuda", "device_function", "intrinsic",
    "lowering_registry", "overload", "pointer", "scalar", "to_ptx", "types", "typing_registry",
]

device_function = cuda.jit(device=True)
"""Decorates a function that kernels call; it is compiled into each of them."""


def pointer(dtype: Any) -> Any:
    """The type of a kernel's argument that points to values of a NumPy dtype."""
    return types.CPointer(scalar(dtype))


def scalar(dtype: Any) -> Any:
    """Numba's type of one value of a NumPy dtype; a bool is a byte, 0 or 1, as NumPy keeps it."""
    name = np.dtype(dtype).name
    return types.uint8 if name == "bool" else getattr(types, name)


def to_ptx(
    function: Callable[..., Any],
    argument_types: Sequence[Any],
    *,
    capability: tuple[int, int] = TARGET,
    launch_bounds: tuple[int, int] | None = None,
    with_lines: bool = False,
) -> str:
    """The PTX of a kernel for arguments of these types.

    Parameters
    ----------
    function : callable
        A plain function, written with the names of `cuda`; it returns nothing.
    argument_types : sequence of Numba types
        `pointer`, `scalar`, or an array type such as ``types.float32[::1]``.
    capability : (int, int), default `TARGET`
        The compute capability to compile for.
    launch_bounds : (int, int), optional
        Threads a block, and blocks a multiprocessor that must fit: they bound the registers.
    with_lines : bool, default False
        Note in the PTX which lines of the function it comes from.

    Returns
    -------
    str
        One ``.entry`` and its constants.
    """
    with _device_is(capability):
        text, _ = cuda.compile_ptx(
            function, tuple(argument_types), cc=capability, launch_bounds=launch_bounds,
            lineinfo=with_lines,
        )
    return str(text)


@contextmanager
def _device_is(capability: tuple[int, int]) -> Iterator[None]:
    """Answer with the target where the compiler asks for the GPU, as it does for device functions.

    It asks even where the target is given, and fails on a machine without a GPU.
    """
    device = mock.Mock(compute_capability=capability)
    with mock.patch("numba.cuda.dispatcher.get_current_device", lambda: device):
        yield
