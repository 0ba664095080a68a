"""A Numba CUDA kernel that runs here, without a GPU: compiled to PTX, which is interpreted."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, overload

import numpy as np

from minicnn.ptx.errors import PTXError
from minicnn.ptx.kernels import Kernel, load
from minicnn.ptx.launching import Launch


class PythonKernel:
    """A kernel written in Python; `kernel` makes it.

    It is compiled at the first call with arguments of new types.
    """

    def __init__(self, function: Callable[..., None], options: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self._function, self._options = function, options
        self._compiled: dict[tuple[Any, ...], Kernel] = {}

    def __getitem__(self, configuration: tuple[Any, ...]) -> Callable[..., Launch]:
        """``kernel[grid, block]``, or ``kernel[grid, block, stream, shared]`` as Numba has it."""
        if not isinstance(configuration, tuple) or not 2 <= len(configuration) <= 4:
            raise PTXError(f"expected kernel[grid, block], got kernel[{configuration!r}]")
        grid, block, _, shared = (*configuration, 0, 0)[:4] if len(configuration) < 4 \
            else configuration

        def launch(*args: Any) -> Launch:
            return self.compiled_for(*args).launch(grid, block, *args, shared=shared,
                                                   **self._options)
        return launch

    def __call__(self, *args: Any) -> None:
        raise PTXError(f"a kernel needs a grid: {self._function.__name__}[blocks, threads](...)")

    def compiled_for(self, *args: Any) -> Kernel:
        """The kernel for arguments of these types, compiled once."""
        from minicnn.ptx import compiler
        types = tuple(type_of(value) for value in args)
        if types not in self._compiled:
            text = compiler.to_ptx(self._function, types, with_lines=True)
            self._compiled[types] = compiled = load(text).single()
            compiled.argument_names = self._function.__code__.co_varnames[:len(types)]
        return self._compiled[types]


@overload
def kernel(function: Callable[..., None]) -> PythonKernel: ...


@overload
def kernel(**options: Any) -> Callable[[Callable[..., None]], PythonKernel]: ...


def kernel(function: Callable[..., None] | None = None, **options: Any) -> Any:
    """Make a kernel of a function that is written with the names of ``numba.cuda``.

    It needs the package numba-cuda, but no GPU.

    Parameters
    ----------
    function : callable
        It returns nothing.
    **options
        Of `Kernel.launch`: ``races``, ``counting``, ``limit``, ``memory``, ``blocks``.

    Returns
    -------
    PythonKernel
        Called as ``scale[grid, block](x, 3)``: it changes the arrays and returns the `Launch`.

    Examples
    --------
    ::

        from numba import cuda
        from minicnn import ptx

        @ptx.kernel
        def scale(x, factor):
            i = cuda.grid(1)
            if i < x.size:
                x[i] *= factor

        print(scale[4, 32](x, 3).report())
    """
    if function is None:
        return lambda function: PythonKernel(function, options)
    return PythonKernel(function, options)


def type_of(value: Any) -> Any:
    """Numba's type of an argument."""
    from minicnn.ptx import compiler
    if isinstance(value, np.ndarray):
        if not value.flags.c_contiguous:
            raise PTXError("expected C-contiguous arrays, got an array of shape "
                           f"{value.shape} and strides {value.strides}")
        return compiler.types.Array(compiler.scalar(value.dtype), value.ndim, "C")
    if isinstance(value, bool | np.bool_):
        return compiler.types.boolean
    if isinstance(value, np.number):
        return compiler.scalar(value.dtype)
    if isinstance(value, int):
        return compiler.types.int64
    if isinstance(value, float):
        return compiler.types.float64
    raise PTXError(f"a kernel takes arrays and numbers, got {type(value).__name__}")
