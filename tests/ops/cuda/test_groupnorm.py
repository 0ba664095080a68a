"""Group normalisation on the device: against the reference at any shape, its traffic counted."""

from typing import Any

import numpy as np
import pytest
from huge_arrays import ending_with, last_block, last_of, run_blocks
from numeric import DTYPES, assert_close, assert_gradient, distinct, random_like

from minicnn.ops import cuda, reference

PROBLEMS = [
    ((1, 2), 1), ((3, 8), 2), ((5, 6), 3), ((2, 2, 3), 3), ((3, 5, 4, 8), 1), ((3, 5, 4, 8), 2),
    ((2, 3, 1, 5, 17), 1), ((2, 3, 1, 5, 17), 17), ((2, 40, 9, 12), 4), ((3, 1, 60), 5),
    ((2, 3, 1032), 1), ((2, 5, 259), 1), ((3, 2, 600), 2), ((1, 30, 30, 64), 2),
]
"""The shape of x, and how many groups: of one channel a thread, of four, of several strips."""


def problem(shape: tuple[int, ...], dtype: type, seed: int = 0) -> tuple:
    """x, gamma, beta, dy."""
    rng = np.random.default_rng(seed)
    x = (3 + 2 * rng.standard_normal(shape)).astype(dtype)
    return x, *rng.standard_normal((2, shape[-1])).astype(dtype), random_like(rng, x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "groups"), PROBLEMS, ids=str)
def test_against_the_reference(shape: tuple, groups: int, dtype: type) -> None:
    x, gamma, beta, dy = problem(shape, dtype)
    y, cache = cuda.groupnorm_forward(x, gamma, beta, groups=groups)
    wanted_y, wanted = reference.groupnorm_forward(x, gamma, beta, groups=groups)
    few = x.size // shape[0] // groups < 3  # where σ² may be next to nothing
    assert_close(np.asarray(y), wanted_y, 1024 if few else 64)
    tolerance = 1e-12 if dtype == np.float64 else 16 * np.finfo(dtype).eps
    for name in ("mean", "inverse_std"):
        kept, expected = np.asarray(getattr(cache, name)), getattr(wanted, name)
        assert kept.dtype == np.float64
        np.testing.assert_allclose(kept, expected, rtol=tolerance)
    r = wanted.inverse_std.max()
    scales = np.abs(gamma).max() * r * np.abs(dy).max(), *[np.abs(dy).sum()] * 2
    for got, right, scale in zip(cuda.groupnorm_backward(dy, cache),
                                 reference.groupnorm_backward(dy, wanted), scales, strict=True):
        assert_close(np.asarray(got), right, scale=scale)


def test_caches_are_common_to_all_backends() -> None:
    x, gamma, beta, dy = problem((3, 5, 4, 8), np.float64)
    _, cache = reference.groupnorm_forward(x, gamma, beta, groups=2)
    _, own = cuda.groupnorm_forward(x, gamma, beta, groups=2)
    for got, there, wanted in zip(cuda.groupnorm_backward(dy, cache),
                                  reference.groupnorm_backward(dy, own),
                                  reference.groupnorm_backward(dy, cache), strict=True):
        np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(there, wanted, rtol=1e-12, atol=1e-12)


def test_gradients_by_central_differences() -> None:
    rng = np.random.default_rng(1)
    x, gamma, beta = distinct(rng, (2, 3, 2, 4)), *rng.standard_normal((2, 4))

    def forward(x: Any, gamma: Any, beta: Any) -> np.ndarray:
        return np.asarray(cuda.groupnorm_forward(x, gamma, beta, groups=2)[0])

    _, cache = cuda.groupnorm_forward(x, gamma, beta, groups=2)
    dy = random_like(rng, x)
    dx, dgamma, dbeta = map(np.asarray, cuda.groupnorm_backward(dy, cache))
    assert_gradient(dx, lambda x: forward(x, gamma, beta), x, dy)
    assert_gradient(dgamma, lambda gamma: forward(x, gamma, beta), gamma, dy)
    assert_gradient(dbeta, lambda beta: forward(x, gamma, beta), beta, dy)


