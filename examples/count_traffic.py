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
    """What each launch asked of memory, its multiply-adds, and what it asked of shared memory."""
    print(f"\n{title}\n{'':26}{'bytes read':>12}{'written':>12}{'multiply-adds':>15}"
          f"{'passes':>10}{'least':>10}")
    for launch in launches:
        read, written = (
            sum(request.moved for request in launch.requests
                if request.space == "global" and request.write == writes)
            for writes in (False, True)
        )
        products = sum(count for kind, count in launch.counts.items() if kind.startswith("fma"))
        shared = [request for request in launch.requests if request.space == "shared"]
        passes, least = (sum(getattr(request, name) for request in shared)
                         for name in ("cost", "least"))
        name = launch.kernel.title.strip("_")
        print(f"  {name:24}{read:12,}{written:12,}{products:15,}{passes:10,}{least:10,}")


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
