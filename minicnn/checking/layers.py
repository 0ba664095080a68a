"""Checks of a layer that anyone can run, in the manner of scikit-learn's estimators."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from minicnn.checking.layer_checks import CHECKS


@dataclass(frozen=True)
class CheckResult:
    """What became of one check.

    Attributes
    ----------
    name : str
        Of the check.
    passed : bool
    message : str
        Why it failed; empty where it passed.
    """

    name: str
    passed: bool
    message: str = ""


def check_layer(
    layer: Any, input_shape: Sequence[int], *, on_fail: Literal["raise", "return"] = "raise"
) -> list[CheckResult]:
    """Run every check on a layer.

    The layer itself is not changed: the checks use copies, built for float32 or float64 where it
    has a ``build``, with random parameters.

    Parameters
    ----------
    layer : object
        With ``forward(x)`` or ``forward(x, training=…)`` and ``backward(dy)``. Where they are
        there, these are used too: ``parameters()``, objects with ``name``, ``data`` and ``grad``;
        ``build(input_shape, dtype=, rng=)``; ``output_shape(input_shape)``; ``state_dict()`` and
        ``load_state_dict(state)``.
    input_shape : sequence of int
        Shape of one input, without the batch axis.
    on_fail : {"raise", "return"}
        Whether the first failure raises, or all checks run and the results tell.

    Returns
    -------
    list of CheckResult
        In the order of `CHECKS`.

    Raises
    ------
    AssertionError
        Where a check fails and `on_fail` is ``"raise"``; the message begins with its name.
    ValueError
        For another `on_fail`.

    Examples
    --------
    >>> from minicnn.checking import check_layer
    >>> from minicnn.layers import Dense
    >>> all(result.passed for result in check_layer(Dense(3), (4,)))
    True
    """
    if on_fail not in ("raise", "return"):
        raise ValueError(f"check_layer: on_fail must be raise or return, got {on_fail!r}")
    results = []
    for check in CHECKS:
        try:
            check(layer, tuple(input_shape))
        except Exception as error:
            asserted = isinstance(error, AssertionError) and str(error)
            message = asserted or repr(error)
            if on_fail == "raise":
                failure = AssertionError(f"{check.__name__}: {message}")
                if not asserted:  # the place in the layer, in the one traceback that is shown
                    failure = failure.with_traceback(error.__traceback__)
                raise failure from None
            results.append(CheckResult(check.__name__, False, message))
        else:
            results.append(CheckResult(check.__name__, True))
    return results


def parametrize_with_checks(layers: Iterable[tuple[Any, Sequence[int]]]) -> Any:
    """A pytest decorator: one test for each layer and check.

    Parameters
    ----------
    layers : iterable of (layer, input_shape)

    Returns
    -------
    pytest.MarkDecorator
        For a test with one argument, ``check``, which it calls.

    Examples
    --------
    >>> from minicnn.checking import parametrize_with_checks
    >>> from minicnn.layers import Dense, ReLU
    >>> @parametrize_with_checks([(Dense(3), (4,)), (ReLU(), (5, 6, 2))])
    ... def test_my_layers(check):
    ...     check()
    """
    import pytest

    return pytest.mark.parametrize("check", [
        pytest.param(
            partial(check, layer, tuple(shape)),
            id=f"{type(layer).__name__}{number}-{check.__name__}",
        )
        for number, (layer, shape) in enumerate(layers) for check in CHECKS
    ])
