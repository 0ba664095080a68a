"""``minicnn summary``: a network as a table."""

from typing import Annotated

import typer

from minicnn.cli.options import is_model
from minicnn.cli.output import show
from minicnn.files.paths import as_path

EXAMPLES = ("minicnn summary paper-bn",)


def summary(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_OR_EXPERIMENT",
            help="A model (.safetensors), the folder of a run, a built-in experiment or a TOML "
            "file.",
        ),
    ],
) -> None:
    """Show a network as a table: shapes, parameters, multiply-adds, memory."""
    from minicnn import load
    from minicnn.runs.folder import RunFolder
    from minicnn.training import experiment_names, read_experiment

    if is_model(model) and (as_path(model).exists() or model not in experiment_names()):
        network = load(RunFolder(model).require_model() if as_path(model).is_dir() else model)
    else:
        network = read_experiment(model).build().model
    show(network.summarize().table())
