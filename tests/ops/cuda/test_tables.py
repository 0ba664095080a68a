"""Tables of pieces: they cover every value of every array once; only changes are uploaded."""

import numpy as np
import pytest

from minicnn.ops.cuda.array import DeviceArray, asarray
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.tables import PIECE, by_dtype, pieces_of, table_of

SIZES = [0, 1, 3, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 7]


def test_pieces_cover_every_value_once() -> None:
    covered: list[list[tuple[int, int]]] = [[] for _ in SIZES]
    for array, count, start in pieces_of(SIZES).tolist():
        assert 0 < count <= PIECE
        assert start % 4 == 0  # 16 bytes of float32
        covered[array].append((start, start + count))
    for size, pieces in zip(SIZES, covered, strict=True):
        ends = [0, *(end for _, end in pieces)]
        assert [begin for begin, _ in pieces] == ends[:-1]
        assert ends[-1] == size


def test_places_of_64_bits() -> None:
    assert pieces_of([2**33 + 1])[-1].tolist() == [0, 1, 2**33]


def test_no_arrays_make_no_pieces() -> None:
    assert pieces_of([]).shape == pieces_of([0, 0]).shape == (0, 3)


def arrays(*sizes: int) -> list[DeviceArray]:
    return [asarray(np.zeros(size, np.float32), np.dtype(np.float32)) for size in sizes]


def test_only_what_has_changed_is_uploaded(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, gradients, others = arrays(3, 5000), arrays(3, 5000), arrays(3, 5000)
    uploads = []
    upload = device().upload
    monkeypatch.setattr(device(), "upload", lambda address, host: (
        uploads.append(host.tolist()), upload(address, host)))
    first, second = table_of(weights, gradients), table_of(weights, others)
    assert uploads[-2:] == [
        [[w.pointer, g.pointer] for w, g in zip(weights, column, strict=True)]
        for column in (gradients, others)
    ]
    assert second.pieces is first.pieces
    del uploads[:]
    assert table_of(weights, gradients) == first
    assert table_of(weights, others) == second
    assert uploads == []
    table_of(arrays(3, 5001), gradients)
    assert len(uploads) == 4  # two arrays, their pieces and addresses


def test_columns_are_parted_by_the_dtype_of_the_first() -> None:
    a, c = arrays(1, 2)
    b = asarray(np.zeros(3), np.dtype(np.float64))
    assert list(by_dtype([a, b, c], [1, 2, 3])) == [
        (np.float32, [[a, c], [1, 3]]), (np.float64, [[b], [2]])]
    assert list(by_dtype([], [])) == []
