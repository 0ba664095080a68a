"""Batch normalisation on the device: against the reference at any shape, its traffic counted."""

from typing import Any

import numpy as np
import pytest
from huge_arrays import ending_with, last_block, last_of, run_blocks
from numeric import DTYPES, assert_close, assert_gradient, distinct, random_like

from minicnn.ops import cuda, reference

SHAPES = [
    (1, 1), (1, 8), (5, 1), (2, 7, 3), (3, 5, 4, 8), (2, 3, 1, 5, 17), (700, 33), (300, 64),
    (4, 9, 8, 12), (3, 1028), (35, 2, 260),
]


def normalize(backend: Any, x: Any, gamma: Any, beta: Any, **settings: Any) -> tuple:
    """y, the running statistics and the cache."""
    channels = x.shape[-1]
    mean = np.linspace(-1, 2, channels).astype(settings.pop("running", np.float64))
    var = np.linspace(0.5, 3, channels).astype(mean.dtype)
    y, cache = backend.batchnorm_forward(x, gamma, beta, mean, var, **settings)
    return y, mean, var, cache


def problem(shape: tuple[int, ...], dtype: type, seed: int = 0) -> tuple:
    """x, gamma, beta, dy."""
    rng = np.random.default_rng(seed)
    x = (3 + 2 * rng.standard_normal(shape)).astype(dtype)
    return x, *rng.standard_normal((2, shape[-1])).astype(dtype), random_like(rng, x)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_against_the_reference(shape: tuple, dtype: type, training: bool) -> None:
    x, gamma, beta, dy = problem(shape, dtype)
    if training and x.size == shape[-1]:
        pytest.skip("one value a channel has no variance to train on")
    y, mean, var, cache = normalize(cuda, x, gamma, beta, training=training)
    wanted_y, wanted_mean, wanted_var, wanted = normalize(
        reference, x, gamma, beta, training=training)
    few_rows = x.size // shape[-1] < 3  # where σ² may be next to nothing, roundings of x count more
    roundings = 64 if not few_rows else 1024
    assert_close(np.asarray(y), wanted_y, roundings)
    tolerance = 1e-12 if dtype == np.float64 else 16 * np.finfo(dtype).eps
    np.testing.assert_allclose(mean, wanted_mean, rtol=tolerance)
    np.testing.assert_allclose(var, wanted_var, rtol=tolerance)
    for name in ("mean", "inverse_std"):
        kept, expected = np.asarray(getattr(cache, name)), getattr(wanted, name)
        assert kept.dtype == np.float64
        np.testing.assert_allclose(kept, expected, rtol=tolerance)
    gradients = cuda.batchnorm_backward(dy, cache)
    expected = reference.batchnorm_backward(dy, wanted)
    scales = (np.abs(gamma * wanted.inverse_std).max() * np.abs(dy).max(),
              *[np.abs(dy).sum()] * 2)
    for got, right, scale in zip(gradients, expected, scales, strict=True):
        assert_close(np.asarray(got), right, scale=scale)


