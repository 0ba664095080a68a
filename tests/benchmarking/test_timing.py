"""How long things take: which runs count, and how time grows with size."""

import numpy as np
import pytest

from minicnn.benchmarking import timing
from minicnn.benchmarking.timing import Task, fitted_exponent, interleaved


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


def test_every_task_runs_twice_a_round_and_the_second_run_counts(monkeypatch) -> None:
    clock, calls = Clock(), []
    monkeypatch.setattr(timing.time, "perf_counter", clock)

    def task(name: str, first: float, later: float) -> Task:
        def run() -> None:
            calls.append(name)
            clock.pass_by(first if calls.count(name) % 2 else later)

        return Task(run, prepare=lambda: clock.pass_by(100))

    seconds = interleaved([task("a", 9, 1), task("b", 8, 2)], 3)
    assert calls == ["a", "a", "b", "b"] * 3
    np.testing.assert_allclose(seconds, [[1, 2]] * 3)


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_the_exponent_of_a_power_is_found(power: float) -> None:
    sizes = (3, 5, 11, 40)
    assert fitted_exponent(sizes, [7 * size**power for size in sizes]) == pytest.approx(power)
