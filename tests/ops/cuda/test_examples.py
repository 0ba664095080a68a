"""The examples of kernels run, and docs/cuda.md shows what they print."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "cuda.md").read_text(encoding="utf-8")


def alike(text: str) -> list[str]:
    """The lines of a text, but for the compiler's lines of PTX and its numbers of shared arrays."""
    lines = (re.sub(r"^( +|line )\d+(?=  | \(|:)", r"\1#", line) for line in text.splitlines())
    return [re.sub(r"(?<=_smem_)\d+", "#", " ".join(line.split())) for line in lines]


def blocks(language: str) -> list[str]:
    """The page's blocks in a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == language]


@pytest.mark.slow(seconds=30)
def test_the_page_shows_what_the_examples_print(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = [line for block in blocks("") for line in alike(block)
             if line and not line.startswith(("python", "MINICNN", "μ =", "y[n, p"))]
    assert len(shown) > 30
    for name in ("first_cuda_kernel", "take_a_barrier_away", "count_traffic"):
        runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="__main__")
    printed = set(alike(capsys.readouterr().out))
    assert [line for line in shown if line not in printed] == []


def test_the_page_quotes_lines_that_exist() -> None:
    files = [*(ROOT / "minicnn" / "ops").rglob("*.py"), *(ROOT / "examples").glob("*.py")]
    code = {line.strip() for path in files
            for line in path.read_text(encoding="utf-8").splitlines()}
    quoted = [line.strip() for block in blocks("python") for line in block.splitlines()]
    assert len(quoted) > 20
    assert [line for line in quoted if line not in code] == []
