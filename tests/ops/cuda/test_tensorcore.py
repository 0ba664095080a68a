"""Convolution in TF32: what rounding costs, where everything lies, what waits for what."""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from convolutions import problem
from lean_kernels import assert_lean
from numeric import assert_close

from minicnn.ops import cuda, reference
from minicnn.ops.cuda import conv2d, device as devices, implicit, tensorcore
from minicnn.ops.cuda.array import asarray, empty
from minicnn.ops.cuda.compile import link
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.implicit_plan import Plan, TileOnChip, plan
from minicnn.ops.cuda.tensorcore_kernel import TILES, product_kernel
from minicnn.ops.window import Window
from minicnn.ptx import PTXFault
from minicnn.ptx.compiler import pointer, scalar, to_ptx

WIDE, NARROW = TILES[4]

NAMES = ("y", "dx", "dw")


class Problem(NamedTuple):
    """x of the image's shape, and the one tile that its products are to take."""

    image: tuple[int, int, int, int]
    filters: int
    window: Window
    chip: TileOnChip
    bias: bool


SAME = Window((3, 3), (1, 1), ((1, 1), (1, 1)))

PROBLEMS = {
    # more rows and columns than a block has, and a tail of both and of the sum
    "narrow": Problem(
        (1, 11, 13, 72), 72, Window((2, 2), (1, 1), ((1, 0), (0, 1))), NARROW, False
    ),
    # likewise; two phases, whose rows are spread; a thread walks over lines of windows in a chunk
    "wide": Problem((5, 9, 6, 136), 136, Window((2, 1), (2, 1), ((1, 0), (0, 1))), WIDE, True),
    # a thread walks over several pixels in a chunk
    "four channels": Problem((2, 5, 9, 4), 8, SAME, NARROW, True),
}


@functools.cache
def arrays(name: str) -> dict[str, np.ndarray]:
    """x, w, b (0 where there is none) and a random dy, in float32."""
    image, filters, window, _, bias = PROBLEMS[name]
    x, w, b = problem(image, filters, np.float32, window.size)
    b *= bias
    shape = (image[0], *window.output_size(*image[1:3]), filters)
    dy = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    return {"x": x, "w": w, "b": b, "dy": dy}


def rounded(values: np.ndarray) -> np.ndarray:
    """Float32 numbers with 10 bits of fraction, ties away from zero, as float64."""
    bits = values.view(np.uint32) + np.uint32(1 << 12)
    return (bits & np.uint32(0xFFFFE000)).view(np.float32).astype(np.float64)


def expected(name: str, change: Any) -> tuple[np.ndarray, ...]:
    """The reference's y without bias, dx and dw in float64, of changed factors."""
    given, window = arrays(name), PROBLEMS[name].window
    x, w, dy = (change(given[key]) for key in ("x", "w", "dy"))
    y, cache = reference.conv2d_forward(x, w, stride=window.stride, padding=window.padding)
    dx, dw, _ = reference.conv2d_backward(dy, cache)
    return y, dx, dw


def compute(name: str) -> tuple[np.ndarray, ...]:
    """y with its bias, dx and dw by tensor cores, all with the problem's tile."""
    x, w, b, dy = (asarray(array, np.float32) for array in arrays(name).values())
    window = PROBLEMS[name].window
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TILES, 4, (PROBLEMS[name].chip,))
        return tuple(map(np.asarray, (
            tensorcore.forward(x, w, b if PROBLEMS[name].bias else None, window),
            tensorcore.input_gradient(dy, w, window, x.shape),
            tensorcore.weight_gradient(x, dy, window, w.shape),
        )))


@functools.cache
def computed(name: str) -> tuple[np.ndarray, ...]:
    """`compute`, once."""
    return compute(name)


# -- the numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROBLEMS)
def test_results_are_exact_sums_of_rounded_factors(name: str) -> None:
    y, dx, dw = expected(name, rounded)
    wanted = y + arrays(name)["b"], dx, dw
    for got, right in zip(computed(name), wanted, strict=True):
        assert_close(got, right.astype(np.float32), 16)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_error_is_that_of_ten_bits(name: str) -> None:
    """A factor is off by 2⁻¹¹ of itself at most, a product by 2·2⁻¹¹ + 2⁻²², and sums in float32
    add less than 2⁻¹⁶ here. Random sums are off by far less, but not by as little as float32.
    """
    exact = expected(name, np.float64)
    biases = arrays(name)["b"], 0, 0
    terms = expected(name, lambda factor: np.abs(factor.astype(np.float64)))
    for got, bias, right, magnitude in zip(computed(name), biases, exact, terms, strict=True):
        error = got - (right + bias)
        assert (np.abs(error) <= (2**-10 + 2**-22 + 2**-16) * (magnitude + np.abs(bias))).all()
        relative = np.sqrt((error**2).mean() / (right**2).mean())
        assert 2e-4 < relative < 4e-4


