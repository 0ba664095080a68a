"""minicnn's own dialect: NHWC, settings as keywords."""

from collections.abc import Callable
from typing import Any

from minicnn.checking.students.convention import Convention, Parameters, most_positional, takes
from minicnn.checking.students.dialects.calls import call_by_keywords, not_named_dout
from minicnn.checking.students.dialects.cs231n import (
    is_batchnorm as is_cs231n_batchnorm,
    is_layernorm as is_cs231n_layernorm,
)
from minicnn.ops import reference


def _lone(operation: str) -> Callable[[tuple, dict[str, Any]], Any]:
    """The cache of the reference's forward, which is documented."""

    def cache(positional: tuple, keywords: dict[str, Any]) -> Any:
        return getattr(reference, f"{operation}_forward")(*positional, **keywords)[1]

    return cache


def _operation(
    operation: str, gradients: tuple[str, ...] = ("dx",), **more: Any
) -> Convention:
    return Convention(
        "minicnn", operation, f"{operation}_forward", (f"{operation}_backward",), gradients, {},
        call_by_keywords, lone_cache=_lone(operation), **more,
    )


def _is_batchnorm(parameters: Parameters) -> bool:
    return not is_cs231n_batchnorm(parameters)


def _is_layernorm(parameters: Parameters) -> bool:
    return not is_cs231n_layernorm(parameters)


def _is_dropout(parameters: Parameters) -> bool:
    return parameters is None or takes(parameters, "rate")


def _rule(name: str) -> Convention:
    """An optimizer's step, which changes its arrays in place."""
    return Convention(
        "minicnn", name, name, (), (), {}, call_by_keywords,
        fits=lambda parameters: takes(parameters, "lr"), has_cache=False, labels={"y": "w"},
    )


MINICNN: tuple[Convention, ...] = (
    _operation(
        "batchnorm", ("dx", "dgamma", "dbeta"), fits=_is_batchnorm, fits_backward=not_named_dout,
    ),
    _operation(
        "layernorm", ("dx", "dgamma", "dbeta"), fits=_is_layernorm, fits_backward=not_named_dout,
    ),
    _operation("groupnorm", ("dx", "dgamma", "dbeta")),
    _operation("conv2d", ("dx", "dw", "db")),
    _operation("maxpool2d"),
    _operation("avgpool2d"),
    _operation("global_avgpool2d"),
    _operation("dense", ("dx", "dw", "db")),
    _operation("relu", fits_backward=not_named_dout, told_by_backward=True),
    _operation("leaky_relu"),
    _operation("elu"),
    _operation("dropout", fits=_is_dropout, fits_backward=not_named_dout),
    Convention(
        "minicnn", "softmax", "softmax", (), (), {}, call_by_keywords, unless="softmax_loss",
        fits=lambda parameters: most_positional(parameters) == 1, has_cache=False,
    ),
    _operation("softmax_cross_entropy", ("dlogits",), labels={"y": "loss"}),
    _rule("sgd_update"),
    _rule("rmsprop_update"),
    _rule("adam_update"),
)
