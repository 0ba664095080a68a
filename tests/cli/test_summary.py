"""`minicnn summary`: a network as a table."""

import pytest
from command_line import refused, status


def test_summary_of_models_and_experiments(folder, capsys):
    for what in (folder / "drawn", folder / "drawn" / "model.safetensors", folder / "tiny.toml"):
        assert status("summary", what) == 0
        assert f"{4 * 9 + 4 + 8 + 144 * 7 + 7:,}" in capsys.readouterr().out
    assert status("summary", "paper-bn") == 0
    assert "3,507,911" in capsys.readouterr().out


@pytest.mark.parametrize(("what", "message"), [
    ("none.toml", "none.toml"), ("faces", "faces: expected the folder of a run"),
])
def test_mistakes_end_in_one_line(what, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces").mkdir()
    assert message in refused(capsys, "summary", what)
