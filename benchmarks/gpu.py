"""What a GPU makes of minicnn: is everything right on it, and how fast is it?

    python benchmarks/gpu.py --out gpu-results

takes six minutes and needs NumPy, Numba, numba-cuda and, for the comparison, PyTorch. Each section
is a process of its own with a time limit, and writes its tables at once; a second start goes on
where the first stopped. The page is ``gpu.md`` in that folder.

    python benchmarks/gpu.py --device interpreter --tiny

runs all of it on small shapes without a GPU, so that its faults are found before one is at hand.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
os.environ["PYTHONPATH"] = os.pathsep.join(  # for the processes of sections
    [*sys.path[:2], *filter(None, [os.environ.get("PYTHONPATH")])]
)

from on_gpu.options import options_from  # noqa: E402  (the lines above have to come first)


def main(words: list[str]) -> int:
    """Run one section in this process, or all of them, each in its own."""
    options, section = options_from(words)
    os.environ["MINICNN_CUDA_DEVICE"] = options.device
    if section is not None:
        from on_gpu.sections import run

        run(section, options)
        return 0
    from on_gpu.runner import run_all

    return run_all(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
