"""Every reader of files, fuzzed for a moment; ``tests/programs/fuzz.py`` does so for hours.

Whatever the bytes: the right content or an `InputError` of one line (`Reader.outcome` sees to it),
within bounds of time and memory.
"""

import random
import resource
import time

import pytest
from fuzz import mutated
from hostile_readers import READERS, SMALL
from hypothesis import given, settings, strategies as st
from numba.core import event

from minicnn import InputError

SECONDS = 2
KILOBYTES = 2**20
"""By which the process may grow while a reader is fuzzed."""

MOST_PLACES = 150


class Compiling(event.Listener):
    """How long kernels were compiled, which is no fault of a reader."""

    def __init__(self):
        self.seconds = 0.0
        self.begun = []  # a kernel is compiled while one that calls it is

    def on_start(self, event):
        self.begun.append(time.monotonic())

    def on_end(self, event):
        begun = self.begun.pop()
        if not self.begun:
            self.seconds += time.monotonic() - begun


@pytest.fixture(params=READERS)
def fuzzed(request, tmp_path):
    """A function that reads bytes, with the bounds kept, and the seeds."""
    reader = READERS[request.param]
    (tmp_path / "seeds").mkdir()
    seeds = reader.seeds(tmp_path / "seeds")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def outcome(content):
        compiling = Compiling()
        start = time.monotonic()
        with event.install_listener("numba:compile", compiling):
            result = reader.outcome(content, tmp_path)
        assert time.monotonic() - start - compiling.seconds < SECONDS
        return result

    yield outcome, list(seeds.values())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < KILOBYTES


def test_the_seeds_are_right(fuzzed):
    outcome, seeds = fuzzed
    for seed in seeds:
        assert outcome(seed) is not None
        assert not isinstance(outcome(seed), InputError)


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_flipped_bytes(fuzzed, mask):
    outcome, seeds = fuzzed
    for seed in seeds:
        for place in range(0, len(seed), max(1, len(seed) * len(seeds) // MOST_PLACES)):
            outcome(seed[:place] + bytes([seed[place] ^ mask]) + seed[place + 1 :])


def test_files_that_are_cut(fuzzed):
    outcome, seeds = fuzzed
    for seed in seeds:
        for end in range(0, len(seed), max(1, len(seed) * len(seeds) // MOST_PLACES)):
            outcome(seed[:end])


def test_mutations(fuzzed):
    outcome, seeds = fuzzed
    rng = random.Random(0)
    for _ in range(400):
        outcome(mutated(rng.choice(seeds), seeds, rng))


@pytest.mark.parametrize("name", READERS)
def test_any_bytes(name, tmp_path):
    @settings(max_examples=50)
    @given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(
        lambda text: text.encode(errors="surrogatepass"))))
    def check(content):
        READERS[name].outcome(content, tmp_path)

    check()


@pytest.mark.parametrize("kind", ["zip", "gz", "tar.gz"])
def test_a_flipped_byte_of_an_archive_never_changes_the_table(tmp_path, kind):
    reader = READERS["archive"]
    seed = reader.seeds(tmp_path)[kind]
    for place in range(len(seed)):
        changed = seed[:place] + bytes([seed[place] ^ 0x04]) + seed[place + 1 :]
        outcome = reader.outcome(changed, tmp_path)
        right = outcome in (SMALL, b"faces", changed[: 2 * len(SMALL)])  # or no archive any more
        assert isinstance(outcome, InputError) or right
