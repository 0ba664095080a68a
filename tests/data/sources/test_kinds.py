"""Files that people give for a table and that are none: each is named, with the way on."""

import json
import zipfile

import pytest

from minicnn.data import fer2013
from minicnn.errors import InputError

FILES = {
    "notebook": (json.dumps({"cells": [], "nbformat": 4}).encode(), "a notebook: give the file"),
    "notebook, indented": (b'{\n "cells": [\n  {"source": ["x"]}]}', "a notebook"),
    "JSON": (b'{"emotion": [0]}', "JSON: save its table as CSV"),
    "Parquet": (b"PAR1\x15\x04", "a Parquet table: save it as CSV"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture: put pictures into folders train/"),
    "pickle": (b"\x80\x04\x95\0\0", "a pickle"),
    "7z": (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
    "web page": (b"\n<!DOCTYPE html><html>", "a web page: download the file itself"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS"),
}


@pytest.mark.parametrize(("content", "words"), FILES.values(), ids=FILES)
def test_the_way_on(tmp_path, content, words):
    (tmp_path / "data.bin").write_bytes(content)
    with pytest.raises(InputError, match=rf"data\.bin: expected a CSV table, got {words}"):
        fer2013.load(tmp_path / "data.bin")


def test_a_workbook(tmp_path):
    with zipfile.ZipFile(tmp_path / "faces.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("xl/workbook.xml", "")
    with pytest.raises(InputError, match="got an Office file: save it as CSV"):
        fer2013.load(tmp_path / "faces.xlsx")
