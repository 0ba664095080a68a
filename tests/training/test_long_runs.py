"""A long run holds no more than a short one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "programs" / "long_run.py"
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="asks Linux's /proc what a process holds"
)


def held(leak: int = 0) -> tuple[dict[str, int], dict[str, int]]:
    """What a fresh process holds after 50 steps, and after 1000."""
    result = subprocess.run(
        [sys.executable, PROGRAM, str(leak)], capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stderr
    early, late = map(json.loads, result.stdout.splitlines())
    return early, late


@pytest.mark.slow
@needs_proc
def test_a_thousand_steps_hold_what_fifty_do() -> None:
    early, late = held()
    assert late["pages"] <= 1.02 * early["pages"]
    assert late["handles"] <= early["handles"]
    assert late["threads"] <= early["threads"]


@pytest.mark.slow
@needs_proc
def test_a_few_kilobytes_a_step_would_be_noticed() -> None:
    early, late = held(leak=10_000)
    assert late["pages"] > 1.02 * early["pages"]
