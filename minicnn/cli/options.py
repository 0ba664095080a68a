"""Options and arguments that several commands take."""

from typing import Annotated

import typer

Backend = Annotated[
    str | None,
    typer.Option(metavar="B", help="Backend of the operations: cpu (default), reference or cuda."),
]
Threads = Annotated[
    int | None,
    typer.Option(metavar="N", help="Threads of the cpu backend; the machine's cores by default."),
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="FER2013: fer2013.csv, icml_face_data.csv, train.csv, a .zip or .tar.gz of one, or a "
        "folder with one or with train/<emotion>/ and test/<emotion>/.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A model (.safetensors), the folder of a run, or the name of weights that come with "
        "the package.",
    ),
]


def is_model(argument: str) -> bool:
    """Whether an argument names a model rather than a picture or an experiment."""
    from minicnn.files.paths import as_path
    from minicnn.weights import pretrained_names

    return (argument.endswith(".safetensors") or argument in pretrained_names()
            or as_path(argument).is_dir())
