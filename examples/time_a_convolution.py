"""Times one convolution, forward and backward, on every backend, and in PyTorch where it is there.

    python examples/time_a_convolution.py --shape 8,24,24,16 --filters 16 --rounds 9
"""

import argparse

import numpy as np

from minicnn import benchmarking, ops

parser = argparse.ArgumentParser()
parser.add_argument("--shape", default="8,24,24,16", help="N,H,W,C")
parser.add_argument("--filters", type=int, default=16)
parser.add_argument("--rounds", type=int, default=9)
options = parser.parse_args()

rng = np.random.default_rng(0)
shape = tuple(map(int, options.shape.split(",")))
x = rng.standard_normal(shape, np.float32)  # (N, H, W, C)
w = rng.standard_normal((3, 3, shape[3], options.filters), np.float32)  # (KH, KW, C, K)


def on(backend):
    """A task that goes forward and backward on a backend; choosing it is not timed."""
    with ops.use_backend(backend):
        here = [ops.backend().asarray(array, array.dtype) for array in (x, w)]

    def run():
        y, cache = ops.conv2d_forward(*here, padding="same")
        ops.conv2d_backward(y, cache)
        ops.backend().wait()  # a GPU has only been told what to do

    return benchmarking.Task(run, prepare=lambda: ops.use_backend(backend))


def in_torch(torch):
    """The same in PyTorch."""
    images = torch.from_numpy(x).permute(0, 3, 1, 2).requires_grad_()  # (N, C, H, W), channels last
    weights = torch.from_numpy(w).permute(3, 2, 0, 1).contiguous().requires_grad_()

    def run():
        y = torch.nn.functional.conv2d(images, weights, padding=1)
        torch.autograd.grad(y, (images, weights), y.detach())

    return run


tasks = {backend: on(backend) for backend in ops.available_backends()}
try:
    import torch
except ImportError:
    print("PyTorch is not installed, so it is not timed")
else:
    tasks["PyTorch"] = in_torch(torch)
print(benchmarking.measure(tasks, rounds=options.rounds))
