"""Run PTX, the text that a GPU's assembler gets, on the CPU.

All threads of many blocks run at once as NumPy lanes. What a GPU does wrong without a word is
noticed: accesses out of bounds, misaligned or of memory that nobody wrote, races, barriers that
part of a block reaches, shuffles with lanes missing, ``cp.async`` data read before they are there.
And what a launch costs is counted: instructions, sectors of global memory, passes of shared memory.

What is not as on a chip: approximate functions are as exact as NumPy's, tensor cores sum in
float64, lanes that wait for values of other blocks may wait for ever, and an order that a program
makes with atomics and fences alone counts as none. A shuffle or vote waits for no lanes that have
ended, as PTX has it. Textures, clusters, ``wgmma`` and TMA are not
there.

Examples
--------
>>> import numpy as np
>>> from minicnn import ptx
>>> text = '''
... .version 8.0
... .target sm_80
... .address_size 64
... .entry double(.param .u64 x)
... {
...     .reg .b32 %r<2>; .reg .b64 %rd<3>; .reg .f32 %f<2>;
...     ld.param.u64 %rd1, [x];
...     mov.u32 %r1, %tid.x;
...     mul.wide.u32 %rd2, %r1, 4;
...     add.u64 %rd1, %rd1, %rd2;
...     ld.global.f32 %f1, [%rd1];
...     add.f32 %f1, %f1, %f1;
...     st.global.f32 [%rd1], %f1;
...     ret;
... }'''
>>> x = np.array([1, 2, 3, 4], np.float32)
>>> run = ptx.load(text)["double"].launch(1, 4, x)
>>> x
array([2., 4., 6., 8.], dtype=float32)
>>> run.instructions_per_thread
8.0
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minicnn.ptx.decorator import PythonKernel as PythonKernel, kernel as kernel
    from minicnn.ptx.errors import PTXError as PTXError, PTXFault as PTXFault
    from minicnn.ptx.kernels import Kernel as Kernel, Module as Module, load as load
    from minicnn.ptx.launching import Launch as Launch
    from minicnn.ptx.memory import Memory as Memory

_PLACES = {
    "Kernel": "kernels", "Launch": "launching", "Memory": "memory", "Module": "kernels",
    "PTXError": "errors", "PTXFault": "errors", "PythonKernel": "decorator",
    "kernel": "decorator", "load": "kernels",
}
"""Where each name is defined: who asks whether the compiler is there waits for none of them."""

__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(importlib.import_module(f"minicnn.ptx.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'minicnn.ptx' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
