"""What a file is that was given for a table, by its first bytes, and the way on from there."""

_KINDS = (
    (b"PAR1", "a Parquet table: save it as CSV"),
    (b"\x89HDF", "an HDF5 file: save its table as CSV"),
    (b"\x93NUMPY", "a NumPy array: save it as CSV, or its pictures in train/<emotion>/"),
    (b"MATLAB 5.0", "a MATLAB file: save its table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save it as CSV"),
    (b"SQLite format", "an SQLite file: save its table as CSV"),
    (b"\x80\x04\x95", "a pickle: save its table as CSV"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it"),
    (b"Rar!", "a RAR archive: unpack it"),
    (b"BZh", "a bzip2 archive: unpack it"),
    (b"\xfd7zXZ", "an xz archive: unpack it"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive: unpack it"),
    (b"\x89PNG", "a picture: put pictures into folders train/<emotion>/"),
    (b"\xff\xd8\xff", "a picture: put pictures into folders train/<emotion>/"),
    (b"<!DOCTYPE", "a web page: download the file itself (sites ask for a login first)"),
    (b"<!doctype", "a web page: download the file itself (sites ask for a login first)"),
    (b"<html", "a web page: download the file itself (sites ask for a login first)"),
    (b"version https://git-lfs", "a pointer of Git LFS: fetch the file itself (git lfs pull)"),
)


def kind_of(head: bytes) -> str | None:
    """What a file with these first bytes is, and the way on; None where it may be a table."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"{"):
        return (
            "a notebook: give the file of data that it reads"
            if b'"cells"' in head or b'"nbformat"' in head
            else "JSON: save its table as CSV"
        )
    return next((kind for mark, kind in _KINDS if text.startswith(mark)), None)
