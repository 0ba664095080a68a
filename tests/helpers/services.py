"""What the services that collect homework accept: their published schemas, and homework for them.

`schemas/` holds a file for each, which names its source.
"""

import json
import os
import sysconfig
from pathlib import Path
from typing import Any

import jsonschema

SCHEMAS = Path(__file__).parent / "schemas"

RIGHT = """
import numpy as np

def relu_forward(x):
    return np.maximum(x, 0), x

def relu_backward(dy, x):
    return dy * (x > 0)
"""

HOMEWORK = {
    "right": RIGHT,
    "wrong": RIGHT.replace("(x > 0)", "(dy > 0)"),
    "endless": RIGHT.replace("return dy * (x > 0)", "while True: pass"),
    "broken": RIGHT.replace("(x > 0)", "(x > 0"),
}
"""ReLU as four students hand it in."""


def valid(document: Any, service: str) -> Any:
    """A document that a service reads, once its schema has been found to hold."""
    schema = json.loads((SCHEMAS / f"{service}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def alone(**variables: object) -> dict[str, str]:
    """The environment of a machine that has what minicnn depends on, but no network: pip installs
    nothing but files that are there."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "SYSTEMROOT")
                 if name in os.environ}
    return {
        **inherited, "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": sysconfig.get_path("purelib"),
        **{name: str(value) for name, value in variables.items()},
    }
