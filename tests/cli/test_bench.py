"""`minicnn bench`: what it refuses to measure."""

import pytest
from command_line import refused

from minicnn.ops import cuda


@pytest.mark.parametrize(("options", "message"), [
    (["--against", "caffe"], "--against: expected torch or reference, got 'caffe'"),
    (["--threads", "0"], "--threads: expected a number of threads from 1 to"),
    (["--threads", "1,x"], "got 'x'"),
    (["--rounds", "0"], "--rounds"),
    (["--backend", "gpu"], "backend: expected one of cpu, reference, cuda, got 'gpu'"),
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
