"""The page of a class and those of its students: whole, escaped, and linked."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from minicnn.checking import Finding
from minicnn.checking.classroom.grading import Graded
from minicnn.checking.classroom.points import Points
from minicnn.checking.classroom.submissions import Submission
from minicnn.checking.faults import FAULTS
from minicnn.viewing.class_page import COMMONEST, write_class_page

HOSTILE = '<script>alert("ben")</script>'


def graded(name: str, *findings: Finding, troubles: tuple[str, ...] = ()) -> Graded:
    """What might have been found in one submission."""
    return Graded(Submission(name, (), Path()), list(findings), list(troubles), [], 0.1)


def wrong(fault: str) -> Finding:
    """A backward with this fault."""
    return Finding(f"{fault}_backward", "wrong-backward", fault, f"{HOSTILE} of {fault}")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The page of four students, two of whom have names that differ in little."""
    faults = list(FAULTS)[: COMMONEST + 2]
    return write_class_page(tmp_path / "class.html", [
        graded("Zoë Müller", Finding("relu_forward", "correct"), *map(wrong, faults)),
        graded(HOSTILE, wrong(faults[3]), Finding("dense_forward", "not-written")),
        graded("a b", troubles=(f"{HOSTILE}.py: line 1: SyntaxError",)),
        graded("A-B", Finding("relu_forward", "correct")),
    ], title="HW & more")


class Links(HTMLParser):
    """The tags of a page, and what its links point to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.tags.add(tag)
        self.targets += [value for name, value in attrs if name == "href" and value]


def test_every_student_has_a_page_that_the_class_leads_to(page: Path) -> None:
    links = Links(page.read_text(encoding="utf-8"))
    pages = {unquote(target) for target in links.targets if not target.startswith("#")}
    assert pages == {f"class-students/{name}.html" for name in (
        "Zoë-Müller", "script-alert-ben-script", "a-b", "A-B-2")}
    assert all((page.parent / name).is_file() for name in pages)


def test_what_comes_from_students_is_text(page: Path) -> None:
    for path in (page, *page.parent.glob("class-students/*.html")):
        text = path.read_text(encoding="utf-8")
        assert "script" not in Links(text).tags
        assert "http" not in re.sub(r"http-equiv", "", text)


def test_the_commonest_mistakes_have_their_lesson_and_all_are_counted(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    first = list(FAULTS)[3]
    assert text.index(f'id="mistake-1">{first} ') > 0
    assert FAULTS[first].lesson in unescape(text)
    assert f'id="mistake-{COMMONEST}"' in text
    assert f'id="mistake-{COMMONEST + 1}"' not in text
    assert f'<th scope="row">{list(FAULTS)[COMMONEST + 1]}</th>' in text
    assert "not-written" in text
    assert ">not-written</th>" not in text  # it is no mistake


def test_a_students_page_shows_what_the_terminal_does_and_nobody_else(page: Path) -> None:
    text = (page.parent / "class-students" / "Zoë-Müller.html").read_text(encoding="utf-8")
    assert f"of {next(iter(FAULTS))}" in text
    assert "A-B" not in text
    assert " points" not in text


def test_a_students_page_shows_equation_and_numbers(tmp_path: Path) -> None:
    finding = wrong("relu-mask-from-dy")
    finding.equation = {"topic": "activation", "number": 2, "lines": ["dx = <dy>"]}
    finding.evidence = {"of": "dx", "input": {"x": [[3.0, 1.0], [-2.0, 0.5]]}, "settings": {},
                        "expected": [[1.0, 2.0], [0.0, 4.0]], "received": [[1.0, 0.0], [0.0, 4.0]]}
    write_class_page(tmp_path / "c.html", [graded("anna", finding)], title="c")
    text = unescape((tmp_path / "c-students" / "anna.html").read_text(encoding="utf-8"))
    assert "docs/equations.md: activation, equation 2" in text
    assert "dx = <dy></pre>" in text
    assert "dx should be" in text


def test_points_are_shown_where_there_are_any(tmp_path: Path) -> None:
    page = write_class_page(
        tmp_path / "c.html", [graded("anna", Finding("relu_forward", "correct"))],
        Points(named={"relu_forward": 2.5, "dense_forward": 1}), title="c")
    text = page.read_text(encoding="utf-8")
    assert '2.5<span class="quiet">/3.5</span>' in text
    assert "missing: <code>dense_forward</code>" in text
    assert "of 3.5 points" in (tmp_path / "c-students" / "anna.html").read_text(encoding="utf-8")


def test_a_class_that_handed_in_nothing_of_use(tmp_path: Path) -> None:
    page = write_class_page(
        tmp_path / "c.html", [graded("anna", troubles=("anna.py: no",))], title="c")
    text = page.read_text(encoding="utf-8")
    assert "No submission has a function that can be checked" in text
    assert "commonest mistakes" not in text


def test_students_may_be_told_less_than_their_teacher(tmp_path: Path) -> None:
    page = write_class_page(
        tmp_path / "c.html", [graded("anna", wrong("relu-mask-from-dy"))], title="c", hint=1)
    assert "relu-mask-from-dy" in page.read_text(encoding="utf-8")
    text = (tmp_path / "c-students" / "anna.html").read_text(encoding="utf-8")
    assert "wrong-backward" in text
    assert "Look at " in text
    assert "sign of" not in text
