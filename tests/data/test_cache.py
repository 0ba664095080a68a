"""The cache of decoded images: used when the content is the same, never trusted, never needed."""

import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from minicnn.data import cache, fer2013
from minicnn.data.dataset import Split


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def some_splits(seed=0):
    rng = np.random.default_rng(seed)
    return {
        name: Split(
            rng.integers(0, 256, (size, 48, 48), np.uint8),
            rng.integers(0, 7, size),
            np.array([f"{name}/é{row}.png" for row in range(size)], str),
        )
        for name, size in (("train", 5), ("validation", 0), ("test", 3))
    }


def assert_equal(splits, expected):
    assert list(splits) == list(expected)
    for name, split in splits.items():
        np.testing.assert_array_equal(split.images, expected[name].images)
        np.testing.assert_array_equal(split.labels, expected[name].labels)
        np.testing.assert_array_equal(split.sources, expected[name].sources)
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
        assert split.images.flags.writeable


class Source:
    """Something to decode that counts how often it was."""

    def __init__(self, key="1-abc", seed=0, notes=()):
        self.key, self.notes = key, notes
        self.splits = some_splits(seed)
        self.reads = 0

    def read(self):
        self.reads += 1
        return self.splits, self.notes

    def remembered(self):
        return cache.remembered(lambda: self.key, self.read)


def test_the_second_time_nothing_is_read(folder):
    source = Source()
    for _ in range(3):
        splits, notes = source.remembered()
        assert_equal(splits, source.splits)
        assert notes == ()
    assert source.reads == 1


def test_notes_are_remembered_too(folder):
    source = Source(notes=("It was so.", "It was – so."))
    for _ in range(3):
        assert source.remembered()[1] == source.notes
    assert source.reads == 1


def test_every_content_has_its_own(folder):
    first, second = Source("1-a", seed=1), Source("1-b", seed=2)
    for _ in range(2):
        assert_equal(first.remembered()[0], first.splits)
        assert_equal(second.remembered()[0], second.splits)
    assert (first.reads, second.reads) == (1, 1)


@contextmanager
def altered(file):
    """The tensors of a cache file, to change; its metadata stays."""
    with safe_open(file, framework="numpy") as reader:
        metadata = reader.metadata()
    tensors = load_file(file)
    yield tensors
    save_file(tensors, file, metadata)


def damage_nothing_left(file):
    file.write_bytes(b"")


def damage_truncated(file):
    file.write_bytes(file.read_bytes()[:-1000])


def damage_one_pixel(file):
    with altered(file) as tensors:
        tensors["train.images"][3, 4, 5] ^= 1


def damage_one_label(file):
    with altered(file) as tensors:
        tensors["test.labels"][2] += 1


def damage_one_source(file):
    with altered(file) as tensors:
        tensors["train.sources"][1] ^= 1


def damage_no_safetensors(file):
    file.write_bytes(b"\x80\x04pickle" * 100)


def damage_foreign_safetensors(file):
    save_file({"weights": np.zeros(3)}, file)


def damage_no_metadata(file):
    save_file(load_file(file), file)


def damage_missing_tensor(file):
    with altered(file) as tensors:
        del tensors["test.labels"]


def damage_folder(file):
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        damage_nothing_left,
        damage_truncated,
        damage_one_pixel,
        damage_one_label,
        damage_one_source,
        damage_no_safetensors,
        damage_foreign_safetensors,
        damage_no_metadata,
        damage_missing_tensor,
    ],
)
def test_a_damaged_cache_is_made_again(folder, damage):
    source = Source()
    source.remembered()
    (file,) = folder.iterdir()
    damage(file)
    for _ in range(2):
        splits, notes = source.remembered()
        assert_equal(splits, source.splits)
        assert notes == ()
    assert source.reads == 2


def test_a_folder_where_the_cache_belongs_costs_time_and_nothing_else(folder):
    source = Source()
    source.remembered()
    (file,) = folder.iterdir()
    damage_folder(file)
    splits, notes = source.remembered()
    assert_equal(splits, source.splits)
    assert "could not be kept" in notes[0]
    assert list(folder.iterdir()) == [file]


