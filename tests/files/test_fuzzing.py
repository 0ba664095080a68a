"""Every reader of files, fuzzed for a moment; ``tests/programs/fuzz.py`` does so for hours.

Whatever the bytes: the right content or an `InputError` of one line (`Reader.outcome` sees to it),
within bounds of time and memory.
"""

import random
import sys

import pytest
from fuzz import mutated
from hostile_readers import READERS, SMALL
from hypothesis import given, settings, strategies as st
from reading_time import ReadingTime

from minicnn import InputError

SECONDS = 2
BYTES = 2**30
"""By which the process may grow while a reader is fuzzed."""

MOST_PLACES = 150

resource = pytest.importorskip("resource", reason="asks the system what the process holds")


def held() -> int:
    """The most bytes that the process has held; macOS counts bytes, others kilobytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.fixture(params=READERS)
def fuzzed(request, tmp_path):
    """A function that reads bytes, with the bounds kept, and the seeds."""
    reader = READERS[request.param]
    (tmp_path / "seeds").mkdir()
    seeds = reader.seeds(tmp_path / "seeds")
    before = held()

    def outcome(content):
        with ReadingTime() as taken:
            result = reader.outcome(content, tmp_path)
        assert taken.seconds < SECONDS
        return result

    yield outcome, list(seeds.values())
    assert held() - before < BYTES


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
