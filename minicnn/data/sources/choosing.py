"""Which of many files is the table: the same answer for the members of archives and of folders."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from minicnn.data.dataset import SPLIT_NAMES
from minicnn.data.sources.image_folder import LEFTOVERS, entries
from minicnn.data.sources.quoting import listed
from minicnn.errors import InputError

TABLES = ("fer2013.csv", "icml_face_data.csv")
_TRAINING = ("train.csv",)
ARCHIVES = (".zip", ".tar", ".tgz", ".gz")
_PACKED = (".zip", ".gz")
_MOST_FOLDERS = 3  # around what is meant, one in the other


def choose_table(names: Sequence[str], place: str) -> tuple[str | None, tuple[str, ...]]:
    """The name of the table among others.

    It is the one called ``fer2013.csv`` or ``icml_face_data.csv``, also packed on its own;
    otherwise ``train.csv``; otherwise the only ``.csv``; otherwise the only archive.

    Parameters
    ----------
    names : sequence of str
        Of files, with ``/`` between folders. Hidden ones and leftovers are passed over.
    place : str
        Where they stand, for error messages.

    Returns
    -------
    name : str or None
        None where there is no such file.
    notes : tuple of str
        Says which table was taken, and why, where there were others.

    Raises
    ------
    InputError
        There are several of the first kind.
    """
    names = [name for name in names if not _is_leftover(name)]
    csvs = [name for name in names if _unpacked(name).endswith((".csv", ".tsv"))]
    plain = [name for name in csvs if _base(name) == _unpacked(name)]
    for known, reason in ((TABLES, "the table of all splits"), (_TRAINING, "which has labels")):
        for candidates in (plain, csvs):
            found = [name for name in candidates if _unpacked(name) in known]
            if len(found) > 1 and known == TABLES:
                raise InputError(
                    f"{place}: expected one table in the archive or folder, got {listed(found)} "
                    "(give one of them)"
                )
            if len(found) == 1:
                others = sorted(
                    PurePosixPath(name).name for name in csvs
                    if _unpacked(name) != _unpacked(found[0])
                )
                return found[0], (
                    f"{PurePosixPath(found[0]).name} was read, {reason}; beside it "
                    f"{listed(others)} {'was' if len(others) == 1 else 'were'} not.",
                ) if others else ()
    archives = [name for name in names if _base(name).endswith(ARCHIVES)]
    for candidates in (plain, archives):
        if len(candidates) == 1:
            return candidates[0], ()
    return None, ()


def find_source(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder with the splits, or the table, that `folder` holds.

    Folders around it with nothing else to read in them are passed through, up to three.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    source : Path
        `folder` itself where nothing of that kind is found.
    notes : tuple of str
        As of `choose_table`.

    Raises
    ------
    InputError
        As of `choose_table`.
    OSError
        A folder cannot be listed.
    """
    place = folder
    for _ in range(_MOST_FOLDERS + 1):
        found = entries(place)
        folders = [entry for entry in found if entry.is_dir()]
        if any(entry.name.casefold() in SPLIT_NAMES and entries(entry) for entry in folders):
            return place, ()
        files = [entry.name for entry in found if entry.is_file()]
        name, notes = choose_table(files, str(place))
        if name is not None:
            return place / name, notes
        if len(folders) != 1 or folders[0].is_symlink():
            break
        place = folders[0]
    return folder, ()


def _base(name: str) -> str:
    return PurePosixPath(name).name.casefold()


def _unpacked(name: str) -> str:
    """The file's name in small letters, without the ending of an archive of it alone."""
    base = _base(name)
    for ending in _PACKED:
        if base.endswith((f".csv{ending}", f".tsv{ending}")):
            return base.removesuffix(ending)
    return base


def _is_leftover(name: str) -> bool:
    parts = [part.casefold() for part in PurePosixPath(name).parts]
    return parts[-1].startswith(".") or any(part in LEFTOVERS for part in parts)
