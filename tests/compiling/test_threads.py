"""How many threads there are, and that results do not depend on when they run."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from minicnn import InputError
from minicnn.compiling.threads import VARIABLE, thread_count, use_threads
from minicnn.ops import cpu


@pytest.fixture(autouse=True)
def restored():
    before = thread_count()
    yield
    use_threads(before)


def test_their_number_can_be_chosen() -> None:
    for count in {1, numba.config.NUMBA_NUM_THREADS}:
        use_threads(count)
        assert thread_count() == count


@pytest.mark.parametrize("count", [0, -1, 10**6, "two", 1.5, None])
def test_numbers_that_are_refused(count: object) -> None:
    before = thread_count()
    with pytest.raises(InputError, match="threads: expected a number of threads from 1 to"):
        use_threads(count)
    assert thread_count() == before


def run(value: str) -> subprocess.CompletedProcess:
    """A process that imports the backend under this setting and prints its threads."""
    program = ("import minicnn.ops.cpu; from minicnn.compiling.threads import *; "
               "print(thread_count())")
    return subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, VARIABLE: value},
        capture_output=True, text=True,
    )


def test_the_environment_may_say() -> None:
    assert run("1").stdout == "1\n"
    assert f"{VARIABLE}: expected a number of threads from 1 to" in run("many").stderr


@pytest.mark.parametrize("count", sorted({1, numba.config.NUMBA_NUM_THREADS}))
def test_one_number_gives_the_same_bits_every_time(count: int) -> None:
    use_threads(count)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 17, 19, 24)).astype(np.float32)
    w = rng.standard_normal((3, 3, 24, 40)).astype(np.float32)
    dy = rng.standard_normal((5, 17, 19, 40)).astype(np.float32)

    def gradients() -> tuple:
        _, cache = cpu.conv2d_forward(x, w, padding=1)
        return cpu.conv2d_backward(dy, cache)[:2]

    first = gradients()
    for _ in range(5):
        for one, other in zip(first, gradients(), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("count", ["0", "-1"])
@pytest.mark.parametrize("module", ["minicnn.ops.cpu", "minicnn.data.fer2013"])
def test_numbers_that_numba_cannot_start_with_are_refused(count: str, module: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", f"import {module}"], text=True, capture_output=True,
        env={**os.environ, "NUMBA_NUM_THREADS": count},
    )
    said = f"NUMBA_NUM_THREADS: expected a number of threads from 1 on, got '{count}'"
    assert f"InputError: {said}" in result.stderr
