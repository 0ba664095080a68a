"""FER2013 in archives: where the table is found, and which archives are refused."""

import gzip
import io
import tarfile
import zipfile
import zlib

import pytest
from fer2013_tables import ICML, assert_same, table_bytes, with_row

from minicnn.data import fer2013
from minicnn.data.sources import csv_reader
from minicnn.errors import InputError


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path / "cache"))


def zip_of(members):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in members.items():
            writer.writestr(name, content)
    return archive.getvalue()


def tar_of(members, mode="w:gz"):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=mode) as writer:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            writer.addfile(info, io.BytesIO(content))
    return archive.getvalue()


TABLE = table_bytes()
OTHER = b"emotion,pixels\n"

ARCHIVES = {
    "zip": zip_of({"fer2013.csv": TABLE}),
    "zip, in a folder": zip_of({"a/b/fer2013.csv": TABLE, "a/README": b"faces", "a.csv": OTHER}),
    "zip, icml": zip_of({"train.csv": OTHER, "icml_face_data.csv": table_bytes(ICML)}),
    "zip, only csv": zip_of({"faces.CSV": TABLE, "__MACOSX/._faces.CSV": b"\0", "notes": b""}),
    "zip, tar inside": zip_of({"fer2013.tar.gz": tar_of({"fer2013/fer2013.csv": TABLE})}),
    "tar.gz": tar_of({"fer2013/README": b"faces", "fer2013/fer2013.csv": TABLE, "b.csv": OTHER}),
    "tar.gz, only csv": tar_of({"faces.csv": TABLE, "README": b"faces"}),
    "tar": tar_of({"fer2013.csv": TABLE}, mode="w"),
    "csv.gz": gzip.compress(TABLE),
}


@pytest.mark.parametrize("content", ARCHIVES.values(), ids=ARCHIVES)
def test_a_table_in_an_archive(tmp_path, content):
    plain, packed = tmp_path / "fer2013.csv", tmp_path / "download"
    plain.write_bytes(TABLE)
    packed.write_bytes(content)
    assert_same(fer2013.load(packed), fer2013.load(plain))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "cache",
        "download",
        "fer2013.csv",
    ]


@pytest.mark.parametrize("pack", [zip_of, tar_of])
@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"a.csv": TABLE, "b.csv": TABLE}, "'a.csv', 'b.csv'"),
        ({f"train/happy/{n}.jpg": b"" for n in range(20)}, "'train/happy/0.jpg', .* 12 more"),
        ({"README": b"faces"}, "'README'"),
    ],
)
def test_an_archive_without_the_table_says_what_is_in_it(tmp_path, pack, members, found):
    path = tmp_path / "download.zip"
    path.write_bytes(pack(members))
    with pytest.raises(InputError, match=rf"download\.zip: expected fer2013\.csv .* got {found}"):
        fer2013.load(path)


@pytest.mark.parametrize("pack", [zip_of, tar_of])
@pytest.mark.parametrize("other", ["a/copies/of/the/faces/FER2013.csv", "icml_face_data.csv"])
def test_an_archive_with_two_tables_names_both(tmp_path, pack, other):
    path = tmp_path / "download"
    path.write_bytes(pack({"fer2013.csv": TABLE, "README": b"faces", other: TABLE}))
    with pytest.raises(InputError, match=f"download: .* one table .*'fer2013.csv', '{other}'"):
        fer2013.load(path)


def test_an_error_in_an_archive_names_the_member(tmp_path):
    path = tmp_path / "download.zip"
    path.write_bytes(zip_of({"a/fer2013.csv": with_row({"emotion": "9"})}))
    with pytest.raises(InputError, match=r"download\.zip: a/fer2013\.csv: data row 4: .* got '9'"):
        fer2013.load(path)


@pytest.mark.parametrize("kind", ["zip", "zip, tar inside", "tar.gz", "tar", "csv.gz"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_archive(tmp_path, kind, share):
    path = tmp_path / "download"
    content = ARCHIVES[kind].rstrip(b"\0")  # a tar ends in blocks of zeros
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"download: .*damaged or cut short"):
        fer2013.load(path)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "csv.gz"])
def test_a_changed_checksum_is_noticed(tmp_path, kind):
    content = bytearray(ARCHIVES[kind])
    at = content.index(b"PK\x01\x02") + 16 if kind == "zip" else len(content) - 8
    content[at] ^= 1
    (tmp_path / "download").write_bytes(content)
    with pytest.raises(InputError, match=r"download: .*damaged or cut short \(.*CRC"):
        fer2013.load(tmp_path / "download")


def test_an_encrypted_archive(tmp_path):
    content = bytearray(ARCHIVES["zip"])
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(start) + flags] |= 1
    (tmp_path / "download.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"without a password, got fer2013\.csv encrypted"):
        fer2013.load(tmp_path / "download.zip")


def test_archives_within_archives_come_to_an_end(tmp_path):
    content = TABLE
    for _ in range(10):
        content = gzip.compress(content)
    (tmp_path / "download").write_bytes(content)
    with pytest.raises(InputError, match="archive within archive"):
        fer2013.load(tmp_path / "download")


@pytest.mark.parametrize("failure", [EOFError, ValueError, zlib.error, MemoryError])
@pytest.mark.parametrize(
    ("name", "content"),
    [("t.csv", TABLE), ("t.csv.gz", gzip.compress(TABLE)), ("t.zip", zip_of({"t.csv": TABLE})),
     ("t.tar.gz", tar_of({"t.csv": TABLE}))],
    ids=["plain", "gzip", "zip", "tar"],
)
def test_what_fails_inside_a_kernel_is_no_damage_of_the_file(
    name, content, failure, tmp_path, monkeypatch
):
    def broken(*arguments):
        raise failure("in a kernel")

    monkeypatch.setattr(csv_reader, "_parse_pixels", broken)
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(failure, match="in a kernel") as raised:
        fer2013.load(path)
    assert not isinstance(raised.value, InputError)
