"""The dialect of Coursera's "Convolutional Neural Networks: Step by Step": NHWC, hparameters."""

from dataclasses import replace
from typing import Any

import numpy as np

from minicnn.checking.students.convention import (
    Arguments,
    Convention,
    Parameters,
    most_positional,
)
from minicnn.checking.students.former_array import FormerArray
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.geometry import window_size
from minicnn.checking.students.operations.observation import agree
from minicnn.checking.students.operations.pool2d_equations import every, handed_on
from minicnn.checking.students.operations.window_twins import EMPTY_SLICE


def _call_conv(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    settings = {"stride": case["stride"], "pad": case["padding"]}
    return (arrays["x"], arrays["w"], arrays["b"].view(FormerArray), settings), {}


def _call_pool(
    case: Case, arrays: dict[str, np.ndarray], parameters: Parameters, mode: str
) -> Arguments:
    settings = {"f": case["size"], "stride": case["stride"]}
    return (arrays["x"], settings, mode)[: max(2, most_positional(parameters))], {}


def _call_max_pool(
    case: Case, arrays: dict[str, np.ndarray], parameters: Parameters
) -> Arguments:
    return _call_pool(case, arrays, parameters, "max")


def _call_average_pool(
    case: Case, arrays: dict[str, np.ndarray], parameters: Parameters
) -> Arguments:
    return _call_pool(case, arrays, parameters, "average")


def _call_step(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    return (arrays["x"], arrays["w"], arrays["b"].view(FormerArray)), {}


def _call_pad(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    return (arrays["x"], case["padding"]), {}


def _call_mask(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    return (arrays["x"],), {}


def _call_distribute(case: Case, arrays: dict[str, np.ndarray], _: Parameters) -> Arguments:
    return (case["dz"], case["shape"]), {}


def _asks_conv(case: Case) -> bool:
    """One number for both axes: f, stride and pad."""
    rows, columns = window_size(case)
    return isinstance(case["padding"], int) and isinstance(case["stride"], int) and rows == columns


def _asks_pool(case: Case) -> bool:
    return case["padding"] == 0 and isinstance(case["size"], int) and isinstance(
        case["stride"], int
    )


def _is_conv(parameters: Parameters) -> bool:
    """Whether a function called conv_forward takes A_prev, W, b and hparameters, and no more."""
    names = list(parameters or ())
    if len(names) != 4 or most_positional(parameters) != 4:
        return False
    return names[0].lower() in ("a_prev", "a") or _is_hparameters(names[3])


def _is_pool(parameters: Parameters) -> bool:
    """Whether a function called pool_forward takes A_prev and hparameters, and at most a mode."""
    names = list(parameters or ())
    if len(names) not in (2, 3) or most_positional(parameters) != len(names):
        return False
    return _is_hparameters(names[1]) and (len(names) == 2 or "mode" in names[2].lower())


def _is_hparameters(name: str) -> bool:
    """hparameters, hparams, hyper_parameters …, but not conv_param or pool_param."""
    return name.lower().startswith("h") and "par" in name.lower()


def _takes_two(parameters: Parameters) -> bool:
    """Whether a backward without a forward takes dZ (or dA) and a cache."""
    names = list(parameters or ())
    return len(names) in (2, 3) and names[0].lower() in ("dz", "da") and "cache" in names[1].lower()


def _is_zero_pad(parameters: Parameters) -> bool:
    """Whether a function takes X and pad, and the rest has defaults."""
    needed = [each.name for each in (parameters or {}).values() if each.default is each.empty]
    return len(needed) == 2 and needed[0] == "X"


def _lets_an_empty_slice_pass(key: str, case: Case, dy: np.ndarray, came: Any) -> str:
    """The course's own hint for unpadding fails where pad is 0."""
    fails = isinstance(came, ValueError | AssertionError) or (
        isinstance(came, np.ndarray) and came.size == 0
    )
    if key != "dx" or case["padding"] or not fails:
        return ""
    return f"note: {EMPTY_SLICE[0].lower()}{EMPTY_SLICE[1:]}"


def _lets_ties_pass(key: str, case: Case, dy: np.ndarray, came: Any) -> str:
    """The course's own mask is True wherever the maximum stands."""
    if isinstance(came, np.ndarray) and agree(came, handed_on(every)(case, dy)):
        return (
            "note: equal maxima receive all of dA each, as the course's mask does; a gradient "
            "gives it to one of them, or a part to each"
        )
    return ""


_SIZES = {"H": "n_H_prev", "W": "n_W_prev", "OH": "n_H", "OW": "n_W", "KH": "f", "KW": "f"}
_POOL = Convention(
    "coursera", "maxpool2d", "pool_forward", ("pool_backward",), ("dx",), {}, _call_max_pool,
    fits=_is_pool, fits_backward=_takes_two, asks=_asks_pool, backward_more=("max",),
    lone_cache=lambda positional, _: positional[:2], lets_pass=_lets_ties_pass,
    labels={**_SIZES, "x": "A_prev", "y": "A", "dy": "dA", "dx": "dA_prev", "size": "f",
            "padding": ""},
)

COURSERA: tuple[Convention, ...] = (
    Convention(
        "coursera", "zero_pad", "zero_pad", (), (), {}, _call_pad, has_cache=False,
        fits=_is_zero_pad, among=("conv_single_step", "conv_forward", "pool_forward"),
        labels={"x": "X", "y": "X_pad", "padding": "pad"},
    ),
    Convention(
        "coursera", "conv_single_step", "conv_single_step", (), (), {"y": "number"}, _call_step,
        has_cache=False, fits=lambda parameters: len(parameters or ()) == 3,
        labels={"x": "a_slice_prev", "w": "W", "y": "Z"},
    ),
    Convention(
        "coursera", "conv2d", "conv_forward", ("conv_backward",), ("dx", "dw", "db"),
        {"b": "biases", "db": "biases"}, _call_conv, fits=_is_conv, fits_backward=_takes_two,
        asks=_asks_conv, lone_cache=lambda positional, _: positional,
        lets_pass=_lets_an_empty_slice_pass,
        labels={**_SIZES, "x": "A_prev", "w": "W", "y": "Z", "dy": "dZ", "dx": "dA_prev",
                "dw": "dW", "padding": "pad"},
    ),
    replace(_POOL, beside=replace(
        _POOL, operation="avgpool2d", call=_call_average_pool, backward_more=("average",),
        lets_pass=lambda *_: "",
    )),
    Convention(
        "coursera", "create_mask_from_window", "create_mask_from_window", (), (), {}, _call_mask,
        has_cache=False, fits=lambda parameters: len(parameters or ()) == 1, labels={"y": "mask"},
    ),
    Convention(
        "coursera", "distribute_value", "distribute_value", (), (), {}, _call_distribute,
        has_cache=False, fits=lambda parameters: len(parameters or ()) == 2, labels={"y": "a"},
    ),
)
