"""Every operation at odd shapes, as functions of random arrays: for the device and the reference.

A case computes with the chosen backend. What it draws depends on its name alone, and is the same in
float32 and float64.
"""

import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import ops

Results = dict[str, Any]


class Draw:
    """Random arrays of one dtype for one case."""

    def __init__(self, name: str, dtype: Any) -> None:
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.dtype = np.dtype(dtype)

    def normal(self, *shape: int) -> np.ndarray:
        """Normal numbers, each one of float32's."""
        return self.rng.standard_normal(shape).astype(np.float32).astype(self.dtype)

    def like(self, y: Any) -> np.ndarray:
        """An upstream gradient."""
        return self.normal(*y.shape)


@dataclass(frozen=True)
class Case:
    """An operation at one shape.

    Attributes
    ----------
    name : str
        The operation, and what is odd about the case.
    compute : callable
        ``compute(draw)`` gives results by name.
    large : bool
        Too much for the interpreter.
    algorithm : str
        Of convolutions on the device.
    """

    name: str
    compute: Callable[[Draw], Results]
    large: bool = False
    algorithm: str = "auto"

    def results(self, backend: str, dtype: Any) -> dict[str, np.ndarray]:
        """What a backend computes, on the host."""
        with ops.use_backend(backend), self._algorithm(backend):
            found = self.compute(Draw(self.name, dtype))
            return {name: np.asarray(value) for name, value in found.items() if value is not None}

    def _algorithm(self, backend: str) -> AbstractContextManager[None]:
        if backend != "cuda":
            return nullcontext()
        from minicnn.ops.cuda import convolutions

        return convolutions(self.algorithm)


def forward_and_backward(name: str, *shape: int, **settings: Any) -> Callable[[Draw], Results]:
    """An operation of x alone."""

    def compute(draw: Draw) -> Results:
        forward, backward = getattr(ops, f"{name}_forward"), getattr(ops, f"{name}_backward")
        y, cache = forward(draw.normal(*shape), **settings)
        return {"y": y, "dx": backward(draw.like(y), cache)}

    return compute


def convolution(
    x: tuple[int, ...], w: tuple[int, ...], stride: Any = 1, padding: Any = 0
) -> Callable[[Draw], Results]:
    """x (N, H, W, C), w (KH, KW, C, K)."""

    def compute(draw: Draw) -> Results:
        y, cache = ops.conv2d_forward(
            draw.normal(*x), draw.normal(*w), draw.normal(w[3]), stride=stride, padding=padding
        )
        dx, dw, db = ops.conv2d_backward(draw.like(y), cache)
        return {"y": y, "dx": dx, "dw": dw, "db": db}

    return compute


def dense(rows: int, features: int, units: int) -> Callable[[Draw], Results]:
    """x (rows, features), w (features, units)."""

    def compute(draw: Draw) -> Results:
        y, cache = ops.dense_forward(
            draw.normal(rows, features), draw.normal(features, units), draw.normal(units)
        )
        dx, dw, db = ops.dense_backward(draw.like(y), cache)
        return {"y": y, "dx": dx, "dw": dw, "db": db}

    return compute


def batchnorm(*shape: int, training: bool = True) -> Callable[[Draw], Results]:
    """x (N, ..., C), far from the running mean."""

    def compute(draw: Draw) -> Results:
        channels = shape[-1]
        mean, var = np.zeros(channels, draw.dtype), np.ones(channels, draw.dtype)
        y, cache = ops.batchnorm_forward(
            draw.normal(*shape) + draw.dtype.type(8), draw.normal(channels),
            draw.normal(channels), mean, var, training=training,
        )
        dx, dgamma, dbeta = ops.batchnorm_backward(draw.like(y), cache)
        results = {"y": y, "dx": dx, "dgamma": dgamma, "dbeta": dbeta}
        return results | {"running_mean": mean, "running_var": var}

    return compute


def groupnorm(*shape: int, groups: int) -> Callable[[Draw], Results]:
    """x (N, ..., C), far from 0."""

    def compute(draw: Draw) -> Results:
        y, cache = ops.groupnorm_forward(
            draw.normal(*shape) + draw.dtype.type(8), draw.normal(shape[-1]),
            draw.normal(shape[-1]), groups=groups,
        )
        dx, dgamma, dbeta = ops.groupnorm_backward(draw.like(y), cache)
        return {"y": y, "dx": dx, "dgamma": dgamma, "dbeta": dbeta}

    return compute


