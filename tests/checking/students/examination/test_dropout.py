"""Dropout: what p is, what is said where the file is silent, and two mistakes at once."""

from pathlib import Path

import pytest
from submission_checks import findings_of, planted

from minicnn.checking import Finding

DROPS, BOTH = "dropout_drops_cs231n.py", "dropout_both_readings_cs231n.py"
SCALED, SILENT = "dropout_scaled_mask_cs231n.py", "dropout_silent_cs231n.py"
MASK = "(np.random.rand(*x.shape) < p) / p"


def forward_of(tmp_path: Path, name: str, old: str, new: str) -> Finding:
    found = {each.function: each for each in findings_of(planted(tmp_path, name, old, new))}
    return found["dropout_forward"]


def test_the_sentence_that_says_what_p_is_is_quoted(tmp_path: Path) -> None:
    found = forward_of(tmp_path, DROPS, ">= p", "< p")
    assert found.fault == "dropout-keep-drop-swapped"
    assert 'the file says "Each neuron is dropped with probability p."' in found.message
    assert found.message.count("With p = 0.3, 31.0% of 4757 values were kept") == 1


@pytest.mark.parametrize(("name", "old", "new", "word"), [
    (SCALED, "and p, the probability that a value is kept", "and p",
     "keeping a value. The course's own docstring said keeping since 2018"),
    (SILENT, "\"p\"]", "'p']", "dropping a value. The course's own docstring said dropping until"),
])
def test_where_the_file_is_silent_either_is_right_and_a_note_says_which(
    tmp_path: Path, name: str, old: str, new: str, word: str
) -> None:
    found = forward_of(tmp_path, name, old, new)
    assert found.verdict == "correct"
    assert found.message.startswith("note: nothing in the file says what p is")
    assert word in found.message


def test_where_the_file_says_it_there_is_no_note(tmp_path: Path) -> None:
    assert not forward_of(tmp_path, BOTH, "x\n    if mode", "x\n\n    if mode").message


def test_normal_numbers_are_counted(tmp_path: Path) -> None:
    found = forward_of(tmp_path, SCALED, "random.rand(", "random.randn(")
    assert ("expected 70%: 76% of normal numbers lie below 0.7; rand is uniform, randn is normal"
            in found.message)


@pytest.mark.parametrize(("new", "fault", "also"), [
    ("np.random.rand(*x.shape) > p", "dropout-keep-drop-swapped", ["dropout-not-scaled"]),
    ("np.random.randn(*x.shape) < p", "dropout-mask-from-normal", ["dropout-not-scaled"]),
    ("np.random.rand(1, *x.shape[1:]) < p", "dropout-mask-shared", ["dropout-not-scaled"]),
    ("(np.random.rand(1, *x.shape[1:]) > p) / p", "dropout-mask-shared",
     ["dropout-keep-drop-swapped"]),
    (MASK, None, []),
])
def test_two_mistakes_at_once_are_both_named(
    tmp_path: Path, new: str, fault: str | None, also: list[str]
) -> None:
    found = forward_of(tmp_path, SCALED, MASK, new)
    assert (found.fault, found.also) == (fault, also)


def test_dropout_as_first_published_lacks_one_scale_and_has_the_other(tmp_path: Path) -> None:
    found = forward_of(tmp_path, SCALED, MASK, "np.random.rand(*x.shape) < p")
    assert (found.fault, found.also) == ("dropout-not-scaled", [])
    path = planted(tmp_path, SCALED, MASK, "np.random.rand(*x.shape) < p")
    text = path.read_text(encoding="utf-8").replace("        out = x\n", "        out = x * p\n")
    path.write_text(text, encoding="utf-8")
    found = findings_of(path)[0]
    assert (found.fault, found.also) == ("dropout-not-scaled", ["dropout-scaled-in-eval"])


def test_a_mask_for_two_axes_fails_for_images(tmp_path: Path) -> None:
    found = forward_of(tmp_path, SCALED, f"mask = {MASK}",
                       "N, D = x.shape\n        mask = (np.random.rand(N, D) < p) / p")
    assert (found.verdict, found.fault) == ("error", "dropout-mask-shared")
    assert "x may have any number of axes; with two it is right" in found.message


def test_other_reasons_to_fail_for_images_have_no_name(tmp_path: Path) -> None:
    found = forward_of(tmp_path, SCALED, f"mask = {MASK}",
                       f"assert x.ndim == 2\n        mask = {MASK}")
    assert (found.verdict, found.fault) == ("error", None)
