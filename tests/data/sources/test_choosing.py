"""Which table is read where there are several, in folders and in archives alike."""

import gzip
import io
import tarfile
import zipfile

import pytest
from fer2013_tables import ICML, assert_same, lines_of, table_bytes

from minicnn.data import fer2013
from minicnn.errors import InputError

TABLE = table_bytes(count=40)
ICML_TABLE = table_bytes(ICML, count=40)
TRAIN = "\n".join(line.rpartition(",")[0] for line in lines_of(count=40)).encode()
TEST = "\n".join(line.split(",")[1] for line in lines_of(count=40)).encode()


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


def folder_of(place, members):
    for name, content in members.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return place


def zip_of(place, members):
    place.mkdir(exist_ok=True)
    with zipfile.ZipFile(place / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return place / "archive.zip"


def tar_of(place, members):
    place.mkdir(exist_ok=True)
    with tarfile.open(place / "archive.tar.gz", "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return place / "archive.tar.gz"


def packed(content):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("x.csv", content)
    return archive.getvalue()


@pytest.fixture(params=[folder_of, zip_of, tar_of])
def keep(request, tmp_path):
    return lambda members: request.param(tmp_path / "download", members)


@pytest.fixture
def expected(tmp_path):
    def load(content):
        (tmp_path / "alone.csv").write_bytes(content)
        return fer2013.load(tmp_path / "alone.csv")

    return load


COMPETITION = {
    "example_submission.csv": b"id,emotion\n1,3\n", "fer2013.tar.gz": gzip.compress(b"-"),
    "icml_face_data.csv": ICML_TABLE, "test.csv": TEST, "train.csv": TRAIN,
}

DOWNLOADS = {
    "the competition's": (COMPETITION, ICML_TABLE, "icml_face_data.csv was read, the table of all"),
    "in a folder of its name": (
        {"icml_face_data.csv/icml_face_data.csv": ICML_TABLE}, ICML_TABLE, None),
    "train and test": (
        {"archive/train.csv": TRAIN, "archive/test.csv": TEST}, TRAIN, "train.csv was read"),
    "packed one by one": (
        {"train.csv.zip": packed(TRAIN), "test.csv.zip": packed(TEST)}, TRAIN, "train.csv.zip was"),
    "with what Macs leave": (
        {"a/fer2013.csv": TABLE, "__MACOSX/a/._fer2013.csv": b"\0", "a/.DS_Store": b"\0",
         ".DS_Store": b"\0", "__MACOSX/fer2013.csv": b"\0"}, TABLE, None),
    "one table of any name": ({"faces.csv": TABLE, "README": b"-"}, TABLE, None),
    "a packed table": ({"fer2013.csv.gz": gzip.compress(TABLE)}, TABLE, None),
}


@pytest.mark.parametrize(("members", "table", "note"), DOWNLOADS.values(), ids=DOWNLOADS)
def test_the_table_is_found(keep, expected, members, table, note):
    dataset = fer2013.load(keep(members))
    wanted = expected(table)
    assert_same(dataset, wanted)
    of_choice = [each for each in dataset.notes if "was read" in each]
    assert len(of_choice) == (note is not None)
    if note:
        assert note in of_choice[0]
        assert "'test.csv" in of_choice[0]


def test_two_tables_of_all_splits_are_named(keep):
    with pytest.raises(InputError, match=r"got 'fer2013.csv', 'icml_face_data.csv' \(give one"):
        fer2013.load(keep({"fer2013.csv": TABLE, "icml_face_data.csv": ICML_TABLE}))


def test_folders_with_nothing_else_to_read_are_passed_through(tmp_path, expected):
    place = folder_of(tmp_path / "down", {"a/b/c/fer2013.csv": TABLE, "a/README": b"-"})
    assert_same(fer2013.load(place), expected(TABLE))
    deep = folder_of(tmp_path / "deep", {"a/b/c/d/fer2013.csv": TABLE})
    with pytest.raises(InputError, match="deep: expected pictures in train/<emotion>/, or a table"):
        fer2013.load(deep)


def test_two_tables_of_other_names_are_not_chosen_from(tmp_path):
    place = folder_of(tmp_path / "down", {"a.csv": TABLE, "b.csv": TABLE})
    with pytest.raises(InputError, match=r"found 'a.csv', 'b.csv' \(or give one of the tables"):
        fer2013.load(place)


def test_pictures_in_a_needless_folder(tmp_path):
    from PIL import Image

    root = tmp_path / "download" / "archive"
    for split in ("train", "test"):
        for emotion in ("happy", "sad"):
            (root / split / emotion).mkdir(parents=True)
            for number in range(2):
                picture = Image.linear_gradient("L").rotate(90 * number)
                picture.save(root / split / emotion / f"{number}.png")
    (root.parent / "__MACOSX").mkdir()
    dataset = fer2013.load(root.parent)
    assert [len(split) for _, split in dataset.splits()] == [2, 2, 4]
    assert set(dataset.test.sources) == {
        f"test/{emotion}/{number}.png" for emotion in ("happy", "sad") for number in range(2)
    }
