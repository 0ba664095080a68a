"""CS231n's sandwich layers: what its layer_utils.py has, and what students add to it."""

import re

import numpy as np

from minicnn.checking.students.convention import Arguments, Convention, Parameters
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.sandwich import SANDWICHES, Sandwich

ALIASES = {
    "affine_bn_relu": ("affine_bn_relu", "affine_batchnorm_relu"),
    "affine_ln_relu": ("affine_ln_relu", "affine_layernorm_relu"),
    "conv_bn_relu": ("conv_bn_relu", "conv_batchnorm_relu"),
    "conv_bn_relu_pool": ("conv_bn_relu_pool", "conv_batchnorm_relu_pool"),
}
"""What else a sandwich is called."""

GIVEN = ("affine_relu", "conv_relu", "conv_bn_relu", "conv_relu_pool")
"""Those whose order of gradients the course has laid down."""

_NAMES = {
    "conv_param": r".*conv.*", "pool_param": r".*pool.*", "ln_param": r".*(ln|layer).*",
    "bn_param": r".*(bn|norm|batch).*", "gamma": r"g|gam+a.*", "beta": r"be|bet+a.*",
    "x": r"x|inputs?|data", "w": r"w[a-z0-9]?|weights?", "b": r"b[a-z0-9]?|bias(es)?",
}
"""What an argument is called, in small letters, by what it is; the first that fits counts."""


def _roles(sandwich: Sandwich) -> list[str]:
    """The arguments in the course's order."""
    roles = ["x", "w", "b"]
    if "dgamma" in sandwich.gradients:
        roles += ["gamma", "beta"]
    own = {"conv2d": "conv_param", "batchnorm": "bn_param", "layernorm": "ln_param",
           "maxpool2d": "pool_param"}
    return roles + [own[part] for part in sandwich.parts if part in own]


def _in_order(sandwich: Sandwich, parameters: Parameters) -> list[str] | None:
    """The arguments in the order of a function's parameters; None where that is not to be told.

    Their names tell it. Where some say nothing, the course's order counts, if it agrees with those
    that do.
    """
    roles = _roles(sandwich)
    if parameters is None:
        return roles
    required = [name for name, each in parameters.items() if each.default is each.empty]
    named = [_role(name, roles) for name in required]
    if len(named) != len(roles):
        return None
    if set(named) == set(roles):
        return [name for name in named if name]
    agree = all(name in (None, role) for name, role in zip(named, roles, strict=True))
    return roles if agree else None


def _role(name: str, roles: list[str]) -> str | None:
    """What an argument of this name is."""
    for role, pattern in _NAMES.items():
        if role in roles and re.fullmatch(pattern, name.lower()):
            return role
    return None


def _convention(name: str, sandwich: Sandwich) -> Convention:
    images = {"x": "images", "y": "images", "dx": "images", "w": "filters", "dw": "filters"}
    rows = {"x": "unflattened", "dx": "unflattened"}

    def call(case: Case, arrays: dict[str, np.ndarray], parameters: Parameters) -> Arguments:
        given = {**arrays, **_settings(case, arrays)}
        return tuple(given[role] for role in _in_order(sandwich, parameters) or []), {}

    return Convention(
        "cs231n", sandwich.name, f"{name}_forward", (f"{name}_backward",), sandwich.gradients,
        images if "conv2d" in sandwich.parts else rows, call,
        fits=lambda parameters: _in_order(sandwich, parameters) is not None,
        labels={
            "y": "out", "dy": "dout", "padding": "pad", "size": "pool_height and pool_width",
            "pool_stride": "the pool's stride",
        },
    )


def _settings(case: Case, arrays: dict[str, np.ndarray]) -> dict[str, dict[str, object]]:
    """The dicts of a case's settings, by the names of the arguments."""
    settings = case.settings
    dicts: dict[str, dict[str, object]] = {"ln_param": {"eps": settings.get("eps")}}
    if "stride" in settings:
        dicts["conv_param"] = {"stride": case["stride"], "pad": case["padding"]}
    if "training" in settings:
        dicts["bn_param"] = {
            "mode": "train" if case["training"] else "test", "eps": case["eps"],
            "momentum": case["momentum"], "running_mean": arrays["running_mean"],
            "running_var": arrays["running_var"],
        }
    if "size" in settings:
        dicts["pool_param"] = {
            "pool_height": case["size"], "pool_width": case["size"], "stride": case["pool_stride"],
        }
    return dicts


SANDWICH_LAYERS: tuple[Convention, ...] = tuple(
    _convention(name, sandwich)
    for operation, sandwich in SANDWICHES.items()
    for name in ALIASES.get(operation, (operation,))
)
