"""Check what a wheel and a source archive hold: ``python .ci/contents.py dist``."""

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(folder: Path) -> None:
    """End with a message if anything is missing or too much."""
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "minicnn").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    require(wheel, package - names, "lacks")
    require(wheel, {
        name for name in names - package if not name.split("/")[0].endswith(".dist-info")
    }, "should not hold")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    require(source, package - names, "lacks")
    print(f"{wheel.name} and {source.name} hold the package, the wheel nothing else")


def require(archive: Path, wrong: set[str], what: str) -> None:
    """Leave where any file is wrong."""
    if wrong:
        sys.exit(f"{archive} {what} {', '.join(sorted(wrong))}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
