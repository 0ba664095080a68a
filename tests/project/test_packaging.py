"""What is said of the package once, and what an installed one has with it."""

import ast
import configparser
from fnmatch import fnmatch
from pathlib import Path

import minicnn

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "minicnn"


def settings() -> configparser.ConfigParser:
    """What ``setup.cfg`` says."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_the_version_is_written_once() -> None:
    assert settings()["metadata"]["version"] == "attr: minicnn.__version__"
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    written = [
        statement.value for statement in tree.body if isinstance(statement, ast.Assign)
        and ast.unparse(statement.targets[0]) == "__version__"
    ]
    # a literal, which setuptools reads without importing what is not installed yet
    assert [ast.literal_eval(value) for value in written] == [minicnn.__version__]


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_file_that_is_no_module_comes_with_the_package() -> None:
    patterns = [
        f"{package.replace('.', '/')}/{pattern}"
        for package, lines in settings()["options.package_data"].items()
        for pattern in lines.split()
    ]
    files = [
        path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".py" and path.parent.name != "__pycache__"
    ]
    assert len(files) > 5
    assert [file for file in files if not any(fnmatch(file, each) for each in patterns)] == []
    unused = [each for each in patterns if not any(fnmatch(file, each) for file in files)]
    assert unused == []
