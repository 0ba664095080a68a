"""Counts the bytes and multiply-adds of batch normalisation and of three convolutions on a GPU.

The figures of docs/cuda.md, without a GPU: the interpreter runs the kernels and counts what they
ask of memory. It takes about half a minute and needs the compiler:

    python -m pip install -e '.[cuda]'
    python examples/count_traffic.py
"""

import numpy as np

from minicnn.ops import cuda
from minicnn.ops.cuda.device import Interpreter, use_device

rng = np.random.default_rng(0)
x, dy = rng.standard_normal((2, 2, 32, 32, 64)).astype(np.float32)  # (N, H, W, C) each
w = rng.standard_normal((3, 3, 64, 64)).astype(np.float32)  # (KH, KW, C, K)
ones, zeros = np.ones(64, np.float32), np.zeros(64, np.float32)


def show(title, launches):
    """What each launch asked of memory, and how often it multiplied and added."""
    print(f"\n{title}\n{'':32}{'bytes read':>14}{'written':>14}{'multiply-adds':>16}")
    for launch in launches:
        read, written = (
            sum(request.moved for request in launch.requests
                if request.space == "global" and request.write == writes)
            for writes in (False, True)
        )
        products = sum(count for kind, count in launch.counts.items() if kind.startswith("fma"))
        name = launch.kernel.title.strip("_")
        print(f"    {name:28}{read:14,}{written:14,}{products:16,}")


interpreter = Interpreter()
print(f"x has {x.nbytes:,} bytes")
with use_device(interpreter):
    with interpreter.recorded() as launches:
        y, cache = cuda.batchnorm_forward(x, ones, zeros, zeros, ones, training=True)
    show("batch norm forward", launches)
    with interpreter.recorded() as launches:
        cuda.batchnorm_backward(dy, cache)
    show("batch norm backward", launches)
    for algorithm in ("naive", "implicit", "winograd"):
        with cuda.convolutions(algorithm), interpreter.recorded() as launches:
            cuda.conv2d_forward(x, w, None, padding=1)
        show(f"convolution: {algorithm}", launches)
