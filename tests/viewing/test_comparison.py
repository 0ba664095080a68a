"""Runs side by side: the page, and the table in the terminal."""

import copy
import io
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from fabricated_run import SETTINGS, FabricatedRun, Page
from rich.console import Console

from minicnn import InputError, viewing
from minicnn.data import EMOTIONS
from minicnn.viewing.layer_by_layer import layer_pictures
from minicnn.viewing.page import setting


def changed(**sections):
    settings = copy.deepcopy(SETTINGS)
    for key, value in sections.items():
        settings[key] = {**settings[key], **value} if isinstance(value, dict) else value
    return settings


def compare(tmp_path, *runs):
    path = tmp_path / "new" / "compare.html"
    assert viewing.write_comparison([run.folder for run in runs], path) == path
    return Page(path)


def axis_texts(svg):
    """The numbers at a chart's axes, without the names of layers."""
    texts = [element.text for element in ElementTree.fromstring(svg).iter("text")]
    return [text for text in texts if not text.endswith(("_1", "_2"))]


def printed(*runs):
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(viewing.comparison_table([run.folder for run in runs]))
    return console.export_text()


@pytest.fixture
def runs(tmp_path):
    return (
        FabricatedRun(tmp_path / "first"),
        FabricatedRun(tmp_path / "second", epochs=5, settings=changed(
            name="other", description="Another.", optimizer={"lr": 0.5, "momentum": 0.9},
            training={"epochs": 5},
        )),
    )


def test_only_differing_settings_are_named(runs, tmp_path):
    page = compare(tmp_path, *runs)
    assert page.sections == ["settings", "curves", "layers", "classes", "confusion"]
    head, *rows = page.table(None)
    assert [cell.strip() for cell in head] == ["setting", "1 first", "2 second"]
    assert rows == [
        ["optimizer.lr", "0.002", "0.5"], ["training.epochs", "3", "5"],
        ["optimizer.momentum", "–", "0.9"],
    ]


def test_figures_and_charts(runs, tmp_path):
    page = compare(tmp_path, *runs)
    _, first, second = page.table("runs")
    accuracy = (runs[0].evaluation.predictions == runs[0].split.labels).mean()
    assert first[0].strip() == "1 first"
    assert first[1] == f"{accuracy:.1%}".replace("%", "\u202f%")
    assert (first[5], second[5]) == ("3 of 3", "5 of 5")
    assert (first[9], second[9]) == ("0.002", "0.5")
    assert not page.attributes("src")
    assert len([tag for tag, _ in page.tags if tag == "svg"]) == 4 + 3 * 2
    assert "http:" not in page.source and "https:" not in page.source
    assert {"script", "link"}.isdisjoint(tag for tag, _ in page.tags)


def test_accuracy_is_given_on_unseen_images_too(tmp_path):
    runs = FabricatedRun(tmp_path / "all", copies=40), FabricatedRun(tmp_path / "some", copies=9)
    right = (runs[1].evaluation.predictions == runs[1].split.labels)[9:]
    expected = f"{right.mean():.1%}".replace("%", "\u202f%")
    assert [row[2] for row in compare(tmp_path, *runs).table("runs")[1:]] == ["–", expected]
    assert expected in printed(*runs)


def test_each_run_has_its_matrix_and_recalls(tmp_path):
    runs = [FabricatedRun(tmp_path / name, seed=seed) for seed, name in enumerate("ab")]
    page = compare(tmp_path, *runs)
    for place, run in enumerate(runs):
        cells = [[int(cell.replace("·", "%0").split("%")[1]) for cell in row[1:]]
                 for row in page.table("confusion", place)[1:]]
        assert cells == run.evaluation.confusion.tolist()
    recalls = [row[1:] for row in page.table("bars")[1:]]
    for place, run in enumerate(runs):
        for shown, recall in zip(recalls, run.evaluation.recall, strict=True):
            assert float(shown[place].removesuffix("\u202f%")) == pytest.approx(
                100 * recall, abs=0.05
            )


def test_equal_runs_give_no_caution(tmp_path):
    page = compare(tmp_path, FabricatedRun(tmp_path / "a"), FabricatedRun(tmp_path / "b"))
    assert "all settings are the same" in page.words
    assert "Mind" not in page.words


def test_what_cannot_be_compared_is_said(tmp_path):
    other = ("calm", *EMOTIONS[1:])
    page = compare(
        tmp_path, FabricatedRun(tmp_path / "a", epochs=2),
        FabricatedRun(tmp_path / "b", seed=9, classes=other, measured_on="validation"),
    )
    for caution in ("measured on their test split, others", "not tell the same classes apart",
                    "measured on different test images", "not trained on the same images",
                    "same number of epochs: 2, 3"):
        assert caution in page.words
    rows = {row[0]: row[1:] for row in page.table("bars")[1:]}
    assert rows["calm"][0] == "–" and rows["angry"][1] == "–"


