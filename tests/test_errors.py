"""Errors: the message, and the way through a process pool."""

import copy
import pickle
from pathlib import Path

import pytest

from minicnn.errors import InputError, NonFiniteLossError, ResumableError


@pytest.mark.parametrize("error", [
    InputError("expected 1, got\n2"),
    InputError("expected 1, got 2", argument="epochs"),
    InputError("much " * 300, argument="epochs"),
    ResumableError("in use; resume it", Path("my run")),
    NonFiniteLossError("the loss became nan in epoch 1"),
], ids=lambda error: str(error)[:20])
def test_an_error_is_the_same_behind_a_process_or_a_copy(error):
    again = [pickle.loads(pickle.dumps(error, protocol))
             for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for other in [*again, copy.copy(error), copy.deepcopy(error)]:
        assert type(other) is type(error)
        assert str(other) == str(error)
        assert other.args == error.args
        assert vars(other) == vars(error)


def test_a_long_message_is_cut():
    error = InputError("much " * 300, argument="epochs")
    assert len(error.reason) == 1001
    assert str(error) == f"epochs: {error.reason}"
