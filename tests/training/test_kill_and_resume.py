"""A run that is killed at any moment goes on as if nothing had happened, to the last bit."""

import sys
from pathlib import Path

import pytest
from kill_and_resume import INSIDE, OUTSIDE, Killer

from minicnn.compiling.threads import thread_count

pytestmark = [
    pytest.mark.slow(60), pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL"),
]


@pytest.mark.parametrize("threads", [1, 2])
def test_killed_runs_end_on_the_same_bits(tmp_path: Path, threads: int) -> None:
    if threads > thread_count():
        pytest.skip("the machine has one core")
    killer = Killer(tmp_path, threads, seed=threads)
    killer.run_until(16)
    assert killer.kills.total() >= 16
    assert killer.kills.keys() == {*INSIDE, *OUTSIDE}