def test_markup_in_names_is_text(tmp_path):
    runs = [FabricatedRun(tmp_path / name) for name in ("<script>x", "_[bold]$y")]
    page = compare(tmp_path, *runs)
    assert "script" not in {tag for tag, _ in page.tags}
    assert "<script>x" in page.text
    assert "_[bold]$y" in printed(*runs)


def test_runs_of_the_same_name_are_told_apart(tmp_path):
    page = compare(tmp_path, FabricatedRun(tmp_path / "a" / "run"),
                   FabricatedRun(tmp_path / "b" / "run"))
    assert [row[0].strip() for row in page.table("runs")[1:]] == [
        f"1 {tmp_path / 'a' / 'run'}", f"2 {tmp_path / 'b' / 'run'}"
    ]


def test_more_runs_than_colours(tmp_path):
    runs = [FabricatedRun(tmp_path / f"{number} <b>&{'long' * 12}") for number in range(12)]
    page = compare(tmp_path, *runs)
    assert len(page.table("runs")) == 13
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert set(page.attributes("href")) <= {f"#{name}" for name in ids}
    assert len(page.source) < 3_000_000


def test_a_run_without_layer_statistics_is_named(runs, tmp_path):
    runs[1].folder.layers.unlink()
    page = compare(tmp_path, *runs)
    assert "Without such figures, because they have no layers.csv: second." in page.words
    assert len([tag for tag, _ in page.tags if tag == "svg"]) == 4 + 3
    runs[0].folder.layers.unlink()
    assert "layers" not in compare(tmp_path, *runs).sections


def test_runs_of_other_architectures_have_axes_in_common(tmp_path):
    runs = [FabricatedRun(tmp_path / "with"), FabricatedRun(tmp_path / "dense", convolutions=False)]
    table = pd.read_csv(runs[1].folder.layers)
    table["upstream_norm"] *= 1e-4
    table.to_csv(runs[1].folder.layers, index=False)
    first, second = next(row.pictures for row in layer_pictures([run.folder for run in runs])
                         if row.measure.name == "gradient")
    assert axis_texts(first.svg) == axis_texts(second.svg)


@pytest.mark.parametrize(("data", "seeds", "said"), [
    ({"source": "drawn-faces"}, (0, 1), "the seed draws the faces too (here 0, 1)"),
    ({"source": "drawn-faces"}, (2, 2), "different test images. A"),
    ({"source": "fer2013"}, (0, 1), "different test images. A"),
    ({}, (0, 1), "different test images. A"),
])
def test_why_images_differ_is_said(tmp_path, data, seeds, said):
    runs = [
        FabricatedRun(tmp_path / name, seed=place, settings=changed(seed=seed) | {"data": data})
        for place, (name, seed) in enumerate(zip("ab", seeds, strict=True))
    ]
    assert said in compare(tmp_path, *runs).words
    assert viewing.different_images([runs[0].folder, runs[0].folder]) == ""


def test_terminal_table(runs):
    text = printed(*runs)
    assert "5 of 5" in text and "1 min 23 s" in text and "0.002" in text


@pytest.mark.parametrize("rate", ["[/x]", [0.1], {"a": 1}, True, 10**400])
def test_an_odd_learning_rate_is_shown_as_it_stands(tmp_path, rate):
    runs = [FabricatedRun(tmp_path / name, settings=changed(optimizer={"lr": rate}))
            for name in "ab"]
    shown = setting(rate) if not isinstance(rate, dict) else "–"
    assert shown[:5] in printed(*runs)
    assert compare(tmp_path, *runs).table("runs")[1][9] == shown


def test_a_loss_that_was_not_finite(tmp_path):
    run = FabricatedRun(tmp_path / "run")
    results = run.folder.read_results()
    results["test"]["loss"] = None
    run.folder.write_results(results)
    history = pd.read_csv(run.folder.history)
    history["validation_loss"] = [np.inf, 2.0, np.nan]
    history.to_csv(run.folder.history, index=False)
    assert compare(tmp_path, run, run).table("runs")[1][3] == "–"
    assert "–" in printed(run)


def test_a_single_run_is_refused(runs, tmp_path):
    with pytest.raises(InputError, match="expected two or more runs, got 1"):
        viewing.write_comparison([runs[0].folder], tmp_path / "compare.html")


def test_an_unfinished_run_is_refused(runs, tmp_path):
    runs[1].folder.results.unlink()
    with pytest.raises(InputError, match=r"results\.json: expected a run's results"):
        compare(tmp_path, *runs)
