"""PTX texts for the tests of the interpreter: a frame around a few statements."""

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicnn import ptx

HEADER = ".version 8.0\n.target sm_90\n.address_size 64\n"
THREADS = 128
"""A block of ``elementwise`` has so many."""

REGISTERS = """\
    .reg .pred %p<16>;
    .reg .b16 %h<16>;
    .reg .b32 %r<32>;
    .reg .b64 %rd<32>;
    .reg .f32 %f<16>;
    .reg .f64 %fd<16>;
"""

START = """\
    mov.u32 %r0, %tid.x;
    mov.u32 %r1, %ctaid.x;
    mov.u32 %r2, %ntid.x;
    mad.lo.s32 %r3, %r1, %r2, %r0;
"""


def entry(body: str, parameters: str = "", *, before: str = "", name: str = "kernel") -> str:
    """A module with one kernel whose whole text between the braces is ``body``.

    ``parameters`` are types apart by blanks, as ``"u64 f32"``; they are called ``p0``, ``p1``...
    ``before`` stands before the kernel, for variables of the module.
    """
    declared = ", ".join(f".param .{kind} p{i}" for i, kind in enumerate(parameters.split()))
    return f"{HEADER}{before}\n.visible .entry {name}({declared})\n{{\n{body}\n}}\n"


def kernel(statements: str, arrays: int = 1, scalars: str = "", *, before: str = "",
           inside: str = "") -> "ptx.Kernel":
    """A kernel of ``statements``, which find their place and their arrays in registers.

    ``%r0`` is the thread in its block, ``%r1`` the block, ``%r2`` the threads of a block, ``%r3``
    the thread in the grid; ``%rd0``, ``%rd1``... are the arrays' addresses, ``p1``... what comes
    after them. ``inside`` declares variables of the kernel. A ``ret`` follows the statements.
    """
    addresses = "".join(
        f"    ld.param.u64 %rd{i}, [p{i}];\n    cvta.to.global.u64 %rd{i}, %rd{i};\n"
        for i in range(arrays)
    )
    lines = "".join(f"    {line.strip()}\n" for line in statements.strip().splitlines())
    parameters = "u64 " * arrays + scalars
    body = f"{REGISTERS}{inside}\n{addresses}{START}{lines}    ret;"
    return ptx.load(entry(body, parameters, before=before))["kernel"]


def place(register: str, array: str, index: str, size: int) -> str:
    """The statement that puts the address of element ``index`` of ``array`` into ``register``."""
    return f"mad.wide.u32 {register}, {index}, {size}, {array};"


def _kinds(dtype: np.dtype) -> tuple[str, str]:
    """The PTX type that loads a dtype, and that of the register which takes it."""
    bits = 8 * dtype.itemsize
    kind = {"i": "s", "u": "u", "f": "f"}[dtype.kind]
    return f"{kind}{bits}", f"f{bits}" if kind == "f" else f"b{max(16, bits)}"


def elementwise(
    statement: str, result: DTypeLike, *inputs: NDArray[np.generic], registers: str = ""
) -> NDArray[np.generic]:
    """What ``statement`` leaves in ``%y``, for each element of the inputs ``%a``, ``%b``, ``%c``...

    ``registers`` declares more of them, as ``".reg .pred %q;"``. Arrays go in as bits, so that NaN
    is a value like any other.
    """
    count = inputs[0].size
    blocks = -(-count // THREADS)
    padded = [np.resize(values, blocks * THREADS) for values in inputs]
    out = np.zeros(blocks * THREADS, result)
    moves = []
    declared = [f"{registers}\n"]
    for i, (name, array) in enumerate(zip("yabcd", [out, *padded], strict=False)):
        loaded, register = _kinds(array.dtype)
        declared.append(f"    .reg .{register} %{name};\n")
        moves.append(place(f"%rd{10 + i}", f"%rd{i}", "%r3", array.itemsize))
        if name != "y":
            moves.append(f"ld.global.{loaded} %{name}, [%rd{10 + i}];")
    stored = _kinds(out.dtype)[0]
    moves += [*statement.splitlines(), f"st.global.{stored} [%rd10], %y;"]
    built = kernel("\n".join(moves), arrays=1 + len(inputs), inside="".join(declared))
    bits = [array.view(f"u{array.itemsize}") for array in (out, *padded)]
    built.launch(blocks, THREADS, *bits, counting=False)
    return out[:count]
