"""The pictures of the pages: each is shown, has a maker, is as its maker draws it now, and fits a
dark page."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib import __version__

from minicnn.viewing.svg_file import svg_of, with_dark_colours

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
PICTURES = sorted(path for path in IMAGES.rglob("*") if path.suffix in (".svg", ".png"))
SHOWN = re.compile(r"!\[[^\]]+\]\(([^)\s]+)\)")

MAKERS = {
    "docs/readme_pictures.py": ("", {"batch-norm", "verdict"}),
    "benchmarks/kernel_drawings.py": ("", {"winograd-tile", "register-tile"}),
    "benchmarks/kernel_steps.py": ("", {"kernel-steps"}),
    "benchmarks/fer2013/report.py": ("paper", {
        "accuracy", "loss", "best-single", "activations", "zeros", "upstream", "gradients", "rates",
        "recall", "confusion-paper-bn", "confusion-paper-plain", "confusion-best-single"}),
    "minicnn/benchmarking/pictures.py": ("bench", {"layers", "roofline", "growth"}),
}
"""Of each maker the folder and the names of its pictures; the last draws what it has measured."""

DRAWN_FROM_KEPT_FIGURES = list(MAKERS)[:-1]


@pytest.fixture
def maker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A maker, importable together with the scripts beside it, as long as a test lasts."""
    script = ROOT / request.param
    monkeypatch.syspath_prepend(script.parent)
    for other in script.parent.glob("*.py"):
        monkeypatch.setitem(sys.modules, other.stem, None)
        monkeypatch.delitem(sys.modules, other.stem)
    return request.param


def test_every_picture_is_shown_by_a_page_and_has_a_maker() -> None:
    shown = {(page.parent / target).resolve()
             for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
             for target in SHOWN.findall(page.read_text(encoding="utf-8")) if "://" not in target}
    made = {IMAGES / folder / f"{name}.svg" for folder, names in MAKERS.values() for name in names}
    assert set(PICTURES) == made
    assert set(PICTURES) == shown


@pytest.mark.slow
@pytest.mark.parametrize("maker", DRAWN_FROM_KEPT_FIGURES, indirect=True)
def test_a_picture_is_as_its_maker_draws_it_now(maker: str) -> None:
    """On the Matplotlib that drew the file: another one draws other lines."""
    module = importlib.import_module(Path(maker).stem)
    folder, names = MAKERS[maker]
    figures = module.drawn(module.read_kept()) if folder == "paper" else module.pictures()
    assert set(figures) == names
    stale = []
    for name, figure in figures.items():
        text = (IMAGES / folder / f"{name}.svg").read_text(encoding="utf-8")
        if f"Matplotlib v{__version__}," not in text:
            pytest.skip(f"{name}.svg was not drawn by Matplotlib {__version__}")
        if svg_of(figure, name, enlarged=getattr(module, "ENLARGED", 1.0)) != text:
            stale.append(name)
    assert not stale, f"python {maker} draws these anew"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: str(path.relative_to(IMAGES)))
def test_a_picture_fits_a_dark_page(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    assert with_dark_colours(text) == text
    assert "<image" not in text  # pixels keep their colours
