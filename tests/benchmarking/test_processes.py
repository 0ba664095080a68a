"""Training processes from their start."""

import pytest

from minicnn.benchmarking import processes
from minicnn.errors import InputError


@pytest.mark.slow
def test_a_process_tells_its_first_step_and_its_memory() -> None:
    started = processes.start("minicnn", 2, 1)
    assert 0 < started.first_step < 300
    assert 50 < started.peak < 5000


def test_a_process_that_fails_is_heard() -> None:
    with pytest.raises(InputError, match="the process for minicnn failed: .*--?threads|threads"):
        processes.start("minicnn", 2, 10_000)
