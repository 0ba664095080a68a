"""Mutants of the reference backend: one sign flipped, one term dropped, one number off by one.

    python tests/programs/mutation.py

prints which of them `check_layer` kills, and the survivors line by line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from minicnn.checking import check_layer
from minicnn.checking.examples import EXAMPLES
from minicnn.checking.layer_checks import check_backends_agree
from minicnn.checking.mutants import Mutant, module_of, mutants
from minicnn.layers import Layer
from minicnn.ops import use_backend
from minicnn.ops.backend import other_bodies

KINDS = ("flip", "drop", "off by one")

FILES = ("conv2d", "pool2d", "batchnorm", "layernorm", "groupnorm", "dense", "activations",
         "dropout")

LAYERS = {
    "conv2d": ["Conv2D", "Conv2D, padded"],
    "maxpool2d": ["MaxPool2D, overlap", "MaxPool2D, padded"],
    "avgpool2d": ["AvgPool2D"],
    "global_avgpool2d": ["GlobalAvgPool2D"],
    "batchnorm": ["BatchNorm", "BatchNorm, unbiased"],
    "layernorm": ["LayerNorm"],
    "groupnorm": ["GroupNorm"],
    "dense": ["Dense"],
    "relu": ["ReLU"],
    "leaky_relu": ["LeakyReLU"],
    "elu": ["ELU"],
    "dropout": ["Dropout"],
}
"""Which layers show a fault in which operation of the reference."""

TWIN = check_backends_agree.__name__
"""The check that a layer of one's own, of which there is but one, does not have."""

SMALL = (4, 5, 2)
"""Images that are large enough for every fault."""


@dataclass(frozen=True)
class Trial:
    """A mutant before the checks of the layers that should show it."""

    mutant: Mutant

    @property
    def change(self) -> str:
        """What is changed, in words."""
        return f"{self.mutant.kind}: {self.mutant.before} -> {self.mutant.after}"

    @contextmanager
    def chosen(self) -> Iterator[None]:
        """Within the block, the reference backend with the changed file in it."""
        with use_backend("reference"), other_bodies("reference", self.mutant.bodies()):
            yield

    def survives(self) -> bool:
        """Whether every check passes on every layer.

        The comparison of the backends comes first, since it takes next to no time and most mutants
        fail it.
        """
        with self.chosen():
            try:
                for layer, shape in self._specimens():
                    check_backends_agree(layer, shape)
            except Exception:
                return False
        return self.killer() is None

    def killer(self) -> str | None:
        """Name of the check that fails one of the layers on it; None if it survives."""
        with self.chosen():
            try:
                for layer, shape in self._specimens():
                    check_layer(layer, shape)
            except AssertionError as error:
                return str(error).split(":")[0]
        return None

    def _specimens(self) -> Iterator[tuple[Layer, tuple[int, ...]]]:
        for name in self._layers():
            make, shape = EXAMPLES[name]
            yield make(), SMALL if len(shape) == 3 else shape

    def _layers(self) -> list[str]:
        """Those that the changed function is for; of a helper, all of its file's."""
        operation = self.mutant.function.removesuffix("_forward").removesuffix("_backward")
        if operation in LAYERS:
            return LAYERS[operation]
        functions = vars(module_of(self.mutant.file))
        return [
            layer for operation, layers in LAYERS.items()
            if f"{operation}_forward" in functions for layer in layers
        ]


def trials(file: str) -> Iterator[Trial]:
    """One of every mutant of a file's function bodies."""
    return map(Trial, mutants(file, KINDS))


def main() -> None:
    """Print the share killed by file, and the survivors."""
    killers: list[str | None] = []
    for file in FILES:
        every = list(trials(file))
        found = [trial.killer() for trial in every]
        print(f"{file}: {len(found) - found.count(None)} of {len(found)} killed")
        for trial, killer in zip(every, found, strict=True):
            if killer in (None, TWIN):
                line = trial.mutant.line
                print(f"    line {line}, {trial.change}: {killer or 'survives'}")
        killers += found
    killed = len(killers) - killers.count(None)
    alone = killed - killers.count(TWIN)
    print(f"all: {killed} of {len(killers)} killed, {killed / len(killers):.1%}; "
          f"without comparing backends {alone}, {alone / len(killers):.1%}")


if __name__ == "__main__":
    main()
