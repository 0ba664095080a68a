"""One way of using a student's class: how it is built, called, and asked for its gradients."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn.checking.students.classes.instance import (
    Slot,
    attributes,
    gradient,
    mode_in_words,
    set_mode,
    slots,
)
from minicnn.checking.students.classes.vocabulary import STATE, meanings
from minicnn.checking.students.subject import Trouble
from minicnn.ops import reference

OUTPUTS = ("output", "outputs", "out", "y", "a", "z", "loss")
INPUT_GRADIENTS = ("dx", "dinputs", "dinput", "dX", "grad_input", "input_gradient", "dA_prev")
"""Attributes in which a layer may leave what it does not return."""

_STEPS = ("lr", "learning_rate", "eta", "alpha", "rate", "step_size")
_BUILDERS = ("build", "initialize", "init_weights", "initialize_weights", "init_params",
             "init_param", "setup")

Build = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Style:
    """One way of using a class.

    Attributes
    ----------
    cls : type
    operation : str
    forward, backward : str
        The names of its methods.
    build : callable
        Makes a layer of values by their meaning.
    given : frozenset of str
        The meanings of the values that building uses.
    layouts : dict
        As a `Convention` has them.
    axes : tuple of int
        How many axes x may have.
    rest_of_momentum : bool
        Whether its momentum weighs the new statistics, as in PyTorch.
    keeps : bool
        Whether its dropout takes the probability of keeping.
    scales_later : bool
        Whether evaluation scales where minicnn's training does: dropout as first published.
    has_evaluation : bool
        Whether its dropout can be told to do nothing.
    one_hot : bool
        Whether its loss takes rows of 0 and 1 for labels.
    """

    cls: type
    operation: str
    forward: str
    backward: str
    build: Build
    given: frozenset[str]
    layouts: dict[str, str] = field(default_factory=dict)
    axes: tuple[int, ...] = (1, 2, 3, 4)
    rest_of_momentum: bool = False
    keeps: bool = False
    scales_later: bool = False
    has_evaluation: bool = True
    one_hot: bool = False

    @property
    def told_at_forward(self) -> dict[str, str]:
        """The parameters of forward that take arrays or settings, by name, and their meaning."""
        names = list(_parameters(getattr(self.cls, self.forward)))[2:]  # after self and x
        switches = ("training", "evaluating")
        found = {name: keys[0] for name in names
                 if (keys := meanings(self.operation, name)) and keys[0] not in switches}
        return {} if self.operation == "softmax_cross_entropy" else found

    # -- building ------------------------------------------------------------------------------

    def layer(self, values: Mapping[str, Any], x: np.ndarray) -> Any:
        """A layer that holds these arrays.

        Raises
        ------
        Trouble
            Where no place is found for one of them.
        """
        layer = self.build(values)
        wanted = [key for key in STATE.get(self.operation, ())
                  if key in values and key not in {*self.given, *self.told_at_forward.values()}]
        if any(key in ("w", "gamma") and not self._is_made(layer, key) for key in wanted):
            self._make(layer, x)
        places = slots(layer, self.operation)
        for key in wanted:
            place = places.get(key)
            if place is None:
                if key in ("w", "gamma"):
                    raise Trouble(
                        f"{self.cls.__name__} keeps no {key} by a name that is "
                        f"known; expected {key} as an attribute, or in a constructor's argument",
                        verdict="not-checked")
                continue
            put(place, values[key])
        for name in ("eps", "epsilon", "momentum"):
            key = "eps" if name.startswith("eps") else name
            if key in values and key not in self.given and hasattr(layer, name):
                setattr(layer, name, values[key])
        return layer

    def _is_made(self, layer: Any, key: str) -> bool:
        place = slots(layer, self.operation).get(key)
        return place is not None and place.array is not None

    def _make(self, layer: Any, x: np.ndarray) -> None:
        """Let a layer make the arrays that it makes when it first sees an input."""
        for name in _BUILDERS:
            method = getattr(layer, name, None)
            if callable(method):
                asked = any(each.default is each.empty for each in _parameters(method).values())
                shapes = [(x.shape,), (x.shape[1:],), (x.shape[-1],)]
                for given in shapes if asked else [()]:
                    try:
                        method(*given)
                    except Exception:
                        continue
                    return
        with suppress(Exception):  # it may want arrays before
            getattr(layer, self.forward)(x.copy())

    # -- forward -------------------------------------------------------------------------------

    def run_forward(
        self, layer: Any, x: np.ndarray, labels: Any, values: Mapping[str, Any]
    ) -> Any:
        """Call the layer's forward as its parameters ask: y, and the cache that it returns."""
        method = getattr(layer, self.forward)
        training = not values["evaluating"]
        keywords = {name: values[key] for name, key in self.told_at_forward.items()
                    if key in values}
        if not self._training_keyword(method, training, keywords):
            set_mode(layer, training)
        result = method(x, *([] if labels is None else [labels]), **keywords)
        cache = None
        if isinstance(result, tuple) and len(result) == 2:
            result, cache = result
        if result is None:
            result = _left(layer, OUTPUTS)
        return result, cache

    @staticmethod
    def _training_keyword(method: Any, training: bool, keywords: dict[str, Any]) -> bool:
        for name, parameter in _parameters(method).items():
            keys = meanings("", name)
            if not keys:
                continue
            example = parameter.default
            keywords[name] = (
                mode_in_words(example, training) if isinstance(example, str)
                else training == (keys[0] == "training")
            )
            return True
        return False

    # -- backward ------------------------------------------------------------------------------

    def run_backward(
        self, layer: Any, dy: Any, cache: Any, wanted: tuple[str, ...]
    ) -> list[Any]:
        """Call the layer's backward; dx, and the gradients that are wanted beside it."""
        places = slots(layer, self.operation)
        before = {key: None if place.array is None else place.array.copy()
                  for key, place in places.items()}
        kept = set(map(id, attributes(layer).values()))
        method = getattr(layer, self.backward)
        given: list[Any] = []
        steps = False
        for name, parameter in list(_parameters(method).items())[: 3]:
            if not given:
                given.append(dy)
            elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                given += [cache] if cache is not None else []
                break
            elif name.lower() in _STEPS:
                given.append(1.0)
                steps = True
            elif cache is not None or parameter.default is parameter.empty:
                given.append(cache)
            else:
                break
        result = method(*given)
        returned = list(result) if isinstance(result, tuple | list) else [result]
        if returned[0] is None:
            returned[0] = _left(layer, INPUT_GRADIENTS)
        if len(returned) == 1 + len(wanted):
            return returned
        found = [returned[0]]
        for key in wanted:
            place = places.get(key)
            value = gradient(layer, key, place, STATE[self.operation])
            if value is None and steps and place is not None and before[key] is not None:
                value = before[key] - np.asarray(place.array)
            if value is None:
                value = self._new_array(layer, before.get(key), kept)
            found.append(_of_its_place(value, place))
        return found

    def _new_array(self, layer: Any, like: np.ndarray | None, kept: set[int]) -> Any:
        """The one array of a shape that backward has made, whatever it is called."""
        new = [
            value for value in attributes(layer).values()
            if isinstance(value, np.ndarray) and id(value) not in kept
            and like is not None and value.shape == like.shape
        ]
        if len(new) != 1:
            raise Trouble(
                f"{self.cls.__name__}.{self.backward} leaves no gradient whose name "
                "is known; expected attributes such as dW and db", verdict="not-checked")
        return new[0]


