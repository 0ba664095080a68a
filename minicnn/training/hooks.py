"""Looking at what goes through a model's layers: their passes, wrapped for a while."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from minicnn.layers import Layer
from minicnn.sequential import Sequential

Passes = Mapping[str, Callable[..., Any]]
"""Some of a layer's ``forward``, ``backward`` and ``backward_first``, to take their places."""


@contextmanager
def wrapped(model: Sequential, wrappers: Callable[[Layer], Passes]) -> Iterator[None]:
    """Within the block, each layer's passes are those that `wrappers` makes for it.

    Blocks may lie inside each other, but must end in the reverse order: what a layer had before the
    block, it has again after it.
    """
    passes = [wrappers(layer) for layer in model.layers]
    before = [
        {name: vars(layer)[name] for name in of_layer if name in vars(layer)}
        for layer, of_layer in zip(model.layers, passes, strict=True)
    ]
    try:
        for layer, of_layer in zip(model.layers, passes, strict=True):
            vars(layer).update(of_layer)
        yield
    finally:
        for layer, of_layer, own in zip(model.layers, passes, before, strict=True):
            for name in of_layer:
                vars(layer).pop(name, None)
            vars(layer).update(own)
