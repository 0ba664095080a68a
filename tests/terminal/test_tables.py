"""Tables, bars and lines as a terminal shows them."""

import io

import pytest
from rich.console import Console

from minicnn import terminal
from minicnn.terminal import Column, Row


def coloured(content: "terminal.RenderableType") -> str:
    """What a terminal with colours gets."""
    stream = io.StringIO()
    Console(file=stream, force_terminal=True, color_system="standard", width=60).print(content)
    return stream.getvalue()


def test_a_table_with_everything_by_hand() -> None:
    columns = [Column("name", footer="all"), Column("count", right=True, footer="12")]
    rows = [Row(("a", "2"), rule_below=True), ("b", "10")]
    table = terminal.table(columns, rows, title="T", caption="c")
    assert terminal.plain(table).splitlines() == [
        "T               ",
        "┏━━━━━━┳━━━━━━━┓",
        "┃ name ┃ count ┃",
        "┡━━━━━━╇━━━━━━━┩",
        "│ a    │     2 │",
        "├──────┼───────┤",
        "│ b    │    10 │",
        "├──────┼───────┤",
        "│ all  │    12 │",
        "└──────┴───────┘",
        "       c",
    ]


def test_a_compact_table_by_hand() -> None:
    table = terminal.table([Column("a"), Column("b", right=True)], [("x", "1.5")], compact=True)
    assert [line.rstrip() for line in terminal.plain(table).splitlines()] == [
        "", " a    b", " ───────", " x  1.5"]


def test_a_bare_table_with_bars_by_hand() -> None:
    table = terminal.bare_table(
        [("no", terminal.bar(0.0, 4)), ("half", terminal.bar(0.5, 4)), ("all", terminal.bar(1, 4))],
        title="T",
    )
    lines = [line.rstrip() for line in terminal.plain(table).splitlines()]
    assert lines == ["T", " no", " half  ██", " all   ████"]


def test_brackets_are_no_markup() -> None:
    word = "[bold]x[/]"
    table = terminal.table([Column(word, footer=word)], [(word,)], title=word, caption=word)
    assert terminal.plain(table).count(word) == 5
    assert terminal.plain(terminal.bare_table([(word,)], title=word)).count(word) == 2
    assert terminal.plain(terminal.line(word, (word, "bold"))) == 2 * word


WIDE = terminal.table(
    [Column("layer", footer="all"), Column("most of it", right=True, footer="30"), Column("what")],
    [Row(("first", "1 of 2"), style="bold"), ("second", "20", "some words to fold")],
    title="T", caption="c",
)


def lines_at(width: int) -> list[str]:
    return [line.rstrip() for line in terminal.plain(WIDE, width).splitlines()]


def test_words_fold_before_figures_do() -> None:
    assert lines_at(34) == [
        "T",
        "┏━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━┓",
        "┃ layer  ┃ most of it ┃ what     ┃",
        "┡━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━┩",
        "│ first  │     1 of 2 │          │",
        "│ second │         20 │ some     │",
        "│        │            │ words to │",
        "│        │            │ fold     │",
        "├────────┼────────────┼──────────┤",
        "│ all    │         30 │          │",
        "└────────┴────────────┴──────────┘",
        "                c",
    ]


def test_a_narrow_table_has_no_frame() -> None:
    assert lines_at(26) == [
        "T", "",
        "         most of",
        " layer        it  what",
        " ────────────────────────",
        " first    1 of 2",
        " second       20  some",
        "                  words",
        "                  to",
        "                  fold",
        "",
        " all          30",
        "",
        "            c",
    ]


def test_where_words_do_not_fit_every_row_is_a_list() -> None:
    assert lines_at(22) == [
        "T",
        "first", "   most of it  1 of 2",
        "second", "   most of it  20", "   what        some", "               words",
        "               to", "               fold",
        "all", "   most of it  30", "c",
    ]


def test_a_pipe_gets_a_table_as_wide_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> int:
        stream = io.StringIO()
        terminal.show(Console(file=stream), terminal.table([Column("x")], [("ab " * 99 + "ab",)]))
        return max(map(len, stream.getvalue().splitlines()))

    monkeypatch.delenv("COLUMNS", raising=False)
    assert shown() == 303
    monkeypatch.setenv("COLUMNS", "50")
    assert shown() == 50


def test_a_long_word_is_folded() -> None:
    rows = [("0123456789abcdef", "x")]
    assert terminal.plain(terminal.bare_table(rows), width=14).count("…") == 0
    table = terminal.table([Column("a"), Column("b")], rows)
    assert "…" not in terminal.plain(table, width=14)


@pytest.mark.parametrize(("upright", "start"), [(False, "\x1b[3mT"), (True, "T")])
def test_a_title_is_italic_or_upright(upright: bool, start: str) -> None:
    assert coloured(terminal.table([Column("x")], [], title="T", upright=upright)).startswith(start)


def test_styles_of_rows_and_lines() -> None:
    table = terminal.bare_table([Row(("a",), style="bold"), ("b",)])
    assert coloured(table) == "\x1b[1m \x1b[0m\x1b[1ma\x1b[0m\x1b[1m \x1b[0m\n b \n"
    assert coloured(terminal.line("a ", ("b", "bold"), " c")) == "a \x1b[1mb\x1b[0m c\n"
    assert coloured(terminal.line("a", style="bold")) == "\x1b[1ma\x1b[0m\n"


def test_lines_below_each_other_made_for_the_width_without_blanks_behind() -> None:
    content = terminal.together(
        terminal.line("a"), terminal.Fitted(lambda width, spell: [f"{width}  ", "c"], indent=2))
    assert terminal.plain(content, width=6).splitlines() == ["a", "  4", "  c"]
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console(file=stream).print(terminal.Fitted(lambda width, spell: [spell("σ")]))
    stream.flush()
    assert stream.buffer.getvalue() == b"sigma\n"
