"""The report of a run: what stands on the page, for ordinary runs and for odd ones."""

import base64
import io
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from fabricated_run import SETTINGS, FabricatedRun, Page
from PIL import Image

from minicnn import InputError, use_backend, viewing
from minicnn.data import EMOTIONS, Preprocessing
from minicnn.inference.evaluation import Evaluation
from minicnn.viewing.evidence import covered

SECTIONS = ["experiment", "network", "curves", "layers", "confusion", "classes",
            "mistakes", "evidence",
            "filters", "feature-maps", "batch-norm"]


@pytest.fixture(autouse=True)
def nothing_to_compile():
    with use_backend("reference"):
        yield


def report_of(run):
    path = viewing.write_report(*run.parts())
    assert path == run.folder.report
    return Page(path)


@pytest.fixture
def run(tmp_path):
    return FabricatedRun(tmp_path / "tiny", notes=("A note about the splits.",))


def test_sections_and_headline(run):
    page = report_of(run)
    assert page.sections == SECTIONS
    right = int((run.evaluation.predictions == run.split.labels).sum())
    assert f"{right / 40:.1%}".replace("%", "\u202f%") in page.text
    assert f"named {right} right" in page.words
    for expected in ("A tiny run.", "A note about the splits.", "1 min 23 s", "0.002",
                     "best validation accuracy71.7 %", "14 images to train on"):
        assert expected in page.words
    rows = page.table("layers")
    assert [row[0] for row in rows[1:-1]] == [layer.name for layer in run.model.layers]
    assert rows[1][1] == "48 × 48 × 4"


def test_images_that_stand_in_training_too_are_told_of(run, tmp_path):
    assert "training too" not in report_of(run).words
    for copies, said in ((1, "1 of them stands"), (3, "3 of them stand")):
        known = FabricatedRun(tmp_path / f"known-{copies}", copies=copies)
        right = known.evaluation.predictions == known.split.labels
        share = f"{right[copies:].mean():.1%}".replace("%", "\u202f%")
        expected = f"{said} in training too, pixel for pixel; on the others the accuracy is {share}"
        assert " ".join(expected.split()) in report_of(known).words


def test_it_loads_nothing_and_runs_nothing(run):
    page = report_of(run)
    assert {"script", "link", "iframe", "object"}.isdisjoint(tag for tag, _ in page.tags)
    assert all(uri.startswith("data:image/png;base64,") for uri in page.attributes("src"))
    inside = {f"#{name}" for name in page.attributes("id")}
    assert set(page.attributes("href")) <= inside
    for loader in ("http:", "https:", "url(", "@import"):
        assert loader not in page.source


def test_pictures_lie_beside_it_too(run):
    page = report_of(run)
    files = {path.stem: path.read_bytes() for path in run.folder.pictures.iterdir()}
    assert {"loss", "accuracy", "confusion", "face", "filters", "feature-maps-1",
            "feature-maps-2", "running-mean", "running-variance", "mistake-01", "evidence-1-said",
            "evidence-1-is"} <= set(files)
    shown = {base64.b64decode(uri.partition(",")[2]) for uri in page.attributes("src")}
    # the page has charts as SVG, and the parts of the maps' sheets
    other = {"confusion", "loss", "accuracy", "learning-rate", "seconds", "layers-spread",
             "layers-zeros", "layers-gradient", "running-mean", "running-variance",
             "feature-maps-1", "feature-maps-2"}
    assert shown >= {png for name, png in files.items() if name not in other}
    for png in files.values():
        pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
        assert min(pixels.shape[:2]) >= 36
        assert pixels.std() > 1
    assert all(page.attributes("alt"))
    assert len(page.source) < 2_000_000


def test_confusion_matrix_is_that_of_counting(run):
    counts = Counter(zip(run.split.labels.tolist(), run.evaluation.predictions.tolist(),
                         strict=True))
    totals = Counter(run.split.labels.tolist())
    head, *rows = report_of(run).table("confusion")
    assert tuple(head[1:]) == EMOTIONS
    for label, row in enumerate(rows):
        assert row[0] == EMOTIONS[label]
        for taken, cell in enumerate(row[1:]):
            if not counts[label, taken]:
                assert cell == "·"
                continue
            share, count = cell.split(" %")
            assert int(count) == counts[label, taken]
            assert int(share) == pytest.approx(100 * counts[label, taken] / totals[label], abs=0.5)


