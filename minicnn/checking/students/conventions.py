"""How the two dialects write the operations: names, arguments, and the layout of arrays.

The examination speaks one language: minicnn's names and layouts (NHWC, HWIO), float64. A
`Convention` turns one of its cases into a call of a student's function, and what comes back into
that language again.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn.ops import reference

Parameters = Mapping[str, inspect.Parameter] | None
Arguments = tuple[tuple, dict[str, Any]]

LAYOUTS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "images": ((0, 3, 1, 2), (0, 2, 3, 1)),  # NHWC to NCHW, and back
    "filters": ((3, 2, 0, 1), (2, 3, 1, 0)),  # HWIO to (F, C, HH, WW), and back
}
"""The axes of CS231n's arrays in terms of ours, and of ours in terms of CS231n's."""

@dataclass(frozen=True)
class Case:
    """One call of an operation, in minicnn's language.

    Attributes
    ----------
    arrays : dict
        The positional arguments by name, float64 (labels int64).
    settings : dict
        The keyword arguments by name.
    may_refuse : tuple of exception types
        What a right implementation may raise, for example where a stride does not divide.
    """

    arrays: dict[str, np.ndarray]
    settings: dict[str, Any]
    may_refuse: tuple[type[BaseException], ...] = ()

    def __getitem__(self, key: str) -> Any:
        return self.arrays[key] if key in self.arrays else self.settings[key]


@dataclass(frozen=True)
class Convention:
    """How one dialect writes one operation.

    Attributes
    ----------
    dialect : {"minicnn", "cs231n"}
    operation : str
        minicnn's name of it.
    forward, backwards : str, tuple of str
        The functions' names.
    gradients : tuple of str
        What backward returns, as minicnn names it.
    layouts : dict
        For the arrays that are laid out otherwise than ours: a key of `LAYOUTS`.
    call : callable
        A case, its arrays in the student's layout, and forward's parameters, to the arguments of
        forward.
    fits, fits_backward : callable
        Whether a forward (a backward without a forward) with these parameters is this dialect's.
    lone_cache : callable or None
        The cache that the dialect prescribes, from a call's arguments; None where it prescribes
        none.
    unless : str
        A function whose presence means that `forward` is somebody's helper.
    has_cache : bool
        Whether forward returns a cache; a loss in CS231n's dialect returns its gradient there.
    labels : dict
        What the student calls an array or setting, where it is not minicnn's name; empty for a
        setting that the dialect does not have.
    """

    dialect: str
    operation: str
    forward: str
    backwards: tuple[str, ...]
    gradients: tuple[str, ...]
    layouts: dict[str, str]
    call: Callable[[Case, dict[str, np.ndarray], Parameters], Arguments]
    fits: Callable[[Parameters], bool] = lambda parameters: True
    fits_backward: Callable[[Parameters], bool] = lambda parameters: True
    lone_cache: Callable[[tuple, dict[str, Any]], Any] | None = None
    unless: str = ""
    has_cache: bool = True
    labels: dict[str, str] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """The student's name of an array."""
        return self.labels.get(name, name)

    def theirs(self, name: str, array: np.ndarray) -> np.ndarray:
        """A fresh array in the student's layout."""
        layout = self.layouts.get(name)
        if layout in LAYOUTS and array.ndim == 4:
            array = array.transpose(LAYOUTS[layout][0])
        elif layout == "unflattened" and array.ndim == 3:
            array = array[..., 0]
        elif layout == "unflattened" and array.ndim == 2 and array.shape[1] % 2 == 0:
            array = array.reshape(array.shape[0], 2, -1)
        return np.array(array, order="C")

    def ours(self, name: str, array: np.ndarray) -> np.ndarray:
        """What a student returned, in our layout where it has as many axes as it should."""
        layout = self.layouts.get(name)
        if layout in LAYOUTS and array.ndim == 4:
            return array.transpose(LAYOUTS[layout][1])
        if layout == "unflattened":
            # one that was not brought back to x's shape is told by a last axis of 1
            if array.ndim == 3:
                return array.reshape(array.shape[0], -1)
            return array[..., None] if array.ndim == 2 else array
        return array

    def their_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape of ours as the student should see it."""
        return self.theirs(name, np.empty(shape)).shape

    def arguments(self, case: Case, parameters: Parameters) -> Arguments:
        """The arguments of the student's forward for a case: fresh arrays every time."""
        arrays = {name: self.theirs(name, array) for name, array in case.arrays.items()}
        return self.call(case, arrays, parameters)


def takes(parameters: Parameters, name: str) -> bool:
    """Whether a function can be given this keyword."""
    return parameters is None or name in parameters or any(
        each.kind is each.VAR_KEYWORD for each in parameters.values()
    )


def most_positional(parameters: Parameters | list[inspect.Parameter]) -> int:
    """How many positional arguments a function can be given."""
    if parameters is None:
        return 99
    every = parameters if isinstance(parameters, list) else parameters.values()
    kinds = [each.kind for each in every]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return 99
    return sum(
        kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for kind in kinds
    )


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
