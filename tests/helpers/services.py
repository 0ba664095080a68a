"""What the services that collect homework accept: their published schemas, and homework for them.

`schemas/` holds a file for each, which names its source.
"""

import json
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