@pytest.mark.parametrize("name", PROBLEMS)
def test_two_runs_give_the_same_bits(name: str) -> None:
    for one, other in zip(computed(name), compute(name), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_reaches_the_windows_over_it_alone(value: float) -> None:
    given = arrays("narrow")
    x = given["x"].copy()
    x[0, 3, 4, 5] = value
    there = (asarray(array, np.float32) for array in (x, given["w"]))
    window = PROBLEMS["narrow"].window
    y = np.asarray(tensorcore.forward(*there, None, window))
    right, _ = reference.conv2d_forward(x, given["w"], padding=window.padding)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(right))
    np.testing.assert_array_equal(y[~np.isfinite(y)], right[~np.isfinite(right)])


def test_whole_sums_cut_sums_and_slices_of_the_batch_agree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whole on one multiprocessor, cut on many, as in `computed`; then two slices, of an image."""
    monkeypatch.setattr(device(), "multiprocessors", 1)
    for got, right in zip(compute("four channels"), computed("four channels"), strict=True):
        assert_close(got, right, 16)
    monkeypatch.setattr(implicit, "MOST_NUMBERS", 5 * 9 * 8 + 1)
    for got, right in zip(compute("four channels"), computed("four channels"), strict=True):
        assert_close(got, right, 16)


def test_no_images_give_nothing_and_a_gradient_of_zero() -> None:
    x, dy = empty((0, 5, 6, 8), np.float32), empty((0, 5, 6, 4), np.float32)
    w = asarray(np.ones((3, 3, 8, 4)), np.float32)
    assert tensorcore.forward(x, w, None, SAME).shape == (0, 5, 6, 4)
    assert tensorcore.input_gradient(dy, w, SAME, x.shape).shape == x.shape
    assert not np.asarray(tensorcore.weight_gradient(x, dy, SAME, (3, 3, 8, 4))).any()


# -- copies, memory, registers --------------------------------------------------------------------


@pytest.fixture
def edited(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``edited(text, number)``: from now on line `number` with this text is left out."""
    interpreted = devices._interpreted

    def leave_out(part: str, number: int) -> None:
        def without(text: str) -> Any:
            lines = text.splitlines(keepends=True)
            at = [i for i, line in enumerate(lines) if part in line]
            if "mma.sync" in text:
                del lines[at[number]]
            return interpreted("".join(lines))

        monkeypatch.setattr(devices, "_interpreted", without)

    return leave_out


@pytest.mark.parametrize(("part", "number"), [
    ("bar.sync", 0), ("cp.async.wait_group", 0), ("cp.async.commit_group", 0),
    ("cp.async.commit_group", 1), ("cp.async.commit_group", 2), ("cp.async.commit_group", 3),
])
def test_every_wait_and_barrier_is_needed(part: str, number: int, edited: Any) -> None:
    given = arrays("four channels")
    x, w, b = (asarray(given[key], np.float32) for key in "xwb")
    edited(part, number)
    with pytest.raises(PTXFault):
        tensorcore.forward(x, w, b, SAME)


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_bank_conflicts_and_no_sector_too_many(name: str) -> None:
    with device().recorded() as launches:  # type: ignore[attr-defined]
        compute(name)
    ours = [launch for launch in launches if "tf32" in launch.kernel.title]
    assert len(ours) == {"narrow": 3, "wide": 4, "four channels": 3}[name]
    for launch in ours:
        assert {request.space for request in launch.requests} == {"global", "shared"}
        for request in launch.requests:
            # four channels are half a sector
            if request.space == "shared" or name != "four channels":
                assert request.cost == request.least, launch.report()


KINDS = *["*f"] * 3, "I", *["*f"] * 2, *"I" * 19
"""Of the kernel's arguments."""


@pytest.mark.parametrize("source", ["cols", "colsᵀ"])
@pytest.mark.parametrize("chip", [NARROW, WIDE], ids=str)
def test_sums_and_fragments_stay_in_registers(source: str, chip: TileOnChip) -> None:
    registers = assert_lean(product_kernel(source, chip), *KINDS)
    assert registers <= 255
    assert registers * chip.tile.threads * chip.resident <= 65536


