"""The command line: one file a command; it knows everything and decides nothing."""

from minicnn.cli.program import main

__all__ = ["main"]
