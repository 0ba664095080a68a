"""Layer normalisation, as the reference computes it."""

from minicnn.ops.reference.layernorm import layernorm_backward, layernorm_forward

__all__ = ["layernorm_backward", "layernorm_forward"]
