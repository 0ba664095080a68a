"""Questions to many arrays at once, against plain Python: one launch and one download."""

import math

import numpy as np
import pytest
from lean_kernels import assert_lean
from numeric import DTYPES

from minicnn.ops import cuda
from minicnn.ops.cuda import reductions
from minicnn.ops.cuda.array import asarray
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.tables import PIECE

SHAPES = [(), (1,), (3,), (0,), (4,), (5, 7), (PIECE - 1,), (PIECE,), (2, PIECE + 3)]


def arrays(dtype: type) -> list[np.ndarray]:
    """One of each shape."""
    rng = np.random.default_rng(0)
    return [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]


@pytest.mark.parametrize("dtype", DTYPES)
def test_global_norm_is_that_of_all_numbers(dtype: type) -> None:
    some = arrays(dtype)
    exact = math.sqrt(math.fsum(float(value) ** 2 for array in some for value in array.flat))
    norm = cuda.global_norm(some)
    assert norm == pytest.approx(exact, rel=1e-14)
    assert type(norm) is float
    assert cuda.global_norm(some) == norm


def test_arrays_of_both_dtypes() -> None:
    some = [np.array([3.0], np.float32), np.array([4.0]), np.array([[12]])]
    assert cuda.global_norm(some) == 13.0
    assert cuda.all_finite(some)
    assert not cuda.all_finite([*some, np.array([np.nan])])


def test_squares_overflow_no_float32() -> None:
    large = np.full(10**4, 1e25, np.float32)
    assert cuda.global_norm([large]) == pytest.approx(1e25 * 100, rel=1e-6)
    assert cuda.all_finite([large, np.array([3e38], np.float32), np.array([1.7e308, -1.7e308])])


@pytest.mark.parametrize("nothing", [[], [np.zeros((0, 3))]], ids=["none", "empty"])
def test_nothing(nothing: list) -> None:
    assert cuda.all_finite(nothing) is True
    assert cuda.global_norm(nothing) == 0.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite(dtype: type, bad: float) -> None:
    some = arrays(dtype)
    assert cuda.all_finite(some) is True
    for array in some:
        for place in {0, array.size // 2, array.size - 1} if array.size else ():
            changed = array.copy()
            changed.flat[place] = bad
            others = [changed if other is array else other for other in some]
            assert cuda.all_finite(others) is False
    some[-1].flat[PIECE] = bad
    norm = cuda.global_norm(some)
    assert math.isnan(norm) if math.isnan(bad) else norm == math.inf


@pytest.mark.parametrize("name", ["all_finite", "global_norm"])
def test_more_pieces_than_blocks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reductions, "MOST_BLOCKS", 2)
    some = arrays(np.float32)
    found = getattr(cuda, name)(some)
    monkeypatch.undo()
    assert found == pytest.approx(getattr(cuda, name)(some), rel=1e-14)
    some[6][17] = np.inf
    monkeypatch.setattr(reductions, "MOST_BLOCKS", 2)
    assert getattr(cuda, name)(some) == {"all_finite": False, "global_norm": math.inf}[name]


@pytest.mark.parametrize("name", ["all_finite", "global_norm"])
def test_one_launch_and_one_small_download(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    some = [asarray(array, array.dtype) for array in arrays(np.float32)]
    getattr(cuda, name)(some)
    downloads, uploads, download = [], [], device().download
    monkeypatch.setattr(device(), "download", lambda address, host: (
        downloads.append(host.nbytes), download(address, host)))
    monkeypatch.setattr(device(), "upload", lambda address, host: uploads.append(host))
    with device().recorded() as launches:
        getattr(cuda, name)(some)
    assert len(launches) == 1
    assert uploads == []
    assert len(downloads) == 1
    assert downloads[0] <= 8 * reductions.MOST_BLOCKS


def test_the_kernels_keep_everything_in_registers() -> None:
    for real in DTYPES:
        for term in (reductions._difference, reductions._square):
            assert_lean(reductions._sum_kernel(real, term), "*L", "*L", "I", "*d")
