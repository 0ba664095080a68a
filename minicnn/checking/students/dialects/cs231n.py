"""CS231n's dialect, of assignment 2: NCHW, settings in dicts."""

from typing import Any

import numpy as np

from minicnn.checking.students.convention import (
    Arguments,
    Convention,
    Parameters,
    most_positional,
    takes,
)
from minicnn.checking.students.dialects.calls import call_by_keywords, named_dout
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.geometry import divides


def _call_conv(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    settings = {"stride": case["stride"], "pad": case["padding"]}
    return (arrays["x"], arrays["w"], arrays["b"], settings), {}


def _call_pool(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    size = case["size"]
    height, width = size if isinstance(size, tuple) else (size, size)
    settings = {"pool_height": height, "pool_width": width, "stride": case["stride"]}
    return (arrays["x"], settings), {}


def _call_batchnorm(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    settings: dict[str, Any] = {
        "mode": "train" if case["training"] else "test", "eps": case["eps"],
        "momentum": case["momentum"],
        **{key: arrays[key] for key in ("running_mean", "running_var") if key in arrays},
    }
    return (arrays["x"], arrays["gamma"], arrays["beta"], settings), {}


def _call_layernorm(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    return (arrays["x"], arrays["gamma"], arrays["beta"], {"eps": case["eps"]}), {}


def _call_groupnorm(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    settings = {"eps": case["eps"]}
    return (arrays["x"], arrays["gamma"], arrays["beta"], case["groups"], settings), {}


def _call_dropout(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    """p is the probability of keeping, or of dropping where the case says so."""
    settings = {
        "mode": "train" if case["training"] else "test",
        "p": case["rate"] if "p_drops" in case.settings else 1 - case["rate"],
        "seed": int(case["rng"].integers(1 << 30)),
    }
    return (arrays["x"], settings), {}


def _asks_conv(case: Case) -> bool:
    """Integers, and windows that end at the image's end: the course assumes that they do."""
    return isinstance(case["padding"], int) and isinstance(case["stride"], int) and divides(case)


def _asks_pool(case: Case) -> bool:
    return case["padding"] == 0 and _asks_conv(case)


def is_batchnorm(parameters: Parameters) -> bool:
    """Whether a forward called batchnorm_forward speaks this dialect, and not minicnn's."""
    if parameters is None or "running_mean" in parameters:
        return False
    required = [each for each in parameters.values() if each.default is each.empty]
    return "bn_param" in parameters or len(required) == most_positional(required) == 4


def _is_dropout(parameters: Parameters) -> bool:
    return parameters is not None and not takes(parameters, "rate")


def is_layernorm(parameters: Parameters) -> bool:
    """Whether a forward called layernorm_forward speaks this dialect, and not minicnn's."""
    if parameters is None or any(name.startswith("eps") for name in parameters):
        return False
    return most_positional(parameters) > 3


def _has_config(parameters: Parameters) -> bool:
    """Whether a function takes w, dw and a config, as the update rules do."""
    return most_positional(parameters) >= 3 and takes(parameters, "config")


def _rule(name: str, **labels: str) -> Convention:
    return Convention(
        "cs231n", name, name, (), (), {}, call_by_keywords, fits=_has_config, has_cache=False,
        labels={"y": "next_w", "g": "dw", "lr": "learning_rate", "eps": "epsilon", **labels},
    )


_OUT = {"y": "out", "dy": "dout", "training": "mode"}
_SIZES = {"OH": "H'", "OW": "W'"}
_LOSS = {"y": "loss", "dlogits": "dx", "logits": "x", "labels": "y"}
_GRADIENTS = ("dx", "dgamma", "dbeta")

CS231N: tuple[Convention, ...] = (
    Convention(
        "cs231n", "batchnorm", "batchnorm_forward",
        ("batchnorm_backward", "batchnorm_backward_alt"), _GRADIENTS, {},
        _call_batchnorm, fits=is_batchnorm, fits_backward=named_dout, labels=_OUT,
    ),
    Convention(
        "cs231n", "batchnorm", "spatial_batchnorm_forward", ("spatial_batchnorm_backward",),
        _GRADIENTS, {"x": "images", "y": "images", "dx": "images"}, _call_batchnorm,
        labels=_OUT,
    ),
    Convention(
        "cs231n", "layernorm", "layernorm_forward", ("layernorm_backward",), _GRADIENTS,
        {}, _call_layernorm, fits=is_layernorm, fits_backward=named_dout, labels=_OUT,
    ),
    Convention(
        "cs231n", "groupnorm", "spatial_groupnorm_forward", ("spatial_groupnorm_backward",),
        _GRADIENTS,
        {"x": "images", "y": "images", "dx": "images", "gamma": "channels", "beta": "channels",
         "dgamma": "channels", "dbeta": "channels"},
        _call_groupnorm, labels={**_OUT, "groups": "G"},
    ),
    Convention(
        "cs231n", "conv2d", "conv_forward_naive", ("conv_backward_naive",), ("dx", "dw", "db"),
        {"x": "images", "y": "images", "dx": "images", "w": "filters", "dw": "filters"},
        _call_conv, asks=_asks_conv, lone_cache=lambda positional, _: positional,
        labels={**_OUT, **_SIZES, "padding": "pad", "KH": "HH", "KW": "WW"},
    ),
    Convention(
        "cs231n", "maxpool2d", "max_pool_forward_naive", ("max_pool_backward_naive",), ("dx",),
        {"x": "images", "y": "images", "dx": "images"}, _call_pool, asks=_asks_pool,
        lone_cache=lambda positional, _: positional,
        labels={
            **_OUT, **_SIZES, "size": "pool_height and pool_width", "padding": "",
            "KH": "pool_height", "KW": "pool_width",
        },
    ),
    Convention(
        "cs231n", "dense", "affine_forward", ("affine_backward",), ("dx", "dw", "db"),
        {"x": "unflattened", "dx": "unflattened"}, call_by_keywords,
        lone_cache=lambda positional, _: positional, labels=_OUT,
    ),
    Convention(
        "cs231n", "relu", "relu_forward", ("relu_backward",), ("dx",), {}, call_by_keywords,
        fits_backward=named_dout, told_by_backward=True,
        lone_cache=lambda positional, _: positional[0], labels=_OUT,
    ),
    Convention(
        "cs231n", "dropout", "dropout_forward", ("dropout_backward",), ("dx",), {},
        _call_dropout, fits=_is_dropout, fits_backward=named_dout, labels=_OUT,
    ),
    Convention(
        "cs231n", "softmax_cross_entropy", "softmax_loss", (), ("dlogits",), {}, call_by_keywords,
        has_cache=False, labels=_LOSS,
    ),
    Convention(
        "cs231n", "svm", "svm_loss", (), ("dlogits",), {}, call_by_keywords, has_cache=False,
        labels=_LOSS,
    ),
    _rule("sgd"),
    _rule("sgd_momentum", v="velocity"),
    _rule("rmsprop", s="cache", smoothing="decay_rate"),
    _rule("adam", s="v"),
)
