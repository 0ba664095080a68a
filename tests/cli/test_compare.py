"""`minicnn compare`: runs side by side."""

import shlex
from types import SimpleNamespace

import pytest
from command_line import refused, run, status

from minicnn.cli.train import _repeating_command


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


def test_a_page_of_the_same_name_is_replaced_and_that_is_said(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    for said in ("page: twice.html\n", "page: twice.html (replaces the one that was there)\n"):
        assert status("compare", "drawn", "drawn", "--out", "twice.html") == 0
        assert capsys.readouterr().out.endswith(said)


def test_the_report_shows_the_command_that_repeats_the_run(folder):
    for name in ("drawn", "real"):
        page = (folder / name / "report.html").read_text(encoding="utf-8")
        settings = (folder / name / "experiment.toml").resolve()
        assert f"<code>minicnn train {settings}</code>" in page


@pytest.mark.parametrize("data", ["", "fer 2013.csv", "/data/fer2013.csv"])
def test_the_repeating_command_is_quoted_and_holds_in_every_folder(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = tmp_path / "a 'b' $HOME & <i>" / "experiment.toml"
    words = shlex.split(_repeating_command(SimpleNamespace(
        folder=SimpleNamespace(experiment=experiment.relative_to(tmp_path)),
        experiment=SimpleNamespace(data=SimpleNamespace(path=data)),
    )))
    asked = ["--data", str(tmp_path / data)] if data.startswith("fer") else []
    assert words == ["minicnn", "train", str(experiment), *asked]
