"""What is known about operations: it stands by itself, and its suspects name known faults."""

import ast
from pathlib import Path

import pytest

from minicnn import ops
from minicnn.checking.faults import FAULTS
from minicnn.checking.students import operations
from minicnn.checking.students.operations import OPERATIONS, Operation

FOLDER = Path(operations.__file__).parent


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.stem)
def test_operations_know_nothing_of_the_examination(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("minicnn"):
            assert node.module.startswith((operations.__name__, "minicnn.ops"))


def test_every_operation_has_its_functions() -> None:
    for name, operation in OPERATIONS.items():
        if type(operation).right_forward is Operation.right_forward:
            assert {f"{name}_forward", f"{name}_backward"} <= set(vars(ops))


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))
def test_suspects_are_of_the_catalogue(operation: Operation) -> None:
    for suspects in [operation.forward_suspects, *operation.backward_suspects.values()]:
        assert {suspect.fault for suspect in suspects} <= {"", *FAULTS}
        assert all(suspect.detail for suspect in suspects if not suspect.fault)
