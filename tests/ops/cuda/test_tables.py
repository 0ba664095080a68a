"""Tables of pieces: they cover every value of every array once, and stay while arrays stay."""

import numpy as np
import pytest

pytest.importorskip("numba_cuda", reason="kernels are compiled by numba-cuda")

from minicnn.ops.cuda.array import DeviceArray, asarray
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.tables import PIECE, by_dtype, rows_of, table_of

SIZES = [0, 1, 3, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 7]


@pytest.mark.parametrize("itemsize", [4, 8])
def test_pieces_cover_every_value_once(itemsize: int) -> None:
    places = [[2**41 + 2**35 * k for k in range(len(SIZES))], [2**20 * k for k in range(1, 8)]]
    table = rows_of(itemsize, SIZES, places).tolist()
    for column, starts in enumerate(places):
        covered: list[list[tuple[int, int]]] = [[] for _ in SIZES]
        for array, count, *firsts in table:
            assert 0 < count <= PIECE
            assert firsts[column] % 16 == 0
            begin = (firsts[column] - starts[array]) // itemsize
            covered[array].append((begin, begin + count))
        for size, pieces in zip(SIZES, covered, strict=True):
            ends = [0, *(end for _, end in pieces)]
            assert [begin for begin, _ in pieces] == ends[:-1]
            assert ends[-1] == size


def test_places_of_64_bits() -> None:
    table = rows_of(8, [2**33 + 1], [[2**62]])
    assert table[-1].tolist() == [0, 1, 2**62 + 2**36]


def test_no_arrays_make_no_pieces() -> None:
    assert rows_of(4, [], [[], []]).shape == (0, 4)
    assert rows_of(4, [0, 0], [[256, 512]]).shape == (0, 3)


def arrays(*sizes: int) -> list[DeviceArray]:
    return [asarray(np.zeros(size, np.float32), np.dtype(np.float32)) for size in sizes]


def test_a_table_is_uploaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, gradients, others = arrays(3, 5000), arrays(3, 5000), arrays(3, 5000)
    uploads = []
    upload = device().upload
    monkeypatch.setattr(
        device(), "upload", lambda address, host: (uploads.append(host), upload(address, host)))
    first = table_of(weights, gradients)
    second = table_of(weights, others)
    assert len(uploads) == 2
    for _ in range(3):  # gradients come to lie where they were two steps ago
        assert table_of(weights, gradients) is first
        assert table_of(weights, others) is second
    assert len(uploads) == 2
    assert table_of(arrays(3, 7), gradients) is not first


def test_columns_are_parted_by_the_dtype_of_the_first() -> None:
    a, c = arrays(1, 2)
    b = asarray(np.zeros(3), np.dtype(np.float64))
    assert list(by_dtype([a, b, c], [1, 2, 3])) == [
        (np.float32, [[a, c], [1, 3]]), (np.float64, [[b], [2]])]
    assert list(by_dtype([], [])) == []
