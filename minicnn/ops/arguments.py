"""The public door of every operation: convert what came, or say what was expected instead.

Each backend's functions pass their arguments through here first, so that the kernels behind them
meet nothing but C-contiguous, aligned, writable float32 or float64 arrays of agreeing shapes.
"""

from typing import Any, TypeVar

import numpy as np

from minicnn import validation
from minicnn.ops.window import Window, resolve_window

Cache = TypeVar("Cache")

_FLOAT32: np.dtype = np.dtype(np.float32)
_FLOAT64: np.dtype = np.dtype(np.float64)

CONVOLUTIONS = ("auto", "direct", "im2col", "winograd")
"""The algorithms of `conv2d`."""


def floats(operation: str, *, optional: tuple[str, ...] = (), **values: Any) -> tuple[Any, ...]:
    """Every array in one working dtype and in the layout that kernels expect.

    Those that are named in `optional` may be ``None``, and stay so. The working dtype is float64
    if any array is wider than float32, else float32: half precision, integers and booleans become
    float32. Arrays that already agree are not copied.

    Raises
    ------
    TypeError
        For anything that is not real numbers (complex, objects, text).
    ValueError
        For an array without elements.
    """
    arrays = [
        None if value is None and name in optional else _real(operation, name, value)
        for name, value in values.items()
    ]
    dtype = _FLOAT32
    for array in arrays:
        if array is not None and array.dtype.kind == "f" and array.dtype.itemsize > 4:
            dtype = _FLOAT64
    return tuple([None if array is None else _prepared(array, dtype) for array in arrays])


