"""The dense operation: NumPy's matrix product is BLAS, blocked and threaded already."""

from minicnn.ops.reference.dense import dense_backward, dense_forward

__all__ = ["dense_backward", "dense_forward"]
