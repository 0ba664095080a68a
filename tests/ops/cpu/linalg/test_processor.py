"""What the processor has, as the kernels see it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from minicnn.ops.cpu.linalg.processor import _IS_ARM, REGISTER_BITS, REGISTERS, lanes


def test_a_register_holds_what_its_bits_allow() -> None:
    assert REGISTER_BITS in (128, 256, 512)
    assert REGISTERS in (16, 32)
    assert lanes(np.float32) == REGISTER_BITS // 32
    assert lanes(np.float64) == REGISTER_BITS // 64


@pytest.mark.parametrize(("features", "bits", "fused"), [
    ("+avx512f,+avx2,+fma", 512, True), ("+avx2,+fma", 256, True), ("+avx2", 256, False),
    ("+avx,-avx2", 128, False),
])
def test_the_features_that_numba_is_told(features: str, bits: int, fused: bool) -> None:
    program = ("from minicnn.ops.cpu.linalg.processor import FUSED, REGISTER_BITS\n"
               "print(REGISTER_BITS, FUSED)")
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={**os.environ, "NUMBA_CPU_FEATURES": features},
    )
    assert ended.stdout.split() == [str(bits), str(fused or _IS_ARM)]