def test_a_cache_folder_that_cannot_be_made_costs_time_and_nothing_else(folder):
    folder.write_bytes(b"a file")
    source = Source()
    for _ in range(2):
        splits, notes = source.remembered()
        assert_equal(splits, source.splits)
        assert len(notes) == 1
        assert notes[0].startswith(f"The decoded images could not be kept in {folder}")
    assert source.reads == 2


def test_a_source_that_changes_while_it_is_read_is_not_kept(folder):
    source = Source()

    def read():
        source.key = "1-changed"
        return source.read()

    splits, notes = cache.remembered(lambda: source.key, read)
    assert_equal(splits, source.splits)
    assert notes == ()
    assert not folder.exists()


def test_an_error_in_reading_leaves_nothing_behind(folder):
    def read():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.remembered(lambda: "1-a", read)
    assert not folder.exists()


def test_where_the_cache_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MINICNN_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache.cache_folder() == tmp_path / ".cache" / "minicnn"
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.cache_folder() == Path("/somewhere/minicnn")
    monkeypatch.setenv("MINICNN_CACHE_DIR", "~/faces")
    assert cache.cache_folder() == tmp_path / "faces"


# Fingerprints


@settings(deadline=None, max_examples=30)
@given(content=st.binary(min_size=1, max_size=200), data=st.data())
def test_any_byte_changes_a_file_s_fingerprint(tmp_path_factory, content, data):
    path = tmp_path_factory.mktemp("file") / "a"
    path.write_bytes(content)
    before = cache.file_fingerprint(path)
    assert before == cache.file_fingerprint(path)
    changed = bytearray(content)
    changed[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    assert cache.file_fingerprint(path) != before
    path.write_bytes(content + b"\0")
    assert cache.file_fingerprint(path) != before


def test_a_large_file_s_fingerprint_covers_every_block(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_BLOCK", 10)
    path = tmp_path / "a"
    content = bytes(range(45))
    path.write_bytes(content)
    seen = {cache.file_fingerprint(path)}
    for at in range(45):
        path.write_bytes(content[:at] + b"\xff" + content[at + 1 :])
        seen.add(cache.file_fingerprint(path))
    path.write_bytes(content[10:20] + content[:10] + content[20:])
    seen.add(cache.file_fingerprint(path))
    assert len(seen) == 47


def test_a_folder_s_fingerprint_knows_names_contents_and_borders(tmp_path):
    def fingerprint(**contents):
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
        return cache.files_fingerprint([(name, tmp_path / name) for name in contents])

    first = fingerprint(a=b"12", b=b"3")
    assert first == fingerprint(a=b"12", b=b"3")
    others = {
        fingerprint(a=b"1", b=b"23"),
        fingerprint(a=b"12", c=b"3"),
        fingerprint(a=b"12", b=b"4"),
        fingerprint(b=b"3", a=b"12"),
        fingerprint(a=b"123"),
    }
    assert len(others | {first}) == 6


# Through the public door


def write_table(path, grey):
    pixels = " ".join([str(grey)] * 2304)
    rows = [f"3,{pixels},{usage}" for usage in ("Training", "PublicTest", "PrivateTest")]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]))


def test_a_file_changed_in_place_is_noticed_whatever_its_date_says(folder, tmp_path):
    path = tmp_path / "fer2013.csv"
    write_table(path, 100)
    assert fer2013.load(path).train.images.max() == 100
    stamp = path.stat()
    write_table(path, 101)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert path.stat().st_size == stamp.st_size
    assert fer2013.load(path).train.images.max() == 101


def test_a_file_read_before_is_not_parsed_again(folder, tmp_path, monkeypatch):
    path = tmp_path / "fer2013.csv"
    write_table(path, 100)
    first = fer2013.load(path)
    monkeypatch.delattr(fer2013, "read_csv")
    moved = path.rename(tmp_path / "moved.csv")
    second = fer2013.load(moved)
    assert second.name == "moved.csv"
    assert second.train.fingerprint() == first.train.fingerprint()


def test_an_unwritable_cache_is_a_note(folder, tmp_path):
    folder.write_bytes(b"a file")
    path = tmp_path / "fer2013.csv"
    write_table(path, 100)
    dataset = fer2013.load(path)
    assert len(dataset.train) == 1
    assert "could not be kept" in dataset.notes[0]
