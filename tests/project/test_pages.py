"""The pages: what they name exists, and what they list is complete."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from minicnn.layers import LAYERS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md",
         *sorted(DOCS.rglob("*.md"))]
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md" and "images" not in page.parts]
"""The pages that say how things are now."""

MADE = {"pictures/", "dist/"}
"""What a run and a release make."""

BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*(?:\.(?:py|md|toml|csv|json|safetensors|svg|png)|/)")
FROM_THE_ROOT = re.compile(
    r"(?<![\w/.-])(?:minicnn|tests|benchmarks|examples|docs|\.ci|\.github)/[\w./-]*[\w/]")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def paths(text: str) -> set[str]:
    """The files and folders that a page names, but for those that are made and placeholders."""
    spans = SPAN.findall(BLOCK.sub("", text))
    named = {span for span in spans
             if PATH.fullmatch(span) and ("/" in span or span.endswith(".py"))}
    named |= set(FROM_THE_ROOT.findall(text))
    return {path for path in named if not path.isupper() and path not in MADE | {"FILE.py"}}


def exists(path: str) -> bool:
    """Whether a path is one of the repository, of the package, or the name of some module."""
    if "/" not in path:
        return any(any((ROOT / part).rglob(path))
                   for part in ("minicnn", "tests", "benchmarks", "examples", "docs"))
    return (ROOT / path).exists() or (ROOT / "minicnn" / path).exists()


def anchors(page: Path) -> set[str]:
    """The places in a page that a link can lead to, as GitHub names them."""
    headings = HEADING.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def reading() -> ModuleType:
    """``docs/reading.py``."""
    spec = importlib.util.spec_from_file_location("reading", DOCS / "reading.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["reading"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", CURRENT, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    named = paths(page.read_text(encoding="utf-8"))
    assert [path for path in sorted(named) if not exists(path)] == []


def test_a_path_that_is_gone_is_found() -> None:
    text = "`ops/gone.py`, `gone/`, `gone.py`, `ops/window.py`, `history.csv`, `FILE.py`\n" \
           "```\npython benchmarks/gone.py homework.py\n```\n"
    assert {path for path in paths(text) if not exists(path)} == {
        "ops/gone.py", "gone/", "gone.py", "benchmarks/gone.py"}


@pytest.mark.parametrize("name", ["architecture.md", "kernels.md", "cuda.md"])
def test_every_name_of_the_code_that_a_page_has_exists(name: str) -> None:
    text = BLOCK.sub("", (DOCS / name).read_text(encoding="utf-8"))
    named = {span.rpartition(".")[2] for span in SPAN.findall(text)
             if re.fullmatch(r"(?!minicnn$)(?:\w+\.)*_?[A-Za-z]\w{3,}", span)}
    code = "\n".join(path.read_text(encoding="utf-8") for folder in ("minicnn", "benchmarks")
                     for path in (ROOT / folder).rglob("*.py"))
    assert len(named) > 5
    assert [word for word in sorted(named) if not re.search(rf"\b{word}\b", code)] == []


def test_every_floor_of_the_house_exists() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    house = BLOCK.search(page.split("## The house")[1])[0]
    floors = re.findall(r"(?<!\S)[\w/]+(?:/|\.py)(?!\S)", house)
    assert len(floors) > 20
    packages = [ROOT / "minicnn", ROOT / "minicnn" / "ops", ROOT / "minicnn" / "checking"]
    assert [floor for floor in floors
            if not any((package / floor).exists() for package in packages)] == []
    loose = {path.name for path in (ROOT / "minicnn").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert loose <= set(floors)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_index_lists_every_decision() -> None:
    records = sorted(DECISIONS.glob("[0-9]*.md"))
    assert [int(record.name[:3]) for record in records] == list(range(1, len(records) + 1))
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d+)\]\((\S+)\) \| (.+) \| (.+) \|$", index, re.MULTILINE)
    assert [row[1] for row in rows] == [record.name for record in records]
    for (number, _, title, status), record in zip(rows, records, strict=True):
        text = record.read_text(encoding="utf-8")
        assert text.startswith(f"# Decision {number}: {title}\n\n**Status:** {status}.\n")
        sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert sections == ["Context", "Decision", "Consequences"]


def test_the_pages_list_the_core_in_reading_order(reading: ModuleType) -> None:
    """The files, not their lines, which change daily: ``python docs/reading.py --write``."""
    core = [name for names in reading.CHAPTERS.values() for name in names]
    for page in reading.PAGES:
        table = re.search(r"<!-- reading -->\n(.*?)<!-- end -->", page.read_text(encoding="utf-8"),
                          re.DOTALL)[1]
        assert re.findall(r"`([\w/]+\.py)`", table) == core
    assert len(set(core)) == len(core)
    for folder in ("ops", "ops/reference"):
        files = (reading.PACKAGE / folder).glob("[a-z]*.py")
        assert {f"{folder}/{file.name}" for file in files} <= set(core)
    modules = {kind.__module__ for kind in LAYERS.values()}
    assert {f"{module.replace('.', '/')}.py" for module in modules} <= {
        f"minicnn/{name}" for name in core}


def test_lines_of_code_by_hand(reading: ModuleType) -> None:
    text = '"""Docstring,\n\nof three lines."""\n\n# a comment\nA = 1  # code\n"""Of A."""\n\n' \
           'def f(\n    x,\n):\n    """Docstring."""\n    # nothing\n    return """two\nlines"""\n'
    assert sorted(reading.code_lines(text)) == [6, 9, 10, 11, 14, 15]


def test_every_test_that_a_page_names_exists() -> None:
    page = (DOCS / "what-was-tried.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    files = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    tests = {name for text in files for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}
    assert len(named) > 40
    assert named - tests == set()
