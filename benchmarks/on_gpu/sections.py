"""The sections: their order, their time limits, and where each begins."""

import importlib
from dataclasses import dataclass

from on_gpu.options import Options


@dataclass(frozen=True)
class Section:
    """A part of a run; the file of its name has ``run(options)``.

    Attributes
    ----------
    name, title : str
    seconds : int
        How long it may take on a GPU.
    """

    name: str
    title: str
    seconds: int


SECTIONS = (
    Section("compilation", "versions, clocks, and all kernels compiled", 75),
    Section("correctness", "every operation beside the reference", 60),
    Section("gradients", "gradients, the same bits twice, compute-sanitizer", 60),
    Section("limits", "what the GPU reaches at best", 25),
    Section("passes", "each layer and direction, predicted and measured", 60),
    Section("steps", "whole steps beside PyTorch", 70),
    Section("page", "one page of all tables", 10),
)

TRAINING = Section("training", "two epochs on FER2013", 900)
"""Only if it is asked for; not part of the six minutes."""


def asked_for(options: Options) -> tuple[Section, ...]:
    """The sections of a run; the page comes last."""
    extra = (TRAINING,) if options.train else ()
    return (*SECTIONS[:-1], *extra, SECTIONS[-1])


def run(name: str, options: Options) -> None:
    """Run a section in this process."""
    options.out.mkdir(parents=True, exist_ok=True)
    importlib.import_module(f"on_gpu.{name}").run(options)
