"""The whole measurement: what it holds."""

from copy import deepcopy

import pytest
from distant_arrays import NAME, distant_backend

from minicnn.benchmarking import Results, suite, tables
from minicnn.benchmarking.processes import Start
from minicnn.benchmarking.results import Row
from minicnn.layers import BatchNorm, Conv2D, Dense, Flatten, MaxPool2D, ReLU
from minicnn.ops import backend_name
from minicnn.ptx.requirement import MISSING, installed
from minicnn.sequential import Sequential


def test_a_measurement_has_every_layer_and_pass(results: Results) -> None:
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


@pytest.mark.slow
def test_a_backend_with_arrays_of_its_own_is_measured_to_its_end(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "GROWTH", {
        "batch size": (1, 2), "image side": (4, 8), "channels": (8, 16)})
    monkeypatch.setattr(suite, "INFERENCE_BATCHES", (1,))
    monkeypatch.setattr(suite.models, "paper", suite.models.drawn_faces)
    starts = (Start(1.0, 2), Start(1.0, 2))
    monkeypatch.setattr(suite.processes, "cold_and_warm", lambda *settings: starts)
    with distant_backend() as traffic:
        asked = suite.settings("reference", None, 2, 1, NAME)
        results = suite.measure_library(asked)
    runs = sum(row.program == "minicnn" for row in results.rows) + 2 * len(suite.GROWTH)
    # each once to warm up and once to count; single inferences in five rounds
    assert traffic.waits == 2 * (runs + 4)
    assert {row.program for row in results.rows} == {"minicnn", "reference"}
    sheets = {title: cells for title, _, cells in tables.tables(results)}
    assert sheets["The machine at its best"] == [["1", "–", "–"]]
    assert all(line[-2:] == ["–", "–"] for line in sheets["1 thread"])
    assert "chip far away" in results.machine


@pytest.mark.slow(10)
def test_the_cuda_backend_is_measured_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the interpreter, with a network of one block."""
    if not installed():
        pytest.skip(MISSING)
    monkeypatch.setenv("MINICNN_CUDA_DEVICE", "interpreter")
    monkeypatch.setattr(suite, "GROWTH", {
        "batch size": (1, 2), "image side": (4, 8), "channels": (4, 8)})
    monkeypatch.setattr(suite, "INFERENCE_BATCHES", (1,))
    layers = [Conv2D(4), BatchNorm(), ReLU(), MaxPool2D(), Flatten(), Dense(7)]
    monkeypatch.setattr(suite.models, "INPUT_SHAPE", (8, 8, 1))
    monkeypatch.setattr(suite.models, "paper", lambda: Sequential(deepcopy(layers), (8, 8, 1)))
    starts = (Start(1.0, 2), Start(1.0, 2))
    monkeypatch.setattr(suite.processes, "cold_and_warm", lambda *settings: starts)
    results = suite.measure_library(suite.settings(None, None, 2, 1, "cuda"))
    assert "gpu interpreter" in results.machine
    found = {(row.layer, row.stage) for row in results.rows}
    assert {("step", "step"), ("conv2d_1", "backward weights"), ("dense_1", "backward")} <= found
    assert backend_name() == "cpu"


def test_the_ratio_is_to_the_fastest_of_the_others() -> None:
    results = Results(suite.Settings("torch"), "some machine", {})
    for program, milliseconds in (("minicnn", 6.0), ("PyTorch", 4.0), ("PyTorch NCHW", 3.0)):
        results.rows.append(Row(
            1, 64, "step", "step", "8×8×1", program, milliseconds, milliseconds, 1, 1, 1, 1))
    assert results.ratio(1, "step", "step", 64) == 2