def test_caches_are_common_to_all_backends() -> None:
    x, gamma, beta, dy = problem((3, 5, 4, 8), np.float64)
    *_, cache = normalize(reference, x, gamma, beta, training=True)
    *_, own = normalize(cuda, x, gamma, beta, training=True)
    for got, there, wanted in zip(cuda.batchnorm_backward(dy, cache),
                                  reference.batchnorm_backward(dy, own),
                                  reference.batchnorm_backward(dy, cache), strict=True):
        np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(there, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", [(7, 3), (2, 3, 2, 4)])
def test_gradients_by_central_differences(shape: tuple, training: bool) -> None:
    rng = np.random.default_rng(1)
    x, gamma, beta = distinct(rng, shape), *rng.standard_normal((2, shape[-1]))

    def forward(x: Any, gamma: Any, beta: Any) -> np.ndarray:
        return np.asarray(normalize(cuda, x, gamma, beta, training=training)[0])

    *_, cache = normalize(cuda, x, gamma, beta, training=training)
    dy = random_like(rng, x)
    dx, dgamma, dbeta = map(np.asarray, cuda.batchnorm_backward(dy, cache))
    assert_gradient(dx, lambda x: forward(x, gamma, beta), x, dy)
    assert_gradient(dgamma, lambda gamma: forward(x, gamma, beta), gamma, dy)
    assert_gradient(dbeta, lambda beta: forward(x, gamma, beta), beta, dy)


@pytest.mark.parametrize("running", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("unbiased", [False, True])
def test_running_statistics_in_place(running: type, unbiased: bool) -> None:
    x, gamma, beta, _ = problem((3, 5, 4, 8), np.float32)
    settings = {"training": True, "momentum": 0.75, "unbiased_running_var": unbiased,
                "running": running}
    _, mean, var, _ = normalize(cuda, x, gamma, beta, **settings)
    _, wanted_mean, wanted_var, _ = normalize(reference, x, gamma, beta, **settings)
    assert mean.dtype == running
    tolerance = max(2 * np.finfo(running).eps, 1e-7)
    np.testing.assert_allclose(mean, wanted_mean, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(var, wanted_var, rtol=tolerance)


def test_running_statistics_on_the_device() -> None:
    x, gamma, beta, _ = problem((30, 8), np.float64)
    mean, var = cuda.asarray(np.zeros(8), np.float64), cuda.asarray(np.ones(8), np.float64)
    at = mean.pointer
    cuda.batchnorm_forward(x, gamma, beta, mean, var, training=True, momentum=0.5)
    assert mean.pointer == at
    np.testing.assert_allclose(np.asarray(mean), x.mean(0) / 2, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(var), 0.5 + x.var(0) / 2, rtol=1e-12)
    cuda.batchnorm_forward(x, gamma, beta, mean, var, training=False)
    np.testing.assert_allclose(np.asarray(mean), x.mean(0) / 2, rtol=1e-12)


@pytest.mark.parametrize("shape", [(2000, 3), (8, 8, 40, 8)])
def test_a_batch_far_from_zero(shape: tuple) -> None:
    rng = np.random.default_rng(0)
    x = (1e4 + 1e-2 * rng.standard_normal(shape)).astype(np.float32)
    channels = shape[-1]
    exact = x.astype(np.float64).reshape(-1, channels)
    gamma, beta = np.ones((2, channels), np.float32)
    var = np.zeros(channels)
    y, cache = cuda.batchnorm_forward(
        x, gamma, beta, np.zeros(channels), var, training=True, momentum=0)
    np.testing.assert_allclose(var, exact.var(0), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(cache.mean), exact.mean(0), rtol=1e-12)
    expected = (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-5) + 1
    np.testing.assert_allclose(np.asarray(y).reshape(exact.shape), expected, rtol=0, atol=1e-5)
    dy = random_like(rng, x)
    wanted = reference.batchnorm_backward(dy, reference.batchnorm_forward(
        x, gamma, beta, np.zeros(channels), np.zeros(channels), training=True)[1])
    for got, right, scale in zip(cuda.batchnorm_backward(dy, cache), wanted,
                                 (np.abs(wanted[0]).max(), *[np.abs(dy).sum()] * 2), strict=True):
        assert_close(np.asarray(got), right, scale=scale)


@pytest.mark.parametrize("channels", [3, 8])
def test_means_that_wander_are_merged_without_loss(channels: int) -> None:
    rows = np.arange(5000.0)[:, None] * 10 + np.random.default_rng(0).standard_normal((1, channels))
    var = np.zeros(channels)
    cuda.batchnorm_forward(rows, np.ones(channels), np.ones(channels), np.zeros(channels), var,
                           training=True, momentum=0)
    np.testing.assert_allclose(var, rows.var(0), rtol=1e-12)


@pytest.mark.parametrize("shape", [(40, 4), (600, 64), (600, 33)])  # few rows a thread, and more
def test_squares_beyond_the_range_of_float32(shape: tuple) -> None:
    x = np.random.default_rng(0).standard_normal(shape) * 1e25
    gamma, beta = np.ones((2, shape[1]), np.float32)
    y, *_ = normalize(cuda, x.astype(np.float32), gamma, beta, training=True)
    np.testing.assert_allclose(np.asarray(y), (x - x.mean(0)) / x.std(0) + 1, atol=2e-6)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 7, 599])
def test_what_is_not_finite_stays_in_its_channel(place: int, value: float, training: bool) -> None:
    x, gamma, beta, dy = problem((600, 64), np.float32)
    x[place, 1] = value
    y, _, var, cache = normalize(cuda, x, gamma, beta, training=training)
    wanted_y, _, wanted_var, wanted = normalize(reference, x, gamma, beta, training=training)
    gradients = cuda.batchnorm_backward(dy, cache)
    expected = reference.batchnorm_backward(dy, wanted)
    for got, right in zip((y, var, *gradients), (wanted_y, wanted_var, *expected), strict=True):
        np.testing.assert_array_equal(np.isfinite(np.asarray(got)), np.isfinite(right))
        np.testing.assert_array_equal(np.isnan(np.asarray(got)), np.isnan(right))


def test_a_constant_channel_becomes_beta() -> None:
    y, *_, cache = normalize(cuda, np.full((3, 2, 2, 1), 0.1), [3], [0.25], training=True)
    np.testing.assert_allclose(np.asarray(y), np.full((3, 2, 2, 1), 0.25), rtol=1e-12)
    dx, _, dbeta = cuda.batchnorm_backward(np.arange(12.0).reshape(3, 2, 2, 1), cache)
    assert np.isfinite(np.asarray(dx)).all()
    assert np.asarray(dbeta) == 66


def test_the_same_bits_in_every_run() -> None:
    x, gamma, beta, dy = problem((6, 9, 8, 12), np.float32)

    def results() -> list[np.ndarray]:
        y, mean, var, cache = normalize(cuda, x, gamma, beta, training=True)
        return [np.asarray(one) for one in (y, mean, var, *cuda.batchnorm_backward(dy, cache))]

    for one, other in zip(results(), results(), strict=True):
        np.testing.assert_array_equal(one, other)


# -- what it costs --------------------------------------------------------------------------------


def recorded(dtype: type, channels: int, training: bool = True) -> tuple[int, list, Any]:
    """The bytes of x, the launches of both directions, and the tiling of the sums."""
    from minicnn.ops.cuda.device import device
    from minicnn.ops.cuda.rows import tiling_of

    arrays = [cuda.asarray(array, dtype) for array in problem((4, 16, 17, channels), dtype)]
    x, gamma, beta, dy = arrays
    running = [cuda.asarray(np.ones(channels), dtype) for _ in range(2)]
    with device().recorded() as launches:
        _, cache = cuda.batchnorm_forward(x, gamma, beta, *running, training=training)
        cuda.batchnorm_backward(dy, cache)
    m = x.size // channels
    return x.nbytes, launches, tiling_of(m, channels, x.dtype, 4 * device().multiprocessors)


def moved(launch: Any, write: bool) -> int:
    """Bytes of global memory that a launch read or wrote."""
    return sum(request.moved for request in launch.requests
               if request.space == "global" and request.write == write)


@pytest.mark.parametrize("dtype", DTYPES)
def test_three_passes_over_memory_forward_and_five_backward(dtype: type) -> None:
    channels, itemsize = 64, np.dtype(dtype).itemsize
    passes, (moments, merging, applying, sums, coefficients, gradient), tiling = recorded(
        dtype, channels)
    row, entries = channels * itemsize, tiling.blocks * 2 * channels * 8
    warps, seen = tiling.blocks * 8, min(row, 256)  # what the threads of a warp have of a row
    # the first row is looked at by each warp, and once more by the threads that store the entries
    assert moved(moments, False) == passes + warps * seen + tiling.blocks * row
    assert moved(moments, True) == entries
    # gamma, beta, the running mean and variance; those two, three coefficients, mean and r
    assert moved(merging, False) == entries + 4 * row
    assert moved(merging, True) == 5 * row + 2 * channels * 8
    assert moved(applying, False) == passes + 3 * warps * seen
    assert moved(applying, True) == passes
    assert moved(sums, False) == 2 * passes + tiling.blocks * channels * 8
    assert moved(sums, True) == entries
    assert moved(coefficients, False) == entries + row + 2 * channels * 8
    assert moved(coefficients, True) == 6 * row
    assert moved(gradient, False) == 2 * passes + 4 * warps * seen
    assert moved(gradient, True) == passes


def test_evaluation_reads_x_once_in_each_direction() -> None:
    passes, (coefficients, applying, sums, _, gradient), tiling = recorded(
        np.float32, 64, training=False)
    row, warps = 256, tiling.blocks * 8
    assert moved(coefficients, False) == 4 * row
    assert moved(applying, False) == passes + 3 * warps * row
    assert moved(sums, False) == 2 * passes + tiling.blocks * 64 * 8
    assert moved(gradient, False) == passes + warps * row  # dy and the scale alone


@pytest.mark.parametrize("channels", [8, 24, 64])
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_request_asks_for_more_sectors_than_needed(dtype: type, channels: int) -> None:
    _, launches, _ = recorded(dtype, channels)
    for launch in launches:
        for request in launch.requests:
            if request.space == "global":
                assert request.cost == request.least, (launch.kernel.name, request)


def all_kernels(kind: str) -> Any:
    """Every kernel of a dtype with the kinds of its arguments."""
    from minicnn.ops.cuda import batchnorm as kernels

    x, double = f"*{kind}", "*d"
    numbers = "I", "I", "I", "L"  # channels, strip, rows, m
    for lanes in (1, 4) if kind == "f" else (1,):
        yield kernels._moments_kernel(lanes), (x, *numbers, double)
        yield kernels._apply_kernel(lanes), (x, x, *numbers, x)
        yield kernels._gradient_sums_kernel(lanes), (x, x, double, *numbers, double)
        yield kernels._apply_gradient_kernel(lanes), (x, x, x, "I", *numbers, x)
    yield kernels._batch_coefficients, (
        double, "I", "d", "d", x, x, "I", double, double, "d", "d", "d", double, double, x)
    yield kernels._running_coefficients, (x, x, "I", double, double, "d", double, double, x)
    yield kernels._gradient_coefficients, (double, "I", "d", x, double, double, "I", x, x, x)


@pytest.mark.parametrize("kind", ["f", "d"])
def test_no_stack_no_spills_and_no_64_bit_division(kind: str) -> None:
    from minicnn.ops.cuda.compile import link

    for kernel, kinds in all_kernels(kind):
        text = kernel.program(*kinds).text
        assert "0 bytes stack frame, 0 bytes spill" in link(text, (9, 0))[1], kernel.name
        for slow in ("div.u64", "rem.u64", "div.s64", "rem.s64", "mul.hi.u64"):
            assert slow not in text, kernel.name


@pytest.mark.parametrize(("channels", "m"), [(64, 2**26 + 100), (1, 2**32 + 6400)])
def test_beyond_2_32_numbers(channels: int, m: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from minicnn.ops.cuda import batchnorm as kernels
    from minicnn.ops.cuda.array import empty

    rows = 8192
    x, _, _, dy = problem((m % rows, channels), np.float32)  # what the last block has
    coefficients = np.random.default_rng(1).standard_normal((4, channels)).astype(np.float32)
    near, scale, slope, offset = coefficients
    whole_x, whole_dy = ending_with(x, m), ending_with(dy, m)
    blocks = -(-m // rows)
    entries = empty((blocks, 2, channels), np.float64)
    lanes, strip = (4, 16) if channels == 64 else (1, 1)
    numbers = channels, strip, rows, np.uint64(m)
    run_blocks(monkeypatch, last_block)
    kernels._moments_kernel(lanes)[blocks, 1](whole_x, *numbers, entries)
    exact = x.astype(np.float64)
    found = last_of(entries, 2 * channels).reshape(2, channels)
    np.testing.assert_allclose(found, [exact.mean(0), exact.var(0) * len(x)], rtol=1e-6)
    on_device = cuda.asarray(coefficients, np.float32)
    y = empty(whole_x.shape, np.float32)
    kernels._apply_kernel(lanes)[blocks, 1](whole_x, on_device, *numbers, y)
    assert_close(last_of(y, x.size).reshape(x.shape), (x - near) * scale + slope, 4)
    mean = cuda.asarray(near, np.float64)
    kernels._gradient_sums_kernel(lanes)[blocks, 1](whole_x, whole_dy, mean, *numbers, entries)
    found = last_of(entries, 2 * channels).reshape(2, channels)
    wanted = [dy.sum(0, dtype=np.float64), (dy * (exact - near)).sum(0)]
    np.testing.assert_allclose(found, wanted, atol=1e-5 * len(x))
    dx = y  # memory that is there already
    kernels._apply_gradient_kernel(lanes)[blocks, 1](
        whole_x, whole_dy, on_device, 1, *numbers, dx)
    assert_close(last_of(dx, x.size).reshape(x.shape),
                 scale * dy - offset - (x - near) * slope, 8)
