"""The benchmark: what is counted and timed, what the tables say, and the command line."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minicnn import benchmarking, layers
from minicnn.benchmarking import Settings, processes, suite, tables, timing, torch_program
from minicnn.benchmarking.aims import aims
from minicnn.benchmarking.machine import ceiling
from minicnn.benchmarking.processes import Start
from minicnn.benchmarking.suite import Results
from minicnn.benchmarking.timing import Task, fitted_exponent, interleaved
from minicnn.benchmarking.work import work
from minicnn.cli import main
from minicnn.errors import InputError


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


def built(layer: layers.Layer, shape: tuple) -> layers.Layer:
    layer.build(shape)
    return layer


def test_work_of_a_convolution_by_hand() -> None:
    layer = built(layers.Conv2D(5), (4, 6, 3))
    products, x, y, w = 2 * 2 * 24 * 27 * 5, 2 * 72, 2 * 120, 27 * 5 + 5
    for stage, times, moved in (
        ("forward", 1, x + y + w), ("backward data", 1, x + y + w),
        ("backward weights", 1, x + y + w), ("backward", 2, 2 * x + y + 2 * w),
    ):
        taken = work(layer, 2, stage)
        assert taken.gflop == pytest.approx(times * products / 1e9)
        assert taken.gigabytes == pytest.approx(4 * moved / 1e9)


def test_work_of_layers_without_products_by_hand() -> None:
    pool, relu = built(layers.MaxPool2D(2), (4, 6, 3)), built(layers.ReLU(), (7,))
    assert work(pool, 2, "forward").gigabytes == pytest.approx(4 * 2 * (72 + 18) / 1e9)
    assert work(relu, 3, "backward").gigabytes == pytest.approx(4 * 3 * 21 / 1e9)
    assert work(built(layers.Flatten(), (2, 3)), 4, "forward").gigabytes == 0


def test_a_machine_multiplies_and_copies() -> None:
    most = ceiling(rounds=1)
    assert 0 < most.gflops < math.inf
    assert 0 < most.gigabytes < math.inf


@pytest.fixture
def results(monkeypatch) -> Results:
    """A small real measurement; only the processes are made up."""
    monkeypatch.setattr(suite, "GROWTH", {
        "batch size": (1, 2), "image side": (4, 8), "channels": (8, 16),
    })
    monkeypatch.setattr(suite, "INFERENCE_BATCHES", (2, 1))
    monkeypatch.setattr(
        processes, "cold_and_warm", lambda batch, threads: (Start(18.0, 900), Start(1.5, 700))
    )
    return benchmarking.measure(Settings("reference", (1,), batch=2, rounds=1))


def test_a_measurement_has_every_layer_and_pass(results: Results, tmp_path: Path) -> None:
    found = {(row.layer, row.stage, row.program) for row in results.rows}
    assert ("conv2d_1", "backward data", "minicnn") not in found  # nobody needs it
    for layer, stage in (("conv2d_2", "backward data"), ("conv2d_1", "backward weights")):
        assert (layer, stage, "minicnn") in found
    for layer in ("batchnorm_7", "relu_1", "maxpool2d_3", "flatten_1", "dense_2", "conv2d_6"):
        for stage in ("forward", "backward"):
            for program in ("minicnn", "reference"):
                assert (layer, stage, program) in found
    assert {(row.layer, row.batch) for row in results.rows if row.layer == "inference"} == {
        ("inference", 2), ("inference", 1)}
    assert all(row.milliseconds >= row.least > 0 for row in results.rows)
    step = [row for row in results.rows if row.layer == "step"]
    assert results.ratio(1, "step", "step", 2) == step[0].milliseconds / step[1].milliseconds
    assert {(line.of, line.program) for line in results.growth} == {
        (of, program) for of in suite.GROWTH for program in ("minicnn", "reference")}

    benchmarking.write(results, tmp_path)
    table = pd.read_csv(tmp_path / "bench.csv")
    assert len(table) == len(results.rows)
    np.testing.assert_allclose(
        table["gflops"], table["gflop"] / table["milliseconds"] * 1e3, rtol=1e-4
    )
    page = (tmp_path / "bench.md").read_text(encoding="utf-8")
    assert results.circumstances in page
    assert "| conv2d_4 | backward weights |" in page
    for name in ("layers", "roofline", "growth"):
        assert (tmp_path / f"{name}.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_aims_name_the_worst_layer(results: Results) -> None:
    held = {aim.what: aim for aim in aims(results)}
    other = held["other layers, backward, 1 thread"]
    names = [row.layer for row in results.rows if row.stage == "backward"
             and row.program == "minicnn" and not row.layer.startswith("conv2d")]
    assert other.reached == max(results.ratio(1, name, "backward", 2) for name in names)
    assert results.ratio(1, other.where, "backward", 2) == other.reached
    assert held["start to first step, nothing compiled"].met
    assert "peak memory of training" not in held  # there is no PyTorch to compare with
    assert any(title == "Against the aims" for title, _, _ in tables.tables(results))


@pytest.mark.parametrize(("options", "message"), [
    (["--against", "caffe"], "--against: expected torch or reference, got 'caffe'"),
    (["--threads", "0"], "--threads: expected a number of threads from 1 to"),
    (["--threads", "1,x"], "got 'x'"),
    (["--rounds", "0"], "--rounds"),
])
def test_what_cannot_be_measured(options: list[str], message: str, capsys) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["bench", *options])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_without_pytorch_one_is_told_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(InputError, match=r"pip install torch==2\.13\.0"):
        torch_program.Torch()


def test_a_process_tells_its_first_step_and_its_memory() -> None:
    started = processes.start("minicnn", 1, 1)
    assert 0 < started.first_step < 300
    assert 50 < started.peak < 5000


def test_a_process_that_fails_is_heard() -> None:
    with pytest.raises(InputError, match="the process for minicnn failed: .*--?threads|threads"):
        processes.start("minicnn", 1, 10_000)
