"""The schedules at exact points."""

import json
import math

import pytest

from minicnn import InputError, schedules
from minicnn.schedules import Constant, Cosine, ReduceOnPlateau, Step


def test_constant() -> None:
    assert [Constant().factor(progress) for progress in (0, 0.5, 1e6)] == [1, 1, 1]


@pytest.mark.parametrize(("progress", "expected"), [
    (0, 1), (1.999, 1), (2, 0.5), (3.5, 0.5), (4, 0.25), (40, 0.5**20),
])
def test_step(progress: float, expected: float) -> None:
    assert Step(every=2, gamma=0.5).factor(progress) == expected


@pytest.mark.parametrize(("progress", "expected"), [
    (0, 0), (1, 0.25), (2, 0.5), (3.999999999, 1), (4, 1),
    (6, 0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2), (8, 0.55),
    (10, 0.1 + 0.9 * (1 - math.sqrt(0.5)) / 2), (12, 0.1), (13, 0.1), (1e9, 0.1),
])
def test_cosine_with_warm_up(progress: float, expected: float) -> None:
    schedule = Cosine(epochs=12, warmup=4, final=0.1)
    assert schedule.factor(progress) == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_cosine_without_warm_up() -> None:
    schedule = Cosine(epochs=3)
    assert schedule.factor(0) == 1
    assert schedule.factor(1) == pytest.approx(0.75)
    assert schedule.factor(1.5) == pytest.approx(0.5)
    assert schedule.factor(3) == 0


def test_reduce_on_plateau() -> None:
    schedule = ReduceOnPlateau(patience=2, gamma=0.5, least=0.1)
    factors = []
    for loss in (1.0, 0.95, 0.89, 0.85, 0.84, 0.70, 0.70, math.nan, 0.70, 0.65, 0.2, 0.3):
        schedule.observe(loss)
        factors.append(schedule.factor(99))
    # better than the best by 0.1: 1.0, 0.89, 0.70, 0.2
    assert factors == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125]


@pytest.mark.parametrize("losses", [[], [1.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
def test_a_plateau_goes_on_from_its_state(losses: list[float]) -> None:
    schedule, successor = ReduceOnPlateau(patience=2), ReduceOnPlateau(patience=2)
    for loss in losses:
        schedule.observe(loss)
    successor.load_state_dict(json.loads(json.dumps(schedule.state_dict())))
    for loss in (1.5, 1.5, 1.5, 0.1, 0.2, 0.3):
        schedule.observe(loss)
        successor.observe(loss)
        assert successor.factor(0) == schedule.factor(0)


def test_the_other_schedules_have_no_state() -> None:
    for schedule in (Constant(), Step(2), Cosine(3)):
        schedule.observe(1.0)
        assert schedule.state_dict() == {}


@pytest.mark.parametrize(("config", "expected"), [
    ({"name": "constant"}, Constant()),
    ({"name": "step", "every": 3}, Step(3, 0.1)),
    ({"name": "cosine", "epochs": 9, "warmup": 1}, Cosine(9, 1, 0)),
    ({"name": "plateau", "patience": 5}, ReduceOnPlateau(5)),
])
def test_from_config(config: dict, expected: schedules.Schedule) -> None:
    assert schedules.from_config(config) == expected


@pytest.mark.parametrize(("config", "message"), [
    ({"name": "linear"}, "here: expected one of constant, step, cosine, plateau, got 'linear'"),
    ({"name": "step"}, "here: .* needs the setting 'every'"),
    ({"name": "step", "every": 0}, r"here: Step: every must lie in \(0, inf\), got 0"),
    ({"name": "step", "every": 1, "gamma": -1}, r"here: Step: gamma must lie in \(0, inf\)"),
    ({"name": "cosine", "epochs": 3, "warmup": 3}, r"here: Cosine: warmup must lie in \[0, 3\), g"),
    ({"name": "cosine", "epochs": "3"}, "here: Cosine: epochs must be a number, got '3'"),
    ({"name": "cosine", "epochs": 3, "final": 2}, r"here: Cosine: final must lie in \[0, 1\]"),
    ({"name": "plateau", "gamma": 1}, r"here: ReduceOnPlateau: gamma must lie in \(0, 1\), got 1"),
    ({"name": "plateau", "patience": 0}, "here: ReduceOnPlateau: patience must "),
    ({"name": "plateau", "patience": 1.5}, "here: ReduceOnPlateau: patience must "),
    ({"name": "plateau", "best": 1}, "here: .* has no setting 'best'"),
])
def test_configurations_that_are_refused(config: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        schedules.from_config(config, "here")
