"""The array of the cuda backend."""

import copy
import pickle

import numpy as np
import pytest

from minicnn.ops.cuda.array import asarray, empty


def test_what_goes_there_comes_back() -> None:
    values = np.random.default_rng(0).standard_normal((3, 4, 5))
    there = asarray(values, np.float32)
    assert (there.shape, there.dtype, there.size, there.ndim, there.nbytes) == (
        (3, 4, 5), np.float32, 60, 3, 240)
    assert len(there) == 3
    np.testing.assert_array_equal(np.asarray(there), values.astype(np.float32))
    np.testing.assert_array_equal(np.asarray(there, np.float64), values.astype(np.float32))
    assert repr(there) == "<DeviceArray (3, 4, 5) of float32>"


@pytest.mark.parametrize("host", [
    np.arange(12, dtype=np.float32).reshape(3, 4).T,
    np.arange(12, dtype=">f4").reshape(3, 4),
    np.arange(24, dtype=np.float32)[::2].reshape(3, 4),
    np.arange(12).reshape(3, 4),
    np.float32(3),
    np.zeros((0, 4), np.float32),
])
def test_any_layout_and_byte_order_goes_there(host: np.ndarray) -> None:
    np.testing.assert_array_equal(np.asarray(asarray(host, np.float32)), host)


def test_asarray_without_a_dtype_leaves_everything_where_it_is() -> None:
    host = [1, 2]
    assert isinstance(asarray(host), np.ndarray)
    there = asarray(np.ones(2), np.float64)
    assert asarray(there) is there
    assert asarray(there, np.float64) is there
    assert asarray(there, np.float32).dtype == np.float32


def test_the_host_gets_a_copy_and_no_view() -> None:
    there = asarray(np.ones(3), np.float64)
    np.asarray(there)[:] = 5
    assert np.asarray(there).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="copy=False"):
        np.array(there, copy=False)


def test_reshape_is_a_view_and_copy_is_not() -> None:
    there = asarray(np.arange(12.0), np.float64)
    view, other = there.reshape(3, -1), there.copy()
    assert view.shape == (3, 4)
    assert view.pointer == there.pointer != other.pointer
    view[...] = np.full((3, 4), 7.0)
    assert np.asarray(there).tolist() == 12 * [7]
    np.testing.assert_array_equal(np.asarray(other), np.arange(12.0))
    assert there.reshape((2, 6)).shape == (2, 6)
    assert there.reshape(np.int64(4), 3).shape == (4, 3)
    for wrong in ((5, -1), (-1, -1), (13,)):
        with pytest.raises(ValueError, match="cannot reshape"):
            there.reshape(wrong)


def test_it_is_set_whole_from_host_or_device() -> None:
    there = empty((2, 3), np.float32)
    there[...] = np.arange(3)
    assert np.asarray(there).tolist() == [[0, 1, 2], [0, 1, 2]]
    there[...] = asarray(np.ones((2, 3)), np.float64)
    assert np.asarray(there).tolist() == [[1, 1, 1], [1, 1, 1]]
    there[...] = asarray(np.zeros((2, 3)), np.float32)
    assert not np.asarray(there).any()
    with pytest.raises(TypeError, match="only set whole"):
        there[0] = 1
    with pytest.raises(ValueError, match=r"expected an array of shape \(2, 3\)"):
        there[...] = asarray(np.zeros((3, 2)), np.float32)
    with pytest.raises(ValueError, match="broadcast"):
        there[...] = np.zeros(2)


def test_it_is_no_second_numpy() -> None:
    there = asarray(np.ones(3), np.float64)
    with pytest.raises(TypeError):
        there + there  # type: ignore[operator]
    with pytest.raises(TypeError, match="np.asarray"):
        there[0]
    with pytest.raises(AttributeError, match="has no 'mean'; np.asarray"):
        there.mean()
    with pytest.raises(TypeError, match="neither true nor false"):
        assert there
    with pytest.raises(TypeError, match="np.asarray"):
        assert there == there.copy()


def test_copies_of_any_kind_are_arrays_of_their_own() -> None:
    there = asarray(np.arange(3.0), np.float64)
    for other in (copy.copy(there), copy.deepcopy(there)):
        assert other.pointer != there.pointer
        np.testing.assert_array_equal(np.asarray(other), np.arange(3.0))


def test_who_reads_a_pickle_needs_no_device() -> None:
    other = pickle.loads(pickle.dumps(asarray(np.arange(3.0), np.float64)))
    assert type(other) is np.ndarray
    np.testing.assert_array_equal(other, np.arange(3.0))


def test_other_cuda_libraries_can_read_where_it_is() -> None:
    there = asarray(np.ones((2, 3)), np.float32)
    interface = there.__cuda_array_interface__
    assert interface["data"] == (there.pointer, False)
    assert (interface["shape"], interface["typestr"], interface["version"]) == ((2, 3), "<f4", 3)
    assert interface["strides"] is None
