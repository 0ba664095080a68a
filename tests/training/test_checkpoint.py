"""When checkpoints are saved, and what stands in them."""

import json
import signal

import pytest
from small_training import INPUTS, LABELS, trainer

from minicnn import InputError
from minicnn.files.tensors import read_tensors
from minicnn.training import Callback, Checkpoint, Interval, Phase


def test_a_signal_before_the_first_step_is_saved_too(tmp_path):
    class Start(Callback):
        phase = Phase.SAVE

        def on_fit_start(self, trainer):
            (tmp_path / "last.safetensors").unlink()  # what was saved before the signal
            signal.raise_signal(signal.SIGINT)

    run = trainer([Checkpoint(tmp_path / "last.safetensors", {}), Start()])
    assert run.fit((INPUTS, LABELS), epochs=2, batch_size=8) == []
    assert run.interrupted
    header, _ = read_tensors(tmp_path / "last.safetensors", "checkpoint")
    assert (header["trainer"]["epoch"], header["trainer"]["batch"]) == (1, 0)


@pytest.mark.parametrize(("text", "interval"), [
    ("200", Interval(batches=200)), ("90s", Interval(seconds=90)), ("0.5s", Interval(seconds=0.5)),
])
def test_intervals(text, interval):
    assert Interval.parse(text) == interval


@pytest.mark.parametrize("text", ["", "0", "-5s", "often", "infs"])
def test_what_is_no_interval_is_called_as_the_caller_calls_it(text):
    with pytest.raises(InputError, match=f"^text: expected a number of batches, .* got '{text}'"):
        Interval.parse(text)
    with pytest.raises(InputError, match="^save_every: expected a number of batches"):
        Interval.parse(text, argument="save_every")


def test_checkpoints_come_as_often_as_asked(finished):
    header, _ = read_tensors(finished / "whole" / "previous.safetensors", "checkpoint")
    assert header["trainer"]["batch"] == 8  # of nine batches an epoch, the last but one checkpoint
    assert json.dumps(header["circumstances"])