def test_a_later_compiler_keeps_the_sums_in_registers() -> None:
    """Another one stands behind 10.0; it does not make straight code of the same loops."""
    capability = 10, 0
    product = product_kernel("cols", WIDE)
    kinds = [pointer("f") if kind == "*f" else scalar(kind) for kind in KINDS]
    text = to_ptx(product.function, kinds, capability=capability,
                  launch_bounds=(product.threads, product.blocks))
    _, report = link(text, capability)
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in report


# -- who takes it ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "channels", "filters", "capability", "suits"), [
    (np.float32, 4, 8, (8, 0), True), (np.float32, 64, 12, (12, 0), True),
    (np.float64, 4, 8, (9, 0), False), (np.float32, 6, 8, (9, 0), False),
    (np.float32, 8, 10, (9, 0), False), (np.float32, 4, 8, (7, 5), False),
])
def test_what_fits(
    dtype: Any, channels: int, filters: int, capability: tuple[int, int], suits: bool
) -> None:
    assert tensorcore.fits(np.dtype(dtype), (5, 3, channels, filters), capability) == suits


@pytest.mark.parametrize("algorithm", ["auto", "implicit"])
def test_a_block_asks_for_it_forward_and_backward(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TILES, 4, (NARROW,))
    given = arrays("narrow")
    with cuda.convolutions(algorithm, tf32=True):
        padding = PROBLEMS["narrow"].window.padding
        y, cache = cuda.conv2d_forward(given["x"], given["w"], padding=padding)
        dx, dw, _ = cuda.conv2d_backward(given["dy"], cache)
    for got, right in zip((y, dx, dw), computed("narrow"), strict=True):
        np.testing.assert_array_equal(np.asarray(got), right)


def test_only_a_block_asks_for_it_and_only_what_fits_takes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def chosen(dtype: Any, channels: int) -> Any:
        """The algorithm for a 3×3 filter."""
        x, w = np.ones((1, 8, 8, channels), dtype), np.ones((3, 3, channels, 32), dtype)
        return conv2d._algorithm_for(reference.conv2d_forward(x, w)[1])

    assert chosen(np.float32, 32) is conv2d.winograd
    with cuda.convolutions("auto", tf32=True):
        assert chosen(np.float32, 32) is tensorcore
        assert chosen(np.float32, 33) is chosen(np.float64, 64) is conv2d.winograd
        assert chosen(np.float32, 1) is conv2d.direct
        with cuda.convolutions("implicit"):
            assert chosen(np.float32, 32) is implicit
        assert chosen(np.float32, 32) is tensorcore
        monkeypatch.setattr(device(), "capability", (7, 5))
        assert chosen(np.float32, 32) is conv2d.winograd
    assert chosen(np.float32, 32) is conv2d.winograd


@pytest.mark.parametrize("algorithm", ["winograd", "direct", "naive"])
def test_other_algorithms_have_no_tf32(algorithm: str) -> None:
    message = f"convolutions: tf32 goes with one of auto, implicit, got '{algorithm}'"
    with pytest.raises(ValueError, match=message), cuda.convolutions(algorithm, tf32=True):
        pytest.fail("the block was entered")


# -- the plan -------------------------------------------------------------------------------------


def planned(rows: int, columns: int, depth: int) -> Plan:
    """The plan on 132 multiprocessors."""
    return plan(rows, columns, depth, 4, 132, tiles=TILES[4])


@pytest.mark.parametrize(("side", "channels", "filters"), [
    (48, 64, 64), (24, 64, 128), (24, 128, 128), (12, 128, 256), (12, 256, 256),
])
@pytest.mark.parametrize("batch", [128, 512])
def test_the_papers_layers_keep_132_multiprocessors_busy(
    side: int, channels: int, filters: int, batch: int
) -> None:
    pixels = batch * side**2
    for shape in ((pixels, filters, 9 * channels), (pixels, channels, 9 * filters),
                  (9 * channels, filters, pixels)):
        assert planned(*shape).efficiency(*shape[:2], 132) >= 0.8


def test_the_tile_is_as_wide_as_the_matrix() -> None:
    assert planned(128 * 48**2, 64, 576).chip is NARROW
    for filters in (128, 256, 1024):
        assert planned(128 * 24**2, filters, 1152).chip is WIDE
