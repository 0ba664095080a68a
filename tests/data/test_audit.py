"""The audit of a data set, against findings that were planted and against plain counting."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from rich.console import Console

from minicnn.data.audit import Finding, Leakage, Row, audit
from minicnn.data.dataset import EMOTIONS, Dataset, Split


def split_of(*rows):
    """A split from (kind, label) pairs: equal kinds, equal images; kind 0 is blank."""
    images = [
        np.random.default_rng(kind).integers(0, 256, (48, 48), np.uint8)
        if kind
        else np.full((48, 48), 9, np.uint8)
        for kind, _ in rows
    ]
    return Split(
        np.array(images, np.uint8).reshape(-1, 48, 48),
        np.array([label for _, label in rows], np.int64),
    )


@pytest.fixture
def planted():
    return Dataset(
        "planted",
        train=split_of((1, 0), (2, 3), (1, 0), (3, 2), (0, 6), (4, 5)),
        validation=split_of((5, 1), (2, 4), (6, 2)),
        test=split_of((1, 0), (0, 6), (3, 5), (2, 3), (7, 1)),
        notes=("A note.",),
    )


def test_counts(planted):
    counts = audit(planted).counts
    assert list(counts) == ["train", "validation", "test"]
    assert counts["train"] == dict(zip(EMOTIONS, (2, 0, 1, 1, 0, 1, 1), strict=True))
    assert sum(counts["test"].values()) == 5


def test_duplicates_conflicts_and_blanks(planted):
    result = audit(planted)
    ones = [Row("train", 1), Row("train", 3), Row("test", 1)]
    twos = [Row("train", 2), Row("validation", 2), Row("test", 4)]
    threes = [Row("train", 4), Row("test", 3)]
    blanks = [Row("train", 5), Row("test", 2)]
    assert result.duplicates == Finding(4, 10, [ones, twos, threes, blanks])
    assert result.extra_copies == 6
    assert result.conflicts == Finding(2, 5, [twos, threes])
    assert result.blank == Finding(1, 2, [blanks])


def test_leakage_of_each_two_splits(planted):
    in_validation, in_test, between = audit(planted).leakage
    assert in_validation == Leakage(
        "train", "validation", 1, 1 / 3, 1, [[Row("train", 2), Row("validation", 2)]]
    )
    assert (in_test.seen_in, in_test.measured_in) == ("train", "test")
    assert (in_test.images, in_test.share, in_test.relabelled) == (4, 0.8, 1)
    assert in_test.examples[0] == [Row("train", 1), Row("train", 3), Row("test", 1)]
    assert between == Leakage(
        "validation", "test", 1, 0.2, 1, [[Row("validation", 2), Row("test", 4)]]
    )


def test_at_most_five_examples_of_at_most_five_rows():
    rows = [(kind, 0) for kind in range(1, 9) for _ in range(7)]
    result = audit(Dataset("many", split_of(*rows), split_of(), split_of()))
    assert result.duplicates.distinct == 8
    assert [len(group) for group in result.duplicates.examples] == [5] * 5


def test_pixel_moments_are_those_of_numpy(planted):
    result = audit(planted)
    for name, split in planted.splits():
        assert result.pixel_mean[name] == pytest.approx(np.mean(split.images), rel=1e-13)
        assert result.pixel_deviation[name] == pytest.approx(np.std(split.images), rel=1e-13)


def test_pixel_moments_of_many_images():
    images = np.random.default_rng(0).integers(0, 256, (2500, 48, 48), np.uint8)
    result = audit(Dataset("many", Split(images, np.zeros(2500, np.int64)), split_of(), split_of()))
    assert result.pixel_mean["train"] == pytest.approx(np.mean(images), rel=1e-12)
    assert result.pixel_deviation["train"] == pytest.approx(np.std(images), rel=1e-12)


def test_empty_splits():
    result = audit(Dataset("train only", split_of((1, 0)), split_of(), split_of()))
    assert result.pixel_mean["test"] is None
    assert result.pixel_deviation["test"] is None
    assert result.duplicates == Finding(0, 0, [])
    assert [leak.images for leak in result.leakage] == [0, 0, 0]
    assert audit(Dataset("nothing", split_of(), split_of(), split_of())).blank.images == 0


rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=8)


@settings(deadline=None, max_examples=60)
@given(train=rows, validation=rows, test=rows)
def test_agrees_with_plain_counting(train, validation, test):
    splits = {"train": train, "validation": validation, "test": test}
    result = audit(Dataset("drawn", *(split_of(*rows) for rows in splits.values())))
    everything = train + validation + test
    kinds = [kind for kind, _ in everything]
    copied = {kind for kind in kinds if kinds.count(kind) > 1}
    disputed = {kind for kind in kinds if len({lab for k, lab in everything if k == kind}) > 1}
    assert result.duplicates.distinct == len(copied)
    assert result.duplicates.images == sum(kind in copied for kind in kinds)
    assert result.extra_copies == len(kinds) - len(set(kinds))
    assert result.conflicts.distinct == len(disputed)
    assert result.conflicts.images == sum(kind in disputed for kind in kinds)
    assert result.blank.images == kinds.count(0)
    for leak in result.leakage:
        seen, measured = splits[leak.seen_in], splits[leak.measured_in]
        known = [row for row in measured if row[0] in {kind for kind, _ in seen}]
        assert leak.images == len(known)
        assert leak.relabelled == sum(row not in seen for row in known)


def test_as_dict_is_plain_json(planted):
    plain = audit(planted).as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["leakage"][0]["examples"] == [
        [
            {"split": "train", "row": 2, "source": None},
            {"split": "validation", "row": 2, "source": None},
        ]
    ]
    assert plain["notes"] == ["A note."]


def test_the_table_shows_every_finding(planted):
    console = Console(file=io.StringIO(), width=160)
    console.print(audit(planted).table())
    shown = console.file.getvalue()
    for text in (
        "planted: images",
        "disgust",
        "6 copies too many",
        "80.00% of test, 1 labelled otherwise",
        "train: row 2 = validation: row 2",
        f"{np.mean(planted.train.images):.3f}",
        "A note.",
    ):
        assert text in shown


def test_examples_name_their_source_where_it_is_known():
    train = replace(split_of((1, 0), (2, 0)), sources=np.array(["train/angry/[b].png", "a.png"]))
    test = replace(split_of((3, 1), (1, 0)), sources=np.array(["data row 7", "data row 9"]))
    result = audit(Dataset("known", train, split_of(), test))
    assert result.duplicates.examples == [
        [Row("train", 1, "train/angry/[b].png"), Row("test", 2, "data row 9")]
    ]
    console = Console(file=io.StringIO(), width=160)
    console.print(result.table())
    assert "train: train/angry/[b].png = test: data row 9" in console.file.getvalue()