def _real(operation: str, name: str, value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        got = "None" if value is None else f"dtype {array.dtype}"
        raise TypeError(f"{operation}: {name} must hold real numbers, got {got}")
    if array.size == 0:
        raise ValueError(f"{operation}: {name} is empty (shape {array.shape})")
    return array


def upstream(operation: str, dy: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """`dy` as an array of the forward's dtype, with the shape of its result."""
    array = _real(operation, "dy", dy)
    if array.shape != shape:
        raise ValueError(f"{operation}: dy must have the shape of y, {shape}, got {array.shape}")
    return _prepared(array, dtype)


def _prepared(array: np.ndarray, dtype: Any) -> np.ndarray:
    """The array as kernels expect it: itself, if it is so already."""
    if array.dtype == dtype and array.flags.carray:
        return array
    return np.require(array, dtype, ["C", "A", "W"])


def cache_of(operation: str, cache: Any, kind: type[Cache]) -> Cache:
    """`cache`, if it is what this operation's forward returned."""
    if not isinstance(cache, kind):
        raise TypeError(
            f"{operation}: expected the {kind.__name__} of its forward, got {type(cache).__name__}"
        )
    return cache


def ndim(operation: str, name: str, array: np.ndarray, axes: str) -> None:
    """Require as many axes as `axes` names, for example ``"(N, H, W, C)"``."""
    if array.ndim != axes.count(",") + 1:
        raise ValueError(f"{operation}: {name} must have axes {axes}, got shape {array.shape}")


def vector(operation: str, name: str, array: np.ndarray | None, length: int, why: str) -> None:
    """Require shape ``(length,)``, unless the array is ``None``."""
    if array is not None and array.shape != (length,):
        raise ValueError(
            f"{operation}: {name} must have shape ({length},), {why}, got {array.shape}"
        )


def conv2d(
    x: Any, w: Any, b: Any, stride: Any, padding: Any, algorithm: Any
) -> tuple[Any, Any, Any, Window]:
    """The arguments of `conv2d_forward`: images, filters, bias or None, and their window."""
    x, w, b = floats("conv2d", optional=("b",), x=x, w=w, b=b)
    ndim("conv2d", "x", x, "(N, H, W, C)")
    ndim("conv2d", "w", w, "(KH, KW, C, K)")
    if x.shape[3] != w.shape[2]:
        raise ValueError(
            f"conv2d: x has {x.shape[3]} channels but w expects {w.shape[2]} "
            f"(x {x.shape}, w {w.shape})"
        )
    vector("conv2d", "b", b, w.shape[3], "one bias a filter")
    window = resolve_window("conv2d", w.shape[:2], stride, padding, x.shape[1:3])
    if algorithm not in CONVOLUTIONS:
        raise ValueError(
            f"conv2d: algorithm must be one of {', '.join(CONVOLUTIONS)}, got {algorithm!r}"
        )
    if algorithm == "direct" and x.shape[3] != 1:
        raise ValueError(f"conv2d: algorithm 'direct' needs images with one channel, got {x.shape}")
    if algorithm == "winograd" and (window.size, window.stride) != ((3, 3), (1, 1)):
        raise ValueError(
            "conv2d: algorithm 'winograd' needs 3×3 filters at stride 1, "
            f"got {window.size} at {window.stride}"
        )
    return x, w, b, window


def pool2d(operation: str, x: Any, size: Any, stride: Any, padding: Any) -> tuple[Any, Window]:
    """The arguments of a pooling forward; a stride of ``None`` is the window's size."""
    (x,) = floats(operation, x=x)
    ndim(operation, "x", x, "(N, H, W, C)")
    stride = size if stride is None else stride
    return x, resolve_window(operation, size, stride, padding, x.shape[1:3], cover=True)


def batchnorm(
    x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any,
    training: Any, momentum: Any, eps: Any, unbiased_running_var: Any,
) -> tuple[Any, Any, Any]:
    """The arrays of `batchnorm_forward`; the running ones are checked and stay the caller's own."""
    x, gamma, beta = floats("batchnorm", x=x, gamma=gamma, beta=beta)
    if x.ndim < 2:
        raise ValueError(f"batchnorm: x must have axes (N, ..., C), got shape {x.shape}")
    channels = x.shape[-1]
    for name, array in (("gamma", gamma), ("beta", beta)):
        vector("batchnorm", name, array, channels, "one value a channel of x")
    for name, array in (("running_mean", running_mean), ("running_var", running_var)):
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            raise TypeError(
                f"batchnorm: {name} must be a float array, to be updated in place, "
                f"got {getattr(array, 'dtype', type(array).__name__)}"
            )
        vector("batchnorm", name, array, channels, "one value a channel of x")
        if training and not array.flags.writeable:
            raise ValueError(f"batchnorm: {name} is read-only, but training updates it in place")
    validation.number("batchnorm", "momentum", momentum, 0, 1)
    validation.number("batchnorm", "eps", eps, 0, ends="()")
    if training and unbiased_running_var and x.size == channels:
        raise ValueError(
            "batchnorm: an unbiased running variance needs at least two values a channel, "
            f"got one (x {x.shape})"
        )
    return x, gamma, beta


def dense(x: Any, w: Any, b: Any) -> tuple[Any, Any, Any]:
    """The arguments of `dense_forward`: inputs, weights and bias or None."""
    x, w, b = floats("dense", optional=("b",), x=x, w=w, b=b)
    ndim("dense", "x", x, "(N, in)")
    ndim("dense", "w", w, "(in, out)")
    if x.shape[1] != w.shape[0]:
        raise ValueError(
            f"dense: x has {x.shape[1]} features but w expects {w.shape[0]} "
            f"(x {x.shape}, w {w.shape})"
        )
    vector("dense", "b", b, w.shape[1], "one bias an output")
    return x, w, b


def dropout(x: Any, rate: Any, rng: Any, training: Any) -> tuple[Any, float]:
    """The arguments of `dropout_forward`; only training needs the generator."""
    (x,) = floats("dropout", x=x)
    rate = validation.number("dropout", "rate", rate, 0, 1, ends="[)")
    if training and rate > 0 and not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"dropout: rng must be a numpy.random.Generator, got {type(rng).__name__}"
        )
    return x, rate


def softmax_cross_entropy(
    logits: Any, labels: Any, class_weights: Any, label_smoothing: Any
) -> tuple[Any, Any, Any]:
    """The arguments of `softmax_cross_entropy_forward`: logits, int64 labels, class weights."""
    operation = "softmax_cross_entropy"
    (logits,) = floats(operation, logits=logits)
    ndim(operation, "logits", logits, "(N, C)")
    count, classes = logits.shape
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{operation}: labels must be integers, got dtype {labels.dtype}")
    vector(operation, "labels", labels, count, "one label a row of logits")
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if outside.size:
        raise ValueError(
            f"{operation}: labels must lie in [0, {classes}), "
            f"got {labels[outside[0]]} in row {outside[0]}"
        )
    validation.number(operation, "label_smoothing", label_smoothing, 0, 1)
    if class_weights is None:
        class_weights = np.ones(classes)
    class_weights = class_weights_of(operation, class_weights, logits.dtype)
    vector(operation, "class_weights", class_weights, classes, "one weight a class")
    if class_weights[labels].sum() == 0:
        raise ValueError(f"{operation}: every row belongs to a class of weight 0, "
                         "so the weighted mean is undefined")
    return logits, labels.astype(np.int64), class_weights


def class_weights_of(
    operation: str, class_weights: Any, dtype: np.dtype | type = np.float64
) -> np.ndarray:
    """A weight for each class, finite and not negative, as an array (C,) of this dtype."""
    weights = _real(operation, "class_weights", class_weights)
    ndim(operation, "class_weights", weights, "(C)")
    with np.errstate(over="ignore"):  # what becomes infinite is refused below
        weights = np.require(weights, dtype, ["C", "A", "W"])
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError(
            f"{operation}: class_weights must be finite and not negative, got {class_weights}"
        )
    return weights


def update(operation: str, g: Any, **changed: Any) -> np.ndarray:
    """The gradient of an update, once the arrays that it changes in place are fit for that."""
    w = changed["w"]
    for name, array in changed.items():
        if not isinstance(array, np.ndarray) or array.dtype not in (np.float32, np.float64):
            raise TypeError(
                f"{operation}: {name} must be an array of float32 or float64, "
                f"got {getattr(array, 'dtype', type(array).__name__)}"
            )
        if (array.shape, array.dtype) != (w.shape, w.dtype):
            raise ValueError(
                f"{operation}: {name} must be like w, {w.shape} of {w.dtype}, "
                f"got {array.shape} of {array.dtype}"
            )
        if not (array.flags.c_contiguous and array.flags.writeable):
            raise ValueError(
                f"{operation}: {name} must be C-contiguous and writeable, to be changed in place"
            )
    gradient = _real(operation, "g", g)
    if gradient.shape != w.shape:
        raise ValueError(
            f"{operation}: g must have the shape of w, {w.shape}, got {gradient.shape}"
        )
    return np.require(gradient, w.dtype, ["C", "A"])