def put(place: Slot, array: np.ndarray) -> None:
    """Put an array into its place, in the shape that the layer has there."""
    made = place.array
    if made is not None and made.size == array.size and made.size == max(made.shape, default=1):
        array = array.reshape(made.shape)
    elif made is not None and made.shape != array.shape:
        raise ValueError(f"{place.name} has shape {made.shape}, expected {array.shape}")
    place.put(array)


def _of_its_place(value: Any, place: Slot | None) -> Any:
    """A gradient without the lone axes that its array has too."""
    array = None if place is None else place.array
    if array is None or not isinstance(value, np.ndarray) or value.shape != array.shape:
        return value
    return value.reshape(-1) if value.size == max(value.shape, default=1) else value


def _left(layer: Any, names: tuple[str, ...]) -> Any:
    return next((value for name in names
                 if (value := getattr(layer, name, None)) is not None), None)


def _parameters(method: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(method).parameters
    except (TypeError, ValueError):
        return {}


# -- as functions ---------------------------------------------------------------------------------

Functions = tuple[Callable[..., Any], Callable[..., Any]]


def as_functions(style: Style, values_of: Callable[..., dict[str, Any]]) -> Functions:
    """A class as the forward and the backward of its operation, in minicnn's signatures.

    Parameters
    ----------
    style : Style
    values_of : callable
        The arrays and settings of a case to values by their meaning.
    """
    order = STATE.get(style.operation, ())
    arrays = ("logits", "labels") if style.operation == "softmax_cross_entropy" else ("x", *order)
    wanted = tuple(key for key in order if not key.startswith("running"))

    def forward(*positional: Any, **settings: Any) -> Any:
        named = dict(zip(arrays, positional, strict=True))
        values = values_of(style, named, settings)
        layer = style.layer(values, positional[0])
        labels = named.get("labels")
        if labels is not None and style.one_hot:
            labels = np.eye(positional[0].shape[1])[labels]
        if style.operation == "dropout" and values["evaluating"] and not style.has_evaluation:
            return positional[0], (None, None, settings, named)
        y, cache = style.run_forward(layer, positional[0], labels, values)
        y = _without_what_it_lacks(style, layer, y, named)
        _give_back_statistics(layer, style, named, settings)
        return _scaled(style, y, settings), (layer, cache, settings, named)

    def backward(dy: Any, kept: Any) -> Any:
        layer, cache, settings, named = kept
        if layer is None:
            return dy
        found = style.run_backward(layer, dy, cache, _held(style, layer, wanted))
        found[0] = _scaled(style, found[0], settings)
        if len(found) < 1 + len(wanted):  # a layer without b
            found.append(named["b"] * 0 + _summed(style, dy))
        return tuple(found) if wanted else found[0]

    def backward_of_loss(kept: Any) -> Any:
        layer, cache, _, _ = kept
        return style.run_backward(layer, 1.0, cache, ())[0]

    return forward, backward_of_loss if arrays[0] == "logits" else backward


def _held(style: Style, layer: Any, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The arrays whose gradients a layer has: all, or all but the b that it lacks."""
    lacks = _lacks_bias(style, layer)
    return tuple(key for key in wanted if not (key == "b" and lacks))


def _lacks_bias(style: Style, layer: Any) -> bool:
    told = {*style.given, *style.told_at_forward.values(), *slots(layer, style.operation)}
    return "b" in STATE.get(style.operation, ()) and "b" not in told


def _without_what_it_lacks(style: Style, layer: Any, y: Any, named: dict[str, Any]) -> Any:
    """y plus the b that a layer without one is not asked for."""
    if not _lacks_bias(style, layer) or not isinstance(y, np.ndarray):
        return y
    first = style.layouts.get("y") in ("images", "transposed")
    return y + named["b"].reshape(-1, *(1,) * (y.ndim - 2)) if first else y + named["b"]


def _summed(style: Style, dy: np.ndarray) -> np.ndarray:
    """dy summed over all axes but the channels'."""
    channels = {"images": 1, "transposed": 0}.get(style.layouts.get("y", ""), dy.ndim - 1)
    return np.asarray(dy.sum(tuple(axis for axis in range(dy.ndim) if axis != channels)))


def _scaled(style: Style, array: Any, settings: Mapping[str, Any]) -> Any:
    """Dropout as first published, divided by the probability of keeping: inverted dropout."""
    if not style.scales_later or not isinstance(array, np.ndarray):
        return array
    return array / (1 - settings["rate"])


def _give_back_statistics(
    layer: Any, style: Style, named: dict[str, Any], settings: Mapping[str, Any]
) -> None:
    """Put a layer's running statistics into the arrays that were given, as minicnn's forward does;
    for a layer without any, what they should be."""
    if style.operation != "batchnorm":
        return
    places = slots(layer, style.operation)
    if "running_mean" not in places:
        right = [np.array(each) for each in named.values()]
        momentum, eps = settings.get("momentum", 0.9), settings.get("eps", 1e-5)
        if style.layouts.get("x") == "images" and right[0].ndim == 4:
            right[0] = right[0].transpose(0, 2, 3, 1)
        reference.batchnorm_forward(*right, training=True, momentum=momentum, eps=eps)
        named["running_mean"][...], named["running_var"][...] = right[3], right[4]
        return
    for key in ("running_mean", "running_var"):
        place = places.get(key)
        left = None if place is None else place.array
        if left is not None and left.size == named[key].size:
            named[key][...] = left.reshape(named[key].shape)
