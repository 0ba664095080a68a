"""The dialects: how each of them writes the operations."""

from minicnn.checking.students.convention import Convention
from minicnn.checking.students.dialects.coursera import COURSERA
from minicnn.checking.students.dialects.cs231n import CS231N
from minicnn.checking.students.dialects.minicnn import MINICNN
from minicnn.checking.students.dialects.sandwiches import SANDWICH_LAYERS
from minicnn.checking.students.operations import OPERATIONS

CONVENTIONS: tuple[Convention, ...] = tuple(sorted(
    [*MINICNN, *CS231N, *COURSERA, *SANDWICH_LAYERS],
    key=lambda convention: list(OPERATIONS).index(convention.operation),
))
"""Every function that the checker knows, in the catalogue's order."""