def loss(rows: int, classes: int, smoothing: float = 0.0, weighted: bool = False) -> Callable[
    [Draw], Results
]:
    """Softmax and cross-entropy of logits (rows, classes)."""

    def compute(draw: Draw) -> Results:
        logits, labels = draw.normal(rows, classes), draw.rng.integers(0, classes, rows)
        weights = np.abs(draw.normal(classes)) + draw.dtype.type(0.5) if weighted else None
        value, cache = ops.softmax_cross_entropy_forward(
            logits, labels, class_weights=weights, label_smoothing=smoothing
        )
        gradient = ops.softmax_cross_entropy_backward(cache)
        return {"loss": value, "dx": gradient, "softmax": ops.softmax(logits)}

    return compute


def update(name: str, slots: int, **settings: Any) -> Callable[[Draw], Results]:
    """One step of all parameters, of very different sizes."""

    def compute(draw: Draw) -> Results:
        sizes = 1, 7, 4096, 4099
        columns = [
            [_here(np.abs(draw.normal(size)) + draw.dtype.type(0.1)) for size in sizes]
            for _ in range(2 + slots)
        ]
        getattr(ops, name)(*columns, **settings)
        changed = (columns[0], *columns[2:])
        flat = [np.concatenate([np.asarray(array) for array in column]) for column in changed]
        return {f"array {number}": values for number, values in enumerate(flat)}

    return compute


def looks(draw: Draw) -> Results:
    """Are all numbers finite, and how long is the vector of them?"""
    arrays = [_here(draw.normal(size)) for size in (1, 5, 5000)]
    spoiled = [*arrays, _here(np.array([1, np.inf], draw.dtype))]
    return {"finite": ops.all_finite(arrays), "spoiled": ops.all_finite(spoiled),
            "norm": ops.global_norm(arrays)}


def dropout(draw: Draw) -> Results:
    """How far y and dx are from what the mask says; the backends draw different masks."""
    x, rate = draw.normal(3, 5, 17), 0.25
    y, cache = ops.dropout_forward(x, rate=rate, training=True, rng=np.random.default_rng(1))
    dy = draw.like(y)
    kept = np.asarray(cache.kept).reshape(x.shape) * draw.dtype.type(cache.scale)
    return {"y": np.asarray(y) - x * kept,
            "dx": np.asarray(ops.dropout_backward(dy, cache)) - dy * kept}


def _here(array: np.ndarray) -> Any:
    """An array where the chosen backend computes."""
    return ops.backend().asarray(array, array.dtype)


