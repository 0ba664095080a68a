"""`minicnn predict`: what a network takes pictures for."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import TINY, refused, run, status
from PIL import Image
from played_detector import absent, photo, playing

from minicnn import Sequential, layers, load
from minicnn.data import drawn_faces
from minicnn.inference import Face, find_faces


def test_predict_reads_pictures_of_any_size(folder):
    Image.new("RGB", (301, 207), (200, 90, 20)).save(folder / "wide.jpg")
    Image.fromarray(np.arange(48 * 48, dtype=np.uint16).reshape(48, 48)).save(folder / "deep.png")
    result = run("predict", "drawn", "wide.jpg", "deep.png", "--whole", "--json", cwd=folder)
    assert result.returncode == 0, result.stderr
    answers = json.loads(result.stdout)
    assert [answer.pop("image") for answer in answers] == ["wide.jpg", "deep.png"]
    for answer in answers:
        assert answer.pop("box") is None
        assert list(answer) == [
            "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"
        ]
        assert sum(answer.values()) == pytest.approx(1, abs=1e-5)
    table = run("predict", "drawn", "wide.jpg", "--whole", cwd=folder).stdout
    assert "surprise" in table
    assert "%" in table


def test_weights_that_are_not_finite_are_refused(folder, capsys):
    model = load(folder / "drawn" / "model.safetensors")
    model.parameters()[-1].data[0] = np.nan
    model.save(folder / "nan.safetensors")
    Image.new("L", (48, 48)).save(folder / "black.png")
    message = refused(capsys, "predict", folder / "nan.safetensors", folder / "black.png")
    assert "finite" in message


def test_a_model_that_does_not_read_faces_is_refused(folder, capsys):
    Sequential([layers.Flatten(), layers.Dense(5)], (28, 28, 1)).save(folder / "other.safetensors")
    for command in ("predict", "evaluate"):
        picture = [folder / "note.png"] if command == "predict" else []
        message = refused(capsys, command, folder / "other.safetensors", *picture)
        assert "expected a network from (48, 48, 1) to (7,), got one from (28, 28, 1)" in message


@pytest.mark.parametrize(("arguments", "words"), [
    (["drawn", "note.txt"], ["note.txt"]),
    (["drawn", "none.png"], ["none.png"]),
    (["none.png", "note.txt"], ["none.png: expected a picture"]),
    (["paper-bm", "none.png"],
     ["paper-bm: expected a model (.safetensors), the folder of a run or one of best-single, "
      "paper-bn, but there is no such"]),
    (["pictures"], ["pictures: expected the folder of a run"]),
    (["begun", "none.png"],
     ["begun: expected a run with a model, but there is no model.safetensors",
      "(minicnn train --resume begun)"]),
    ([], ["IMAGE"]),
    (["drawn"], ["pictures for drawn"]),
    (["note.txt", "drawn"], ["drawn: expected a picture, got a model", "predict drawn IMAGE"]),
    (["note.txt", "paper-bn"], ["paper-bn: expected a picture, got a model"]),
    (["drawn", "pictures"], ["pictures: expected a picture, got a folder: name its pictures"]),
    (["drawn", "black.png", "--save", "out.xyz"], ["--save: out.xyz: expected a name that ends"]),
    (["drawn", "black.png", "--save", "out"], ["--save: out: expected a name that ends"]),
    (["drawn", "black.png", "--save", "black.png"], ["--save: black.png: expected a file other"]),
    (["drawn", "black.png", "--save", "nowhere/a.png"], ["nowhere", "folder does not exist"]),
    (["drawn", "black.png", "black.png", "--save", "note.txt"], ["note.txt", "a folder"]),
    ([300 * "x", "note.txt"], [300 * "x", "name too long"]),
])
def test_mistakes_end_in_one_line(arguments, words, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    Path("note.txt").write_text("no picture")
    Path("pictures").mkdir(exist_ok=True)
    Path("begun").mkdir(exist_ok=True)
    Image.new("L", (48, 48)).save("black.png")
    Path("begun/experiment.toml").write_text(TINY)
    message = refused(capsys, "predict", *arguments)
    for word in words:
        assert word in message


# Faces in photos


@pytest.fixture
def photos(folder, tmp_path, monkeypatch):
    """A working folder with photos of two faces, of one and of none, and with a crop of 48×48."""
    monkeypatch.chdir(tmp_path)
    photo(300, 200, (20, 30, 60), (180, 90, 75)).save("two.png")
    photo(200, 300, (60, 50, 90)).save("one.png")
    photo(200, 100).save("none.png")
    crop = drawn_faces.load(train=7, validation=7, test=7).train.images[0].squeeze()
    Image.fromarray(crop).save("crop.png")
    return str(folder / "drawn")


def answered(capsys, *arguments, status_=0):
    """The objects that it prints, and its lines on stderr."""
    with playing():
        assert status("predict", *arguments, "--json") == status_
    shown = capsys.readouterr()
    return json.loads(shown.out), [
        line for line in shown.err.splitlines() if not line.startswith("compiling")]


def test_each_face_of_each_photo_is_answered(photos, capsys):
    answers, lines = answered(capsys, photos, "two.png", "one.png", "crop.png")
    assert [answer["image"] for answer in answers] == ["two.png", "two.png", "one.png", "crop.png"]
    with playing():
        boxes = [list(face.box) for name in ("two.png", "one.png") for face in find_faces(name)]
    assert [answer["box"] for answer in answers] == [*boxes, None]
    assert lines == []


def test_an_answer_is_that_of_the_crop_alone(photos, capsys):
    answers, _ = answered(capsys, photos, "two.png")
    pixels = np.asarray(Image.open("two.png"))
    for index, answer in enumerate(answers):
        left, top, right, _ = answer.pop("box")
        crop = Face(left, top, right - left).crop(pixels)
        Image.fromarray(crop).save(f"crop{index}.png")
    alone, _ = answered(capsys, photos, "crop0.png", "crop1.png")
    for answer, other in zip(answers, alone, strict=True):
        assert other.pop("box") is None
        other["image"] = answer["image"]
        assert answer == pytest.approx(other, abs=1e-6)


def test_a_photo_without_a_face_ends_with_1_after_the_others(photos, capsys):
    answers, (line,) = answered(capsys, photos, "none.png", "one.png", status_=1)
    assert [answer["image"] for answer in answers] == ["one.png"]
    assert line == (
        "minicnn: none.png: no face found; --whole takes the square at its centre for one")
    assert answered(capsys, photos, "none.png", status_=1)[0] == []


def test_whole_looks_for_none(photos, capsys):
    answers, _ = answered(capsys, photos, "two.png", "none.png", "--whole")
    assert [(answer["image"], answer["box"]) for answer in answers] == [
        ("two.png", None), ("none.png", None)]


def test_without_a_detector_one_line_says_what_was_assumed(photos, capsys):
    with absent():
        for words, lines in ((["two.png"], 1), (["crop.png"], 0), (["one.png", "--whole"], 0)):
            assert status("predict", photos, *words, "--json") == 0
            shown = capsys.readouterr()
            assert [answer["box"] for answer in json.loads(shown.out)] == [None]
            said = [line for line in shown.err.splitlines() if "centre" in line]
            assert len(said) == lines
            assert all("opencv-python-headless<5" in line and "two.png" in line for line in said)


def test_the_table_says_which_face_it_is_of(photos, capsys):
    with playing():
        assert status("predict", photos, "two.png", "--crop") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "two.png, face 1 of 2 (66 × 66 pixels from column 17, row 27), read by" in shown
    assert "two.png, face 2 of 2" in shown
    assert "@" * 20 in shown  # the white square


def test_the_picture_is_saved_with_boxes_and_words(photos, capsys):
    answered(capsys, photos, "two.png", "--save", "out.png", "--crop")
    drawn = np.asarray(Image.open("out.png"))
    assert drawn.shape == (600, 900, 3)  # three times as large, to be read
    yellow = (drawn == (255, 212, 0)).all(2)
    with playing():
        first, second = find_faces("two.png")
    for face in (first, second):
        left, top, right, bottom = (3 * edge for edge in face.box)
        assert yellow[np.ix_((top, bottom - 1), (left, right - 1))].all()
        assert yellow[bottom - 1, left:right].all()
        assert not yellow[top + 10 : bottom - 10, left + 10 : right - 10].any()
    pixels = np.asarray(Image.open("two.png"))
    for index, face in enumerate((first, second)):
        seen = Image.open(f"out-face-{index + 1}.png")
        np.testing.assert_array_equal(seen, face.crop(pixels))


def test_several_pictures_are_saved_in_a_folder(photos, capsys):
    Path("more").mkdir()
    photo(80, 80, (10, 10, 40)).save("more/one.jpg")
    answered(capsys, photos, "one.png", "more/one.jpg", "none.png", "--save", "out", status_=1)
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "none.png", "one-2.png", "one.png"]
    assert Image.open("out/none.png").size == (800, 400)
    Image.open("one.png").save("one.jpg")  # its answer would be one.png, which is a picture too
    assert "--save: one.png: expected a file other than" in refused(
        capsys, "predict", photos, "one.jpg", "two.png", "one.png", "--save", ".")
    answered(capsys, photos, "one.png", "--save", "out.JPG")
    assert Image.open("out.JPG").format == "JPEG"


def test_a_picture_of_few_levels_is_answered_with_a_line(photos, capsys):
    Image.fromarray(np.arange(48 * 48, dtype=np.uint16).reshape(48, 48) % 256).save("deep.png")
    Image.new("L", (48, 48), 9).save("flat.png")
    _, lines = answered(capsys, photos, "deep.png", "flat.png")
    assert ["255 was taken" in line or "no contrast" in line for line in lines] == [True, True]
