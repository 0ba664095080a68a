"""How long things take: which runs count, and how time grows with size."""

from typing import Any

import numpy as np
import pytest

from minicnn.benchmarking import timing
from minicnn.benchmarking.timing import Task, fitted_exponent, interleaved, measure


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


@pytest.mark.parametrize("warm_up", [0, 1, 3])
def test_things_are_timed_in_turn_after_their_warm_up(monkeypatch, warm_up: int) -> None:
    clock, calls = Clock(), []
    monkeypatch.setattr(timing.time, "perf_counter", clock)

    def run(name: str, seconds: list[float]) -> None:
        calls.append(name)
        clock.pass_by(seconds[(calls.count(name) - 1) // (warm_up + 1)])

    timings = measure({
        "slow": lambda: run("slow", [2.0, 4.0, 16.0]), "fast": lambda: run("fast", [1.0, 4.0, 2.0]),
    }, rounds=3, warm_up=warm_up)
    assert calls == (["slow"] * (warm_up + 1) + ["fast"] * (warm_up + 1)) * 3
    assert timings.names == ("slow", "fast")
    np.testing.assert_array_equal(timings.seconds, [[2, 1], [4, 4], [16, 2]])
    np.testing.assert_array_equal(timings.medians, [4, 2])
    np.testing.assert_array_equal(timings.quartiles, [[3, 1.5], [10, 3]])
    assert timings.ratio("slow", "fast") == (2, 1.5, 5)  # of 2, 1 and 8
    assert str(timings).splitlines()[2].split() == (
        ["fast", "2000.000", "1500.000", "to", "3000.000", "0.50", "(0.31", "to", "0.75)"])


def test_the_clock_stops_when_the_backend_is_done(monkeypatch) -> None:
    clock = Clock()
    monkeypatch.setattr(timing.time, "perf_counter", clock)
    backend = type("Backend", (), {"wait": staticmethod(lambda: clock.pass_by(5))})
    monkeypatch.setattr(timing, "backend", lambda: backend)
    np.testing.assert_array_equal(measure({"launch": lambda: None}, rounds=2).seconds, [[5], [5]])


@pytest.mark.parametrize(("tasks", "options", "message"), [
    ({}, {}, "measure: expected functions by name, {'mine': lambda: f(x)}, got dict without any"),
    ([print], {}, "measure: expected functions by name, {'mine': lambda: f(x)}, got list"),
    ({"sum": 3}, {}, "measure: sum must be a function without arguments, got int; lambda: f(x)"),
    ({"sum": print}, {"rounds": 0}, "measure: rounds must be"),
    ({"sum": print}, {"warm_up": -1}, "measure: warm_up must be"),
])
def test_what_cannot_be_timed(tasks: Any, options: dict[str, int], message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        measure(tasks, **options)
    assert str(caught.value).startswith(message)


def test_a_ratio_of_what_was_not_timed_is_refused() -> None:
    with pytest.raises(ValueError, match="ratio: expected one of sum, got 'mean'"):
        measure({"sum": lambda: None}, rounds=1).ratio("sum", "mean")


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_the_exponent_of_a_power_is_found(power: float) -> None:
    sizes = (3, 5, 11, 40)
    assert fitted_exponent(sizes, [7 * size**power for size in sizes]) == pytest.approx(power)