def test_figures_of_each_class(run):
    _, *rows = report_of(run).table("bars")
    for label, (name, precision, recall, images) in enumerate(rows):
        given = run.split.labels == label
        taken = run.evaluation.predictions == label
        assert (name, int(images)) == (EMOTIONS[label], given.sum())
        hits = (given & taken).sum()
        for text, whole in ((precision, taken.sum()), (recall, given.sum())):
            share = float(text.removesuffix("\u202f%"))
            assert share == pytest.approx(100 * hits / whole, abs=0.05)


def test_mistakes_show_their_faces(run):
    report_of(run)
    mistake = viewing.confident_mistakes(run.evaluation)[0]
    shown = np.asarray(Image.open(run.folder.pictures / "mistake-01.png"))
    np.testing.assert_array_equal(shown, run.split.images[mistake.index])


@pytest.mark.parametrize("sources", [None, np.array([f"<b>ü&/{n}.png" for n in range(40)])])
def test_a_mistake_says_where_it_stands_and_what_was_said(run, sources):
    run.dataset = replace(run.dataset, test=replace(run.split, sources=sources))
    page = report_of(run)
    for mistake in viewing.confident_mistakes(run.evaluation):
        place = f"test image {mistake.index + 1}" if sources is None else sources[mistake.index]
        said, given = EMOTIONS[mistake.prediction], mistake.probability
        label, low = EMOTIONS[mistake.label], mistake.label_probability
        assert (f"said {said} {given:.1%} is {label} {low:.1%} {place}".replace("%", " %")
                in page.words)


def test_evidence_is_grad_cam_of_the_surest_mistakes(run):
    page = report_of(run)
    assert "relu_2, each channel weighed" in page.words and "12 × 12 places" in page.words
    preprocess = Preprocessing.of_model(run.model.metadata, "")
    first, second = viewing.confident_mistakes(run.evaluation)[:2]
    for place, mistake in enumerate((first, second), start=1):
        image = run.split.images[mistake.index]
        maps = viewing.grad_cam(run.model, preprocess(image[None]).repeat(2, 0),
                                [mistake.prediction, mistake.label]).maps
        for word, values in zip(("said", "is"), maps, strict=True):
            file = run.folder.pictures / f"evidence-{place}-{word}.png"
            np.testing.assert_array_equal(
                np.asarray(Image.open(file)), covered(image, values, maps.max()))


def test_the_face_is_the_one_recognised_most_surely(run):
    report_of(run)
    probabilities, labels = run.evaluation.probabilities, run.split.labels
    right = [row for row in range(40) if probabilities[row].argmax() == labels[row]]
    surest = max(right, key=lambda row: probabilities[row].max())
    shown = np.asarray(Image.open(run.folder.pictures / "face.png"))
    np.testing.assert_array_equal(shown, run.split.images[surest])


def test_markup_in_names_is_text(tmp_path):
    evil = "<script>alert(1)</script>"
    settings = {"name": evil, "description": "<img src=x onerror=alert(1)>", "a\"<b>": {"<i>": 1}}
    run = FabricatedRun(
        tmp_path / "<script>x", classes=(evil, r"$\frac{$", "_a", '"', "&amp;", "f", "g"),
        settings=settings, notes=("<b onclick='x'>",),
    )
    page = report_of(run)
    assert "script" not in {tag for tag, _ in page.tags}
    assert not page.attributes("onerror") and not page.attributes("onclick")
    for text in (evil, "<img src=x onerror=alert(1)>", "<b onclick='x'>", "<script>x", "&amp;"):
        assert text in page.text


def test_without_batch_norm(tmp_path):
    run = FabricatedRun(tmp_path / "plain", batch_norm=False)
    page = report_of(run)
    assert page.sections == SECTIONS[:-1]
    assert not list(run.folder.pictures.glob("running-*"))


def test_without_convolutions(tmp_path):
    run = FabricatedRun(tmp_path / "dense", convolutions=False)
    page = report_of(run)
    assert page.sections == SECTIONS[:7]
    assert "no layer of this network keeps places apart" in page.words


