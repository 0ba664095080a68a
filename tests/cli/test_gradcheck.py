"""`minicnn gradcheck`: the gradients of the package's own layers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import refused, status
from distant_arrays import NAME, distant_backend


def test_gradcheck_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("gradcheck", "Dense", "BatchNorm", "--backend", "reference") == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if "reference" in line]
    assert len(rows) == 5
    assert all(row.split()[-1] == "correct" for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_gradcheck_of_every_layer_is_below_its_bound(
    backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("gradcheck", "--json", "--backend", backend) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["backend"] for row in rows} == {backend}
    for row in rows:
        assert max(row["training"], row["evaluation"]) <= 1e-7, row
        assert row["elements"] > 0
        assert row["uncertainty"] <= 1e-7


@pytest.mark.slow
def test_json_stays_json_where_kernels_have_to_be_compiled(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "minicnn", "gradcheck", "ReLU", "--json", "--backend", "cpu"],
        capture_output=True, text=True, env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
    )
    assert {row["layer"] for row in json.loads(ended.stdout)} == {"ReLU"}
    assert ended.stderr.count("compiling kernels") == 1


def test_gradcheck_refuses_what_is_no_layer(capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "gradcheck", "Conv3D")
    assert "gradcheck: expected layers among Conv2D, MaxPool2D" in message


@pytest.mark.parametrize("missing", ["", "a chip"])
def test_gradcheck_takes_every_backend_that_can_run_here(
    missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with distant_backend(missing):
        assert status("gradcheck", "ReLU", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert all(row["verdict"] == "correct" for row in rows)
    assert (NAME in {row["backend"] for row in rows}) is not bool(missing)