@pytest.mark.parametrize("channels", [6, 8])
def test_a_batch_far_from_zero(channels: int) -> None:
    rng = np.random.default_rng(0)
    x = (1e4 + 1e-2 * rng.standard_normal((2, 8, 40, channels))).astype(np.float32)
    exact = x.astype(np.float64).reshape(2, 320, 2, channels // 2)
    gamma, beta = np.ones((2, channels), np.float32)
    y, cache = cuda.groupnorm_forward(x, gamma, beta, groups=2)
    mean, var = exact.mean((1, 3), keepdims=True), exact.var((1, 3), keepdims=True)
    np.testing.assert_allclose(np.asarray(cache.mean).reshape(mean.shape), mean, rtol=1e-12)
    expected = (exact - mean) / np.sqrt(var + 1e-5) + 1
    np.testing.assert_allclose(np.asarray(y).reshape(exact.shape), expected, rtol=0, atol=1e-5)
    dy = random_like(rng, x)
    wanted = reference.groupnorm_backward(
        dy, reference.groupnorm_forward(x, gamma, beta, groups=2)[1])
    for got, right, scale in zip(cuda.groupnorm_backward(dy, cache), wanted,
                                 (np.abs(wanted[0]).max(), *[np.abs(dy).sum()] * 2), strict=True):
        assert_close(np.asarray(got), right, scale=scale)


@pytest.mark.parametrize("shape", [(2, 30, 4), (2, 300, 64), (2, 150, 33)], ids=str)
def test_squares_beyond_the_range_of_float32(shape: tuple) -> None:
    x = np.random.default_rng(0).standard_normal(shape) * 1e25
    gamma, beta = np.ones((2, shape[-1]), np.float32)
    y, _ = cuda.groupnorm_forward(x.astype(np.float32), gamma, beta, groups=1)
    expected = (x - x.mean((1, 2), keepdims=True)) / x.std((1, 2), keepdims=True) + 1
    np.testing.assert_allclose(np.asarray(y), expected, atol=2e-6)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 7, 299])
def test_what_is_not_finite_stays_in_its_group(place: int, value: float) -> None:
    x, gamma, beta, dy = problem((3, 300, 16), np.float32)
    x[1, place, 9] = value
    y, cache = cuda.groupnorm_forward(x, gamma, beta, groups=4)
    wanted_y, wanted = reference.groupnorm_forward(x, gamma, beta, groups=4)
    gradients = cuda.groupnorm_backward(dy, cache)
    expected = reference.groupnorm_backward(dy, wanted)
    for got, right in zip((y, *gradients), (wanted_y, *expected), strict=True):
        np.testing.assert_array_equal(np.isnan(np.asarray(got)), np.isnan(right))
        np.testing.assert_array_equal(np.isfinite(np.asarray(got)), np.isfinite(right))


def test_the_same_bits_in_every_run() -> None:
    x, gamma, beta, dy = problem((3, 9, 8, 12), np.float32)

    def results() -> list[np.ndarray]:
        y, cache = cuda.groupnorm_forward(x, gamma, beta, groups=3)
        return [np.asarray(one) for one in (y, *cuda.groupnorm_backward(dy, cache))]

    for one, other in zip(results(), results(), strict=True):
        np.testing.assert_array_equal(one, other)


# -- what it costs --------------------------------------------------------------------------------


def recorded(dtype: type, channels: int, groups: int) -> tuple[int, list]:
    """The bytes of x (4, 16, 17, C), and the launches of both directions."""
    from minicnn.ops.cuda.device import device

    arrays = [cuda.asarray(array, dtype) for array in problem((4, 16, 17, channels), dtype)]
    x, gamma, beta, dy = arrays
    with device().recorded() as launches:
        _, cache = cuda.groupnorm_forward(x, gamma, beta, groups=groups)
        cuda.groupnorm_backward(dy, cache)
    return x.nbytes, launches


def moved(launch: Any, write: bool) -> int:
    """Bytes of global memory that a launch read or wrote."""
    return sum(request.moved for request in launch.requests
               if request.space == "global" and request.write == write)


