"""Symbols in plain characters."""

import io

import pytest

from minicnn.terminal.spelling import ERRORS, spell_on, spelled


@pytest.mark.parametrize(("text", "plain"), [
    ("", ""),
    ("plain ~ text", "plain ~ text"),
    ("r = 1 / √(σ² + ε)", "r = 1 / sqrt(sigma^2 + eps)"),
    ("10⁻⁶ ± 1", "10^-6 +- 1"),
    ("dx = T1 − T2; γ·x̂", "dx = T1 - T2; gamma*x_hat"),
    ("Vᵀ·xₙ → …", "V^T*x_n -> ..."),
    ("├──┼─┤ ██▍", "+--+-+ ## "),
    ("Müller 😀", "M\\xfcller \\U0001f600"),
    ("a\udcfcb", "a\\udcfcb"),
])
def test_by_hand(text: str, plain: str) -> None:
    assert spelled(text) == plain


def test_an_encoding_keeps_what_it_has() -> None:
    assert "x̂ × ü² …".encode("cp1252", ERRORS).decode("cp1252") == "x_hat × ü² …"
    assert "x̂ × ü² …".encode("latin-1", ERRORS).decode("latin-1") == "x_hat × ü² ..."
    assert "é\udcfc".encode("utf-8", ERRORS) == "é\\udcfc".encode()


def test_only_encoding_is_mended() -> None:
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", ERRORS)


@pytest.mark.parametrize(("errors", "written"), [
    ("strict", b"a -> b"), ("backslashreplace", b"a -> b"), ("replace", b"a ? b"),
])
def test_a_stream_spells_unless_it_has_an_answer(errors: str, written: bytes) -> None:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii", errors=errors)
    spell_on(stream)
    stream.write("a → b")
    stream.flush()
    assert buffer.getvalue() == written


def test_what_cannot_spell_is_passed_over() -> None:
    spell_on(io.StringIO())
    spell_on(None)
