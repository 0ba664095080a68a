"""A student's layer that has been built: its arrays, its gradients, its training mode."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from minicnn.checking.students.classes.vocabulary import STATE, is_gradient_of, meanings

_STORES = ("params", "parameters", "param", "weights", "buffers", "state")
_GRADIENTS = ("grads", "grad", "gradients", "gradient", "dparams")
"""Attributes that may be a dict or a list of all arrays, or of all gradients."""


class Slot:
    """A place in which a layer keeps an array: an attribute, or an item of a dict or list.

    Parameters
    ----------
    name : str
        What the student calls it.
    get, put : callable
        Read the place, and write it.
    """

    def __init__(
        self, name: str, get: Callable[[], Any], put: Callable[[Any], None]
    ) -> None:
        self.name, self._get, self._put = name, get, put

    @property
    def holder(self) -> Any:
        """What stands there: an array, or an object with ``data`` and ``grad``."""
        return self._get()

    @property
    def array(self) -> np.ndarray | None:
        """The array; None where none has been made yet."""
        held = self._get()
        for inside in ("data", "value"):
            if not isinstance(held, np.ndarray) and isinstance(
                getattr(held, inside, None), np.ndarray
            ):
                held = getattr(held, inside)
        return held if isinstance(held, np.ndarray) else None

    def put(self, array: np.ndarray) -> None:
        """Put another array there."""
        held = self._get()
        for inside in ("data", "value"):
            if held is not None and isinstance(getattr(held, inside, None), np.ndarray) and (
                not isinstance(held, np.ndarray)
            ):
                setattr(held, inside, array)
                return
        self._put(array)


def slots(layer: Any, operation: str) -> dict[str, Slot]:
    """The places of a layer's arrays, by what they mean to us."""
    found: dict[str, Slot] = {}
    for slot in _places(layer, STATE.get(operation, ())):
        wanted = [key for key in meanings(operation, slot.name) if key in STATE.get(operation, ())]
        is_place = slot.array is not None or slot.holder is None
        if wanted and is_place and wanted[0] not in found:
            found[wanted[0]] = slot
    return found


def _places(layer: Any, order: tuple[str, ...]) -> Iterator[Slot]:
    """Every attribute, and every item of a dict or list of all arrays."""
    state = attributes(layer)
    for name, value in state.items():
        if isinstance(value, dict):
            for key in value:
                if isinstance(key, str):
                    yield Slot(key, partial(value.get, key), partial(value.__setitem__, key))
        else:
            yield Slot(name, partial(getattr, layer, name, None), partial(setattr, layer, name))
    for name in _STORES:
        listed = state.get(name)
        if isinstance(listed, list):
            for number, key in zip(range(len(listed)), order, strict=False):
                yield Slot(key, partial(listed.__getitem__, number),
                           partial(listed.__setitem__, number))


def gradient(layer: Any, key: str, slot: Slot | None, order: tuple[str, ...]) -> Any:
    """What a layer keeps as the gradient of one of its arrays; None where it keeps none."""
    state = attributes(layer)
    names = [each for each in (slot.name if slot else None, key) if each]
    if slot is not None and slot.array is not slot.holder and slot.holder is not None:
        kept = getattr(slot.holder, "grad", None)
        if kept is not None:
            return kept
    for name in names:
        for attribute, value in state.items():
            if value is not None and is_gradient_of(attribute, name):
                return value
    for store in _GRADIENTS:
        kept = state.get(store)
        if isinstance(kept, dict):
            for name in names:
                for label, value in kept.items():
                    if isinstance(label, str) and (
                        label.lower() == name.lower() or is_gradient_of(label, name)
                    ):
                        return value
        if isinstance(kept, list | tuple) and key in order and order.index(key) < len(kept):
            return kept[order.index(key)]
    return None


def attributes(layer: Any) -> dict[str, Any]:
    """A layer's attributes by name."""
    try:
        return dict(vars(layer))
    except TypeError:  # it has __slots__
        return {name: getattr(layer, name, None) for name in dir(layer)
                if not name.startswith("__")}


def set_mode(layer: Any, training: bool) -> bool:
    """Put a layer into training or evaluation mode by its own methods or attribute, if it can."""
    method = getattr(layer, "train" if training else "eval", None)
    if callable(method) and callable(getattr(layer, "eval", None)):
        method()
        return True
    for name, value in attributes(layer).items():
        keys = meanings("", name)
        if keys and isinstance(value, bool):
            setattr(layer, name, training == (keys[0] == "training"))
            return True
        if keys and isinstance(value, str):
            setattr(layer, name, mode_in_words(value, training))
            return True
    return False


def mode_in_words(example: str, training: bool) -> str:
    """``"train"`` or ``"test"``, in the words of an example."""
    pair = {"training": ("training", "testing"), "eval": ("train", "eval")}.get(
        example, ("train", "test"))
    return pair[0] if training else pair[1]
