"""benchmarks/gpu.py: how it resumes and ends, what it imports, and what it predicts."""

import dataclasses
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from minicnn import backend_name, models
from minicnn.ops import cuda
from minicnn.ptx.requirement import MISSING, installed

SCRIPTS = Path(__file__).parents[2] / "benchmarks"

REFUSED = ("pandas", "matplotlib", "typer", "rich", "pydantic", "safetensors", "PIL", "tomli_w",
           "jinja2", "filelock")
"""What a bare machine with a GPU may lack."""


@pytest.fixture(autouse=True)
def interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device of all tests here; and the script's folder on the path."""
    if not installed():
        pytest.skip(MISSING)
    monkeypatch.setenv("MINICNN_CUDA_DEVICE", "interpreter")
    monkeypatch.syspath_prepend(SCRIPTS)


def part(name: str) -> ModuleType:
    """A file of ``benchmarks/on_gpu``."""
    return importlib.import_module(f"on_gpu.{name}")


@pytest.fixture
def options(tmp_path: Path) -> Any:
    """A tiny run on the interpreter."""
    return part("options").Options(device="interpreter", tiny=True, out=tmp_path / "out")


# -- the runner -----------------------------------------------------------------------------------


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The runner with a program of three sections: one is right, one fails once, one hangs."""
    program = tmp_path / "program.py"
    program.write_text("""if True:
        import sys, time, pathlib
        out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
        name = sys.argv[sys.argv.index("--section") + 1]
        print(f"here is {name}", flush=True)
        with (out / "ran.txt").open("a") as file:
            print(name, file=file)
        if name == "fails" and (out / "ran.txt").read_text().count("fails") == 1:
            raise ZeroDivisionError("planted")
        if name == "hangs":
            time.sleep(1000)
    """)
    module, sections = part("runner"), part("sections")
    monkeypatch.setattr(module, "PROGRAM", program)
    monkeypatch.setattr(module, "SLOWER", 1)
    found = tuple(sections.Section(name, f"the section that {name}", seconds)
                  for name, seconds in (("works", 60), ("fails", 60), ("page", 60)))
    monkeypatch.setattr(module, "asked_for", lambda options: found)
    yield module


def ran(options: Any) -> list[str]:
    """The sections that have run, in order."""
    return (options.out / "ran.txt").read_text().split()


@pytest.mark.slow
def test_a_section_that_fails_does_not_end_the_run_and_alone_runs_again(
    runner: ModuleType, options: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner.run_all(options) == 1
    assert ran(options) == ["works", "fails", "page"]
    assert "failed: fails" in capsys.readouterr().out
    log = (options.out / "fails.log").read_text()
    assert "here is fails" in log
    assert "planted" in log
    assert log.splitlines()[-1] == "failed with exit status 1"
    assert runner.run_all(options) == 0
    assert ran(options)[3:] == ["fails", "page"]  # the page is always new
    assert "the section that works: done before" in capsys.readouterr().out
    assert runner.run_all(dataclasses.replace(options, again=True)) == 0
    assert ran(options)[5:] == ["works", "fails", "page"]


@pytest.mark.slow
def test_a_section_that_hangs_is_ended_with_all_that_it_started(
    runner: ModuleType, options: Any
) -> None:
    options.out.mkdir()
    hanging = part("sections").Section("hangs", "one that hangs", 1)
    assert not runner.run_one(options, hanging)
    assert not (options.out / "hangs.done").exists()
    assert "stopped at its limit of 1 s" in (options.out / "hangs.log").read_text()


@pytest.mark.parametrize("kept", ['{"device": "gpu", "tiny": false}', '{"device": "gp'])
def test_a_folder_of_another_run_is_refused(
    runner: ModuleType, options: Any, capsys: pytest.CaptureFixture[str], kept: str
) -> None:
    options.out.mkdir()
    (options.out / "run.json").write_text(kept)
    assert runner.run_all(options) == 2
    assert "holds a run with other settings" in capsys.readouterr().err


def test_a_file_is_no_folder_for_results(
    options: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    options.out.write_text("")
    assert part("runner").run_all(options) == 2
    assert "--out: expected a folder" in capsys.readouterr().err


def test_without_a_gpu_one_sentence_says_so(
    options: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "missing", lambda: "there is no GPU")
    assert part("runner").run_all(options) == 2
    assert capsys.readouterr().err == (
        "the cuda backend cannot run on this machine: there is no GPU\n")


def test_the_sections_take_six_minutes_in_all() -> None:
    sections = part("sections")
    assert sum(section.seconds for section in sections.SECTIONS) == 360
    for section in (*sections.SECTIONS, sections.TRAINING):
        assert (SCRIPTS / "on_gpu" / f"{section.name}.py").exists()


def test_the_words_of_a_section_give_its_settings(options: Any) -> None:
    full = dataclasses.replace(options, train="faces.csv", write_digests=True)
    assert part("options").options_from(full.words("limits")) == (full, "limits")


def test_only_the_interpreter_writes_digests() -> None:
    with pytest.raises(SystemExit):
        part("options").options_from(["--write-digests"])


@pytest.mark.slow
def test_sections_import_nothing_that_draws_or_parses() -> None:
    program = f"""if True:
        import importlib, pkgutil, sys
        for name in {REFUSED}:
            sys.modules[name] = None
        sys.path.insert(0, {str(SCRIPTS)!r})
        import on_gpu
        for part in pkgutil.iter_modules(on_gpu.__path__):
            importlib.import_module(f"on_gpu.{{part.name}}")
        from on_gpu.cases import ODD
        ODD[-1].results("cuda", "float32")
    """
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                            check=False)
    assert result.stderr == ""


# -- what it checks -------------------------------------------------------------------------------


def test_a_wrong_result_fails_the_section(options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cases, correctness, records = part("cases"), part("correctness"), part("records")
    options.out.mkdir()
    right = cases.Case("right", lambda draw: {"y": draw.normal(3).astype(float)})
    wrong = cases.Case("wrong", lambda draw: {"y": np.ones(3) + 1e-4 * (backend_name() == "cuda")})

    def fault(draw: Any) -> dict[str, Any]:
        raise ZeroDivisionError("planted")

    found = (right, cases.Case("fails", fault), wrong)
    monkeypatch.setattr(correctness, "cases", lambda tiny: found)
    with pytest.raises(SystemExit, match="4 results are wrong"):
        correctness.run(options)
    lines = records.read(options.out / "correctness.csv")
    assert [line["verdict"] for line in lines] == [
        "right", "right", "failed: planted", "failed: planted", "WRONG", "WRONG"]
    text = part("page").page(options)
    assert "Nothing here was measured on a GPU" in text
    assert "4 wrong" in text


@pytest.mark.parametrize(("got", "expected", "error"), [
    ([1.0, 2.0], [1.0, 4.0], 0.5), ([0.0], [1e-9], 1e-9), ([np.nan], [1.0], np.inf),
    ([1.0], [1.0, 2.0], np.inf),
])
def test_errors_are_of_the_largest_number(
    got: list[float], expected: list[float], error: float
) -> None:
    assert part("correctness").error_of(np.array(got), np.array(expected)) == error


def test_digests_are_of_bits() -> None:
    correctness = part("correctness")
    assert correctness.digest(np.array([0.0])) != correctness.digest(np.array([-0.0]))
    stored = json.loads(correctness.DIGESTS.read_text())
    names = {case.name for case in part("cases").ODD}
    assert {key.rpartition(" float")[0] for key in stored} == names
    assert correctness.bits("a", "a") == "equal"
    assert correctness.bits("a", "b") == "different"
    assert correctness.bits(None, "b") == "no digest"


def test_a_compiler_leaves_machine_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path))
    names, _ = part("compilation").compiled("relu 3x5x7 float32", (9, 0), 132, True)
    kept = {path.suffix for path in (tmp_path / "cuda").iterdir()}
    assert len(names) == 2
    assert ".cubin" in kept  # the PTX too, unless another test of this process has compiled it


def test_a_stopwatch_names_every_launch() -> None:
    from minicnn.ops.cuda.device import device, use_device

    stopwatch = part("devices").Stopwatch(device())
    with use_device(stopwatch):
        x = cuda.asarray(np.ones(5), np.dtype(float))
        y, cache = cuda.relu_forward(x)
        cuda.relu_backward(y, cache)
    times = stopwatch.times()
    assert [name for name, _ in times] == ["_relu", "_relu_gradient"]
    assert all(milliseconds > 0 for _, milliseconds in times)
    assert stopwatch.times() == []


@pytest.mark.slow(5)
def test_the_kernels_of_the_limits_do_what_they_are_timed_for(
    options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minicnn.ops.cuda.device import device

    limits, kernels = part("limits"), part("limit_kernels")
    options.out.mkdir()
    monkeypatch.setattr(limits, "host_time", lambda options: iter(()))
    with device().recorded() as launches:
        limits.run(options)
    lines = part("records").read(options.out / "limits.csv")
    assert {"copy", "multiply-adds", "launch"} < limits.measured(options).keys()
    assert {line["note"] for line in lines} == {"interpreter, no time of a GPU"}
    text = kernels.multiply_add_kernel(64).program("*f", "f").text
    assert text.count("fma.rn.f32") % kernels.CHAINS == 0
    assert not {"ld.global", "ld.local"} & set(text.split())
    assert launches[0].instructions_per_thread < 40  # the copy: 16 bytes in, 16 bytes out
    x = cuda.asarray(np.arange(4099.0), np.dtype(np.float32))
    y = cuda.asarray(np.zeros(4099), np.dtype(np.float32))
    kernels.copy[5](x, y, 4099 // 4)
    np.testing.assert_array_equal(np.asarray(y)[:4096], np.arange(4096))
    assert not np.asarray(y)[4096:].any()


def test_a_gpus_events_are_read_after_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    driver = SimpleNamespace(
        CUresult=SimpleNamespace(CUDA_SUCCESS=0),
        cuEventCreate=lambda flags: (0, len(asked)),
        cuEventRecord=lambda event, stream: (asked.append(f"record on {stream}"), (0,))[1],
        cuEventElapsedTime=lambda began, ended: (asked.append("elapsed"), (0, 0.5))[1],
        cuEventDestroy=lambda event: (0,),
    )
    gpu = SimpleNamespace(
        describe=lambda: {"gpu": "some"}, stream_handle=lambda: 7,
        launch=lambda *arguments: asked.append("launch"),
        synchronize=lambda: asked.append("synchronize"),
    )
    devices = part("devices")
    monkeypatch.setattr(devices, "driver", lambda: driver)
    stopwatch = devices.Stopwatch(gpu)
    stopwatch.launch(SimpleNamespace(name="kernel"), 1, 32, ())
    assert stopwatch.times() == [("kernel", 0.5)]
    assert asked == ["record on 7", "launch", "record on 7", "synchronize", "elapsed"]
    driver.cuEventElapsedTime = lambda began, ended: (SimpleNamespace(name="CUDA_ERROR"), 0.0)
    stopwatch.launch(SimpleNamespace(name="kernel"), 1, 32, ())
    with pytest.raises(RuntimeError, match="the CUDA driver reports CUDA_ERROR"):
        stopwatch.times()


# -- predictions ----------------------------------------------------------------------------------


@pytest.fixture
def predictions() -> ModuleType:
    return part("predictions")


def test_floors_are_those_of_the_definition(predictions: ModuleType) -> None:
    layers = {layer.name: layer for layer in models.paper().layers}
    floor = predictions.predict(layers["conv2d_2"], 128, "forward").floor
    operations = 2 * 128 * 48 * 48 * 9 * 64 * 64
    assert floor == pytest.approx(operations / 67e12 * 1e3)
    relu = predictions.predict(layers["relu_1"], 128, "forward")
    assert relu.floor == pytest.approx(2 * 128 * 48 * 48 * 64 * 4 / 4.3e12 * 1e3)
    assert relu.expected == pytest.approx(relu.floor + predictions.H200.launch)


@pytest.mark.parametrize("batch", [128, 512])
def test_every_pass_of_the_paper_takes_longer_than_its_floor_unless_winograd_saves_work(
    predictions: ModuleType, batch: int
) -> None:
    for place, layer in enumerate(models.paper().layers):
        for stage in part("passes").stages(layer, first=place == 0):
            found = predictions.predict(layer, batch, stage)
            if found.how == "winograd":
                assert found.expected > found.floor / 4
            else:
                assert found.expected >= found.floor


def test_a_step_is_predicted_near_the_figures_of_the_plan(predictions: ModuleType) -> None:
    assert 3.5 < predictions.predict_step(models.paper(), 128) < 6
    assert 13 < predictions.predict_step(models.paper(), 512) < 21


def test_a_chip_of_half_the_speed_takes_twice_the_time(predictions: ModuleType) -> None:
    whole = predictions.H200
    half = dataclasses.replace(whole, tflops=whole.tflops / 2, terabytes=whole.terabytes / 2,
                               launch=2 * whole.launch)
    assert predictions.predict_step(models.paper(), 128, half) == pytest.approx(
        2 * predictions.predict_step(models.paper(), 128))


def test_limits_of_the_gpu_replace_the_data_sheet(
    options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, passes = part("records"), part("passes")
    options.out.mkdir()
    table = records.Table(options.out / "limits.csv", ("what", "value", "unit", "note"))
    for what, value in (("copy", 2.0), ("multiply-adds", 20.0), ("launch", 5.0)):
        table.add(what=what, value=value)
    assert passes.chip_of(options).name.startswith("H200")  # the interpreter's times are no GPU's
    on_gpu = dataclasses.replace(options, device="gpu")
    described = SimpleNamespace(describe=lambda: {"gpu": "some"}, multiprocessors=7)
    monkeypatch.setattr(passes, "device", lambda: described)
    chip = passes.chip_of(on_gpu)
    assert (chip.tflops, chip.terabytes, chip.multiprocessors, chip.launch) == (20, 2, 7, 0.005)


def test_the_page_shows_prediction_measurement_and_difference(options: Any) -> None:
    records, page = part("records"), part("page")
    options.out.mkdir()
    on_gpu = dataclasses.replace(options, device="gpu")
    limits = records.Table(options.out / "limits.csv", ("what", "value", "unit", "note"))
    limits.add(what="copy", value=4.0, unit="TB/s")
    limits.add(what="multiply-adds", value=60.0, unit="TFLOP/s")
    passes = records.Table(options.out / "passes.csv", part("passes").COLUMNS)
    passes.add(**{"batch": 128, "layer": "relu_1", "stage": "forward", "predicted_ms": 0.5,
                  "kernels_ms": 0.6, "TFLOP/s": 0.25, "TB/s": 2.0})
    text = page.page(on_gpu)
    assert "| +20% |" in text
    assert "| 0.125 | 0.5 | 0.25 | 50% | ########## |" in text
    assert "interpreter" not in text.partition("## Right")[0]
    assert "+20%" not in page.page(options)
