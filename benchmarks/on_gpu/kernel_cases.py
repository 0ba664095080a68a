"""Work that runs the kernels of the cuda backend: a step of the paper's network, small problems.

The small problems run every kernel between them. Each has tails, several blocks, several steps of
its main loop, and ties, as far as its operation knows such things. They run on any backend: the
reference says what is right.
"""

from collections.abc import Callable
from dataclasses import fields
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from minicnn import losses, models, optimizers
from minicnn.ops import cuda
from minicnn.ops.backend import use_backend
from minicnn.ops.cuda.device import use_device


def train(device: Any, batch: int) -> None:
    """A training step of the paper's network on a device."""
    model = models.paper(dropout=0.3)
    loss, optimizer = losses.SoftmaxCrossEntropy(), optimizers.SGD(model.parameters(), 0.01)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, *models.INPUT_SHAPE)).astype(np.float32)
    with use_device(device), use_backend("cuda"):
        loss.forward(model.forward(x, training=True), np.arange(batch) % models.CLASSES)
        model.backward(loss.backward())
        optimizer.step()


def solve(device: Any, dtype: type) -> None:
    """All small problems on a device, which is for each as large as it wants it."""
    for case in cases():
        device.multiprocessors = case.multiprocessors
        with use_device(device):
            case.run(cuda, dtype)


class Case(NamedTuple):
    """A problem.

    Attributes
    ----------
    name : str
    run : callable
        Takes a backend's module and the dtype of all numbers, gives arrays.
    multiprocessors : int
        How large a device it is made for.
    draws : bool
        Whether each backend draws random numbers of its own.
    roundings : int
        By which a result may differ from the reference, of the greatest result.
    """

    name: str
    run: Callable[[ModuleType, type], list[Any]]
    multiprocessors: int = 1
    draws: bool = False
    roundings: int = 12


def cases() -> list[Case]:
    """All problems."""
    short = [*_elementwise(), *_pools(), *_losses(), *_updates()]  # of sums, or exact ones
    return [*(case._replace(roundings=4) for case in short),
            *_normalisations(), *_dense(), *_convolutions()]


def _numbers(dtype: type, *shape: int, seed: int = 0) -> np.ndarray:
    """Of a normal distribution, some of them equal: ties, and zeros."""
    rng = np.random.default_rng([seed, *shape])
    numbers = rng.standard_normal(shape)
    return np.where(rng.random(shape) < 0.2, np.round(numbers), numbers).astype(dtype)


def _there_and_back(
    name: str, *shapes: tuple[int, ...], **settings: Any
) -> Callable[..., list[Any]]:
    """y, dx and the mask of an operation without parameters, for x of each shape."""

    def run(ops: ModuleType, dtype: type) -> list[Any]:
        found = []
        for shape in shapes:
            y, cache = getattr(ops, f"{name}_forward")(_numbers(dtype, *shape), **settings)
            dx = getattr(ops, f"{name}_backward")(_numbers(dtype, *y.shape, seed=1), cache)
            found += [y, dx]
            kept = [getattr(cache, field.name) for field in fields(cache)]
            found += [x for x in kept if getattr(x, "dtype", None) == np.bool_]
        return found

    return run


# -- an operation a family ------------------------------------------------------------------------


def _elementwise() -> list[Case]:
    def dropped(ops: ModuleType, dtype: type) -> list[Any]:
        found, rng = [], np.random.default_rng(0)
        for shape in shapes:
            x, dy = _numbers(dtype, *shape), _numbers(dtype, *shape, seed=1)
            y, cache = ops.dropout_forward(x, rate=0.4, training=True, rng=rng)
            found += [y, ops.dropout_backward(dy, cache)]
        return found

    shapes = (3, 691), (2, 5), (7,), (4, 3), (6,), (11,)  # three blocks; 0 to 3 values left over
    return [
        Case("relu", _there_and_back("relu", *shapes)),
        Case("leaky relu", _there_and_back("leaky_relu", *shapes, slope=0.1)),
        Case("elu", _there_and_back("elu", *shapes, alpha=0.7)),
        Case("dropout", dropped, draws=True),
    ]


