"""`minicnn compare`: runs side by side."""

import pytest
from command_line import refused, run


def test_compare_writes_a_page(folder):
    result = run("compare", "drawn", "drawn", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert (folder / "compare.html").stat().st_size > 10_000
    other = run("compare", "drawn", "real", "--out", "other.html", cwd=folder)
    assert other.returncode == 1
    assert "different test images" in other.stderr


@pytest.mark.parametrize(("runs", "word"), [(["drawn"], "two runs"), (["drawn", "none"], "none")])
def test_mistakes_end_in_one_line(runs, word, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert word in refused(capsys, "compare", *runs)