@pytest.mark.parametrize("dtype", DTYPES)
def test_three_passes_over_memory_forward_and_five_backward(dtype: type) -> None:
    channels, groups, samples, itemsize = 64, 2, 4, np.dtype(dtype).itemsize
    passes, (forward, backward, summing) = recorded(dtype, channels, groups)
    row, width, parts = channels * itemsize, channels // groups, samples * 2 * channels * 8
    warps, sector = samples * groups * 8, 32
    own = 32 * 16 if dtype == np.float32 else 32 * 8  # a number of each lane of a warp
    # every warp looks at its first numbers, at gamma and at beta; one stores the mean and r
    assert moved(forward, False) == 2 * passes + warps * (own + 2 * width * itemsize)
    assert moved(forward, True) == passes + 2 * samples * groups * sector
    # every warp looks at the mean, r and gamma, and at gamma once more for the sums of a channel
    assert moved(backward, False) == (
        4 * passes + warps * (2 * sector + width * itemsize) + samples * row)
    assert moved(backward, True) == passes + parts
    assert moved(summing, False) == parts
    assert moved(summing, True) == 2 * row


@pytest.mark.parametrize(("channels", "groups"), [(24, 1), (64, 1), (64, 8)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_request_asks_for_more_sectors_than_needed(
    dtype: type, channels: int, groups: int
) -> None:
    _, launches = recorded(dtype, channels, groups)
    for launch in launches:
        for request in launch.requests:
            if request.space == "global":
                assert request.cost == request.least, (launch.kernel.name, request)


def all_kernels(kind: str) -> Any:
    """Every kernel of a dtype with the kinds of its arguments."""
    from minicnn.ops.cuda import groupnorm as kernels

    x, double = f"*{kind}", "*d"
    sizes = "I", "I", "I", "I", "I", "I"  # groups, size, pixels, channels, width, strip
    for lanes in (1, 4) if kind == "f" else (1,):
        yield kernels._normalize_kernel(lanes), (x, x, x, "d", *sizes, double, double, x)
        yield kernels._gradients_kernel(lanes), (x, x, x, double, double, *sizes, double, x)


@pytest.mark.parametrize("kind", ["f", "d"])
def test_no_stack_no_spills_and_no_64_bit_division(kind: str) -> None:
    from minicnn.ops.cuda.compile import link

    for kernel, kinds in all_kernels(kind):
        text = kernel.program(*kinds).text
        assert "0 bytes stack frame, 0 bytes spill" in link(text, (9, 0))[1], kernel.name
        for slow in ("div.u64", "rem.u64", "div.s64", "rem.s64", "mul.hi.u64"):
            assert slow not in text, kernel.name


@pytest.mark.parametrize("channels", [8, 5])
def test_beyond_2_32_numbers(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from minicnn.ops.cuda import groupnorm as kernels
    from minicnn.ops.cuda.array import empty

    samples = 65535
    images, gamma, beta, dy = problem((1, 2**13, 2, channels), np.float32)
    whole_x, whole_dy = ending_with(images, samples), ending_with(dy, samples)
    assert whole_x.size > 2**32
    gamma, beta = cuda.asarray(gamma, np.float32), cuda.asarray(beta, np.float32)
    run_blocks(monkeypatch, last_block)
    y, cache = kernels.groupnorm_forward(whole_x, gamma, beta, groups=1, eps=1e-5)
    work = kernels._work_of(whole_x, 1)
    parts = empty((samples, 2 * channels), np.float64)
    dx = empty(whole_x.shape, np.float32)
    kernels._gradients_kernel(work.lanes)[work.blocks](
        whole_x, whole_dy, gamma, cache.mean, cache.inverse_std, *work.sizes, parts, dx)
    wanted_y, wanted = reference.groupnorm_forward(images, gamma, beta, groups=1)
    wanted_dx, wanted_dgamma, wanted_dbeta = reference.groupnorm_backward(dy, wanted)
    for got, right in ((y, wanted_y), (dx, wanted_dx)):
        assert_close(last_of(got, images.size).reshape(images.shape), right, 256)
    found = last_of(parts, 2 * channels).reshape(2, channels)
    np.testing.assert_allclose(found, [wanted_dgamma, wanted_dbeta], rtol=1e-4, atol=1e-2)
