"""A line that moves in a terminal, is printed once elsewhere, and not at all for what is quick."""

import io

import pytest
from rich.console import Console

from minicnn.cli.progress import PATIENCE, MovingLine


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def shown(clock, shares, *, terminal):
    line, text = MovingLine("reading", ", once", clock), io.StringIO()
    line._console = Console(file=text, force_terminal=terminal, width=80)
    for seconds, share in shares:
        clock.now = 100 + seconds
        line("/some/where/[faces].csv", share)
    line.close()
    return text.getvalue()


def test_what_is_quick_is_not_said(clock):
    for terminal in (False, True):
        assert shown(clock, [(0, 0.1), (PATIENCE / 2, 0.9), (9, 1)], terminal=terminal) == ""
        clock.now = 100


def test_elsewhere_it_is_one_line(clock):
    text = shown(clock, [(1, 0.1), (2, 0.5), (3, 0.9), (4, 1)], terminal=False)
    assert text == "reading [faces].csv, once …\n"


def test_in_a_terminal_it_moves_and_goes(clock):
    text = shown(clock, [(1, 0.25), (2, 0.75), (3, 1)], terminal=True)
    assert "reading [faces].csv, once" in text
    assert text.endswith("\x1b[2K")  # the line is taken away
