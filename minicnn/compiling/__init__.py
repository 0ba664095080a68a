"""Numba as the library uses it: how kernels are compiled, kept, and run in threads."""

import os
import re

from minicnn.errors import InputError

_count = os.environ.get("NUMBA_NUM_THREADS", "")
if re.fullmatch(r"\s*-\d+\s*|\s*0+\s*", _count):  # looked at before Numba is imported, which raises
    raise InputError(
        f"expected a number of threads from 1 on, got {_count!r}", argument="NUMBA_NUM_THREADS"
    )
