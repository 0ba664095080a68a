"""The two dialects, minicnn's and CS231n's: how each writes every operation."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.checking.students.convention import (
    Arguments,
    Convention,
    Parameters,
    most_positional,
    takes,
)
from minicnn.checking.students.operations.case import Case
from minicnn.ops import reference


def _minicnn_call(
    case: Case, arrays: dict[str, np.ndarray], parameters: Parameters
) -> Arguments:
    """Arrays by position, those settings by keyword that the function knows."""
    known = {key: value for key, value in case.settings.items() if takes(parameters, key)}
    return tuple(arrays.values()), known


def _lone(operation: str) -> Callable[[tuple, dict[str, Any]], Any]:
    """The cache of the reference's forward, which is documented."""

    def cache(positional: tuple, keywords: dict[str, Any]) -> Any:
        return getattr(reference, f"{operation}_forward")(*positional, **keywords)[1]

    return cache


def _named_dout(parameters: Parameters) -> bool:
    return parameters is not None and next(iter(parameters), "") == "dout"


def _not_named_dout(parameters: Parameters) -> bool:
    return not _named_dout(parameters)


def _minicnn(
    operation: str, gradients: tuple[str, ...] = ("dx",), **more: Any
) -> Convention:
    return Convention(
        "minicnn", operation, f"{operation}_forward", (f"{operation}_backward",), gradients, {},
        _minicnn_call, lone_cache=_lone(operation), **more,
    )


# -- CS231n: NCHW, dict parameters ------------------------------------------------------------


def _cs231n_conv(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    settings = {"stride": case["stride"], "pad": case["padding"]}
    return (arrays["x"], arrays["w"], arrays["b"], settings), {}


def _cs231n_pool(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    size = case["size"]
    height, width = size if isinstance(size, tuple) else (size, size)
    settings = {"pool_height": height, "pool_width": width, "stride": case["stride"]}
    return (arrays["x"], settings), {}


def _cs231n_batchnorm(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    settings = {
        "mode": "train" if case["training"] else "test", "eps": case["eps"],
        "momentum": case["momentum"], "running_mean": arrays["running_mean"],
        "running_var": arrays["running_var"],
    }
    return (arrays["x"], arrays["gamma"], arrays["beta"], settings), {}


def _cs231n_dropout(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    settings = {
        "mode": "train" if case["training"] else "test", "p": 1 - case["rate"],
        "seed": int(case["rng"].integers(1 << 30)),
    }
    return (arrays["x"], settings), {}


def _is_cs231n_batchnorm(parameters: Parameters) -> bool:
    if parameters is None or "running_mean" in parameters:
        return False
    required = [each for each in parameters.values() if each.default is each.empty]
    return "bn_param" in parameters or len(required) == most_positional(required) == 4


def _is_minicnn_batchnorm(parameters: Parameters) -> bool:
    return not _is_cs231n_batchnorm(parameters)


def _is_minicnn_dropout(parameters: Parameters) -> bool:
    return parameters is None or takes(parameters, "rate")


def _is_cs231n_dropout(parameters: Parameters) -> bool:
    return not _is_minicnn_dropout(parameters)


_OUT = {"y": "out", "dy": "dout"}
_BATCHNORM_GRADIENTS = ("dx", "dgamma", "dbeta")
_CS231N_BATCHNORM = ("batchnorm_backward", "batchnorm_backward_alt")

CONVENTIONS: tuple[Convention, ...] = (
    _minicnn(
        "batchnorm", _BATCHNORM_GRADIENTS, fits=_is_minicnn_batchnorm,
        fits_backward=_not_named_dout,
    ),
    Convention(
        "cs231n", "batchnorm", "batchnorm_forward", _CS231N_BATCHNORM, _BATCHNORM_GRADIENTS, {},
        _cs231n_batchnorm, fits=_is_cs231n_batchnorm, fits_backward=_named_dout, labels=_OUT,
    ),
    Convention(
        "cs231n", "batchnorm", "spatial_batchnorm_forward", ("spatial_batchnorm_backward",),
        _BATCHNORM_GRADIENTS, {"x": "images", "y": "images", "dx": "images"}, _cs231n_batchnorm,
        labels=_OUT,
    ),
    _minicnn("conv2d", ("dx", "dw", "db")),
    Convention(
        "cs231n", "conv2d", "conv_forward_naive", ("conv_backward_naive",), ("dx", "dw", "db"),
        {"x": "images", "y": "images", "dx": "images", "w": "filters", "dw": "filters"},
        _cs231n_conv, lone_cache=lambda positional, _: positional,
        labels={**_OUT, "padding": "pad"},
    ),
    _minicnn("maxpool2d"),
    Convention(
        "cs231n", "maxpool2d", "max_pool_forward_naive", ("max_pool_backward_naive",), ("dx",),
        {"x": "images", "y": "images", "dx": "images"}, _cs231n_pool,
        lone_cache=lambda positional, _: positional,
        labels={**_OUT, "size": "pool_height and pool_width", "padding": ""},
    ),
    _minicnn("avgpool2d"),
    _minicnn("global_avgpool2d"),
    _minicnn("dense", ("dx", "dw", "db")),
    Convention(
        "cs231n", "dense", "affine_forward", ("affine_backward",), ("dx", "dw", "db"),
        {"x": "unflattened", "dx": "unflattened"}, _minicnn_call,
        lone_cache=lambda positional, _: positional, labels=_OUT,
    ),
    _minicnn("relu", fits_backward=_not_named_dout),
    Convention(
        "cs231n", "relu", "relu_forward", ("relu_backward",), ("dx",), {}, _minicnn_call,
        fits=lambda parameters: False, fits_backward=_named_dout,
        lone_cache=lambda positional, _: positional[0],
    ),
    _minicnn("leaky_relu"),
    _minicnn("elu"),
    _minicnn("dropout", fits=_is_minicnn_dropout, fits_backward=_not_named_dout),
    Convention(
        "cs231n", "dropout", "dropout_forward", ("dropout_backward",), ("dx",), {},
        _cs231n_dropout, fits=_is_cs231n_dropout, fits_backward=_named_dout, labels=_OUT,
    ),
    Convention(
        "minicnn", "softmax", "softmax", (), (), {}, _minicnn_call, unless="softmax_loss",
        fits=lambda parameters: most_positional(parameters) == 1, has_cache=False,
    ),
    _minicnn("softmax_cross_entropy", ("dlogits",), labels={"y": "loss"}),
    Convention(
        "cs231n", "softmax_cross_entropy", "softmax_loss", (), ("dlogits",), {}, _minicnn_call,
        has_cache=False, labels={"y": "loss", "dlogits": "dx", "logits": "x", "labels": "y"},
    ),
)
"""Every function that the checker knows, in the catalogue's order."""
