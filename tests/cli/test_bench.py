"""`minicnn bench`: what it refuses to measure."""

import pytest
from command_line import refused

from minicnn.ops import cuda


@pytest.mark.parametrize(("options", "message"), [
    (["--against", "caffe"], "--against: expected torch or reference, got 'caffe'"),
    (["--threads", "0"], "--threads: expected a number of threads from 1 to"),
    (["--threads", "1,x"], "got 'x'"),
    (["--rounds", "0"], "--rounds"),
    (["--shape", "2,3"], "--layer: expected a layer, as conv2d, got none"),
    (["--filters", "3"], "--layer: expected a layer, as conv2d, got none"),
    (["--layer", "relu"], "--shape: expected the shape of its inputs, as 64,48,48,64"),
    (["--layer", "relu", "--shape", "2,x"], "--shape: expected numbers with commas between"),
    (["--layer", "conv2d", "--shape", "2,6,6,3"], "--filters: conv2d needs filters"),
    (["--layer", "relu", "--shape", "2,3", "--out", "x"], "--out: the figures of one layer"),
    (["--backend", "gpu"], "backend: expected one of cpu, reference, cuda, got 'gpu'"),
    (["--layer", "relu", "--shape", "4,8", "--batch-size", "4"],
     "--batch-size: a layer's shape begins with its batch: leave this out"),
    (["--layer", "relu", "--shape", "4,8", "--out", "here"],
     "--out: the figures of one layer are only shown: leave this out"),
])
def test_what_cannot_be_measured(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(capsys, "bench", *options)


def test_without_a_gpu_cuda_cannot_be_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "missing", lambda: "there is no GPU")
    message = refused(capsys, "bench", "--backend", "cuda", "--against", "torch")
    assert "backend: cuda cannot run on this machine: there is no GPU" in message