def _normalisations() -> list[Case]:
    def normalised(training: bool, *shape: int) -> Callable[..., list[Any]]:
        def run(ops: ModuleType, dtype: type) -> list[Any]:
            channels = shape[-1]
            x = _numbers(dtype, *shape) + dtype(3)
            gamma, beta, mean, var = (
                _numbers(dtype, channels, seed=seed) ** power + dtype(power - 1)
                for seed, power in ((1, 1), (2, 1), (3, 1), (4, 2))
            )
            y, cache = ops.batchnorm_forward(
                x, gamma, beta, mean, var, training=training, momentum=0.7, eps=1e-3,
                unbiased_running_var=True,
            )
            dy = _numbers(dtype, *shape, seed=5)
            return [y, *ops.batchnorm_backward(dy, cache), mean, var]

        return run

    def grouped(groups: int, *shape: int) -> Callable[..., list[Any]]:
        def run(ops: ModuleType, dtype: type) -> list[Any]:
            x = _numbers(dtype, *shape) + dtype(3)
            gamma, beta = (_numbers(dtype, shape[-1], seed=seed) for seed in (1, 2))
            y, cache = ops.groupnorm_forward(x, gamma, beta, groups=groups, eps=1e-3)
            return [y, *ops.groupnorm_backward(_numbers(dtype, *shape, seed=5), cache)]

        return run

    return [
        Case("batchnorm", normalised(True, 2, 5, 239, 24)),
        Case("batchnorm, one channel a thread", normalised(True, 20, 215, 17), 5),
        Case("batchnorm, two strips", normalised(True, 19, 1032)),
        Case("batchnorm, two strips, one channel a thread", normalised(True, 35, 259)),
        Case("batchnorm, evaluated", normalised(False, 2, 5, 239, 24)),
        Case("batchnorm, evaluated, one channel a thread", normalised(False, 4, 215, 17)),
        Case("groupnorm", grouped(2, 2, 5, 123, 24)),
        Case("groupnorm, one channel a thread", grouped(2, 2, 215, 6)),
        Case("groupnorm, two strips", grouped(1, 2, 19, 1032)),
        Case("groupnorm, two strips, one channel a thread", grouped(1, 2, 35, 259)),
    ]


