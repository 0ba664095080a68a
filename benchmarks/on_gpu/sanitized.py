"""What compute-sanitizer watches: each operation once, on few numbers."""

import numpy as np

from on_gpu.cases import ODD
from on_gpu.options import Options


def run(options: Options) -> None:
    """Compute every odd case in float32."""
    for case in ODD:
        case.results("cuda", np.float32)
        print(f"  {case.name}", flush=True)
