"""`minicnn bench`: what it refuses to measure."""

import pytest
from command_line import refused


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
