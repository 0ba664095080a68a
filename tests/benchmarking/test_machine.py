"""The machine that is measured, as a backend sees it."""

import math
from typing import cast

import pytest
from distant_arrays import NAME, distant_backend

from minicnn.benchmarking.machine import ceiling, description
from minicnn.ops import backend, cpu, use_backend
from minicnn.ops.backend import Backend

BACKEND = cast(Backend, cpu)


@pytest.mark.slow
def test_a_machine_multiplies_and_copies() -> None:
    most = ceiling(BACKEND, rounds=1)
    assert most.threads == cpu.thread_count()
    assert 0 < most.gflops < math.inf
    assert 0 < most.gigabytes < math.inf


def test_a_machine_has_cores_and_vectors() -> None:
    text = description(BACKEND)
    assert " cores, vectors of " in text
    assert text.endswith(f"{cpu.describe()['vector bits']} bits")
    with distant_backend(), use_backend(NAME):
        assert description(backend()).endswith(" cores, chip far away")
