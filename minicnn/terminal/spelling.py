"""Spelling symbols with plain characters where an encoding lacks them.

A Windows console that writes to a file often speaks cp1252, a machine with ``LANG=C`` ASCII.
"""

import codecs
import itertools
from typing import IO

ERRORS = "minicnn-spelled"
"""The name of the error handler, for ``errors=`` of `str.encode`, `open` and streams."""

_RAISING = ("strict", "backslashreplace", "surrogateescape")
"""What streams of the system do about a character that their encoding lacks."""

_SYMBOLS = {
    "…": "...", "–": "-", "—": "-", "−": "-", "‑": "-", "·": "*", "×": "x", "⊙": "*",
    "→": "->", "←": "<-", "±": "+-", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "∝": "~",
    "√": "sqrt", "∂": "d", "∞": "inf", "Σ": "sum", "Δ": "delta", "∇": "grad", "‖": "||",
    "½": "1/2", "°": " degrees", "′": "'", "‘": "'", "’": "'", "“": '"', "”": '"',
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "η": "eta",
    "θ": "theta", "λ": "lambda", "μ": "mu", "µ": "u", "π": "pi", "ρ": "rho", "σ": "sigma",
    "ŝ": "s_hat", "\u0302": "_hat", "\u0303": "_tilde", "\u0304": "_bar",
    "✓": "+", "✔": "+", "✗": "x", "✘": "x", "•": "*", "⚠": "!",
    **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),  # spaces that do not break, or are narrow
    **dict.fromkeys("━─═╌┄", "-"),
    **dict.fromkeys("│┃║", "|"),
    **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼╸╺┏┓┗┛┣┫┳┻╋┡┩╇", "+"),
    **dict.fromkeys("█▉▊▋▌■", "#"),
    **dict.fromkeys("▍▎▏", " "),
    **dict.fromkeys(map(chr, range(0x2800, 0x2900)), "*"),  # braille, which turns while we wait
}
"""What stands for a symbol. Those that rich draws bars and frames with keep their width."""

_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀᵗⁿ", "0123456789-+Ttn", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉ₙᵢⱼ", "0123456789nij", strict=True))


def spelled(text: str) -> str:
    """The text in ASCII: ``"10⁻⁶"`` as ``"10^-6"``, ``"γ"`` as ``"gamma"``.

    A character without a spelling, such as one of another alphabet, becomes its escape sequence,
    so that nothing is lost.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    parts = []
    for kind, run in itertools.groupby(text, _kind):
        if kind == "^":
            parts.append("^" + "".join(_RAISED[character] for character in run))
        elif kind == "_":
            parts.append("_" + "".join(_LOWERED[character] for character in run))
        else:
            parts += [_SYMBOLS.get(character) or _escaped(character) for character in run]
    return "".join(parts)


def spelled_in(encoding: str, text: str) -> str:
    """The text with those characters spelled that an encoding lacks."""
    return text.encode(encoding, ERRORS).decode(encoding)


def _kind(character: str) -> str:
    return "^" if character in _RAISED else "_" if character in _LOWERED else ""


def _escaped(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode("ascii")


def _spell(error: UnicodeError) -> tuple[str, int]:
    """The error handler: the characters that cannot be encoded, spelled."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return spelled(error.object[error.start : error.end]), error.end


codecs.register_error(ERRORS, _spell)


def spell_on(stream: IO[str] | None) -> None:
    """Let a stream spell what its encoding lacks, in place of raising UnicodeEncodeError.

    A stream that has an answer of its own, other than the escape sequences of stderr, keeps it;
    so does one that is no stream of the system, such as a notebook's.

    Parameters
    ----------
    stream : file or None
        ``sys.stdout``, for example; None, as under ``pythonw``, is passed over.
    """
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure and getattr(stream, "errors", "") in _RAISING:
        reconfigure(errors=ERRORS)
