"""Takes every barrier out of a kernel of batch normalisation, one by one, and shows who notices.

A GPU would say nothing: most of the time the sums would even be right. It needs the compiler, and
no GPU:

    python -m pip install -e '.[cuda]'
    python examples/take_a_barrier_away.py
"""

import numpy as np

from minicnn.ops import cuda, reference
from minicnn.ops.cuda.device import Interpreter, use_device
from minicnn.ptx import PTXFault, load


class WithoutBarrier(Interpreter):
    """A device on which one kernel lacks one of its barriers."""

    def __init__(self, kernel, number):
        super().__init__()
        self.kernel, self.number = kernel, number
        self.barriers = 0

    def launch(self, program, grid, threads, values):
        """Run a kernel's PTX, without one line of it if it is the kernel."""
        lines = program.text.splitlines()
        if program.name == self.kernel:
            barriers = [place for place, line in enumerate(lines) if "bar.sync" in line]
            self.barriers = len(barriers)
            if self.number is not None:
                lines[barriers[self.number]] = ""
        load("\n".join(lines)).single().launch(grid, threads, *values, memory=self.memory)


rng = np.random.default_rng(0)
x = rng.standard_normal((3, 40, 40, 64)).astype(np.float32)
gamma, beta, mean, var = np.ones((4, 64), np.float32)


def forward(backend):
    """y of a training batch; the running statistics are thrown away."""
    return backend.batchnorm_forward(x, gamma, beta, mean.copy(), var.copy(), training=True)[0]


def what_is_said(device):
    """The interpreter's words, or that it has none."""
    try:
        with use_device(device):
            y = np.asarray(forward(cuda))
    except PTXFault as fault:
        return str(fault)
    np.testing.assert_allclose(y, forward(reference), rtol=0, atol=1e-5)
    return "nothing is said, and y is right"


whole = WithoutBarrier("block_moments", None)
print(f"with all barriers: {what_is_said(whole)}")
for number in range(whole.barriers):
    said = what_is_said(WithoutBarrier("block_moments", number))
    print(f"\nwithout barrier {number + 1} of {whole.barriers}: {said}")
