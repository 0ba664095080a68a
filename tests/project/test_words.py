"""The library's words: an option is the command line's to name."""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "minicnn"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def options_in(path: Path) -> list[str]:
    """The options that the string literals of a file name, docstrings among them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [option for text in texts for option in OPTION.findall(text)]


def test_the_library_names_no_option_of_the_command_line() -> None:
    library = [path for path in PACKAGE.rglob("*.py") if PACKAGE / "cli" not in path.parents
               and path.name != "inline_svg.py"]  # it names variables of CSS
    assert len(library) > 100
    assert {str(path): found for path in library if (found := options_in(path))} == {}


def test_an_option_would_be_seen() -> None:
    assert "--resume" in options_in(PACKAGE / "cli" / "train.py")