ODD = (
    Case("conv2d 2x5x7x3 w2x3x3x5 stride 2,1", convolution((2, 5, 7, 3), (2, 3, 3, 5), (2, 1))),
    Case("conv2d 1x6x5x17 w3x3x17x5 one-sided padding",
         convolution((1, 6, 5, 17), (3, 3, 17, 5), 1, ((0, 1), (2, 0)))),
    Case("conv2d 2x3x2x1 w5x5x1x3 window larger than the image",
         convolution((2, 3, 2, 1), (5, 5, 1, 3), 1, 2)),
    Case("conv2d 2x9x6x1 w3x3x1x8 one channel", convolution((2, 9, 6, 1), (3, 3, 1, 8), 1, 1)),
    Case("conv2d 1x8x9x32 w3x3x32x36", convolution((1, 8, 9, 32), (3, 3, 32, 36), 1, 1)),
    Case("conv2d 1x7x5x5 w3x3x5x3 by Winograd", convolution((1, 7, 5, 5), (3, 3, 5, 3), 1, 1),
         algorithm="winograd"),
    Case("conv2d 2x5x4x4 w3x3x4x8 naive", convolution((2, 5, 4, 4), (3, 3, 4, 8), 1, 1),
         algorithm="naive"),
    Case("maxpool2d 2x7x6x4", forward_and_backward("maxpool2d", 2, 7, 6, 4)),
    Case("maxpool2d 1x7x6x5 size 3 stride 2",
         forward_and_backward("maxpool2d", 1, 7, 6, 5, size=3, stride=2, padding=1)),
    Case("avgpool2d 2x5x6x3", forward_and_backward("avgpool2d", 2, 5, 6, 3, size=(2, 3), stride=1)),
    Case("global_avgpool2d 2x5x3x17", forward_and_backward("global_avgpool2d", 2, 5, 3, 17)),
    Case("batchnorm 3x5x7x4", batchnorm(3, 5, 7, 4)),
    Case("batchnorm 65x17", batchnorm(65, 17)),
    Case("batchnorm 4x3 evaluating", batchnorm(4, 3, training=False)),
    Case("groupnorm 3x5x7x8 of 2", groupnorm(3, 5, 7, 8, groups=2)),
    Case("groupnorm 65x17 of 1", groupnorm(65, 17, groups=1)),
    Case("dense 1x5x3", dense(1, 5, 3)),
    Case("dense 33x65x17", dense(33, 65, 17)),
    Case("dense 16x64x128", dense(16, 64, 128)),
    Case("relu 3x5x7", forward_and_backward("relu", 3, 5, 7)),
    Case("leaky_relu 33x4", forward_and_backward("leaky_relu", 33, 4)),
    Case("elu 5x13", forward_and_backward("elu", 5, 13)),
    Case("dropout 3x5x17", dropout),
    Case("loss 5x7", loss(5, 7)),
    Case("loss 3x65 smoothed and weighted", loss(3, 65, 0.1, weighted=True)),
    Case("sgd_update", update("sgd_update", 1, lr=0.1, momentum=0.9, nesterov=True, decay=0.01)),
    Case("rmsprop_update", update("rmsprop_update", 1, lr=0.1, smoothing=0.9, eps=1e-7)),
    Case("adam_update", update(
        "adam_update", 2, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8, step=3, shrink=0.01)),
    Case("average_update", lambda draw: _averaged(draw)),
    Case("all_finite, global_norm", looks),
)
"""For every device."""

LARGE = (
    Case("conv2d 4x48x48x64 w3x3x64x64", convolution((4, 48, 48, 64), (3, 3, 64, 64), 1, 1), True),
    Case("conv2d 8x24x24x64 w3x3x64x128", convolution((8, 24, 24, 64), (3, 3, 64, 128), 1, 1),
         True),
    Case("conv2d 16x12x12x256 w3x3x256x256",
         convolution((16, 12, 12, 256), (3, 3, 256, 256), 1, 1), True),
    Case("conv2d 64x48x48x1 w3x3x1x64", convolution((64, 48, 48, 1), (3, 3, 1, 64), 1, 1), True),
    Case("conv2d 4x31x29x33 w5x3x33x65 stride 2",
         convolution((4, 31, 29, 33), (5, 3, 33, 65), 2, 1), True),
    Case("batchnorm 64x48x48x64", batchnorm(64, 48, 48, 64), True),
    Case("batchnorm 128x256", batchnorm(128, 256), True),
    Case("groupnorm 64x48x48x64 of 1", groupnorm(64, 48, 48, 64, groups=1), True),
    Case("groupnorm 64x48x48x64 of 8", groupnorm(64, 48, 48, 64, groups=8), True),
    Case("maxpool2d 64x48x48x64", forward_and_backward("maxpool2d", 64, 48, 48, 64), True),
    Case("relu 64x48x48x64", forward_and_backward("relu", 64, 48, 48, 64), True),
    Case("dense 128x9216x256", dense(128, 9216, 256), True),
    Case("dense 128x256x7", dense(128, 256, 7), True),
    Case("loss 512x7", loss(512, 7), True),
)
"""For a GPU: the paper's layers."""


def _averaged(draw: Draw) -> Results:
    """``average += rate (weights - average)`` of two arrays."""
    average, weights = ([_here(draw.normal(size)) for size in (5, 4099)] for _ in range(2))
    ops.average_update(average, weights, 0.1)
    return {f"array {number}": array for number, array in enumerate(average)}


def cases(*, tiny: bool) -> tuple[Case, ...]:
    """All for this size of a run."""
    return ODD if tiny else ODD + LARGE
