"""Section 3: gradients by central differences, the same bits twice, and compute-sanitizer."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import ops, use_backend
from minicnn.checking import gradcheck
from minicnn.ops.cuda import convolutions
from on_gpu import networks
from on_gpu.options import Options
from on_gpu.records import Table
from on_gpu.runner import PROGRAM

TOOLS = "memcheck", "racecheck"

SANITIZER_SECONDS = 20
"""Of each tool."""


def run(options: Options) -> None:
    """All three; what is wrong fails the section at its end."""
    table = Table(options.out / "gradients.csv", ("check", "of", "verdict", "error"))
    failed = []
    with use_backend("cuda"):
        for name, check in CHECKS.items():
            report = check()
            worst = max(gradient.error for gradient in report.gradients)
            table.add(check="gradcheck", of=name, verdict=report.verdict, error=float(worst))
            failed += [name] * (not report.passed)
        for batch in networks.BATCHES[options.tiny]:
            same = bits_of_steps(batch, options.tiny) == bits_of_steps(batch, options.tiny)
            table.add(check="two steps twice", of=f"batch {batch}",
                      verdict="the same bits" if same else "OTHER BITS")
            failed += [f"bits at batch {batch}"] * (not same)
    for tool in TOOLS:
        verdict = sanitized(tool, options)
        table.add(check="compute-sanitizer", of=tool, verdict=verdict)
        failed += [tool] * verdict.startswith("FOUND")
    if failed:
        raise SystemExit(f"  wrong: {', '.join(failed)}")


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def _of(forward: Callable[..., Any], backward: Callable[..., Any], *inputs: np.ndarray) -> Any:
    return gradcheck(forward, inputs, backward=backward, mode="fast", projections=1)


def _by_winograd() -> Any:
    with convolutions("winograd"):
        return _of(lambda x, w: ops.conv2d_forward(x, w, padding=1),
                   lambda dy, cache: ops.conv2d_backward(dy, cache)[:2],
                   _draw(1, 4, 4, 3), _draw(3, 3, 3, 5))


CHECKS: dict[str, Callable[[], Any]] = {
    "conv2d": lambda: _of(
        lambda x, w, b: ops.conv2d_forward(x, w, b, padding=1), ops.conv2d_backward,
        _draw(1, 4, 5, 3), _draw(3, 3, 3, 4), _draw(4)),
    "conv2d by Winograd": _by_winograd,
    "dense": lambda: _of(ops.dense_forward, ops.dense_backward,
                         _draw(3, 5), _draw(5, 4), _draw(4)),
    "batchnorm": lambda: _of(
        lambda x, gamma, beta: ops.batchnorm_forward(
            x, gamma, beta, np.zeros(4), np.ones(4), training=True),
        ops.batchnorm_backward, _draw(3, 2, 5, 4), _draw(4), _draw(4)),
    "groupnorm": lambda: _of(
        lambda x, gamma, beta: ops.groupnorm_forward(x, gamma, beta, groups=2),
        ops.groupnorm_backward, _draw(3, 2, 5, 4), _draw(4), _draw(4)),
    "maxpool2d": lambda: _of(ops.maxpool2d_forward, ops.maxpool2d_backward, _draw(2, 4, 6, 4)),
    "avgpool2d": lambda: _of(ops.avgpool2d_forward, ops.avgpool2d_backward, _draw(2, 4, 6, 3)),
    "relu": lambda: _of(ops.relu_forward, ops.relu_backward, _draw(5, 7)),
    "elu": lambda: _of(ops.elu_forward, ops.elu_backward, _draw(5, 7)),
    "softmax_cross_entropy": lambda: _of(
        lambda x: ops.softmax_cross_entropy_forward(x, np.arange(5) % 3, label_smoothing=0.1),
        lambda dy, cache: ops.softmax_cross_entropy_backward(cache, float(dy)), _draw(5, 3)),
}
"""Of each operation that has a gradient, in float64 along random directions."""


def bits_of_steps(batch: int, tiny: bool) -> str:
    """A digest of all parameters and buffers after two steps from the first weights."""
    training = networks.Training(batch, tiny=tiny)
    for _ in range(2):
        training.step()
    state = training.network.state_dict()
    joined = b"".join(np.asarray(state[name]).tobytes() for name in sorted(state))
    return hashlib.sha256(joined).hexdigest()


def sanitized(tool: str, options: Options) -> str:
    """What a tool of compute-sanitizer says of the small cases."""
    program = shutil.which("compute-sanitizer")
    if program is None or not options.measures:
        return "not run: " + ("no compute-sanitizer" if program is None else "no GPU")
    command = [program, "--tool", tool, "--error-exitcode", "99", sys.executable, str(PROGRAM),
               *options.words("sanitized")]
    log = options.out / f"{tool}.log"
    with log.open("w") as file:
        try:
            status = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT,
                                    timeout=SANITIZER_SECONDS, check=False).returncode
        except subprocess.TimeoutExpired:
            return f"nothing in {SANITIZER_SECONDS} s; not finished"
    return {0: "nothing", 99: f"FOUND errors: see {log.name}"}.get(
        status, f"FOUND exit status {status}: see {log.name}")
