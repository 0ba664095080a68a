"""What each instruction becomes: a file for each kind, which enters its functions in `registry`."""

from minicnn.ptx.instructions import accessing, bits, calculating, choosing, moving, together
from minicnn.ptx.instructions.registry import WRITERS

__all__ = ["WRITERS", "accessing", "bits", "calculating", "choosing", "moving", "together"]
