"""What the processor has: how wide its vector registers are, how many, and what it does with them.

Numba compiles for the processor that it runs on, or for ``NUMBA_CPU_FEATURES``.
"""

import functools
import platform
from typing import Any

import numpy as np
from numba.core import config
from numba.core.codegen import get_host_cpu_features


def _features() -> set[str]:
    """What the processor that Numba compiles for can do, as LLVM calls it."""
    chosen = config.CPU_FEATURES  # NUMBA_CPU_FEATURES
    listed = get_host_cpu_features() if chosen is None else chosen
    return {name[1:] for name in listed.split(",") if name.startswith("+")}


_FEATURES = _features()
_IS_ARM = platform.machine().lower() in ("arm64", "aarch64")

REGISTER_BITS = 512 if "avx512f" in _FEATURES else 256 if "avx2" in _FEATURES else 128
"""How many bits a vector register holds: of AVX-512, AVX2, or SSE and NEON."""

FUSED = _IS_ARM or "fma" in _FEATURES
"""Whether there is an instruction that multiplies and adds."""

REGISTERS = 32 if REGISTER_BITS == 512 or _IS_ARM else 16
"""How many vector registers there are: of AVX-512 and NEON, or of AVX2 and SSE."""

MASKS_ARE_FREE = REGISTER_BITS == 512
"""Whether a vector is loaded and stored with a mask as fast as without one. AVX2 has to read its
masks from vectors, and some processors store with them very slowly; SSE has none."""

LINE = 16
"""Numbers in a line of the cache, of float32."""


@functools.cache
def lanes(dtype: Any) -> int:
    """How many numbers of this dtype fit into a vector register."""
    return REGISTER_BITS // 8 // np.dtype(dtype).itemsize