def _pools() -> list[Case]:
    def spoilt(*shape: int, **window: Any) -> Callable[..., list[Any]]:
        """Greatest numbers of images in which some are NaN, and some infinite."""

        def run(ops: ModuleType, dtype: type) -> list[Any]:
            x = _numbers(dtype, *shape)
            x[:, 1::3, ::2, 1:3] = -np.inf
            for place in range(4):  # each of a window
                x[place, place // 2::4, place % 2::4, 0] = np.nan
            y, cache = ops.maxpool2d_forward(x, **window)
            return [y, ops.maxpool2d_backward(_numbers(dtype, *y.shape, seed=1), cache)]

        return run

    apart = {"size": (2, 2), "stride": (3, 4), "padding": ((1, 0), (0, 1))}
    overlapping = {"size": (4, 5), "stride": (1, 2), "padding": ((2, 0), (0, 3))}
    found = []
    for channels, wide, name in ((32, 1036, ""), (7, 259, ", one channel a thread")):
        shape = 11, 13, 15, channels  # some blocks have two images
        found += [
            Case(f"max pooling 2×2{name}", spoilt(*shape)),
            Case(f"max pooling{name}", spoilt(*shape, **overlapping)),
            Case(f"max pooling, windows apart{name}", spoilt(*shape, **apart)),
            Case(f"mean pooling{name}", _there_and_back("avgpool2d", shape, **overlapping)),
            Case(f"mean pooling, windows apart{name}",
                 _there_and_back("avgpool2d", shape, **apart)),
            Case(f"global mean{name}",
                 _there_and_back("global_avgpool2d", shape, (3, 3, 2, wide))),
        ]
    return found


def _losses() -> list[Case]:
    def cross_entropy(rows: int, classes: int) -> Callable[..., list[Any]]:
        def run(ops: ModuleType, dtype: type) -> list[Any]:
            logits = 3 * _numbers(dtype, rows, classes)
            logits[1] *= 100  # exp of it overflows
            labels = np.arange(rows) * 5 % classes
            weights = np.linspace(0.5, 2, classes)
            loss, cache = ops.softmax_cross_entropy_forward(
                logits, labels, class_weights=weights, label_smoothing=0.2)
            gradient = ops.softmax_cross_entropy_backward(cache)
            return [ops.softmax(logits), np.array(loss, dtype), gradient]

        return run

    return [Case("cross-entropy", cross_entropy(19, 7)),
            Case("cross-entropy, many classes", cross_entropy(9, 37)),
            Case("cross-entropy, more rows than warps", cross_entropy(4099, 3))]


def _dense() -> list[Case]:
    def dense(rows: int, inputs: int, outputs: int) -> Callable[..., list[Any]]:
        def run(ops: ModuleType, dtype: type) -> list[Any]:
            x, w = _numbers(dtype, rows, inputs), _numbers(dtype, inputs, outputs, seed=1)
            y, cache = ops.dense_forward(x, w, _numbers(dtype, outputs, seed=2))
            return [y, *ops.dense_backward(_numbers(dtype, rows, outputs, seed=3), cache)]

        return run

    def product_in_parts(layout: str, *shape: int) -> Callable[..., list[Any]]:
        """Of seven parts of a sum of 35 or 36 steps, two are empty; the product fills a block."""

        def run(ops: ModuleType, dtype: type) -> list[Any]:
            rows, columns, depth = shape
            a: Any = _numbers(dtype, rows, depth)
            b: Any = _numbers(dtype, depth, columns, seed=1)
            if ops is not cuda:
                return [a @ b]
            from minicnn.ops.cuda import gemm, gemm_plan
            from minicnn.ops.cuda.array import asarray, empty

            a, b = (asarray(x if letter == "N" else x.T.copy(), x.dtype)
                    for x, letter in zip((a, b), layout, strict=True))
            tile = gemm_plan.TILES[np.dtype(dtype).itemsize][-1]
            how = gemm_plan.Plan(tile, -(-rows // tile.block_rows),
                                 -(-columns // tile.block_columns), 7, 8)
            parts = empty((7, rows, columns), dtype)
            gemm.multiply_into(parts, 0, how, a, b, layout)
            return [np.asarray(parts).sum(0)]

        return run

    def sums_of_columns(*shape: int) -> Callable[..., list[Any]]:
        def run(ops: ModuleType, dtype: type) -> list[Any]:
            rows: Any = _numbers(dtype, *shape)
            if ops is not cuda:
                return [rows.sum(0, np.float64).astype(dtype)]
            from minicnn.ops.cuda.array import asarray
            from minicnn.ops.cuda.sums import column_sums

            return [np.asarray(column_sums(asarray(rows, rows.dtype)))]

        return run

    return [
        *(Case(f"sums of {shape[1]} columns, {shape[0]} rows", sums_of_columns(*shape), 4)
          for shape in ((5, 132), (577, 132), (6, 33), (2305, 33))),
        Case("dense", dense(68, 72, 76), 132),
        Case("dense, number by number", dense(67, 71, 73), 132),
        Case("dense, parts of sums", dense(68, 132, 68), 132),
        *(Case(f"product {layout}, parts that are empty", product_in_parts(layout, *shape))
          for layout in ("NN", "NT", "TN") for shape in ((64, 64, 36), (63, 63, 35))),
    ]


def _convolutions() -> list[Case]:
    def convolved(
        algorithm: str, image: tuple[int, ...], filters: int, size: tuple[int, int],
        *, has_bias: bool = True, tf32: bool = False, **settings: Any,
    ) -> Callable[..., list[Any]]:
        """With `tf32` numbers are such that rounding to TF32 changes none."""

        def run(ops: ModuleType, dtype: type) -> list[Any]:
            def numbers(*shape: int, seed: int = 0) -> np.ndarray:
                found = _numbers(dtype, *shape, seed=seed)
                return found.astype(np.float16).astype(dtype) if tf32 else found

            x, w = numbers(*image), numbers(*size, image[3], filters, seed=1)
            b = numbers(filters, seed=2) if has_bias else None
            with cuda.convolutions(algorithm, tf32=tf32):
                y, cache = ops.conv2d_forward(x, w, b, **settings)
                dy = numbers(*y.shape, seed=3)
                gradients = ops.conv2d_backward(dy, cache)
            return [y, *(gradient for gradient in gradients if gradient is not None)]

        return run

    askew: dict[str, Any] = {"stride": (2, 1), "padding": ((1, 0), (0, 1))}
    return [
        Case("naive", convolved("naive", (2, 5, 6, 3), 5, (3, 2), **askew)),
        Case("direct", convolved("direct", (2, 29, 33, 1), 36, (3, 3), padding=1)),
        Case("direct, no bias",
             convolved("direct", (1, 6, 8, 1), 4, (3, 3), has_bias=False, stride=2)),
        Case("direct, three channels", convolved("direct", (2, 7, 11, 3), 40, (2, 3),
                                                 stride=2, padding=askew["padding"])),
        Case("winograd", convolved("winograd", (2, 10, 13, 12), 20, (3, 3),
                                   padding=((1, 0), (2, 1))), 132),
        Case("winograd, no bias", convolved("winograd", (1, 5, 6, 4), 4, (3, 3),
                                            has_bias=False), 132),
        Case("winograd, one channel a thread",
             convolved("winograd", (2, 9, 11, 5), 7, (3, 3)), 132),
        Case("implicit", convolved("implicit", (2, 9, 8, 36), 36, (2, 3), padding=1), 132),
        Case("implicit, strides", convolved("implicit", (9, 5, 6, 36), 36, (3, 2), **askew), 132),
        Case("implicit, short lines",
             convolved("implicit", (9, 10, 9, 4), 36, (6, 6), **askew), 132),
        Case("implicit, number by number",
             convolved("implicit", (1, 33, 8, 67), 67, (1, 2), **askew), 132),
        Case("tensor cores", convolved("implicit", (1, 11, 13, 72), 72, (2, 2), tf32=True,
                                       padding=askew["padding"]), 132),
        Case("tensor cores, four channels",
             convolved("implicit", (9, 10, 9, 4), 36, (6, 6), tf32=True, **askew), 132),
        Case("tensor cores, four filters",
             convolved("implicit", (3, 9, 8, 68), 4, (3, 2), tf32=True, **askew), 132),
    ]


def _updates() -> list[Case]:
    shapes = (4096 + 5,), (3,), (2, 3)

    def update(name: str, states: int, **settings: Any) -> Callable[..., list[Any]]:
        def run(ops: ModuleType, dtype: type) -> list[Any]:
            columns = [
                [_numbers(dtype, *shape, seed=seed) ** (1 + (seed > 1)) for shape in shapes]
                for seed in range(states + 1)
            ]
            getattr(ops, name)(*columns, **settings)
            return [array for column in columns for array in column]

        return run

    def questions(ops: ModuleType, dtype: type) -> list[Any]:
        some = [_numbers(dtype, *shape) for shape in shapes]
        broken = [some[0].copy(), some[1]]
        broken[0][-2] = np.inf
        found = [ops.global_norm(some), ops.all_finite(some), ops.all_finite(broken)]
        for thread in (1, 2, 4, 8, 16, *range(32, 256, 32)):  # of each lane and warp
            one: np.ndarray = np.zeros(4 * 256, dtype)
            one[4 * thread + thread % 4] = np.nan
            found.append(ops.all_finite([one]))
        return [np.array(value) for value in found]

    changed = {"scale": 0.3, "decay": [0.1, 0.0, 0.2]}
    return [
        Case("sgd", update("sgd_update", 2, lr=0.1, momentum=0.9, nesterov=True, **changed)),
        Case("sgd, plain", update("sgd_update", 2, lr=0.1, momentum=0.9)),
        Case("rmsprop", update("rmsprop_update", 2, lr=0.1, smoothing=0.9, eps=1e-3, **changed)),
        Case("adam", update("adam_update", 3, lr=0.1, beta1=0.8, beta2=0.9, eps=1e-3, step=3,
                            shrink=[0.1, 0.0, 0.3], **changed)),
        Case("average", update("average_update", 1, rate=0.3)),
        Case("norms", questions),
    ]
