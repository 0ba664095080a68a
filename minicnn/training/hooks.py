"""Forward and backward hooks: looking at what goes through a model's layers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from minicnn.layers import Layer
from minicnn.sequential import Sequential

Hooks = Mapping[str, Callable[..., Any]]
"""What stands in for some of a layer's ``forward``, ``backward`` and ``backward_first``."""


@contextmanager
def hooked(model: Sequential, hooks_of: Callable[[Layer], Hooks]) -> Iterator[None]:
    """Within the block, each layer's forward and backward are the hooks that `hooks_of` makes.

    A hook takes the place of the layer's own method and calls it. Blocks may lie inside each other,
    but must end in the reverse order: what a layer had before the block, it has again after it.
    """
    hooks = [hooks_of(layer) for layer in model.layers]
    before = [
        {name: vars(layer)[name] for name in of_layer if name in vars(layer)}
        for layer, of_layer in zip(model.layers, hooks, strict=True)
    ]
    try:
        for layer, of_layer in zip(model.layers, hooks, strict=True):
            vars(layer).update(of_layer)
        yield
    finally:
        for layer, of_layer, own in zip(model.layers, hooks, before, strict=True):
            for name in of_layer:
                vars(layer).pop(name, None)
            vars(layer).update(own)
