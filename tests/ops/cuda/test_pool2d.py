"""Pooling on the device: against the reference at any window, ties and NaN, its traffic counted."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from huge_arrays import ending_with, last_block, last_of, run_blocks
from hypothesis import given, strategies as st
from numeric import DTYPES, assert_close, assert_gradient, distinct, random_like
from windows import Case, cases

from minicnn.ops import cuda, reference
from minicnn.ops.window import Window

KINDS = ("maxpool2d", "avgpool2d")


def both_ways(kind: str, x: Any, dy: Any = None, **window: Any) -> tuple:
    """What the device and the reference find: y, argmax where there is one, dx."""
    results = []
    for backend in (cuda, reference):
        y, cache = getattr(backend, f"{kind}_forward")(x, **window)
        if dy is None:
            dy = random_like(np.random.default_rng(1), np.asarray(y))
        kept = [cache.argmax] if kind == "maxpool2d" else []
        results.append([y, *kept, getattr(backend, f"{kind}_backward")(dy, cache)])
    got, wanted = results
    return [np.asarray(array) for array in got], wanted


def assert_agrees(kind: str, x: Any, **window: Any) -> None:
    """Require the same numbers; of maxima the same bits."""
    for got, wanted in zip(*both_ways(kind, x, **window), strict=True):
        assert got.dtype == wanted.dtype
        if kind == "maxpool2d":
            np.testing.assert_array_equal(got, wanted)
        else:
            assert_close(got, wanted, 4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "window"), [
    ((2, 6, 8, 8), {}),
    ((1, 7, 5, 3), {}),  # rims that no window covers
    ((3, 3, 4, 17), {"size": 2}),
    ((2, 1, 9, 4), {"size": (1, 3), "stride": (1, 2)}),
    ((1, 9, 7, 64), {"size": 3, "stride": 2, "padding": "same"}),
    ((2, 5, 6, 5), {"size": (3, 2), "stride": 1, "padding": ((2, 0), (0, 1))}),  # overlaps
    ((2, 9, 8, 1), {"size": 2, "stride": 3}),  # gaps
    ((1, 2, 3, 4), {"size": (4, 5), "stride": 2, "padding": ((3, 2), (4, 1))}),  # larger than x
    ((1, 2, 2, 2), {"size": 2, "padding": 1}),
    ((300, 2, 2, 1), {"size": 2}),
    ((1, 40, 50, 3), {"size": 2}),  # more than one block an image
], ids=str)
def test_against_the_reference(kind: str, dtype: type, shape: tuple, window: dict) -> None:
    x = np.random.default_rng(0).integers(-4, 5, shape).astype(dtype)  # many ties
    assert_agrees(kind, x, **window)


@pytest.mark.parametrize("kind", KINDS)
@given(case=cases(channels=(1, 3, 4, 8), pool=True))
def test_any_window(kind: str, case: Case) -> None:
    x = np.random.default_rng(case.seed).integers(-4, 5, case.x_shape).astype(np.float32)
    assert_agrees(kind, x, size=case.size, stride=case.stride, padding=case.padding)


@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9),
                       st.sampled_from([1, 3, 4, 17, 64])))
def test_the_global_mean(dtype: type, shape: tuple) -> None:
    x = (np.random.default_rng(0).standard_normal(shape) + 100).astype(dtype)
    for got, wanted in zip(*both_ways("global_avgpool2d", x), strict=True):
        assert_close(got, wanted, 2 if dtype == np.float32 else 16)


@pytest.mark.parametrize("shape", [(1, 2, 3, 1300), (1, 70, 60, 3), (2, 1, 1, 1028)])
def test_the_global_mean_of_many_channels_or_pixels(shape: tuple) -> None:
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for got, wanted in zip(*both_ways("global_avgpool2d", x), strict=True):
        assert_close(got, wanted, 2)


@pytest.mark.parametrize("kind", [*KINDS, "global_avgpool2d"])
def test_more_images_than_a_grid_has_rows(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from minicnn.ops.cuda import pool2d

    monkeypatch.setattr(pool2d, "_MOST_DOWN", 2)
    x = np.random.default_rng(0).standard_normal((5, 4, 3, 3)).astype(np.float32)
    for window in [{}] if kind == "global_avgpool2d" else [{"size": 2}, {"size": 3, "padding": 1}]:
        for got, wanted in zip(*both_ways(kind, x, **window), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", [*KINDS, "global_avgpool2d"])
@pytest.mark.parametrize("window", [
    {"size": 2}, {"size": (3, 2), "stride": (2, 1), "padding": ((1, 0), (0, 1))},
], ids=str)
def test_gradients_by_central_differences(kind: str, window: dict) -> None:
    settings = {} if kind == "global_avgpool2d" else window
    rng = np.random.default_rng(0)
    x = distinct(rng, (2, 5, 3, 4))

    def forward(x: Any) -> tuple:
        return getattr(cuda, f"{kind}_forward")(x, **settings)

    y, cache = forward(x)
    dy = random_like(rng, np.asarray(y))
    dx = np.asarray(getattr(cuda, f"{kind}_backward")(dy, cache))
    assert_gradient(dx, lambda x: np.asarray(forward(x)[0]), x, dy)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("window", [{"size": 2}, {"size": 3, "stride": 2, "padding": 1}], ids=str)
def test_nan_infinity_and_ties(channels: int, window: dict) -> None:
    rng = np.random.default_rng(0)
    values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0], np.float32)
    x = rng.choice(values, (6, 8, 6, channels))
    x[0], x[1] = -np.inf, np.nan
    with np.errstate(invalid="ignore"):
        for kind in KINDS:
            for got, wanted in zip(*both_ways(kind, x, **window), strict=True):
                np.testing.assert_array_equal(got, wanted)


def test_a_gradient_that_is_not_finite_goes_to_the_winner_alone() -> None:
    x = np.random.default_rng(0).standard_normal((1, 6, 6, 4))
    for window in ({"size": 2}, {"size": 3, "stride": 2}):
        y, _ = reference.maxpool2d_forward(x, **window)
        dy = np.full(y.shape, np.inf)
        got, wanted = both_ways("maxpool2d", x, dy, **window)
        np.testing.assert_array_equal(got[2], wanted[2])


@pytest.mark.parametrize(("size", "channels", "dtype"), [
    (16, 1, np.uint8), (16, 4, np.uint8), (17, 4, np.uint16),
])
def test_places_have_the_dtype_that_counts_them(size: int, channels: int, dtype: type) -> None:
    x = np.random.default_rng(0).standard_normal((1, size, size + 1, channels)).astype(np.float32)
    got, wanted = both_ways("maxpool2d", x, size=size, stride=1)
    assert got[1].dtype == dtype
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_average_of_float32_is_summed_in_float64() -> None:
    x = np.full((1, 64, 64, 1), 0.1, np.float32)
    x[0, 0, 0] = 1e6
    expected = np.float32(x.mean(dtype=np.float64))
    for y in (cuda.global_avgpool2d_forward(x)[0], cuda.avgpool2d_forward(x, size=64)[0]):
        np.testing.assert_array_equal(np.ravel(np.asarray(y)), [expected])


def test_caches_are_common_to_all_backends() -> None:
    x = np.random.default_rng(0).integers(0, 3, (2, 6, 5, 4)).astype(float)
    y, cache = reference.maxpool2d_forward(x)
    _, own = cuda.maxpool2d_forward(x)
    dy = random_like(np.random.default_rng(1), y)
    wanted = reference.maxpool2d_backward(dy, cache)
    np.testing.assert_array_equal(np.asarray(cuda.maxpool2d_backward(dy, cache)), wanted)
    np.testing.assert_array_equal(reference.maxpool2d_backward(dy, own), wanted)


def test_the_same_bits_in_every_run() -> None:
    x = np.random.default_rng(0).standard_normal((3, 9, 8, 5)).astype(np.float32)
    for kind in KINDS:
        first, second = (both_ways(kind, x, size=3, stride=1, padding=1)[0] for _ in range(2))
        for one, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(one, other)


# -- what it costs --------------------------------------------------------------------------------


def traffic(kind: str, shape: tuple, dtype: type, **window: Any) -> tuple:
    """Bytes read and written by forward and by backward, and all requests of global memory."""
    from minicnn.ops.cuda.device import device

    x = cuda.asarray(np.random.default_rng(0).standard_normal(shape), dtype)
    y, _ = getattr(cuda, f"{kind}_forward")(x, **window)
    with device().recorded() as launches:
        _, cache = getattr(cuda, f"{kind}_forward")(x, **window)
        getattr(cuda, f"{kind}_backward")(y, cache)
    forward, backward = ([one for one in launch.requests if one.space == "global"]
                         for launch in launches)
    bytes_moved = [sum(one.moved for one in requests if one.write == write)
                   for requests in (forward, backward) for write in (False, True)]
    return bytes_moved, forward + backward, x.nbytes, y.nbytes, y.size


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [8, 64])
def test_two_by_two_windows_move_each_byte_once(dtype: type, channels: int) -> None:
    moved, requests, x, y, places = traffic("maxpool2d", (3, 8, 10, channels), dtype)
    assert moved == [x, y + places, y + places, x]
    assert all(one.cost == one.least for one in requests)
    widths = {one.width for one in requests}
    # four argmax bytes in one store; of float64 one number at a time
    assert widths == ({16, 4} if dtype == np.float32 else {8, 1})


@pytest.mark.parametrize("dtype", DTYPES)
def test_rims_that_no_window_covers_are_written_once(dtype: type) -> None:
    moved, requests, x, y, places = traffic("maxpool2d", (2, 7, 9, 64), dtype)
    assert moved == [x * 6 * 8 // (7 * 9), y + places, y + places, x]
    assert all(one.cost == one.least for one in requests)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_global_mean_reads_x_once(dtype: type) -> None:
    moved, requests, x, y, _ = traffic("global_avgpool2d", (3, 8, 4, 64), dtype)
    assert moved == [x, y, moved[2], x]
    assert all(one.cost == one.least for one in requests)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_request_asks_for_more_sectors_than_needed(kind: str, dtype: type) -> None:
    # 128 channels: a warp looks at one pixel, and at one place of argmax
    for window in ({"size": 2}, {"size": 3, "stride": 2, "padding": 1}):
        _, requests, *_ = traffic(kind, (2, 6, 7, 128), dtype, **window)
        assert all(one.cost == one.least for one in requests)


def all_kernels(kind: str) -> Any:
    """Every kernel of a dtype with the kinds of its arguments."""
    from minicnn.ops.cuda import pool2d as kernels

    x, places = f"*{kind}", "*B"
    sizes = ("I",) * 6  # N, H, W, OH, OW, C
    window = ("I",) * 6
    for lanes in (1, 4) if kind == "f" else (1,):
        yield kernels.maxpool_kernel(lanes), (x, x, places, *sizes, *window)
        yield kernels.maxpool_two_kernel(lanes), (x, x, places, *sizes)
        yield kernels.maxpool_gradient_kernel(lanes), (x, places, x, *sizes, *window)
        yield kernels.maxpool_two_gradient_kernel(lanes), (x, places, x, *sizes)
        yield kernels.avgpool_kernel(lanes), (x, x, *sizes, *window)
        yield kernels.avgpool_gradient_kernel(lanes), (x, x, *sizes, *window)
        yield kernels.global_mean_kernel(lanes), (x, x, "I", "I", "I", "I")
        yield kernels.global_mean_gradient_kernel(lanes), (x, x, "I", "I", "I")


@pytest.mark.parametrize("kind", ["f", "d"])
def test_no_stack_no_spills_and_no_64_bit_division(kind: str) -> None:
    from minicnn.ops.cuda.compile import link

    for kernel, kinds in all_kernels(kind):
        text = kernel.program(*kinds).text
        assert "0 bytes stack frame, 0 bytes spill" in link(text, (9, 0))[1], kernel.name
        for slow in ("div.u64", "rem.u64", "div.s64", "rem.s64", "mul.hi.u64"):
            assert slow not in text, kernel.name


@pytest.mark.parametrize("shape", [
    (1, 1, 1, 1), (128, 48, 48, 64), (512, 6, 6, 256), (2**20, 3, 3, 1), (1, 1000, 1000, 3),
], ids=str)
def test_a_grid_covers_every_place_of_every_image(shape: tuple) -> None:
    from minicnn.ops.cuda.pool2d import _grid

    across, down = _grid(shape, 1)
    places = shape[1] * shape[2] * shape[3]
    assert (across - 1) * 256 < places <= across * 256
    assert 1 <= down <= min(shape[0], 65535)
    if shape[0] * across >= 8 * 132:
        assert across * down >= 4 * 132  # half of what the device runs at once


@pytest.mark.parametrize("kind", [*KINDS, "global_avgpool2d"])
def test_beyond_2_32_numbers(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from minicnn.ops.cuda import pool2d

    x = np.random.default_rng(0).standard_normal((1, 48, 48, 64)).astype(np.float32)
    count = 2**32 // (46 * 46 * 64) + 1
    window = Window((3, 3), (1, 1), ((0, 0), (0, 0)))
    monkeypatch.setattr(pool2d, "_BLOCKS", 2**20)  # enough: the last has the last image alone
    given = () if kind == "global_avgpool2d" else (window,)
    settings = {"size": 3, "stride": 1} if given else {}
    y, cache = getattr(reference, f"{kind}_forward")(x, **settings)
    run_blocks(monkeypatch, last_block)
    found, there = getattr(pool2d, f"{kind}_forward")(ending_with(x, count), *given)
    assert_close(last_of(found, 64), np.ravel(y)[-64:], 4)
    dy = random_like(np.random.default_rng(1), y)
    if kind == "maxpool2d":
        there = replace(there, argmax=ending_with(cache.argmax, count))
    dx = getattr(pool2d, f"{kind}_backward")(ending_with(dy, count), there)
    wanted = getattr(reference, f"{kind}_backward")(dy, cache)
    assert_close(last_of(dx, 64), np.ravel(wanted)[-64:], 4)


def test_two_by_two_windows_beyond_2_32_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    from minicnn.ops.cuda import pool2d
    from minicnn.ops.cuda.array import empty

    # a block has all 1024 channels of one window; y is told to be far larger than the one window
    # that an image has, so that it is y alone which takes memory
    x = np.random.default_rng(0).standard_normal((1, 2, 2, 1024)).astype(np.float32)
    count, y_height = 2**12 + 1, 2**10
    shape = (count, y_height, 1, 1024)
    y, cache = reference.maxpool2d_forward(x)
    dy = random_like(np.random.default_rng(1), y)
    padded = np.zeros((1, *shape[1:]), np.float32)
    run_blocks(monkeypatch, lambda blocks: [blocks - y_height])
    found, argmax = empty(shape, np.float32), empty(shape, np.uint8)
    sizes = count, 2, 2, y_height, 1, 1024
    pool2d.maxpool_two_kernel(4)[y_height, count](ending_with(x, count), found, argmax, *sizes)
    np.testing.assert_array_equal(last_of(found, padded.size, 1024), np.ravel(y))
    np.testing.assert_array_equal(last_of(argmax, padded.size, 1024), np.ravel(cache.argmax))
    padded[0, :1] = dy[0]
    dx = empty((count, *x.shape[1:]), np.float32)
    pool2d.maxpool_two_gradient_kernel(4)[y_height, count](
        ending_with(padded, count), argmax, dx, *sizes)
    wanted = reference.maxpool2d_backward(dy, cache)
    np.testing.assert_array_equal(last_of(dx, x.size), np.ravel(wanted))


def test_an_image_of_2_32_numbers_is_refused() -> None:
    from minicnn.ops.cuda.pool2d import _sizes

    with pytest.raises(OverflowError, match="counts the values of one image in 32 bits"):
        _sizes((1, 2**16, 2**16, 1), (1, 1, 1, 1))
