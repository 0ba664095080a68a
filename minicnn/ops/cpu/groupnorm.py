"""Group normalisation, as the reference computes it."""

from minicnn.ops.reference.groupnorm import groupnorm_backward, groupnorm_forward

__all__ = ["groupnorm_backward", "groupnorm_forward"]
