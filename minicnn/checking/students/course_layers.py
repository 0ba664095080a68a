"""CS231n's layers, all of them right, to stand in for those that a sandwich layer calls.

So a fault in what it calls, or a missing fast_layers, is not its own. Their caches are those that
the course documents.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from minicnn.checking.students.loading.absent import Absent, AbsentModule
from minicnn.ops import reference

Layer = Callable[..., Any]

_MISSING = object()


def _ours(images: np.ndarray) -> np.ndarray:
    """NCHW to NHWC."""
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1))


def _theirs(images: np.ndarray) -> np.ndarray:
    """NHWC to NCHW."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def affine_forward(x: Any, w: Any, b: Any) -> Any:
    return reference.dense_forward(x.reshape(len(x), -1), w, b)[0], (x, w, b)


def affine_backward(dout: Any, cache: Any) -> Any:
    x, w, b = cache
    dx, dw, db = reference.dense_backward(
        dout, reference.dense_forward(x.reshape(len(x), -1), w, b)[1]
    )
    return dx.reshape(x.shape), dw, db


def relu_forward(x: Any) -> Any:
    return np.maximum(x, 0), x


def relu_backward(dout: Any, cache: Any) -> Any:
    return dout * (cache > 0)


def _conv(x: Any, w: Any, b: Any, conv_param: Any) -> Any:
    return reference.conv2d_forward(
        _ours(x), np.ascontiguousarray(w.transpose(2, 3, 1, 0)), b,
        stride=conv_param["stride"], padding=conv_param["pad"],
    )


def conv_forward(x: Any, w: Any, b: Any, conv_param: Any) -> Any:
    return _theirs(_conv(x, w, b, conv_param)[0]), (x, w, b, conv_param)


def conv_backward(dout: Any, cache: Any) -> Any:
    dx, dw, db = reference.conv2d_backward(_ours(dout), _conv(*cache[:4])[1])
    return _theirs(dx), np.ascontiguousarray(dw.transpose(3, 2, 0, 1)), db


def _pool(x: Any, pool_param: Any) -> Any:
    size = pool_param["pool_height"], pool_param["pool_width"]
    return reference.maxpool2d_forward(_ours(x), size=size, stride=pool_param["stride"])


def max_pool_forward(x: Any, pool_param: Any) -> Any:
    return _theirs(_pool(x, pool_param)[0]), (x, pool_param)


def max_pool_backward(dout: Any, cache: Any) -> Any:
    return _theirs(reference.maxpool2d_backward(_ours(dout), _pool(*cache[:2])[1]))


def batchnorm_forward(x: Any, gamma: Any, beta: Any, bn_param: Any) -> Any:
    channels = x.shape[-1]
    mean = bn_param.setdefault("running_mean", np.zeros(channels))
    var = bn_param.setdefault("running_var", np.zeros(channels))
    return reference.batchnorm_forward(
        x, gamma, beta, mean, var, training=bn_param["mode"] == "train",
        momentum=bn_param.get("momentum", 0.9), eps=bn_param.get("eps", 1e-5),
    )


def batchnorm_backward(dout: Any, cache: Any) -> Any:
    return reference.batchnorm_backward(dout, cache)


def spatial_batchnorm_forward(x: Any, gamma: Any, beta: Any, bn_param: Any) -> Any:
    out, cache = batchnorm_forward(_ours(x), gamma, beta, bn_param)
    return _theirs(out), cache


def spatial_batchnorm_backward(dout: Any, cache: Any) -> Any:
    dx, dgamma, dbeta = reference.batchnorm_backward(_ours(dout), cache)
    return _theirs(dx), dgamma, dbeta


def layernorm_forward(x: Any, gamma: Any, beta: Any, ln_param: Any) -> Any:
    return reference.layernorm_forward(x, gamma, beta, eps=ln_param.get("eps", 1e-5))


def layernorm_backward(dout: Any, cache: Any) -> Any:
    return reference.layernorm_backward(dout, cache)


COURSE_LAYERS: dict[str, Layer] = {
    **{each.__name__: each for each in (
        affine_forward, affine_backward, relu_forward, relu_backward, batchnorm_forward,
        batchnorm_backward, spatial_batchnorm_forward, spatial_batchnorm_backward,
        layernorm_forward, layernorm_backward,
    )},
    "batchnorm_backward_alt": batchnorm_backward,
    **{f"conv_forward_{how}": conv_forward for how in ("naive", "fast", "im2col", "strides")},
    **{f"conv_backward_{how}": conv_backward for how in ("naive", "fast", "im2col", "strides")},
    **{f"max_pool_forward_{how}": max_pool_forward
       for how in ("naive", "fast", "im2col", "reshape")},
    **{f"max_pool_backward_{how}": max_pool_backward
       for how in ("naive", "fast", "im2col", "reshape")},
}
"""By the course's names."""


@contextmanager
def right_layers(function: Layer, but: str = "") -> Iterator[None]:
    """Inside, a function that calls the course's layers calls right ones, but for one name."""
    replaced: list[tuple[dict[str, Any], str, Any]] = []
    own = getattr(inspect.unwrap(function), "__globals__", {})
    absent = (Absent, AbsentModule)
    modules = [value for value in own.values() if isinstance(value, ModuleType | Absent)
               and not getattr(value, "__name__", "").startswith("numpy")]
    for name, layer in COURSE_LAYERS.items():
        holders = [vars(each) for each in modules if name in vars(each) or isinstance(each, absent)]
        for names in (own, *holders):
            if name != but:
                replaced.append((names, name, names.get(name, _MISSING)))
                names[name] = layer
    try:
        yield
    finally:
        for names, name, value in reversed(replaced):
            if value is _MISSING:
                names.pop(name, None)
            else:
                names[name] = value


def called_layers(function: Layer) -> list[str]:
    """The course's layers that a function names."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return [] if code is None else [name for name in COURSE_LAYERS if name in code.co_names]
