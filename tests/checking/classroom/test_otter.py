"""A question's function, judged from the cells that a notebook has run."""

from pathlib import Path
from typing import Any

import pytest
from services import HOMEWORK

from minicnn.checking.classroom.otter import require


def env(*cells: str) -> dict[str, Any]:
    """Global variables of a notebook after these cells."""
    return {"In": ["", *cells]}


def test_a_right_function_passes_and_the_last_definition_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    require("relu_backward", env("%matplotlib inline", HOMEWORK["wrong"], HOMEWORK["right"]))
    assert list(tmp_path.iterdir()) == []


def test_a_file_beside_the_notebook_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(HOMEWORK["right"])
    require("relu_backward", env("from mine import relu_forward, relu_backward"))


@pytest.mark.parametrize(("cells", "message"), [
    ((HOMEWORK["wrong"],), "relu_backward  wrong-backward  relu-mask-from-dy"),
    ((HOMEWORK["endless"],), "relu_backward  error"),
    ((HOMEWORK["broken"],), "relu_backward  missing: .*SyntaxError"),
    (("x = 1",), "relu_backward  missing: found no function to check"),
    ((), "relu_backward  missing: "),
])
def test_what_is_not_right_says_what(
    cells: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match=message):
        require("relu_backward", env(*cells), timeout=1)


def test_a_hint_says_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match="Look at dx in relu_backward") as raised:
        require("relu_backward", env(HOMEWORK["wrong"]), hint=1)
    assert "relu-mask-from-dy" not in str(raised.value)
