"""Whoever asks is told how far reading has come."""

import pytest
from fer2013_tables import table_bytes
from PIL import Image

from minicnn.data import fer2013
from minicnn.data.progress import tell, watched


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path / "cache"))


def told_while_loading(path):
    told = []
    with watched(lambda name, share: told.append((name, share))):
        fer2013.load(path)
    return told


def test_a_table_is_told_of_until_its_end_and_only_once(tmp_path):
    path = tmp_path / "fer2013.csv"
    path.write_bytes(table_bytes(count=600))
    told = told_while_loading(path)
    assert {name for name, _ in told} == {str(path)}
    shares = [share for _, share in told]
    assert len(shares) == 3  # after 256 and 512 rows, and at the end
    assert shares == sorted(shares)
    assert 0.2 < shares[0] < 0.9
    assert shares[-1] == 1
    assert told_while_loading(path) == []  # remembered


def test_a_folder_is_told_of(tmp_path):
    for number in range(130):
        place = tmp_path / "faces" / "train" / ("sad" if number % 2 else "happy")
        place.mkdir(parents=True, exist_ok=True)
        Image.linear_gradient("L").save(place / f"{number}.png")
    assert [round(share, 3) for _, share in told_while_loading(tmp_path / "faces")] == [
        round(64 / 130, 3), round(128 / 130, 3), 1
    ]


def test_outside_the_block_nobody_is_told():
    told = []
    with watched(lambda *news: told.append(news)):
        tell("a", 0.5)
    tell("b", 1)
    assert told == [("a", 0.5)]
