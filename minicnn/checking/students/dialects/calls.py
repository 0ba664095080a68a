"""What the dialects share: calls by position and keyword, and which of them a function speaks."""

import numpy as np

from minicnn.checking.students.convention import Arguments, Parameters, takes
from minicnn.checking.students.operations.case import Case


def call_by_keywords(
    case: Case, arrays: dict[str, np.ndarray], parameters: Parameters
) -> Arguments:
    """Arrays by position, those settings by keyword that the function knows."""
    known = {key: value for key, value in case.settings.items() if takes(parameters, key)}
    return tuple(arrays.values()), known


def named_dout(parameters: Parameters) -> bool:
    """Whether a backward calls its first argument as CS231n does."""
    return parameters is not None and next(iter(parameters), "") == "dout"


def not_named_dout(parameters: Parameters) -> bool:
    """Whether it does not."""
    return not named_dout(parameters)
