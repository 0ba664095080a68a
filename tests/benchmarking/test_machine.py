"""What the machine can do at best."""

import math

from minicnn.benchmarking.machine import ceiling


def test_a_machine_multiplies_and_copies() -> None:
    most = ceiling(rounds=1)
    assert 0 < most.gflops < math.inf
    assert 0 < most.gigabytes < math.inf