def test_a_network_that_gives_no_numbers(run):
    """One that diverged: its pictures are empty, and nothing fails."""
    for parameter in run.model.parameters():
        parameter.data[...] = np.nan
    page = report_of(run)
    assert page.sections == SECTIONS
    assert "black −– white +–" in page.words


def test_one_of_everything(tmp_path):
    run = FabricatedRun(tmp_path / "short", epochs=1)
    run.dataset = run.dataset.limited(1)
    run.evaluation = Evaluation(np.eye(7)[(run.dataset.test.labels + 1) % 7],
                                run.dataset.test.labels, 1.25)
    page = report_of(run)
    assert page.sections == SECTIONS
    for expected in ("epoch1 parameters", "Of 1 test image the network named 0 right",
                     "with 1 image to train on", ", 1 time."):
        assert expected in page.words
    for plural in ("1 images", "1 epochs", "1 times", "1 channels"):
        assert plural not in page.words


def test_what_running_statistics_do_after_few_steps(run):
    assert "After n steps the start still weighs momentumn" in report_of(run).words


def test_without_a_description(tmp_path):
    settings = {key: value for key, value in SETTINGS.items() if key != "description"}
    page = report_of(FabricatedRun(tmp_path / "run", settings=settings))
    assert "A tiny run." not in page.words


def test_without_validation(tmp_path):
    page = report_of(FabricatedRun(tmp_path / "blind", validation=False))
    assert "best validation accuracy" not in page.words
    assert "nan" not in page.words.lower()


def test_measured_on_validation(tmp_path):
    page = report_of(FabricatedRun(tmp_path / "small", measured_on="validation"))
    assert "There is no test split" in page.words
    assert "Of 11 validation images" in page.words


def test_without_mistakes_and_after_some(run, tmp_path):
    report_of(run)
    perfect = FabricatedRun(tmp_path / "perfect", right=True)
    perfect.folder.pictures.mkdir()
    for name in ("mistake-01.png", "evidence-1-said.png"):
        (perfect.folder.pictures / name).write_bytes(b"of an earlier report")
    page = report_of(perfect)
    assert "There are none: every one of the 40 test images was named right" in page.words
    assert "commonest mistake" not in page.words
    assert "evidence" not in page.sections
    assert not [*perfect.folder.pictures.glob("mistake-*"),
                *perfect.folder.pictures.glob("evidence-*")]


def test_nothing_recognised(run):
    wrong = (run.split.labels + 1) % 7
    run.evaluation.probabilities[:] = np.eye(7)[wrong]
    page = report_of(run)
    assert "the network recognised none" in page.words
    np.testing.assert_array_equal(
        np.asarray(Image.open(run.folder.pictures / "face.png")), run.split.images[0]
    )


def test_answers_must_fit_the_split(run):
    folder, model, dataset, evaluation = run.parts()
    with pytest.raises(ValueError, match="test split has 5 images but evaluation 40 answers"):
        viewing.write_report(folder, model, dataset.limited(5), evaluation)


@pytest.mark.parametrize("name", ["experiment", "history", "results"])
def test_missing_and_damaged_files(run, name):
    path = getattr(run.folder, name)
    path.write_bytes(b"\xff\xfe[")
    with pytest.raises(InputError, match="got (a damaged file|something else)"):
        report_of(run)
    path.unlink()
    with pytest.raises(InputError, match="no such file"):
        report_of(run)


def test_contents_lead_to_every_section(run):
    page = report_of(run)
    assert page.attributes("href")[:len(SECTIONS)] == [f"#{name}" for name in SECTIONS]


def test_the_command_that_repeats_the_run_is_text(run):
    command = "minicnn train '/a b/<i>&amp;.toml'"
    assert "repeats this run" not in report_of(run).words
    viewing.write_report(*run.parts(), command=command)
    assert command in Page(run.folder.report).text


def test_a_run_without_layer_statistics_has_no_such_section(run):
    run.folder.layers.unlink()
    page = report_of(run)
    assert page.sections == [name for name in SECTIONS if name != "layers"]
    run.folder.layers.write_text("step,layer")
    with pytest.raises(InputError, match=r"layers\.csv"):
        report_of(run)


def test_a_hundred_epochs(tmp_path):
    page = report_of(FabricatedRun(tmp_path / "long", epochs=100))
    assert len(page.source) < 2_000_000
    assert "images/s" in page.words
