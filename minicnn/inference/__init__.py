"""A trained network at work: with all that it needs to read faces, and its figures."""

from minicnn.inference.faces import Face, find_faces

__all__ = ["Face", "find_faces"]
